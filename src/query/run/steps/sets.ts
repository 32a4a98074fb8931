import type { SetOperationOf } from '../../plan/logical.js';
import type { Key } from '../../values/key.js';
import type { RunContext } from '../context.js';
import { sizeOf } from '../memory/size.js';
import { consumed, DEEPEST_DIVISION, Division } from '../memory/spiller.js';
import { BATCH, Step } from '../step.js';
import { type Layout, type Slot, type Tuple, tupleOf } from '../tuple.js';
import { distinctRows, rowKey } from './distinct.js';

type Rows = AsyncGenerator<readonly Tuple[], void, undefined>;

/** Rows of two inputs, column by column. */
export class SetStep extends Step {
  private readonly slots: readonly Slot[];

  constructor(
    private readonly operator: SetOperationOf['operator'],
    left: Step,
    right: Step,
    private readonly leftSlots: readonly Slot[],
    private readonly rightSlots: readonly Slot[],
    layout: Layout,
  ) {
    super(operator, '', [left, right], layout);
    this.slots = [...layout.values()];
  }

  protected run(context: RunContext): Rows {
    const [left, right] = this.inputs as [Step, Step];
    const lefts = aligned(left.open(context), this.leftSlots, context);
    const rights = aligned(right.open(context), this.rightSlots, context);
    switch (this.operator) {
      case 'union all':
        return concatenated(lefts, rights);
      case 'union':
        return distinctRows(concatenated(lefts, rights), this.slots, context, this.statistics);
      default:
        return distinctRows(this.matched(lefts, this.keys(rights), this.operator === 'intersect', context, 0), this.slots, context, this.statistics);
    }
  }

  /** Keys of rows, each as a tuple of one. */
  private async *keys(rows: Rows): Rows {
    const key = rowKey(this.slots);
    for await (const batch of rows) yield batch.map((tuple) => tupleOf([key(tuple)]));
  }

  /** Rows of the left side whose keys the right side has (or has not). Where those are too many, both sides are divided by key. */
  private async *matched(lefts: Rows, rightKeys: Rows, keep: boolean, context: RunContext, level: number): Rows {
    const there = new Set<Key>();
    const held = context.memory.open();
    let division: Division | undefined;
    const key = rowKey(this.slots);
    try {
      for await (const batch of rightKeys) {
        for (const tuple of batch) {
          const one = tuple[0] as Key;
          if (division) division.add(one, tuple);
          else if (!there.has(one)) {
            there.add(one);
            if (held.add(sizeOf(one) + 40) && level < DEEPEST_DIVISION) {
              division = new Division(context, [0], this.statistics, level);
              for (const known of there) division.add(known, tupleOf([known]));
              there.clear();
              held.release();
            }
          }
        }
        if (context.due) await context.breathe();
      }
      if (!division) {
        for await (const batch of lefts) yield batch.filter((tuple) => there.has(key(tuple)) === keep);
        return;
      }
      const divided = new Division(context, this.slots, this.statistics, level);
      for await (const batch of lefts) {
        for (const tuple of batch) divided.add(key(tuple), tuple);
        if (context.due) await context.breathe();
      }
      for (const [index, part] of divided.parts.entries()) {
        const other = division.parts[index];
        if (part) yield* this.matched(consumed(part, context), consumed(other, context), keep, context, level + 1);
      }
    } finally {
      held.release();
    }
  }
}

async function* concatenated(left: Rows, right: Rows): Rows {
  yield* left;
  yield* right;
}

/** Rows with the slots of the whole. */
async function* aligned(rows: Rows, slots: readonly Slot[], context: RunContext): Rows {
  for await (const batch of rows) {
    for (let from = 0; from < batch.length; from += BATCH) {
      yield batch.slice(from, from + BATCH).map((tuple) => tupleOf(slots.map((slot) => tuple[slot])));
    }
    if (context.due) await context.breathe();
  }
}
