import { Absent } from '../../memory/absent.js';
import { Timestamp } from '../../object/time.js';
import type { ValueContext } from './context.js';
import { compareTuples, compareValues } from './order.js';
import { timeOf } from './date.js';
import { numberOf } from './number.js';
import type { Truth } from './truth.js';

/**
 * `a == b`: numbers by value whatever their form (1, 1n and 1.0 are equal, as are true and 1), a struct and a pointer by address, a time
 * with a date text by what the text says in the session's time zone, texts exactly. Null or Absent: not known. Unlike values are unequal.
 */
export function equal(a: unknown, b: unknown, context: ValueContext): Truth {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  if (typeof a === 'number' && typeof b === 'number') return a === b;
  if (isMissing(a) || isMissing(b)) return null;
  const time = sidesOfTime(a, b, context);
  if (time) return time[0] === time[1];
  return same(a, b);
}

/** Whether two values are the same for `distinct`, `group by`, joins and set operations: as {@link equal}, but null is the same as null (and as Absent). */
export function same(a: unknown, b: unknown): boolean {
  return compareValues(a, b) === 0;
}

/** `a < b` and the like: -1, 0, 1; null where either is missing or the two have no order between them (text and a number). */
export function order(a: unknown, b: unknown, context: ValueContext): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : a === b ? 0 : null;
  if (isMissing(a) || isMissing(b)) return null;
  const time = sidesOfTime(a, b, context);
  if (time) return time[0] < time[1] ? -1 : time[0] > time[1] ? 1 : 0;
  if (Array.isArray(a) && Array.isArray(b)) return compareTuples(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareValues(a, b);
  if (numberOf(a) !== undefined && numberOf(b) !== undefined) return compareValues(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareValues(a, b);
  return null;
}

export function isMissing(value: unknown): boolean {
  return value === null || value === undefined || value instanceof Absent;
}

/** Both sides in nanoseconds where one is a time and the other a time or a text that is a date. */
function sidesOfTime(a: unknown, b: unknown, context: ValueContext): readonly [bigint, bigint] | undefined {
  const left = a instanceof Timestamp;
  const right = b instanceof Timestamp;
  if (!left && !right) return undefined;
  if (left && right) return [a.ns, b.ns];
  if (left && typeof b === 'string') {
    const ns = timeOf(b, context);
    return ns === undefined ? undefined : [a.ns, ns];
  }
  if (right && typeof a === 'string') {
    const ns = timeOf(a, context);
    return ns === undefined ? undefined : [ns, b.ns];
  }
  return undefined;
}
