import type { Columns, Row } from '../../plugin/columns.js';
import type { QueryRun } from '../engine.js';
import { type RunContext, Stopped } from './context.js';

/** A query under way. */
export class PlannedRun implements QueryRun {
  count = 0;
  private started = false;

  constructor(
    readonly columns: Columns,
    private readonly context: RunContext,
    private readonly source: () => AsyncGenerator<readonly Row[], void, undefined>,
    /** what is said of the query itself, when its rows have ended */
    private readonly remarks: readonly string[] = [],
  ) {}

  get notes(): readonly string[] {
    return this.context.notes;
  }

  get faults(): number {
    return this.context.faults;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row> {
    for await (const batch of this.batches()) yield* batch;
  }

  async rows(): Promise<Row[]> {
    const all: Row[] = [];
    for await (const batch of this.batches()) for (const row of batch) all.push(row);
    return all;
  }

  async *batches(): AsyncGenerator<Row[], void, undefined> {
    if (this.started) throw new Error('a query runs once: prepare it again');
    this.started = true;
    try {
      for await (const batch of this.source()) {
        this.count += batch.length;
        yield batch as Row[];
      }
      if (this.count === 0 && this.context.notes.length === 0) this.context.note('No row fits the query.');
      for (const remark of this.remarks) this.context.note(remark);
    } catch (error) {
      // Ctrl-C ends a query as it ends a command: with the rows so far.
      if (!(error instanceof Stopped)) throw error;
    } finally {
      this.context.close();
    }
  }
}
