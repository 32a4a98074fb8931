import type { Accumulator, CallContext } from '../../functions/function.js';
import type { Aggregate, Field } from '../../plan/logical.js';
import { isMissing } from '../../values/equality.js';
import { type Key, keyOf, keyOfAll } from '../../values/key.js';
import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import { arrayLayout, type Tuple, tupleOf } from '../tuple.js';

export interface CompiledAggregate {
  readonly aggregate: Aggregate;
  readonly args: readonly Evaluate[];
  readonly context: CallContext;
}

interface GroupState {
  readonly keys: readonly unknown[];
  readonly accumulators: readonly Accumulator[];
  /** values that `distinct` aggregates have seen */
  readonly seen: readonly (Set<Key> | undefined)[];
}

/** One row for each group of rows with the same keys; without keys one row for all. */
export class GroupStep extends Step {
  constructor(
    input: Step,
    private readonly keys: readonly Evaluate[],
    private readonly aggregates: readonly CompiledAggregate[],
    fields: readonly Field[],
    detail: string,
  ) {
    super('group', detail, [input], arrayLayout(fields));
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const [input] = this.inputs as [Step];
    const groups = new Map<Key, GroupState>();
    if (this.keys.length === 0) groups.set(null, this.fresh([]));
    for await (const batch of input.open(context)) {
      const cursor = { at: 0 };
      await resuming(() => {
        for (let index = cursor.at; index < batch.length; index++) {
          cursor.at = index;
          this.add(groups, batch[index] as Tuple);
        }
      });
      if (context.due) await context.breathe();
    }
    let rows: Tuple[] = [];
    for (const { keys, accumulators } of groups.values()) {
      rows.push(tupleOf([...keys, ...accumulators.map((accumulator) => accumulator.result())]));
      if (rows.length >= BATCH) {
        yield rows;
        rows = [];
        if (context.due) await context.breathe();
      }
    }
    yield rows;
  }

  private fresh(keys: readonly unknown[]): GroupState {
    return {
      keys,
      accumulators: this.aggregates.map(({ aggregate, context }) => aggregate.callee.create(context)),
      seen: this.aggregates.map(({ aggregate }) => (aggregate.distinct ? new Set<Key>() : undefined)),
    };
  }

  private add(groups: Map<Key, GroupState>, tuple: Tuple): void {
    // All values first: whichever has to wait for a sub-query, nothing is counted twice.
    const keys = this.keys.map((key) => key(tuple));
    const args = this.aggregates.map((aggregate) => aggregate.args.map((arg) => arg(tuple)));
    const key = this.keys.length === 0 ? null : keys.length === 1 ? keyOf(keys[0]) : keyOfAll(keys);
    let group = groups.get(key);
    if (!group) groups.set(key, (group = this.fresh(keys)));
    for (let index = 0; index < this.aggregates.length; index++) {
      const { aggregate } = this.aggregates[index] as CompiledAggregate;
      const values = args[index] as readonly unknown[];
      if (aggregate.callee.nulls !== 'keep' && values.length > 0 && isMissing(values[0])) continue;
      const seen = group.seen[index];
      if (seen) {
        const one = values.length === 1 ? keyOf(values[0]) : keyOfAll(values);
        if (seen.has(one)) continue;
        seen.add(one);
      }
      group.accumulators[index]?.add(values);
    }
  }
}
