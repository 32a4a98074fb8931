import { Absent } from '../memory/absent.js';
import { describeStruct } from '../object/describe.js';
import { Pointer } from '../object/pointer.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import type { Columns, Row } from '../plugin/columns.js';
import { escapeJson, escapeText } from './escape.js';
import type { Renderer, RenderOptions, Write } from './renderer.js';

/**
 * A value as JSON text: integers exact however large, what is absent null, a struct an object with type and offset, times ISO 8601
 * UTC, bytes as hex.
 */
export function jsonText(value: unknown): string {
  if (value === null || value === undefined || value instanceof Absent) return 'null';
  switch (typeof value) {
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return String(value);
    case 'string':
      return escapeJson(JSON.stringify(value));
  }
  if (value instanceof Timestamp) return `"${value.toISOString()}"`;
  if (value instanceof Pointer) return value.address.toString();
  if (value instanceof Struct) return jsonText({ ...describeStruct(value) });
  if (Buffer.isBuffer(value)) return `"${value.toString('hex')}"`;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (Object.getPrototypeOf(value) !== Object.prototype) return escapeJson(JSON.stringify(String(value)));
  const entries = Object.entries(value as Record<string, unknown>).map(([key, item]) => `${JSON.stringify(key)}: ${jsonText(item)}`);
  return `{${entries.join(', ')}}`;
}

function rowText(row: Row, names: readonly string[]): string {
  return `{${names.map((name) => `${JSON.stringify(name)}: ${jsonText(row[name])}`).join(', ')}}`;
}

/** One array of objects, keyed by column name; written as the rows come. */
export class JsonRenderer implements Renderer {
  private names: string[] = [];
  private count = 0;

  constructor(private readonly write: Write) {}

  begin(columns: Columns): void {
    this.names = Object.keys(columns);
    this.write('[');
  }

  rows(batch: readonly Row[]): void {
    const text = batch.map((row) => `${this.count++ === 0 ? '' : ','}\n${rowText(row, this.names)}`);
    this.write(text.join(''));
  }

  end(): void {
    this.write(this.count === 0 ? ']\n' : '\n]\n');
  }
}

/** One object a line. */
export class NdjsonRenderer implements Renderer {
  private names: string[] = [];

  constructor(private readonly write: Write) {}

  begin(columns: Columns): void {
    this.names = Object.keys(columns);
  }

  rows(batch: readonly Row[]): void {
    this.write(batch.map((row) => `${rowText(row, this.names)}\n`).join(''));
  }

  end(): void {
    // A stream of lines has no end mark.
  }
}

/** RFC 4180, with a heading line. Integers are decimal, structs their address, absent cells empty. */
export class CsvRenderer implements Renderer {
  private names: string[] = [];

  constructor(private readonly write: Write) {}

  begin(columns: Columns): void {
    this.names = Object.keys(columns);
    this.write(`${this.names.map(quoted).join(',')}\r\n`);
  }

  rows(batch: readonly Row[]): void {
    this.write(batch.map((row) => `${this.names.map((name) => quoted(plain(row[name]))).join(',')}\r\n`).join(''));
  }

  end(): void {
    // Each line was whole.
  }
}

function plain(value: unknown): string {
  if (value === null || value === undefined || value instanceof Absent) return '';
  if (value instanceof Struct) return value.$address.toString();
  if (value instanceof Pointer) return value.address.toString();
  if (typeof value === 'string') return escapeText(value);
  if (Array.isArray(value)) return value.map(plain).join(' ');
  if (Buffer.isBuffer(value)) return value.toString('hex');
  return String(value as number);
}

/** A spreadsheet takes a cell that begins with one of = + - @ for a formula; text from memory must not become one. */
function quoted(text: string): string {
  const safe = /^[=+@]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Rekall's `data` form: one JSON list of statements, `["m", metadata]`, `["t", columns]` for a table's head and `["r", row]` for
 * each row; a struct is an object with `type`, `offset` and, for a process, `name` and `pid`.
 */
export class DataRenderer implements Renderer {
  private names: string[] = [];

  constructor(
    private readonly write: Write,
    private readonly options: RenderOptions & { readonly plugin?: string } = {},
  ) {}

  begin(columns: Columns): void {
    this.names = Object.keys(columns);
    const head = Object.entries(columns).map(([name, column]) => ({ cname: name, name: column.title ?? name, type: column.type }));
    this.write(`[["m", ${jsonText({ plugin_name: this.options.plugin ?? '', tool_name: 'rekall' })}],\n["t", ${jsonText(head)}, {}]`);
  }

  rows(batch: readonly Row[]): void {
    this.write(batch.map((row) => `,\n["r", ${rowText(row, this.names)}]`).join(''));
  }

  end(): void {
    this.write('\n]\n');
  }
}
