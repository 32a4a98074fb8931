import { type Key, keyOf, keyOfAll } from '../../values/key.js';
import type { RunContext } from '../context.js';
import { sizeOf } from '../memory/size.js';
import { consumed, DEEPEST_DIVISION, Division } from '../memory/spiller.js';
import { Step, type StepStatistics } from '../step.js';
import type { Slot, Tuple } from '../tuple.js';

type Rows = AsyncGenerator<readonly Tuple[], void, undefined>;

/** The key of a whole row. */
export function rowKey(slots: readonly Slot[]): (tuple: Tuple) => Key {
  const [only] = slots;
  if (only !== undefined && slots.length === 1) return (tuple) => keyOf(tuple[only]);
  return (tuple) => keyOfAll(slots.map((slot) => tuple[slot]));
}

/**
 * Each row once, the first time that it comes. When there are too many to remember, rows that are not known yet go to files by their
 * keys, and each file is looked at by itself afterwards.
 */
export async function* distinctRows(rows: Rows, slots: readonly Slot[], context: RunContext, statistics: StepStatistics, level = 0): Rows {
  const key = rowKey(slots);
  const seen = new Set<Key>();
  const held = context.memory.open();
  let division: Division | undefined;
  try {
    for await (const batch of rows) {
      const fresh: Tuple[] = [];
      for (const tuple of batch) {
        const one = key(tuple);
        if (seen.has(one)) continue;
        if (division) {
          division.add(one, tuple);
          continue;
        }
        seen.add(one);
        fresh.push(tuple);
        if (held.add(sizeOf(one) + 40) && level < DEEPEST_DIVISION) division = new Division(context, slots, statistics, level);
      }
      if (fresh.length > 0) yield fresh;
      if (context.due) await context.breathe();
    }
    seen.clear();
    held.release();
    for (const part of division?.parts ?? []) yield* distinctRows(consumed(part, context), slots, context, statistics, level + 1);
  } finally {
    held.release();
  }
}

/** `distinct` */
export class DistinctStep extends Step {
  constructor(
    input: Step,
    private readonly slots: readonly Slot[],
  ) {
    super('distinct', '', [input], input.layout);
  }

  protected run(context: RunContext): Rows {
    const [input] = this.inputs as [Step];
    return distinctRows(input.open(context), this.slots, context, this.statistics);
  }
}
