import { Absent } from '../../../memory/absent.js';
import type { WalkOptions } from './list.js';

/**
 * What a walk gives until it meets something absent (an unreadable anchor, a type that this kernel lacks), which is told to
 * `onFault` and ends this walk alone: the caller goes on with the next table.
 * @param what what was walked, for the analyst: `the table of TCP connections`
 */
export function* untilAbsent<T>(what: string, walk: () => Iterable<T>, options: WalkOptions = {}): Generator<T> {
  try {
    yield* walk();
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    const at = error.address === undefined ? '' : ` at 0x${error.address.toString(16)}`;
    options.onFault?.(`${what} could not be read${at}: ${error.reason}`);
  }
}
