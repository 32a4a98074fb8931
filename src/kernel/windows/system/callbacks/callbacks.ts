import type { WindowsKernel } from '../../kernel.js';
import type { Callback, Fault } from './callback.js';
import { chainCallbacks } from './chains.js';
import { listCallbacks } from './lists.js';
import { objectCallbacks, typeCallbacks } from './objects.js';
import { tableCallbacks } from './tables.js';

export type { Callback } from './callback.js';

/**
 * All routines that drivers asked the kernel to call, from wherever the kernel keeps them. Every table and list is found by its symbol: a
 * build that has none of a name has no such callbacks.
 * @param onUnmade told the names of lists that nobody ever made
 */
export function* callbacks(kernel: WindowsKernel, onFault: Fault, onUnmade: (symbol: string) => void): Generator<Callback> {
  yield* tableCallbacks(kernel);
  yield* listCallbacks(kernel, onFault, onUnmade);
  yield* chainCallbacks(kernel, onFault);
  yield* typeCallbacks(kernel, onFault);
  yield* objectCallbacks(kernel, onFault);
}
