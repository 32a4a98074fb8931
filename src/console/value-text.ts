import { inspect } from 'node:util';
import { Absent } from '../memory/absent.js';
import { ArrayView } from '../object/array.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import { col, type Columns, type Row } from '../plugin/columns.js';
import { escapeText } from '../render/escape.js';

/** Elements of an array that are shown. */
const ELEMENTS = 100;
/** Characters of a string that are shown. */
const CHARACTERS = 10_000;

/** A value of JavaScript as rows, where it is a table: an array of rows, or of objects with the same properties; a struct by its members. */
export interface ValueTable {
  readonly name: string;
  readonly columns: Columns;
  readonly rows: Iterable<Row>;
}

/** The table that a value is, or undefined. */
export function tableOf(value: unknown): ValueTable | undefined {
  if (value instanceof Struct) return structTable(value);
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRecord)) return undefined;
  const names = new Set<string>();
  for (const row of value as readonly object[]) for (const name of Object.keys(row)) names.add(name);
  names.delete('$depth');
  // Rows of a table agree in what they have; objects that do not are no table.
  const [first = {}] = value as readonly object[];
  if (names.size === 0 || names.size > 2 * Object.keys(first).length) return undefined;
  const columns: Record<string, Columns[string]> = {};
  for (const name of names) columns[name] = columnOf(name, value as readonly Row[]);
  return { name: 'JavaScript', columns, rows: value as readonly Row[] };
}

/** An object of properties, of whichever realm. */
function isRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A column typed by its first value, where there is one. */
function columnOf(name: string, rows: readonly Row[]): Columns[string] {
  const doc = `${name} of the objects`;
  const value = rows
    .map((row) => row[name])
    .find((cell) => cell !== null && cell !== undefined && !(cell instanceof Absent));
  if (value instanceof Timestamp) return col.time(doc);
  if (typeof value === 'string') return col.string(doc);
  if (typeof value === 'boolean') return col.bool(doc);
  if (typeof value === 'number')
    return rows.every((row) => typeof row[name] !== 'number' || Number.isInteger(row[name]))
      ? col.int(doc)
      : col.any(doc);
  return col.any(doc);
}

/** The members of a struct with their values: what `dt` shows. */
function structTable(struct: Struct): ValueTable {
  function* rows(): Generator<Row> {
    for (const [field, member] of struct.$struct.members) {
      yield {
        offset: member.offset,
        field,
        type: struct.$struct.compiler.describe(member.type),
        content: memberValue(struct, field),
      };
    }
  }
  return {
    name: struct.toString(),
    columns: {
      offset: col.physical('bytes from the start of the struct'),
      field: col.string('name of the member'),
      type: col.string('its type, as C writes it'),
      content: col.any('its value'),
    },
    rows: rows(),
  };
}

function memberValue(struct: Struct, field: string): unknown {
  try {
    const value = struct.$get(field);
    const label = typeof value === 'number' ? struct.$label(field) : undefined;
    if (label !== undefined && label !== String(value)) return `${label} (${String(value)})`;
    return value instanceof ArrayView ? value.toString() : (value ?? 'NULL');
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    return error;
  }
}

/** A value of JavaScript as text, which may have several lines. Nothing in it can steer a terminal. */
export function valueLines(value: unknown): string {
  if (typeof value === 'bigint')
    return value < 0n || value < 1n << 16n ? `${value}n` : `${value}n (0x${value.toString(16)})`;
  if (value instanceof Absent) return escapeText(`(${value.toString()})`);
  // What cannot be shown (a getter that throws, a proxy that fails) must not end the console.
  let text: string;
  try {
    text = inspect(value, {
      depth: 3,
      maxArrayLength: ELEMENTS,
      maxStringLength: CHARACTERS,
      breakLength: 100,
      numericSeparator: false,
    });
  } catch (error) {
    text = `(cannot be shown: ${String(error)})`;
  }
  return text.split('\n').map(escapeText).join('\n');
}
