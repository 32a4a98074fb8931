import type { Die } from './die.js';

/** A unit whose entries can be decoded one by one: of .debug_info, or of a tool's text about it. */
export interface EntryUnit {
  readonly header: {
    /** offset of the unit over all units; offsets of entries are this plus their position */
    readonly start: number;
    /** position of the first entry */
    readonly headerLength: number;
    readonly addressSize: number;
  };
  /** position behind the last entry */
  readonly end: number;
  /** Decodes the entry at a position. @throws ProfileError */
  decode(position: number, die: Die): void;
  /** Position behind an entry and all below it. @throws ProfileError */
  behind(die: Die): number;
  /** The name of an entry, empty where it has none. */
  name(die: Die): string;
  /** DW_AT_const_value of an entry; undefined where it is no number. */
  constant(die: Die): bigint | undefined;
  /** The one fixed address where a variable is. */
  address(die: Die): bigint | undefined;
}

export interface EntryUnits {
  /** The unit that holds an offset. @throws ProfileError */
  at(offset: number): EntryUnit;
}
