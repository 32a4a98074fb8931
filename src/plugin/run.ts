import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Absent } from '../memory/absent.js';
import { due, turn } from '../memory/breathe.js';
import type { Session } from '../session/session.js';
import type { Columns, Row } from './columns.js';
import type { OnProgress, PluginContext } from './context.js';
import { PluginError } from './error.js';
import type { Plugin } from './plugin.js';

/** Rows are handed over in batches of about this many milliseconds, so that Ctrl-C, progress and other work come through. */
const SLICE_MS = 30;
/**
 * The first batch may take this long after its first row: tables are laid out by it, and a plugin's first rows are its
 * slowest (maps are built, code is compiled).
 */
const FIRST_SLICE_MS = 90;
/** … and of at most this many rows, so that a reader of the first rows need not wait for a slice to end. */
const BATCH_ROWS = 512;

export interface RunOptions {
  /** Only these columns are computed; all if absent. */
  readonly columns?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Told of each row, with a function that gives it with all columns, also those that were not asked for. */
  readonly keep?: (row: Row, complete: () => Row) => void;
}

/** A command under way, and what it has to say besides its rows. */
export class Run implements AsyncIterable<Row> {
  /** As declared; of a plugin whose columns depend on its arguments, those that they give once {@link prepare} was called or rows came. */
  columns: Columns;
  /** Sentences for the analyst, in order, each once. */
  readonly notes: string[] = [];
  /** Cells that could not be read. */
  faults = 0;
  /** Rows delivered. */
  count = 0;
  private readonly told = new Set<string>();
  private readonly wanted: ReadonlySet<string> | undefined;

  constructor(
    private readonly session: Session,
    readonly plugin: Plugin,
    readonly args: Readonly<Record<string, unknown>>,
    private readonly options: RunOptions = {},
  ) {
    this.columns = plugin.columns;
    this.wanted = options.columns;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row> {
    for await (const batch of this.batches()) yield* batch;
  }

  /** Finds out which columns the arguments give, before any row is asked for. */
  async prepare(): Promise<Columns> {
    if (this.plugin.columnsFor) this.columns = await this.plugin.columnsFor(await this.context(this.options.signal ?? new AbortController().signal), this.args as never);
    return this.columns;
  }

  /** All rows at once. */
  async rows(): Promise<Row[]> {
    const all: Row[] = [];
    for await (const batch of this.batches()) for (const row of batch) all.push(row);
    return all;
  }

  /** Rows in batches; the way for whoever prints or queries many. */
  async *batches(): AsyncGenerator<Row[]> {
    const signal = this.options.signal ?? new AbortController().signal;
    const context = await this.context(signal);
    const reason = this.plugin.applies?.(context);
    if (reason !== undefined) throw new PluginError(`${this.plugin.name} cannot run here: ${reason}`, `why ${this.plugin.name}`);
    if (this.plugin.columnsFor) this.columns = await this.plugin.columnsFor(context, this.args as never);
    const source = this.plugin.collect(context, this.args as never);
    const names = Object.keys(this.columns).filter((name) => this.wanted?.has(name) ?? true);
    let batch: Row[] = [];
    let until = Infinity;
    const full = (): boolean => {
      if (until === Infinity) until = performance.now() + FIRST_SLICE_MS;
      return batch.length >= BATCH_ROWS || performance.now() > until;
    };
    if (Symbol.iterator in source) {
      const iterator = (source as Iterable<Record<string, unknown>>)[Symbol.iterator]();
      try {
        for (;;) {
          const next = iterator.next();
          if (next.done === true) break;
          batch.push(this.resolve(next.value, names));
          const ready = full();
          // The event loop has its turn more often than the first batch is handed over.
          if (!ready && !due()) continue;
          if (ready) {
            yield batch;
            batch = [];
          }
          await turn();
          if (signal.aborted) break;
          if (ready) until = performance.now() + SLICE_MS;
        }
      } catch (error) {
        // What was gathered before a command failed is still worth seeing.
        if (batch.length > 0) yield batch;
        throw error;
      } finally {
        iterator.return?.();
      }
    } else {
      const iterator = (source as AsyncIterable<Record<string, unknown>>)[Symbol.asyncIterator]();
      let next: Promise<IteratorResult<Record<string, unknown>, unknown>> | undefined;
      let slice: Promise<undefined> | undefined;
      const stopped = aborted(signal);
      try {
        for (;;) {
          next ??= iterator.next();
          // Rows that are there are not held back until the next one comes; nor is the analyst who stops the command.
          const arrived = await Promise.race(slice ? [next, slice, stopped.promise] : [next, stopped.promise]);
          if (arrived !== undefined) {
            next = undefined;
            if (arrived.done === true) break;
            batch.push(this.resolve(arrived.value, names));
            slice ??= delay(SLICE_MS, undefined, { ref: false });
            if (!signal.aborted && !full()) {
              if (due()) await turn();
              continue;
            }
          }
          yield batch;
          batch = [];
          slice = undefined;
          await turn();
          if (signal.aborted) return;
          until = performance.now() + SLICE_MS;
        }
      } catch (error) {
        if (batch.length > 0) yield batch;
        throw error;
      } finally {
        stopped.forget();
        // A row that nobody waits for any more may still fail to come.
        next?.catch(() => undefined);
        const ended = iterator.return?.();
        // A source that waits for something hears of its end only then.
        if (signal.aborted) ended?.catch(() => undefined);
        else await ended;
      }
    }
    if (batch.length > 0) yield batch;
    if (this.count === 0 && this.notes.length === 0 && !signal.aborted) {
      this.notes.push(`${this.plugin.name} found nothing.`);
    }
  }

  /** Computes the cells of a row. */
  private resolve(raw: Record<string, unknown>, names: readonly string[]): Row {
    const row: Record<string, unknown> = {};
    for (const name of names) {
      const value = cellValue(raw[name]);
      if (value instanceof Absent && value.kind !== 'not-applicable') this.faults++;
      row[name] = value;
    }
    if (raw['$depth'] !== undefined) row['$depth'] = raw['$depth'];
    this.count++;
    this.options.keep?.(row, () => {
      const all: Record<string, unknown> = {};
      for (const name of Object.keys(this.columns)) all[name] = name in row ? row[name] : cellValue(raw[name]);
      return row['$depth'] === undefined ? all : { ...all, $depth: row['$depth'] };
    });
    return row;
  }

  private async context(signal: AbortSignal): Promise<PluginContext> {
    const needs = this.plugin.needs;
    const kernel = needs === 'none' || needs === 'image' ? undefined : await this.session.kernel();
    if (needs === 'image') this.session.physical();
    if (kernel && Array.isArray(needs) && !needs.includes(kernel.os)) {
      throw new PluginError(`${this.plugin.name} needs ${needs.join(' or ')}; this is ${kernel.description}.`, 'plugins');
    }
    const name = this.plugin.name;
    return {
      session: this.session,
      get kernel() {
        if (!kernel) throw new PluginError(`${name} was declared to need no kernel`);
        return kernel;
      },
      wants: (column) => this.wanted?.has(column) ?? true,
      note: (text) => {
        if (this.told.has(text)) return;
        this.told.add(text);
        this.notes.push(text);
      },
      progress: (how, what) => {
        const { onProgress } = this.options;
        if (typeof how === 'object') onProgress?.(how.total === undefined || how.total <= 0 ? undefined : how.done / how.total, what, how);
        else onProgress?.(how, what);
      },
      signal,
    };
  }
}

/** The value of a cell: the one place where an Absent that a cell throws is caught. */
function cellValue(cell: unknown): unknown {
  if (typeof cell !== 'function') return cell ?? null;
  try {
    return (cell as () => unknown)() ?? null;
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    return error;
  }
}

/** A promise that the signal resolves, until it is forgotten. */
function aborted(signal: AbortSignal): { readonly promise: Promise<undefined>; forget(): void } {
  let forget = (): void => undefined;
  const promise = new Promise<undefined>((resolve) => {
    const fired = (): void => resolve(undefined);
    if (signal.aborted) fired();
    // A query that starts a table for each row of another has many at once.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', fired, { once: true });
    forget = () => signal.removeEventListener('abort', fired);
  });
  return { promise, forget };
}
