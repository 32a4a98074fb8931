import type { Columns, Row } from '../plugin/columns.js';
import { printRun } from './print.js';
import { createRenderer, type Format, type Sink } from './renderer.js';
import { FileSink, StreamSink } from './sink.js';

/** How a table is written. */
export interface WriteOptions {
  /** default: text */
  readonly format?: Format;
  /** file that the rows go to, which appears when it is complete; default: standard output */
  readonly file?: string;
  /** add to what the file holds already */
  readonly append?: boolean;
  /** time zone of the text formats; default: UTC */
  readonly timezone?: string;
  /** hidden columns too */
  readonly full?: boolean;
}

/** What is written: a `Table`. */
export interface Writable {
  readonly title: string;
  readonly columns: Columns;
  readonly notes: readonly string[];
  readonly count: number;
  batches(): AsyncGenerator<object[], void, undefined>;
}

/** Writes the rows of a table as the console prints them. Returns how many there were. Throws what the table throws; a file is then left as it was. */
export async function writeTable(table: Writable, options: WriteOptions = {}): Promise<number> {
  const file = options.file === undefined ? undefined : new FileSink(options.file, options.append === true);
  const sink: Sink = file ?? new StreamSink(process.stdout);
  try {
    const batches = table.batches();
    // A query knows its columns once it has started.
    const first = await batches.next();
    const style = { timezone: options.timezone ?? 'UTC', full: options.full === true };
    const renderer = await createRenderer(options.format ?? 'text', { name: table.title.replace(/\(.*/s, ''), columns: table.columns }, sink, style);
    async function* rows(): AsyncGenerator<Row[]> {
      if (first.done === true) return;
      yield first.value as Row[];
      for await (const batch of batches) yield batch as Row[];
    }
    const run = {
      batches: rows,
      get notes() {
        return table.notes;
      },
      get count() {
        return table.count;
      },
    };
    const printed = await printRun(run, renderer);
    file?.commit();
    return printed.rows;
  } catch (error) {
    file?.discard();
    throw error;
  }
}
