import type { Absent } from '../memory/absent.js';
import type { PartialBytes } from '../memory/partial.js';
import type { Struct } from '../object/struct.js';
import type { Timestamp } from '../object/time.js';

/** What a cell of each column type holds. */
export interface ColumnValues {
  /** a whole number, exact */
  int: number | bigint;
  float: number;
  /** a virtual address: shown in hex, padded */
  address: bigint;
  /** a physical address or file offset: shown in hex */
  physical: number;
  /** a number of bytes */
  size: number | bigint;
  string: string;
  bool: boolean;
  time: Timestamp;
  /** nanoseconds */
  duration: bigint;
  /** a kernel object; renders as its address, a process also with name and pid */
  struct: Struct;
  /** raw bytes, perhaps with holes: shown as a hex dump */
  bytes: Buffer | PartialBytes;
  list: readonly unknown[];
  /** a value whose type depends on the row (`dt`'s content) */
  any: unknown;
}

export type ColumnType = keyof ColumnValues;

/** One column of a plugin's table. */
export interface Column<T extends ColumnType = ColumnType> {
  readonly type: T;
  /** one sentence: what it is, with the structure and member it comes from */
  readonly doc: string;
  /** `bytes`, `seconds since boot` … where the type does not say it */
  readonly unit?: string;
  /** for type struct: the C struct, so that queries know its members before running (`task_struct`) */
  readonly struct?: string;
  /** not shown by the text renderer unless asked for (verbosity above 1, `select *`, json) */
  readonly hidden?: boolean;
  /** shown as a heading line when its value changes, not in every row */
  readonly divider?: boolean;
  /** indented by the row's `$depth` */
  readonly tree?: boolean;
  /** for numbers: shown as bare hex digits, as a listing has them (`6A`) */
  readonly hex?: boolean;
  /** heading, when it is not the column's name */
  readonly title?: string;
  /** for text: each of its lines stands on a line of its own in the cell */
  readonly lines?: boolean;
  /** least width on the terminal, in cells */
  readonly width?: number;
  /** what says least of a row: where a terminal is too narrow it is cut before others, then left out */
  readonly minor?: boolean;
  /** for text: never cut, as no number is; for what identifies */
  readonly whole?: boolean;
}

export type Columns = Readonly<Record<string, Column>>;

type Options = Omit<Column, 'type' | 'doc'>;
function column<T extends ColumnType>(type: T): (doc: string, options?: Options) => Column<T> {
  return (doc, options) => ({ type, doc, ...options });
}

/** Column constructors: `col.int('process id', …)`. */
export const col = {
  int: column('int'),
  float: column('float'),
  address: column('address'),
  physical: column('physical'),
  size: column('size'),
  string: column('string'),
  bool: column('bool'),
  time: column('time'),
  duration: column('duration'),
  struct: (struct: string, doc: string, options?: Options): Column<'struct'> => ({ type: 'struct', doc, ...options, struct }),
  bytes: column('bytes'),
  list: column('list'),
  any: column('any'),
};

/**
 * What a plugin yields for a cell: the value; a function that computes it, called only when the cell is asked for (and whose
 * {@link Absent} costs this cell alone); Absent; or null for "nothing to say" (not applicable, and no fault).
 */
export type Cell<T> = T | null | Absent | (() => T | null | Absent);

/** What a plugin yields for a row: a cell for each column; a missing one is null. */
export type RowOf<C extends Columns> = { readonly [K in keyof C]?: Cell<ColumnValues[C[K]['type']]> } & {
  /** depth in a tree, 0 for a root */
  readonly $depth?: number;
};

/** A computed row: column name → value, Absent, or null. */
export interface Row {
  readonly [column: string]: unknown;
  readonly $depth?: number;
}
