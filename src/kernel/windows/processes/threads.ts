import type { WindowsKernel } from '../kernel.js';
import { walkListEntry, type WalkOptions } from '../lists.js';
import type { Struct } from '../../../object/struct.js';
import type { Eprocess } from '../types.js';

/** `_ETHREAD` */
export interface Ethread extends Struct {
  readonly Cid: Struct;
  readonly Tcb: Struct;
}

/** The threads of a process (_EPROCESS.ThreadListHead). */
export function threadsOf(kernel: WindowsKernel, process: Eprocess, options: WalkOptions = {}): Generator<Ethread> {
  return walkListEntry(process.ThreadListHead, kernel.struct<Ethread>('_ETHREAD'), 'ThreadListEntry', options);
}
