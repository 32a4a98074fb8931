import { Absent } from '../memory/absent.js';
import { describeStruct } from '../object/describe.js';
import { Pointer } from '../object/pointer.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import type { Column, Columns, Row } from '../plugin/columns.js';
import { jsonValue } from './json-value.js';

/**
 * What a column holds in a file with types:
 * - `int`: whole numbers (also sizes, physical addresses, and durations in nanoseconds), number or bigint;
 * - `address`: 64 bits without sign, bigint;
 * - `float`, `bool`, `bytes`;
 * - `time`: nanoseconds since 1970, bigint;
 * - `text`: also lists, as JSON;
 * - `any`: text, number, bigint or boolean by the row; everything else as JSON.
 */
export type StorageKind = 'int' | 'address' | 'float' | 'bool' | 'time' | 'text' | 'bytes' | 'any';

export type StoredValue = number | bigint | boolean | string | Uint8Array | null;

/** A column of a file with types. */
export interface StorageColumn {
  readonly name: string;
  readonly kind: StorageKind;
  /** The value of a row's cell; null also where it could not be read. */
  read(row: Row): StoredValue;
}

/** Structs that are processes: their name and id stand in columns of their own. */
const PROCESSES: ReadonlySet<string> = new Set(['task_struct', '_EPROCESS', 'proc']);

/**
 * The columns of a table as files with types have them: an object is its address; a process, in the columns `X_name` and `X_pid` behind it,
 * its name and id too. Names differ also where case does not count.
 */
export function storageColumns(columns: Columns): StorageColumn[] {
  const used = new Set<string>();
  const own = Object.keys(columns).map((name) => name.toLowerCase());
  const unique = (name: string, others: readonly string[] = []): string => {
    let chosen = name === '' ? 'column' : name;
    for (let count = 2; used.has(chosen.toLowerCase()) || others.includes(chosen.toLowerCase()); count++)
      chosen = `${name}_${count}`;
    used.add(chosen.toLowerCase());
    return chosen;
  };
  return Object.entries(columns).flatMap(([name, column]): StorageColumn[] => {
    const kind = kindOf(column);
    const first: StorageColumn = { name: unique(name), kind, read: (row) => stored(row[name], kind) };
    if (column.type !== 'struct' || !PROCESSES.has(column.struct ?? '')) return [first];
    return [
      first,
      { name: unique(`${name}_name`, own), kind: 'text', read: (row) => ofProcess(row[name])?.name ?? null },
      { name: unique(`${name}_pid`, own), kind: 'int', read: (row) => ofProcess(row[name])?.pid ?? null },
    ];
  });
}

function kindOf(column: Column): StorageKind {
  switch (column.type) {
    case 'int':
    case 'size':
    case 'physical':
    case 'duration':
      return 'int';
    case 'address':
    case 'struct':
      return 'address';
    case 'string':
    case 'list':
      return 'text';
    default:
      return column.type;
  }
}

function ofProcess(value: unknown): ReturnType<typeof describeStruct> | undefined {
  return value instanceof Struct ? describeStruct(value) : undefined;
}

function stored(value: unknown, kind: StorageKind): StoredValue {
  if (value === null || value === undefined || value instanceof Absent) return null;
  switch (kind) {
    case 'int':
      return typeof value === 'number' || typeof value === 'bigint'
        ? value
        : typeof value === 'boolean'
          ? Number(value)
          : addressOf(value);
    case 'address':
      return addressOf(value);
    case 'float':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
    case 'bool':
      return typeof value === 'boolean' ? value : null;
    case 'time':
      return value instanceof Timestamp ? value.ns : null;
    case 'bytes':
      return value instanceof Uint8Array ? value : null;
    case 'text':
      return textOf(value);
    case 'any':
      return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
        ? value
        : textOf(value);
  }
}

/** Text as it is; times and objects as JSON has them but without quotation marks; anything else JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Timestamp) return value.toISOString();
  return jsonValue(value);
}

function addressOf(value: unknown): bigint | null {
  if (value instanceof Struct) return value.$address;
  if (value instanceof Pointer) return value.address;
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : null;
}

const I64_MAX = (1n << 63n) - 1n;
const I64_MIN = -(1n << 63n);
const U64_MAX = (1n << 64n) - 1n;

export function fitsSigned(value: bigint): boolean {
  return value >= I64_MIN && value <= I64_MAX;
}

export function fitsUnsigned(value: bigint): boolean {
  return value >= 0n && value <= U64_MAX;
}

/**
 * How whole numbers are kept where a column has one type: with sign where all that are known fit so, else without, else as decimal text.
 */
export function integerForm(values: Iterable<StoredValue>): 'signed' | 'unsigned' | 'text' {
  let signed = true;
  let unsigned = true;
  for (const value of values) {
    const exact = wholeOf(value);
    if (exact === null) continue;
    signed &&= fitsSigned(exact);
    unsigned &&= fitsUnsigned(exact);
  }
  return signed ? 'signed' : unsigned ? 'unsigned' : 'text';
}

/** A whole number as bigint; what has decimals is cut off; null for everything else. */
export function wholeOf(value: StoredValue): bigint | null {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) : null;
}

/** A value of a column that holds text whatever comes. */
export function asText(value: StoredValue): string | null {
  return value === null || typeof value === 'string'
    ? value
    : value instanceof Uint8Array
      ? Buffer.from(value).toString('hex')
      : String(value);
}

/** An identifier of SQL: whatever stands in it, it is a name and nothing else. */
export function quoted(name: string): string {
  return `"${name.replaceAll('\0', '').replaceAll('"', '""')}"`;
}

/** The name of a table for a command's rows, or a query's. */
export function tableName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : 'rows';
}
