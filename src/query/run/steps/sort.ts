import { isMissing } from '../../values/equality.js';
import { compareValues } from '../../values/order.js';
import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { sizeOf, sizeOfTuple } from '../memory/size.js';
import type { SpillFile } from '../memory/spill-file.js';
import { consumed, spillFile } from '../memory/spiller.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import { rebuilder, type Slot, type Tuple, tupleOf } from '../tuple.js';
import { type Compare, merged, sorted } from './merge.js';

export interface CompiledKey {
  readonly value: Evaluate;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

interface Keyed {
  readonly keys: readonly unknown[];
  readonly tuple: Tuple;
}

/** Sorted files that are merged at once. */
const RUNS = 32;

/** Rows in order; equal ones stay as they came. Beyond the memory bound, sorted runs go to files and are merged. */
export class SortStep extends Step {
  private readonly slots: readonly Slot[];
  private readonly compare: Compare<Keyed>;
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
    this.compare = compareKeys(keys);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    const most = this.most && (await resuming(() => this.most?.({})));
    const wanted = typeof most === 'number' ? most : Infinity;
    const held = context.memory.open();
    const runs: SpillFile[] = [];
    let all: Keyed[] = [];
    try {
      for await (const batch of input.open(context)) {
        const start = all.length;
        await resuming(() => {
          for (let index = all.length - start; index < batch.length; index++) all.push(this.keyed(batch[index] as Tuple));
        });
        let full = false;
        if (wanted !== Infinity) {
          // What cannot be among the first any more is dropped now and then.
          if (all.length > 2 * wanted + 4 * BATCH) all = (await sorted(all, this.compare, context)).slice(0, wanted);
        } else {
          for (let index = start; index < all.length; index++) full = held.add(this.sizeOf(all[index] as Keyed)) || full;
        }
        if (full) {
          runs.push(await this.written(await sorted(all, this.compare, context), context));
          all = [];
          held.release();
          if (runs.length >= RUNS) runs.splice(0, runs.length, await this.oneRun(runs, context));
        }
        if (context.due) await context.breathe();
      }
      all = await sorted(all, this.compare, context);
      if (runs.length === 0) {
        for (let from = 0; from < all.length; from += BATCH) yield all.slice(from, from + BATCH).map(({ tuple }) => tuple);
        return;
      }
      const rest = all;
      const sources = [...runs.map((run) => this.keyedRows(run, context)), piece(rest)];
      for await (const batch of merged(sources, this.compare)) {
        yield batch.map(({ tuple }) => tuple);
        if (context.due) await context.breathe();
      }
    } finally {
      held.release();
      for (const run of runs) context.closed(run);
    }
  }

  private keyed(tuple: Tuple): Keyed {
    return { keys: this.keys.map(({ value }) => value(tuple)), tuple };
  }

  private sizeOf({ keys, tuple }: Keyed): number {
    let size = sizeOfTuple(tuple, this.slots) + 40;
    for (const key of keys) size += sizeOf(key);
    return size;
  }

  /** A file of sorted rows: their keys first, then their slots. */
  private async written(rows: readonly Keyed[], context: RunContext): Promise<SpillFile> {
    const file = this.file(context);
    for (let index = 0; index < rows.length; index++) {
      this.append(file, rows[index] as Keyed);
      if (index % BATCH === 0 && context.due) await context.breathe();
    }
    return file;
  }

  private file(context: RunContext): SpillFile {
    return spillFile(
      context,
      Array.from({ length: this.keys.length + this.slots.length }, (_, index) => index),
      this.statistics,
    );
  }

  private append(file: SpillFile, { keys, tuple }: Keyed): void {
    file.write(tupleOf([...keys, ...this.slots.map((slot) => tuple[slot])]));
  }

  /** Several runs made one, in their order. */
  private async oneRun(runs: readonly SpillFile[], context: RunContext): Promise<SpillFile> {
    const file = this.file(context);
    for await (const batch of merged(
      runs.map((run) => this.keyedRows(run, context)),
      this.compare,
    )) {
      for (const row of batch) this.append(file, row);
      if (context.due) await context.breathe();
    }
    return file;
  }

  private async *keyedRows(run: SpillFile, context: RunContext): AsyncGenerator<readonly Keyed[], void, undefined> {
    const count = this.keys.length;
    for await (const tuples of consumed(run, context)) {
      yield tuples.map((values) => ({ keys: this.keys.map((_, index) => values[index]), tuple: this.rebuild(values, count) }));
    }
  }
}

async function* piece<T>(rows: readonly T[]): AsyncGenerator<readonly T[], void, undefined> {
  if (rows.length > 0) yield rows;
}

function compareKeys(keys: readonly CompiledKey[]): Compare<Keyed> {
  const [only] = keys;
  if (only && keys.length === 1) return (a, b) => compareOne(a.keys[0], b.keys[0], only);
  return (a, b) => {
    for (let index = 0; index < keys.length; index++) {
      const order = compareOne(a.keys[index], b.keys[index], keys[index] as CompiledKey);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function compareOne(x: unknown, y: unknown, { descending, nullsFirst }: CompiledKey): number {
  if (typeof x === 'number' && typeof y === 'number') {
    if (x === y) return 0;
    if (x < y) return descending ? 1 : -1;
    if (x > y) return descending ? -1 : 1;
  }
  const missing = isMissing(x);
  if (missing || isMissing(y)) {
    if (missing && isMissing(y)) return 0;
    return missing === nullsFirst ? -1 : 1;
  }
  const order = compareValues(x, y);
  return descending ? -order : order;
}
