import type { Accumulator, CallContext } from '../../functions/function.js';
import type { Aggregate, Field } from '../../plan/logical.js';
import { isMissing } from '../../values/equality.js';
import { type Key, keyOf, keyOfAll } from '../../values/key.js';
import type { Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import type { Holding } from '../memory/account.js';
import { sizeOf } from '../memory/size.js';
import { consumed, DEEPEST_DIVISION, Division } from '../memory/spiller.js';
import { BATCH, Step } from '../step.js';
import { resuming } from '../suspend.js';
import { arrayLayout, type Slot, type Tuple, tupleOf } from '../tuple.js';

type Rows = AsyncGenerator<readonly Tuple[], void, undefined>;

export interface CompiledAggregate {
  readonly aggregate: Aggregate;
  readonly args: readonly Evaluate[];
  readonly context: CallContext;
  /** its state grows with every row that it is given */
  readonly keeps: boolean;
}

interface GroupState {
  readonly keys: readonly unknown[];
  readonly accumulators: readonly Accumulator[];
  /** values that `distinct` aggregates have seen */
  readonly seen: readonly (Set<Key> | undefined)[];
}

/** Groups under way. */
interface Groups {
  readonly states: Map<Key, GroupState>;
  readonly held: Holding;
  readonly level: number;
  /** rows of groups that are not known, once there are too many groups */
  division: Division | undefined;
}

/** Bytes of a group without its keys: a map's entry, arrays, states. */
const GROUP_BYTES = 200;

/**
 * One row for each group of rows with the same keys; without keys one row for all. When there are too many groups, rows of groups that are
 * not known yet go to files by their keys, and each file is grouped by itself afterwards.
 */
export class GroupStep extends Step {
  private readonly inputSlots: readonly Slot[];

  constructor(
    input: Step,
    private readonly keys: readonly Evaluate[],
    private readonly aggregates: readonly CompiledAggregate[],
    fields: readonly Field[],
    /** an expression may have to wait for a sub-query */
    private readonly waits: boolean,
    detail: string,
  ) {
    super('group', detail, [input], arrayLayout(fields));
    this.inputSlots = [...input.layout.values()];
  }

  protected run(context: RunContext): Rows {
    const [input] = this.inputs as [Step];
    return this.grouped(input.open(context), context, 0);
  }

  private async *grouped(rows: Rows, context: RunContext, level: number): Rows {
    const groups: Groups = { states: new Map(), held: context.memory.open(), level, division: undefined };
    if (this.keys.length === 0) groups.states.set(null, this.fresh([]));
    try {
      for await (const batch of rows) {
        const cursor = { at: 0 };
        await resuming(() => {
          for (let index = cursor.at; index < batch.length; index++) {
            cursor.at = index;
            this.add(groups, batch[index] as Tuple, context);
          }
        });
        if (context.due) await context.breathe();
      }
      let out: Tuple[] = [];
      for (const { keys, accumulators } of groups.states.values()) {
        out.push(tupleOf([...keys, ...accumulators.map((accumulator) => accumulator.result())]));
        if (out.length >= BATCH) {
          yield out;
          out = [];
          if (context.due) await context.breathe();
        }
      }
      if (out.length > 0) yield out;
      groups.states.clear();
      groups.held.release();
      for (const part of groups.division?.parts ?? []) if (part) yield* this.grouped(consumed(part, context), context, level + 1);
    } finally {
      groups.held.release();
    }
  }

  private fresh(keys: readonly unknown[]): GroupState {
    return {
      keys,
      accumulators: this.aggregates.map(({ aggregate, context }) => aggregate.callee.create(context)),
      seen: this.aggregates.map(({ aggregate }) => (aggregate.distinct ? new Set<Key>() : undefined)),
    };
  }

  private add(groups: Groups, tuple: Tuple, context: RunContext): void {
    const only = this.keys[0];
    const single = only && this.keys.length === 1;
    const keys = single ? [only(tuple)] : this.keys.map((key) => key(tuple));
    // All values first where one may have to wait for a sub-query: nothing is counted twice then.
    const args = this.waits ? this.aggregates.map((aggregate) => aggregate.args.map((arg) => arg(tuple))) : undefined;
    const key = single ? keyOf(keys[0]) : keys.length === 0 ? null : keyOfAll(keys);
    let group = groups.states.get(key);
    if (!group) {
      if (groups.division) {
        groups.division.add(key, tuple);
        return;
      }
      groups.states.set(key, (group = this.fresh(keys)));
      if (groups.held.add(GROUP_BYTES + sizeOf(key) + sizeOf(keys) + 100 * this.aggregates.length)) this.divide(groups, context);
    }
    for (let index = 0; index < this.aggregates.length; index++) {
      const values = args?.[index] ?? valuesOf(this.aggregates[index] as CompiledAggregate, tuple);
      this.accumulate(groups, group, index, values, context);
    }
  }

  private accumulate(groups: Groups, group: GroupState, index: number, values: readonly unknown[], context: RunContext): void {
    const { aggregate, keeps } = this.aggregates[index] as CompiledAggregate;
    if (aggregate.callee.nulls !== 'keep' && values.length > 0 && isMissing(values[0])) return;
    const seen = group.seen[index];
    let grown = keeps ? sizeOf(values[0]) + 8 : 0;
    if (seen) {
      const one = values.length === 1 ? keyOf(values[0]) : keyOfAll(values);
      if (seen.has(one)) return;
      seen.add(one);
      grown += sizeOf(one) + 40;
    }
    group.accumulators[index]?.add(values);
    if (grown > 0 && groups.held.add(grown)) this.divide(groups, context);
  }

  private divide(groups: Groups, context: RunContext): void {
    if (groups.level < DEEPEST_DIVISION && this.keys.length > 0) groups.division ??= new Division(context, this.inputSlots, this.statistics, groups.level);
  }
}

function valuesOf({ args }: CompiledAggregate, tuple: Tuple): readonly unknown[] {
  const [first] = args;
  return first && args.length === 1 ? [first(tuple)] : args.map((arg) => arg(tuple));
}
