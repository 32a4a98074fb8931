import type { RunContext } from '../context.js';
import { BATCH, type StepStatistics } from '../step.js';
import type { Slot, Tuple } from '../tuple.js';
import type { Holding } from './account.js';
import { sizeOfTuple } from './size.js';
import type { SpillFile } from './spill-file.js';
import { spillFile } from './spiller.js';

/** Rows that are read several times: in memory, and beyond the bound in a temporary file. */
export class RowBuffer {
  private readonly rows: Tuple[] = [];
  private readonly held: Holding;
  private file: SpillFile | undefined;

  constructor(
    private readonly context: RunContext,
    private readonly slots: readonly Slot[],
    private readonly statistics: StepStatistics,
  ) {
    this.held = context.memory.open();
  }

  add(batch: readonly Tuple[]): void {
    for (const tuple of batch) {
      if (this.file) this.file.write(tuple);
      else {
        this.rows.push(tuple);
        if (this.held.add(sizeOfTuple(tuple, this.slots))) this.file = spillFile(this.context, this.slots, this.statistics);
      }
    }
  }

  get inMemory(): boolean {
    return this.file === undefined;
  }

  /** All rows, in the order in which they came. */
  async *read(): AsyncGenerator<readonly Tuple[], void, undefined> {
    for (let from = 0; from < this.rows.length; from += BATCH) yield this.rows.slice(from, from + BATCH);
    if (!this.file) return;
    for (const tuples of this.file.read()) {
      yield tuples;
      if (this.context.due) await this.context.breathe();
    }
  }

  close(): void {
    this.rows.length = 0;
    this.held.release();
    if (this.file) this.context.closed(this.file);
  }
}
