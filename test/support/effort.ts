import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';

/**
 * Starts to count what this process works, in milliseconds of the processor: programs beside it count little, unlike in time by the clock.
 * @returns what was worked since
 */
export function effort(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}

/**
 * Does some work and fails where it took more milliseconds of the processor. Such a bound is there for work that grows without end: it stands far above what is
 * usual, tenfold at least.
 */
export function bounded<T>(most: number, work: () => T): T {
  const spent = effort();
  const result = work();
  const took = spent();
  assert.ok(took < most, `took ${took.toFixed(0)} ms of the processor, of ${most}`);
  return result;
}

/** {@link bounded} for work that waits in between. */
export async function boundedAsync<T>(most: number, work: () => Promise<T>): Promise<T> {
  const spent = effort();
  const result = await work();
  bounded(most - spent(), () => undefined);
  return result;
}

/** The least effort of several times the same, for what is promised in milliseconds: the first times compile, and other work comes between. */
export async function leastEffort(times: number, work: () => unknown): Promise<number> {
  let least = Infinity;
  for (let time = 0; time < times; time++) {
    const spent = effort();
    await work();
    least = Math.min(least, spent());
  }
  return least;
}

/** Does some work by a clock that goes on by so many milliseconds each time it is looked at, however busy the machine is. */
export function withClock<T>(step: number, work: () => T): T {
  const { now } = performance;
  let time = now.call(performance);
  performance.now = () => (time += step);
  try {
    return work();
  } finally {
    performance.now = now;
  }
}

/** Counts how often the event loop goes round. */
export class Turns {
  count = 0;
  private counting = true;

  constructor() {
    void this.go();
  }

  /** Resolves in the next turn in which a condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await immediate();
  }

  stop(): void {
    this.counting = false;
  }

  private async go(): Promise<void> {
    while (this.counting) {
      await immediate();
      this.count++;
    }
  }
}
