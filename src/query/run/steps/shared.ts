import type { RunContext } from '../context.js';
import { RowBuffer } from '../memory/buffer.js';
import { Step } from '../step.js';
import { type Layout, type Slot, type Tuple, tupleOf } from '../tuple.js';

/** Rows of a table of a `with`, computed when they are first read and then kept for the others that read them. */
export class Shared {
  /** how many read it */
  readers = 0;
  private kept: Promise<RowBuffer> | undefined;

  constructor(
    readonly name: string,
    readonly step: Step,
    private readonly slots: readonly Slot[],
  ) {}

  read(tuple: Tuple): Tuple {
    return tupleOf(this.slots.map((slot) => tuple[slot]));
  }

  /** All rows. They are kept until the run ends: another step may read them at any time. */
  rows(context: RunContext): Promise<RowBuffer> {
    this.kept ??= this.keep(context);
    return this.kept;
  }

  private async keep(context: RunContext): Promise<RowBuffer> {
    const indices = this.slots.map((_, index) => index);
    const buffer = new RowBuffer(context, indices, this.step.statistics);
    for await (const batch of this.step.open(context)) buffer.add(batch.map((tuple) => this.read(tuple)));
    return buffer;
  }
}

/** One reading of it. The only one streams. */
export class SharedStep extends Step {
  constructor(
    private readonly shared: Shared,
    layout: Layout,
  ) {
    super(`table ${shared.name}`, '', shared.readers++ === 0 ? [shared.step] : [], layout);
  }

  protected async *run(context: RunContext): AsyncGenerator<readonly Tuple[], void, undefined> {
    const { shared } = this;
    // The only reading may still come again: inside of a join or sub-query that runs for each row.
    if (shared.readers > 1 || this.statistics.runs > 1) {
      yield* (await shared.rows(context)).read();
      return;
    }
    for await (const batch of shared.step.open(context)) yield batch.map((tuple) => shared.read(tuple));
  }
}
