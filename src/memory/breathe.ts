import { setImmediate as immediate } from 'node:timers/promises';

/** Work goes on for so many milliseconds before the event loop has its turn: Ctrl-C is heard then, and progress shown. */
const SLICE_MS = 30;

/**
 * When the event loop had its last turn that is known of. One clock for all that runs: a command that does many short things one after the other, each
 * of which looks at the time since it began itself, would never let go.
 */
let turned = performance.now();

/** True where the event loop has waited long enough for its turn: then await {@link breathe}. For loops in which awaiting each time costs too much. */
export function due(): boolean {
  return performance.now() - turned > SLICE_MS;
}

/** Lets the event loop have its turn where that is {@link due}. @throws the signal's reason once it is aborted */
export async function breathe(signal?: AbortSignal): Promise<void> {
  if (due()) await turn();
  // Somebody else may have let the loop have its turn.
  signal?.throwIfAborted();
}

/** Lets the event loop have its turn. */
export async function turn(): Promise<void> {
  await immediate();
  turned = performance.now();
}

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
 * What a search finds; between its steps the event loop has its turn where that is {@link due}.
 * @throws the signal's reason once it is aborted
 */
export async function* breathing<T>(steps: Iterable<T | undefined>, signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
  for (const step of steps) {
    if (due()) await turn();
    signal?.throwIfAborted();
    if (step !== undefined) yield step;
  }
}
