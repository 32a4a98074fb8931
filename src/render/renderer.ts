import type { Column, Columns, Row } from '../plugin/columns.js';
import type { ValueStyle } from './value.js';

/** Where rendered text goes. */
export interface Sink {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Width of the terminal in cells; undefined: not a terminal, nothing is cut. */
  readonly width: number | undefined;
}

/** What is printed: a command's name and its columns. */
export interface Table {
  readonly name: string;
  readonly columns: Columns;
  /** facts about the session that the `data` format carries: image, profile, time zone */
  readonly session?: Readonly<Record<string, unknown>>;
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

export const formats = ['text', 'wide', 'json', 'ndjson', 'csv', 'data'] as const;
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
      return new (await import('./json.js')).JsonRenderer(table, sink, format === 'ndjson');
    case 'csv':
      return new (await import('./csv.js')).CsvRenderer(table, sink);
    case 'data':
      return new (await import('./data.js')).DataRenderer(table, sink);
  }
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
