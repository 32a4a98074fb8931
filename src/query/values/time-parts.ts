import type { Timestamp } from '../../object/time.js';
import { type Type, types } from '../types.js';
import type { ValueContext } from './context.js';
import { zoneOffset } from './zone.js';

interface TimePart {
  readonly type: Type;
  /** @param wall the reading of the wall clock, as if it were UTC */
  read(wall: Date, time: Timestamp): unknown;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const NS = 1_000_000_000n;

/** What stands behind the `.` of a time, told in the time zone of the session. */
export const TIME_PARTS: ReadonlyMap<string, TimePart> = new Map<string, TimePart>([
  ['year', { type: types.int, read: (wall) => wall.getUTCFullYear() }],
  ['month', { type: types.int, read: (wall) => wall.getUTCMonth() + 1 }],
  ['day', { type: types.int, read: (wall) => wall.getUTCDate() }],
  ['hour', { type: types.int, read: (wall) => wall.getUTCHours() }],
  ['minute', { type: types.int, read: (wall) => wall.getUTCMinutes() }],
  ['second', { type: types.int, read: (wall) => wall.getUTCSeconds() }],
  ['nanosecond', { type: types.int, read: (_wall, time) => Number(((time.ns % NS) + NS) % NS) }],
  ['weekday', { type: types.string, read: (wall) => WEEKDAYS[wall.getUTCDay()] ?? null }],
  ['date', { type: types.string, read: (wall) => wall.toISOString().replace(/T.*$/, '') }],
  ['time', { type: types.string, read: (wall) => wall.toISOString().replace(/^.*T|\..*$/g, '') }],
  // Whole seconds, rounded down.
  ['epoch', { type: types.int, read: (_wall, time) => Number((time.ns - (((time.ns % NS) + NS) % NS)) / NS) }],
  ['ns', { type: types.int, read: (_wall, time) => time.ns }],
]);

/** A part of a time; null where there is no such part, or the time is none that a calendar has. */
export function timePart(time: Timestamp, name: string, context: ValueContext): unknown {
  const part = TIME_PARTS.get(name);
  if (!part) return null;
  const wall = wallClock(time, context.timezone);
  return wall === undefined && name !== 'ns' ? null : part.read(wall ?? new Date(0), time);
}

/** A time's reading on the wall clock of a zone, as if that were UTC; undefined beyond the years that a Date holds. */
export function wallClock(time: Timestamp, timezone: string): Date | undefined {
  const ms = Number(time.ns / 1_000_000n) - (time.ns < 0n && time.ns % 1_000_000n !== 0n ? 1 : 0);
  if (Math.abs(ms) > 8.6e15) return undefined;
  return new Date(ms + zoneOffset(ms, timezone, true));
}
