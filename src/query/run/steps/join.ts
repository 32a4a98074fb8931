import { isMissing } from '../../values/equality.js';
import { type Key, keyOf, keyOfAll } from '../../values/key.js';
import type { Cell, Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { BATCH, Step } from '../step.js';
import { resuming, Suspend } from '../suspend.js';
import type { Layout, Tuple } from '../tuple.js';

export interface JoinParts {
  readonly type: 'inner' | 'left';
  /** makes one tuple of two; of the left one alone where the right side has none */
  readonly combine: (left: Tuple, right: Tuple | undefined) => Tuple;
  /** conditions beyond equality, on the combined tuple */
  readonly residual: ((tuple: Tuple) => boolean) | undefined;
}

/** Rows of both sides whose keys are equal. The right side is read first and kept by its keys; the left side streams past. */
export class HashJoinStep extends Step {
  constructor(
    left: Step,
    right: Step,
    private readonly leftKeys: readonly Evaluate[],
    private readonly rightKeys: readonly Evaluate[],
    private readonly parts: JoinParts,
    layout: Layout,
    detail: string,
  ) {
    super(parts.type === 'left' ? 'left hash join' : 'hash join', detail, [left, right], layout);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [left, right] = this.inputs as [Step, Step];
    const table = new Map<Key, Tuple[]>();
    for await (const batch of right.open(context)) {
      const cursor = { at: 0 };
      await resuming(() => {
        for (let index = cursor.at; index < batch.length; index++) {
          cursor.at = index;
          const tuple = batch[index] as Tuple;
          const key = joinKey(this.rightKeys, tuple);
          if (key === undefined) continue;
          const same = table.get(key);
          if (same) same.push(tuple);
          else table.set(key, [tuple]);
        }
      });
      if (context.due) await context.breathe();
    }
    for await (const batch of left.open(context)) {
      let rows: Tuple[] = [];
      for (const tuple of batch) {
        const key = await resuming(() => joinKey(this.leftKeys, tuple));
        const matches = key === undefined ? undefined : table.get(key);
        let matched = false;
        for (const other of matches ?? []) {
          const combined = this.parts.combine(tuple, other);
          if (this.parts.residual && !(await resuming(() => this.parts.residual?.(combined)))) continue;
          matched = true;
          rows.push(combined);
          if (rows.length >= BATCH) {
            yield rows;
            rows = [];
            if (context.due) await context.breathe();
          }
        }
        if (!matched && this.parts.type === 'left') rows.push(this.parts.combine(tuple, undefined));
      }
      yield rows;
      if (context.due) await context.breathe();
    }
  }
}

/** The key of a tuple's side of a join; undefined where a part is null, which equals nothing. */
export function joinKey(keys: readonly Evaluate[], tuple: Tuple): Key | undefined {
  const [only] = keys;
  if (only && keys.length === 1) {
    const value = only(tuple);
    return isMissing(value) ? undefined : keyOf(value);
  }
  const values = keys.map((key) => key(tuple));
  return values.some(isMissing) ? undefined : keyOfAll(values);
}

/** All pairs that a condition is true for. The right side is kept, or (where it uses columns of the left) run again for each row. */
export class NestedLoopStep extends Step {
  constructor(
    left: Step,
    right: Step,
    private readonly parts: JoinParts,
    layout: Layout,
    /** columns of the left side that the right side reads */
    private readonly captures: readonly { readonly cell: Cell; readonly value: Evaluate }[],
    detail: string,
  ) {
    super(
      captures.length > 0 ? 'join, run for each row' : parts.type === 'left' ? 'left nested loop' : parts.residual ? 'nested loop' : 'cross join',
      detail,
      [left, right],
      layout,
    );
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [left, right] = this.inputs as [Step, Step];
    const lateral = this.captures.length > 0;
    let kept: Tuple[] | undefined;
    for await (const batch of left.open(context)) {
      for (const tuple of batch) {
        let matched = false;
        if (lateral) {
          for (const { cell, value } of this.captures) cell.value = await resuming(() => value(tuple));
          for await (const part of right.open(context)) {
            for await (const rows of this.pairs(tuple, part, context)) {
              matched = true;
              yield rows;
            }
          }
        } else {
          if (!kept) {
            kept = [];
            for await (const part of right.open(context)) for (const other of part) kept.push(other);
          }
          for await (const rows of this.pairs(tuple, kept, context)) {
            matched = true;
            yield rows;
          }
        }
        if (!matched && this.parts.type === 'left') yield [this.parts.combine(tuple, undefined)];
      }
    }
  }

  private async *pairs(tuple: Tuple, others: readonly Tuple[], context: RunContext): AsyncGenerator<Tuple[], void, undefined> {
    const { combine, residual } = this.parts;
    for (let from = 0; from < others.length; from += BATCH) {
      const rows: Tuple[] = [];
      const until = Math.min(others.length, from + BATCH);
      for (let index = from; index < until; index++) {
        const combined = combine(tuple, others[index]);
        try {
          if (!residual || residual(combined)) rows.push(combined);
        } catch (error) {
          if (!(error instanceof Suspend)) throw error;
          await error.compute();
          index--;
        }
      }
      if (rows.length > 0) yield rows;
      if (context.due) await context.breathe();
    }
  }
}
