import { setImmediate as immediate } from 'node:timers/promises';
import type { Catalog } from '../catalog.js';

/** Work between two looks at the clock and at Ctrl-C, in milliseconds (as plugins run, src/plugin/run.ts). */
const SLICE_MS = 30;

/** The analyst stopped the query: it ends where it is. Never leaves the engine. */
export class Stopped {
  readonly reason = 'stopped';
}

/** What a query under way has in common: its signal, its clock, what it has to say. */
export class RunContext {
  readonly notes: string[] = [];
  faults = 0;
  /** rows that tables gave */
  read = 0;
  private until = performance.now() + SLICE_MS;

  constructor(
    readonly catalog: Catalog,
    readonly signal: AbortSignal | undefined,
    readonly onProgress: ((fraction: number | undefined, what?: string) => void) | undefined,
    /** bytes that intermediate results may take */
    readonly memory: number,
  ) {}

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** True where it is time to let other work through: then await {@link breathe}. */
  get due(): boolean {
    return performance.now() > this.until;
  }

  /** Lets other work through. Throws Stopped where the analyst does not want more. */
  async breathe(): Promise<void> {
    await immediate();
    this.check();
    this.until = performance.now() + SLICE_MS;
  }

  check(): void {
    if (this.signal?.aborted === true) throw new Stopped();
  }
}
