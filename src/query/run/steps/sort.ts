import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import type { SpillFile } from '../memory/spill-file.js';
import { consumed, spillFile } from '../memory/spiller.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import { rebuilder, type Slot, type Tuple, tupleOf } from '../tuple.js';
import { merged } from './merge.js';
import { compareKeys, type KeyOrder, SortRows } from './sort-rows.js';

export interface CompiledKey extends KeyOrder {
  readonly value: Evaluate;
}

/** A row of a sorted file or piece. */
interface Keyed {
  readonly keys: readonly unknown[];
  readonly tuple: Tuple;
}

type KeyedRows = AsyncGenerator<readonly Keyed[], void, undefined>;

/** Sorted files that are merged at once. */
const RUNS = 32;

/** Rows in order; equal ones stay as they came. Beyond the memory bound, sorted runs go to files and are merged. */
export class SortStep extends Step {
  private readonly slots: readonly Slot[];
  private readonly rebuild: (values: Tuple, from: number) => Tuple;

  constructor(
    input: Step,
    private readonly keys: readonly CompiledKey[],
    /** no more rows than these are wanted; known when it runs */
    private readonly most: Evaluate | undefined,
    detail: string,
  ) {
    super(most ? 'sort, first rows' : 'sort', detail, [input], input.layout);
    this.slots = [...input.layout.values()];
    this.rebuild = rebuilder(this.slots);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    const most = this.most && (await resuming(() => this.most?.({})));
    if (typeof most === 'number' && most < Infinity) {
      yield* this.first(input, most, context);
      return;
    }
    const held = context.memory.open();
    const runs: SpillFile[] = [];
    let rows = new SortRows(this.keys, this.slots);
    try {
      for await (const batch of input.open(context)) {
        let full = false;
        let at = 0;
        await resuming(() => {
          for (; at < batch.length; at++) {
            const tuple = batch[at] as Tuple;
            full = held.add(rows.add(tuple, this.keysOf(tuple))) || full;
          }
        });
        if (full) {
          runs.push(await this.written(pieces(rows, context), context));
          rows = new SortRows(this.keys, this.slots);
          held.release();
          if (runs.length >= RUNS) runs.splice(0, runs.length, await this.written(this.mergedRuns(runs, context), context));
        }
        if (context.due) await context.breathe();
      }
      if (runs.length === 0) {
        const order = await rows.sorted(context);
        for (let from = 0; from < order.length; from += BATCH) yield Array.from(order.subarray(from, from + BATCH), (index) => rows.tuples[index] as Tuple);
        return;
      }
      for await (const batch of this.mergedRuns(runs, context, pieces(rows, context))) {
        yield batch.map(({ tuple }) => tuple);
        if (context.due) await context.breathe();
      }
    } finally {
      held.release();
      for (const run of runs) context.closed(run);
    }
  }

  /** The first rows alone: what cannot be among them any more is dropped. */
  private async *first(input: Step, most: number, context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const rows = new SortRows(this.keys, this.slots);
    let worst: readonly unknown[] | undefined;
    for await (const batch of input.open(context)) {
      let at = 0;
      await resuming(() => {
        for (; at < batch.length; at++) {
          const tuple = batch[at] as Tuple;
          const keys = this.keysOf(tuple);
          // Of equal rows the one that came first stays.
          if (!worst || this.compare(keys, worst) < 0) rows.add(tuple, keys);
        }
      });
      if (rows.length > 2 * most + BATCH) {
        await rows.truncate(most, context);
        worst = most > 0 ? rows.keysAt(most - 1) : undefined;
      }
      if (context.due) await context.breathe();
    }
    await rows.truncate(most, context);
    for (let from = 0; from < rows.length; from += BATCH) yield rows.tuples.slice(from, from + BATCH);
  }

  private keysOf(tuple: Tuple): unknown[] {
    return this.keys.map(({ value }) => value(tuple));
  }

  private compare(a: readonly unknown[], b: readonly unknown[]): number {
    for (let index = 0; index < this.keys.length; index++) {
      const order = compareKeys(a[index], b[index], this.keys[index] as CompiledKey);
      if (order !== 0) return order;
    }
    return 0;
  }

  /** A file of sorted rows: their keys first, then their slots. */
  private async written(rows: KeyedRows, context: RunContext): Promise<SpillFile> {
    const file = spillFile(
      context,
      Array.from({ length: this.keys.length + this.slots.length }, (_, index) => index),
      this.statistics,
    );
    for await (const batch of rows) {
      for (const { keys, tuple } of batch) file.write(tupleOf([...keys, ...this.slots.map((slot) => tuple[slot])]));
      if (context.due) await context.breathe();
    }
    return file;
  }

  /** Runs in the order in which their rows came, made one. */
  private mergedRuns(runs: readonly SpillFile[], context: RunContext, ...more: KeyedRows[]): KeyedRows {
    return merged([...runs.map((run) => this.read(run, context)), ...more], (a, b) => this.compare(a.keys, b.keys));
  }

  private async *read(run: SpillFile, context: RunContext): KeyedRows {
    const count = this.keys.length;
    for await (const tuples of consumed(run, context)) {
      yield tuples.map((values) => ({ keys: this.keys.map((_, index) => values[index]), tuple: this.rebuild(values, count) }));
    }
  }
}

async function* pieces(rows: SortRows, context: RunContext): KeyedRows {
  const order = await rows.sorted(context);
  for (let from = 0; from < order.length; from += BATCH) {
    yield Array.from(order.subarray(from, from + BATCH), (index) => ({ keys: rows.keysAt(index), tuple: rows.tuples[index] as Tuple }));
  }
}
