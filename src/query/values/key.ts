import { Absent } from '../../memory/absent.js';
import { Timestamp } from '../../object/time.js';
import { elementsOf, isList } from './list.js';
import { normal, numberOf } from './number.js';
import { entriesOf } from './order.js';

/** What a Map is keyed by for joins, groups and `distinct`. */
export type Key = string | number | bigint | null;

/** Before the keys of everything that is neither text nor number, so that no text can be mistaken for them. */
const MARK = '\0';

/**
 * The key of a value: two values have the same key (as a Map compares keys) exactly where they are the same (`same`). 1, 1n, 1.0 and true
 * have one; null and Absent another. Small whole numbers and text are their own keys.
 */
export function keyOf(value: unknown): Key {
  switch (typeof value) {
    case 'string':
      return value.charCodeAt(0) === 0 ? `${MARK}s${value}` : value;
    case 'number':
      // A whole float beyond 2^53 is the same as the bigint of its value.
      return Number.isSafeInteger(value) || !Number.isInteger(value) ? value : BigInt(value);
    case 'bigint':
      return normal(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : objectKey(value);
    default:
      return `${MARK}o${String(value)}`;
  }
}

function objectKey(value: object): Key {
  if (value instanceof Absent) return null;
  if (value instanceof Timestamp) return `${MARK}t${value.ns}`;
  const number = numberOf(value);
  if (number !== undefined) return keyOf(number);
  if (value instanceof Uint8Array)
    return `${MARK}b${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')}`;
  if (isList(value)) return `${MARK}l${keyOfAll(elementsOf(value))}`;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === Object.prototype || prototype === null || value instanceof Map)
    return `${MARK}r${keyOfAll(entriesOf(value).flat())}`;
  return `${MARK}o${String(value)}`;
}

/** One key for several values in order: of a row for `distinct`, of several expressions of `group by`. */
export function keyOfAll(values: readonly unknown[]): string {
  let key = '';
  for (const value of values) {
    const one = keyOf(value);
    // A number's digits cannot hold `;`, and a text's length says where it ends: no two lists of values are written alike.
    if (typeof one === 'string') key += `${one.length}:${one}`;
    else key += one === null ? '-;' : `n${one === 0 ? '0' : String(one)};`;
  }
  return key;
}
