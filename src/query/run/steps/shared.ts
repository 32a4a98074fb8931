import type { RunContext } from '../context.js';
import { BATCH, Step } from '../step.js';
import { type Layout, type Slot, type Tuple, tupleOf } from '../tuple.js';

/** Rows of a table of a `with`, computed when they are first read and then kept for the others that read them. */
export class Shared {
  /** how many read it */
  readers = 0;
  private rows: Tuple[] | undefined;

  constructor(
    readonly name: string,
    readonly step: Step,
    private readonly slots: readonly Slot[],
  ) {}

  read(tuple: Tuple): Tuple {
    return tupleOf(this.slots.map((slot) => tuple[slot]));
  }

  async kept(context: RunContext): Promise<readonly Tuple[]> {
    if (!this.rows) {
      const rows: Tuple[] = [];
      for await (const batch of this.step.open(context)) for (const tuple of batch) rows.push(this.read(tuple));
      this.rows = rows;
    }
    return this.rows;
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
    if (this.shared.readers === 1) {
      for await (const batch of this.shared.step.open(context)) yield batch.map((tuple) => this.shared.read(tuple));
      return;
    }
    const rows = await this.shared.kept(context);
    for (let from = 0; from < rows.length; from += BATCH) yield rows.slice(from, from + BATCH);
  }
}
