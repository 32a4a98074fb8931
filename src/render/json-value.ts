import { Absent, orElse } from '../memory/absent.js';
import { ArrayView } from '../object/array.js';
import { describeStruct } from '../object/describe.js';
import { Pointer } from '../object/pointer.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import { jsonString } from './escape.js';

/** Elements of an array in memory that are written out. */
const ELEMENTS = 4096;
/** Values inside of values; an image cannot make us go deeper. */
const DEPTH = 16;

/**
 * A cell as JSON: integers exact, absent cells null, a struct as its type and address (a process also name and pid), times
 * ISO 8601 in UTC, bytes as hex digits. Not JSON.stringify, which knows no 64-bit integers.
 */
export function jsonValue(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return jsonString(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null || depth > DEPTH ? 'null' : objectJson(value, depth);
    default:
      return 'null';
  }
}

/** `{"a":1}` from names and values. */
export function jsonObject(entries: Iterable<readonly [string, unknown]>, depth = 0): string {
  let text = '';
  for (const [key, value] of entries) text += `${text === '' ? '' : ','}${jsonString(key)}:${jsonValue(value, depth + 1)}`;
  return `{${text}}`;
}

function objectJson(value: object, depth: number): string {
  if (value instanceof Absent) return 'null';
  if (value instanceof Timestamp) return jsonString(value.toISOString());
  if (value instanceof Struct) return jsonObject(Object.entries(describeStruct(value)), depth);
  if (value instanceof Pointer) return value.address.toString();
  if (value instanceof Uint8Array) return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`;
  if (value instanceof ArrayView) return arrayJson(value, depth);
  if (Array.isArray(value)) return `[${value.map((element) => jsonValue(element, depth + 1)).join(',')}]`;
  if (value instanceof Map) return jsonObject([...value].map(([key, member]) => [String(key), member] as const), depth);
  if (value instanceof Set) return jsonValue([...value], depth);
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === Object.prototype || prototype === null) return jsonObject(Object.entries(value), depth);
  return jsonString(String(value));
}

/** An array in memory, element by element; one that cannot be read is null. */
function arrayJson(array: ArrayView, depth: number): string {
  const parts: string[] = [];
  for (let index = 0; index < Math.min(array.length, ELEMENTS); index++) {
    parts.push(orElse(() => jsonValue(array.at(index), depth + 1), 'null'));
  }
  return `[${parts.join(',')}]`;
}
