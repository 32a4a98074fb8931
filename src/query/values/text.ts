import { Absent } from '../../memory/absent.js';
import { describeStruct } from '../../object/describe.js';
import { Pointer } from '../../object/pointer.js';
import { Struct } from '../../object/struct.js';
import { decodeCString } from '../../object/text.js';
import { Timestamp } from '../../object/time.js';
import { asList, isList } from './list.js';
import { entriesOf } from './order.js';

/** Nested values are told so deep. */
const DEPTH = 8;

/**
 * A value as text, as `str`, `||` and `join` make it: numbers in decimal, times ISO 8601 in UTC, bytes as the text that they hold up to
 * the first NUL, a struct as its name where it is a process and else as its address in hex, lists and rows as their elements. null stays
 * null, Absent stays Absent.
 */
export function textOf(value: unknown): string | null | Absent {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  if (value instanceof Absent) return value;
  return plain(value, 0);
}

function plain(value: unknown, depth: number): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined || value instanceof Absent) return 'null';
  if (typeof value !== 'object') return String(value);
  if (value instanceof Timestamp) return value.toISOString();
  if (value instanceof Uint8Array) return decodeCString(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  if (value instanceof Struct) return describeStruct(value).name ?? `0x${value.$address.toString(16)}`;
  if (value instanceof Pointer) return value.toString();
  if (depth >= DEPTH) return '…';
  if (isList(value))
    return `[${asList(value)
      .map((element) => plain(element, depth + 1))
      .join(', ')}]`;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null && !(value instanceof Map)) return String(value);
  return `{${entriesOf(value)
    .map(([key, member]) => `${key}: ${plain(member, depth + 1)}`)
    .join(', ')}}`;
}
