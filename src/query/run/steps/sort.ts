import { compareValues } from '../../values/order.js';
import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import type { Tuple } from '../tuple.js';
import { isMissing } from '../../values/equality.js';

export interface CompiledKey {
  readonly value: Evaluate;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

interface Keyed {
  readonly keys: readonly unknown[];
  readonly tuple: Tuple;
}

/** Rows in order; equal ones stay as they came. */
export class SortStep extends Step {
  constructor(
    input: Step,
    private readonly keys: readonly CompiledKey[],
    detail: string,
  ) {
    super('sort', detail, [input], input.layout);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    const all: Keyed[] = [];
    for await (const batch of input.open(context)) {
      const start = all.length;
      await resuming(() => {
        for (let index = all.length - start; index < batch.length; index++) {
          const tuple = batch[index] as Tuple;
          all.push({ keys: this.keys.map(({ value }) => value(tuple)), tuple });
        }
      });
      if (context.due) await context.breathe();
    }
    all.sort((a, b) => compareKeys(a.keys, b.keys, this.keys));
    for (let from = 0; from < all.length; from += BATCH) yield all.slice(from, from + BATCH).map(({ tuple }) => tuple);
  }
}

export function compareKeys(a: readonly unknown[], b: readonly unknown[], keys: readonly CompiledKey[]): number {
  for (let index = 0; index < keys.length; index++) {
    const { descending, nullsFirst } = keys[index] as CompiledKey;
    const x = a[index];
    const y = b[index];
    const missing = isMissing(x);
    if (missing || isMissing(y)) {
      if (missing && isMissing(y)) continue;
      return missing === nullsFirst ? -1 : 1;
    }
    const order = compareValues(x, y);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}
