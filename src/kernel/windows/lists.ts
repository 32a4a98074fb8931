import type { Struct } from '../../object/struct.js';
import type { StructType } from '../../object/struct-type.js';
import { walkCircular, type WalkOptions } from '../lists/circular.js';

export type { WalkOptions } from '../lists/circular.js';

const LINKS = { forward: 'Flink', backward: 'Blink' } as const;

/**
 * The structs on a list of `_LIST_ENTRY`s, see {@link walkCircular}.
 * @param head the `_LIST_ENTRY` that anchors the list
 * @param member the entry in the struct; `Pcb.ProcessListEntry` for one within
 */
export function walkListEntry<T extends Struct>(head: Struct, type: StructType<T>, member: string, options: WalkOptions = {}): Generator<T> {
  return walkCircular(head, type, member, LINKS, options);
}

/** True for a head of two nulls: nobody ever made that list, and there is nothing on it. Throws Absent. */
export function neverMade(head: Struct): boolean {
  return head.$pointer('Flink') === 0n && head.$pointer('Blink') === 0n;
}
