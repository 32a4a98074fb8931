import { Absent } from '../memory/absent.js';
import type { Columns, Row } from '../plugin/columns.js';

/** A table that has been started: a plugin's run, a query's. */
export interface StartedTable {
  readonly columns: Columns;
  batches(): AsyncGenerator<readonly Row[], void, undefined>;
  readonly notes: readonly string[];
  readonly faults: number;
}

/** How a table is read. */
export interface TableOptions {
  /** Only these columns are computed; the others are missing from the rows. */
  readonly columns?: Iterable<string>;
  /** Stops it: what was read so far stays, the iteration ends. */
  readonly signal?: AbortSignal;
  /** Told how far long work is: 0 to 1, or undefined where the end is not known. */
  readonly onProgress?: (fraction: number | undefined, what?: string) => void;
}

/** What a start is given: the signal also fires when the table is stopped. */
export interface StartOptions {
  readonly columns?: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly onProgress?: (fraction: number | undefined, what?: string) => void;
}

/**
 * The rows of a command or a query. Nothing runs before rows are asked for; each time they are asked for it runs anew. A row is an
 * object keyed by column; a cell that could not be read is an {@link Absent} that says why, one that has nothing to say is null.
 *
 *     for await (const row of session.plugins.pslist()) console.log(row.pid, row.name);
 *     const rows = await session.plugins.lsmod().rows();
 */
export class Table<R extends object = Row> implements AsyncIterable<R> {
  /** Rows delivered by the last (or present) run. */
  count = 0;
  private started: StartedTable | undefined;
  private readonly running = new Set<AbortController>();

  constructor(
    /** `pslist({ pids: [1] })`, `select …`: for messages */
    readonly title: string,
    private readonly declared: Columns,
    private readonly start: (options: StartOptions) => Promise<StartedTable>,
    private readonly options: TableOptions = {},
  ) {}

  /** The columns by name, with type and meaning: as declared, and as they are once it runs (a query's are known only then). */
  get columns(): Columns {
    return this.started?.columns ?? this.declared;
  }

  /** Sentences beside the rows; complete when the rows have ended. An empty table has at least one. */
  get notes(): readonly string[] {
    return this.started?.notes ?? [];
  }

  /** Cells that could not be read, so far. */
  get faults(): number {
    return this.started?.faults ?? 0;
  }

  /** Rows in batches, as they come. Throws UsageError, PluginError, DetectionError. */
  async *batches(): AsyncGenerator<R[], void, undefined> {
    const stop = new AbortController();
    const { signal, columns, onProgress } = this.options;
    const abort = (): void => stop.abort();
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    this.running.add(stop);
    try {
      this.started = await this.start({ signal: stop.signal, ...(columns ? { columns: new Set(columns) } : {}), ...(onProgress ? { onProgress } : {}) });
      this.count = 0;
      if (stop.signal.aborted) return;
      for await (const batch of this.started.batches()) {
        this.count += batch.length;
        yield batch as unknown as R[];
        if (stop.signal.aborted) return;
      }
    } finally {
      this.running.delete(stop);
      signal?.removeEventListener('abort', abort);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    for await (const batch of this.batches()) yield* batch;
  }

  /** All rows. */
  async rows(): Promise<R[]> {
    const all: R[] = [];
    for await (const batch of this.batches()) for (const row of batch) all.push(row);
    return all;
  }

  /** The first row, or undefined where there is none; nothing is read beyond it. */
  async first(): Promise<R | undefined> {
    for await (const row of this) return row;
    return undefined;
  }

  /** Ends every run of this table that is under way. */
  stop(): void {
    for (const controller of this.running) controller.abort();
  }

  toString(): string {
    return `[Table ${this.title}]`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.toString()}  rows: for await (const row of …), or await ….rows()`;
  }
}

/** A cell's value, or undefined where there is none (it is null, or could not be read). */
export function present<T>(cell: T): Exclude<T, Absent | null> | undefined {
  return cell instanceof Absent || cell === null || cell === undefined ? undefined : (cell as Exclude<T, Absent | null>);
}
