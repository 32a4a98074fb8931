import type { Field } from '../plan/logical.js';
import type { RunContext } from './context.js';
import type { Layout, Slot, Tuple } from './tuple.js';

/** Rows and time of a step in a run, for `explain analyze`. */
export interface StepStatistics {
  /** rows that it gave */
  rows: number;
  /** milliseconds between asking it and its answers, those of its inputs included */
  milliseconds: number;
  /** how often it was started: a step inside of a join or a sub-query may run many times */
  runs: number;
  /** bytes that it wrote to temporary files */
  spilled: number;
}

/** One operator of a plan. It may be run several times, one run after the other. */
export abstract class Step {
  readonly statistics: StepStatistics = { rows: 0, milliseconds: 0, runs: 0, spilled: 0 };
  /** steps of sub-queries that its expressions use */
  readonly subqueries: Step[] = [];

  constructor(
    /** what it does, in a word or two: `scan pslist`, `hash join` */
    readonly name: string,
    /** its expressions, as the query says them */
    readonly detail: string,
    readonly inputs: readonly Step[],
    readonly layout: Layout,
  ) {}

  /** what was pushed into a table */
  get pushed(): string {
    return '';
  }

  /** columns that it asks for */
  get columns(): string {
    return '';
  }

  /** The rows. Whoever stops early calls `return`. */
  protected abstract run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined>;

  /** The rows, counted and timed. Batches are never empty. */
  async *open(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const { statistics } = this;
    statistics.runs++;
    let since = performance.now();
    const batches = this.run(context);
    try {
      for (;;) {
        const next = await batches.next();
        statistics.milliseconds += performance.now() - since;
        if (next.done === true) return;
        statistics.rows += next.value.length;
        if (next.value.length > 0) yield next.value;
        since = performance.now();
      }
    } finally {
      await batches.return(undefined);
    }
  }

  slot(field: Field): Slot {
    const slot = this.layout.get(field);
    if (slot === undefined) throw new Error(`no step provides ${field.name}`);
    return slot;
  }
}

/** Tuples that a step hands over at once. */
export const BATCH = 1024;
