/**
 * Thrown by a compiled expression that needs a sub-query's result which is not there yet: expressions are computed synchronously, and
 * tables are not. Whoever evaluates it waits for `compute` and evaluates the expression again.
 */
export class Suspend {
  constructor(readonly compute: () => Promise<void>) {}
}

/**
 * Runs `work`, and whenever it stops for a sub-query, computes that and runs it again. `work` must remember how far it came.
 */
export async function resuming<T>(work: () => T): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Suspend)) throw error;
      await error.compute();
    }
  }
}
