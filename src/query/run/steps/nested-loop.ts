import type { Cell, Evaluate } from '../compile.js';
import type { RunContext } from '../context.js';
import { RowBuffer } from '../memory/buffer.js';
import { Step } from '../step.js';
import { resuming } from '../suspend.js';
import type { Layout, Slot, Tuple } from '../tuple.js';
import type { JoinParts } from './join.js';

type Rows = AsyncGenerator<readonly Tuple[], void, undefined>;

/** All pairs that a condition is true for: the right side is kept and gone through for each row of the left. */
export class NestedLoopStep extends Step {
  private readonly rightSlots: readonly Slot[];

  constructor(
    left: Step,
    right: Step,
    private readonly parts: JoinParts,
    layout: Layout,
    detail: string,
  ) {
    super(`${parts.type === 'left' ? 'left ' : ''}${parts.residual ? 'nested loop' : 'cross join'}`, detail, [left, right], layout);
    this.rightSlots = [...right.layout.values()];
  }

  protected async *run(context: RunContext): Rows {
    const [left, right] = this.inputs as [Step, Step];
    let kept: RowBuffer | undefined;
    try {
      for await (const batch of left.open(context)) {
        if (!kept) {
          kept = new RowBuffer(context, this.rightSlots, this.statistics);
          for await (const part of right.open(context)) kept.add(part);
        }
        if (kept.inMemory) yield* this.eachRow(batch, kept, context);
        else yield* this.wholeBatch(batch, kept, context);
      }
    } finally {
      kept?.close();
    }
  }

  /** In the order of the left side, and of the right side for each of its rows. */
  private async *eachRow(batch: readonly Tuple[], kept: RowBuffer, context: RunContext): Rows {
    for (const tuple of batch) {
      let matched = false;
      for await (const others of kept.read()) {
        const rows = await pairs(tuple, others, this.parts);
        if (rows.length > 0) {
          matched = true;
          yield rows;
        }
        if (context.due) await context.breathe();
      }
      if (!matched && this.parts.type === 'left') yield [this.parts.combine(tuple, undefined)];
    }
  }

  /** A right side in a file is read once for many rows of the left. */
  private async *wholeBatch(batch: readonly Tuple[], kept: RowBuffer, context: RunContext): Rows {
    const matched = new Set<Tuple>();
    for await (const others of kept.read()) {
      for (const tuple of batch) {
        const rows = await pairs(tuple, others, this.parts);
        if (rows.length > 0) {
          matched.add(tuple);
          yield rows;
        }
        if (context.due) await context.breathe();
      }
    }
    if (this.parts.type === 'left') yield batch.filter((tuple) => !matched.has(tuple)).map((tuple) => this.parts.combine(tuple, undefined));
  }
}

/** The right side reads columns of the left: it is run for each of its rows. */
export class LateralStep extends Step {
  constructor(
    left: Step,
    right: Step,
    private readonly parts: JoinParts,
    layout: Layout,
    /** columns of the left side that the right side reads */
    private readonly captures: readonly { readonly cell: Cell; readonly value: Evaluate }[],
    detail: string,
  ) {
    super(parts.type === 'left' ? 'left join, run for each row' : 'join, run for each row', detail, [left, right], layout);
  }

  protected async *run(context: RunContext): Rows {
    const [left, right] = this.inputs as [Step, Step];
    for await (const batch of left.open(context)) {
      for (const tuple of batch) {
        for (const { cell, value } of this.captures) cell.value = await resuming(() => value(tuple));
        let matched = false;
        for await (const others of right.open(context)) {
          const rows = await pairs(tuple, others, this.parts);
          if (rows.length > 0) {
            matched = true;
            yield rows;
          }
          if (context.due) await context.breathe();
        }
        if (!matched && this.parts.type === 'left') yield [this.parts.combine(tuple, undefined)];
        if (context.due) await context.breathe();
      }
    }
  }
}

/** One row with those of the other side that go with it. */
async function pairs(tuple: Tuple, others: readonly Tuple[], { combine, residual }: JoinParts): Promise<Tuple[]> {
  const rows: Tuple[] = [];
  let at = 0;
  await resuming(() => {
    for (; at < others.length; at++) {
      const combined = combine(tuple, others[at]);
      if (!residual || residual(combined)) rows.push(combined);
    }
  });
  return rows;
}
