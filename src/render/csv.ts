import { Absent } from '../memory/absent.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import type { Columns, Row } from '../plugin/columns.js';
import { escapeText } from './escape.js';
import { jsonValue } from './json-value.js';
import type { Renderer, Sink, Table } from './renderer.js';
import { hex } from './value.js';

/**
 * RFC 4180: a header line, CRLF, quotes doubled. Absent and null cells are empty; addresses and structs are hex, times ISO 8601
 * in UTC, lists JSON, bytes hex digits; text is escaped as on a terminal (so a cell is always one line), and an apostrophe before
 * it keeps a spreadsheet from taking it for a formula.
 */
export class CsvRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: Columns;

  constructor(
    table: Table,
    private readonly sink: Sink,
  ) {
    this.columns = table.columns;
    this.shown = Object.keys(table.columns);
  }

  async begin(): Promise<void> {
    await this.sink.write(`${this.shown.map(quote).join(',')}\r\n`);
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = '';
    for (const row of batch) text += `${this.shown.map((name) => quote(this.cell(row[name], name))).join(',')}\r\n`;
    await this.sink.write(text);
  }

  async end(): Promise<void> {
    return Promise.resolve();
  }

  private cell(value: unknown, name: string): string {
    if (value === null || value === undefined || value instanceof Absent) return '';
    if (typeof value === 'string') return harmless(escapeText(value));
    if (typeof value === 'bigint' || typeof value === 'number') {
      const type = this.columns[name]?.type;
      return type === 'address' || type === 'physical' ? hex(value) : String(value);
    }
    if (value instanceof Struct) return hex(value.$address);
    if (value instanceof Timestamp) return value.toISOString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    // Strings inside of lists were escaped by the rules of JSON.
    return jsonValue(value);
  }
}

/** A spreadsheet takes a cell that begins with one of = + - @ for a formula; text from memory must not become one. */
function harmless(text: string): string {
  return /^[=+@]|^-(?![\d.]*$)/.test(text) ? `'${text}` : text;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
