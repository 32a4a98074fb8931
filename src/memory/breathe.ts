import { setImmediate as immediate } from 'node:timers/promises';

/** Work goes on for so many milliseconds before the event loop has its turn: Ctrl-C is heard then, and progress shown. */
const SLICE_MS = 30;

/**
 * A search in steps: what it finds, and undefined where it has done a little work (a millisecond or a few) and found nothing, so that
 * whoever drives it may look at the clock.
 */
export type Steps<T> = Generator<T | undefined, void, undefined>;

/** What a search finds, for whoever does not mind to wait. */
export function* found<T>(steps: Iterable<T | undefined>): Generator<T, void, undefined> {
  for (const step of steps) if (step !== undefined) yield step;
}

/**
 * What a search finds; between its steps the event loop has its turn, every {@link SLICE_MS}.
 * @throws the signal's reason once it is aborted
 */
export async function* breathing<T>(steps: Iterable<T | undefined>, signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
  let until = performance.now() + SLICE_MS;
  for (const step of steps) {
    if (performance.now() > until) {
      await immediate();
      signal?.throwIfAborted();
      until = performance.now() + SLICE_MS;
    }
    if (step !== undefined) yield step;
  }
}

/** Lets the event loop have its turn between two pieces of work. @throws the signal's reason once it is aborted */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await immediate();
  signal?.throwIfAborted();
}
