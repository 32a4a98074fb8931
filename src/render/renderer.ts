import type { Column, Columns, Row } from '../plugin/columns.js';
import { UsageError } from '../plugin/error.js';
import type { ValueStyle } from './value.js';

/** Where rendered text goes. */
export interface Sink {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Width of the terminal in cells; undefined: not a terminal, nothing is cut. */
  readonly width: number | undefined;
  /** where it is a file: what formats need that are no text */
  readonly file?: FileOutput;
}

/** A file that is written: it appears under its name when all is written, and not before. */
export interface FileOutput {
  readonly path: string;
  /** what is there already is to be kept: {@link rewrite} is called by a format that cannot just go on behind it */
  readonly append: boolean;
  /** The file is written anew, in whole; until then the old one may be read at {@link path}. */
  rewrite(): void;
  writeBytes(bytes: Uint8Array): Promise<void>;
}

/** What is printed: a command's name and its columns. */
export interface Table {
  readonly name: string;
  readonly columns: Columns;
  /** facts about the session that the `data` format carries: image, profile, time zone */
  readonly session?: Readonly<Record<string, unknown>>;
  /** what to type so that nothing of it is left out */
  readonly wide?: string;
}

export interface RenderStyle extends ValueStyle {
  /** hidden columns too */
  readonly full: boolean;
  /** headings bold, marks dim; only where the sink is a terminal */
  readonly colors?: boolean;
}

/** One output format, for one table. */
export interface Renderer {
  /** Names of the columns that it shows: only those are computed. */
  readonly shown: readonly string[];
  begin(): Promise<void>;
  rows(batch: readonly Row[]): Promise<void>;
  /** @param notes what the command said beside its rows; formats that can carry it do */
  end(notes: readonly string[]): Promise<void>;
}

export const formats = ['text', 'wide', 'json', 'ndjson', 'csv', 'data', 'markdown', 'parquet', 'sqlite', 'duckdb'] as const;
export type Format = (typeof formats)[number];

/** A renderer of a format. Formats are loaded when they are first asked for. */
export async function createRenderer(format: Format, table: Table, sink: Sink, style: RenderStyle): Promise<Renderer> {
  switch (format) {
    case 'text':
      return new (await import('./text.js')).TextRenderer(table, sink, style);
    case 'wide':
      return new (await import('./wide.js')).WideRenderer(table, sink, style);
    case 'json':
    case 'ndjson':
      return new (await import('./json.js')).JsonRenderer(table, sink, format === 'ndjson', style.colors === true);
    case 'csv':
      return new (await import('./csv.js')).CsvRenderer(table, sink);
    case 'data':
      return new (await import('./data.js')).DataRenderer(table, sink);
    case 'markdown':
      return new (await import('./markdown.js')).MarkdownRenderer(table, sink, style);
    case 'parquet':
      return new (await import('./parquet.js')).ParquetRenderer(table, fileOf(sink, format, table));
    case 'sqlite':
      return new (await import('./sqlite.js')).SqliteRenderer(table, fileOf(sink, format, table));
    case 'duckdb':
      return new (await import('./duckdb.js')).DuckDBRenderer(table, fileOf(sink, format, table));
  }
}

/** The file that a format goes to which is no text. Throws UsageError where there is none. */
function fileOf(sink: Sink, format: Format, table: Table): FileOutput {
  if (sink.file) return sink.file;
  const name = `${table.name}.${format === 'sqlite' ? 'db' : format}`;
  throw new UsageError(`The format ${format} is no text: give it a file, with > ${name} in the console or --output ${name}.`);
}

/** Columns with their names, without the hidden ones unless `full`. */
export function visible(columns: Columns, full: boolean): [string, Column][] {
  return Object.entries(columns).filter(([, column]) => full || column.hidden !== true);
}

/** What stands before a divider's value; a column that is called just that (as Rekall's are) says nothing by its name. */
export function headingLabel(name: string, column: Column): string {
  if (column.title !== undefined) return `${column.title}: `;
  return name === 'divider' ? '' : `${name}: `;
}
