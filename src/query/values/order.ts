import { Absent } from '../../memory/absent.js';
import { ArrayView } from '../../object/array.js';
import { Timestamp } from '../../object/time.js';
import { elementsOf, isList } from './list.js';
import { compareNumbers, numberOf } from './number.js';

/** Order of values of different kinds: what is missing, numbers (and addresses of objects), text, times, bytes, lists, rows, anything else. */
const enum Rank {
  Missing,
  Number,
  Text,
  Time,
  Bytes,
  List,
  Row,
  Other,
}

function rank(value: unknown): Rank {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return Rank.Number;
    case 'string':
      return Rank.Text;
    case 'undefined':
      return Rank.Missing;
    case 'object':
      break;
    default:
      return Rank.Other;
  }
  if (value === null || value instanceof Absent) return Rank.Missing;
  if (value instanceof Timestamp) return Rank.Time;
  if (value instanceof Uint8Array) return Rank.Bytes;
  if (Array.isArray(value) || value instanceof ArrayView) return Rank.List;
  if (numberOf(value) !== undefined) return Rank.Number;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null || value instanceof Map ? Rank.Row : Rank.Other;
}

/**
 * A total order of all values, for `order by`, min and max: -1, 0 or 1. Numbers exactly (bigint against float too), text by code point,
 * objects by address, lists and rows element by element, all that is missing first. What it calls 0 has the same `keyOf`.
 */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const left = rank(a);
  const right = rank(b);
  if (left !== right) return left < right ? -1 : 1;
  switch (left) {
    case Rank.Missing:
      return 0;
    case Rank.Number:
      return compareNumbers(numberOf(a) ?? 0, numberOf(b) ?? 0);
    case Rank.Time:
      return compareNumbers((a as Timestamp).ns, (b as Timestamp).ns);
    case Rank.Bytes:
      return Math.sign(Buffer.compare(a as Uint8Array, b as Uint8Array));
    case Rank.List:
      return compareTuples(isList(a) ? elementsOf(a) : [], isList(b) ? elementsOf(b) : []);
    case Rank.Row:
      return compareTuples(entriesOf(a as object).flat(), entriesOf(b as object).flat());
    default:
      return compareText(String(a), String(b));
  }
}

/** Element by element; what ends first is less. */
export function compareTuples(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const order = compareValues(a[index], b[index]);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

/** Names and values of a row or dict, by name: two rows are the same whatever the order of their columns. */
export function entriesOf(value: object): (readonly [string, unknown])[] {
  const entries =
    value instanceof Map ? [...value].map(([key, member]) => [String(key), member] as const) : Object.entries(value);
  return entries.sort(([a], [b]) => compareText(a, b));
}

/**
 * Text by code point, which is the order of its UTF-8 bytes (and SQLite's BINARY). JavaScript's `<` goes by UTF-16 units, in which characters
 * beyond U+FFFF stand before U+E000.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    let left = a.charCodeAt(index);
    let right = b.charCodeAt(index);
    if (left === right) continue;
    if (left >= 0xd800 && right >= 0xd800) {
      // Surrogates move behind all other units.
      left += left >= 0xe000 ? -0x800 : 0x2000;
      right += right >= 0xe000 ? -0x800 : 0x2000;
    }
    return left < right ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}
