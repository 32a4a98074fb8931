import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import { walkCircular, type WalkOptions } from '../../lists/circular.js';
import type { ListHead } from '../types.js';

export type { WalkOptions } from '../../lists/circular.js';

const LINKS = { forward: 'next', backward: 'prev' } as const;

/**
 * The structs on a circular list (include/linux/list.h), see {@link walkCircular}.
 * @param head the list_head that anchors the list
 * @param type the struct that the entries are in
 * @param member the list_head in that struct: `tasks`, `thread_node`
 */
export function walkList<T extends Struct>(head: ListHead, type: StructType<T>, member: string, options: WalkOptions = {}): Generator<T> {
  return walkCircular(head, type, member, LINKS, options);
}
