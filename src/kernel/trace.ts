/** One step of finding out what an image is: shown live by `-v`, afterwards by `why`. */
export interface TraceStep {
  /** `format`, `page tables`, `kernel`, `symbols`, `types`, `cache` */
  readonly stage: string;
  /** what was tried */
  readonly tried: string;
  /** what came of it */
  readonly found: string;
  readonly outcome: 'found' | 'verified' | 'failed' | 'note';
  /** milliseconds since the session began to look at the image */
  readonly at: number;
}

/** The reasons behind everything that was detected. */
export class Trace {
  readonly steps: TraceStep[] = [];
  private readonly start = performance.now();

  /** @param listeners those of another trace, for one that goes on where that stood */
  constructor(private readonly listeners = new Set<(step: TraceStep) => void>()) {}

  /** An empty trace with the same listeners. */
  fork(): Trace {
    return new Trace(this.listeners);
  }

  add(stage: string, tried: string, found: string, outcome: TraceStep['outcome'] = 'found'): void {
    const step = { stage, tried, found, outcome, at: performance.now() - this.start };
    this.steps.push(step);
    for (const listener of this.listeners) listener(step);
  }

  /** Calls back for each step from now on; returns the function that ends it. */
  listen(listener: (step: TraceStep) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
