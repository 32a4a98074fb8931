import type { SetOperationOf } from '../../plan/logical.js';
import { type Key, keyOf, keyOfAll } from '../../values/key.js';
import type { RunContext } from '../context.js';
import { Step } from '../step.js';
import { type Layout, type Slot, type Tuple, tupleOf } from '../tuple.js';

/** The key of a whole row. */
export function rowKey(slots: readonly Slot[]): (tuple: Tuple) => Key {
  const [only] = slots;
  if (only !== undefined && slots.length === 1) return (tuple) => keyOf(tuple[only]);
  return (tuple) => keyOfAll(slots.map((slot) => tuple[slot]));
}

/** Each row once, the first time that it comes. */
export class DistinctStep extends Step {
  private readonly key: (tuple: Tuple) => Key;

  constructor(input: Step, slots: readonly Slot[]) {
    super('distinct', '', [input], input.layout);
    this.key = rowKey(slots);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    const seen = new Set<Key>();
    for await (const batch of input.open(context)) {
      yield batch.filter((tuple) => {
        const key = this.key(tuple);
        return seen.size !== seen.add(key).size;
      });
      if (context.due) await context.breathe();
    }
  }
}

/** Rows of two inputs, column by column. */
export class SetStep extends Step {
  constructor(
    private readonly operator: SetOperationOf['operator'],
    left: Step,
    right: Step,
    private readonly leftSlots: readonly Slot[],
    private readonly rightSlots: readonly Slot[],
    layout: Layout,
  ) {
    super(operator, '', [left, right], layout);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [left, right] = this.inputs as [Step, Step];
    const fromLeft = reader(this.leftSlots);
    const fromRight = reader(this.rightSlots);
    if (this.operator === 'union all' || this.operator === 'union') {
      const seen = this.operator === 'union' ? new Set<Key>() : undefined;
      for (const [input, read, slots] of [
        [left, fromLeft, this.leftSlots],
        [right, fromRight, this.rightSlots],
      ] as const) {
        const key = rowKey(slots);
        for await (const batch of input.open(context)) {
          const fresh = seen ? batch.filter((tuple) => seen.size !== seen.add(key(tuple)).size) : batch;
          yield fresh.map(read);
          if (context.due) await context.breathe();
        }
      }
      return;
    }
    const there = new Set<Key>();
    const rightKey = rowKey(this.rightSlots);
    for await (const batch of right.open(context)) {
      for (const tuple of batch) there.add(rightKey(tuple));
      if (context.due) await context.breathe();
    }
    const keep = this.operator === 'intersect';
    const seen = new Set<Key>();
    const leftKey = rowKey(this.leftSlots);
    for await (const batch of left.open(context)) {
      yield batch
        .filter((tuple) => {
          const key = leftKey(tuple);
          return there.has(key) === keep && seen.size !== seen.add(key).size;
        })
        .map(fromLeft);
      if (context.due) await context.breathe();
    }
  }
}

function reader(slots: readonly Slot[]): (tuple: Tuple) => Tuple {
  return (tuple) => tupleOf(slots.map((slot) => tuple[slot]));
}
