import { Timestamp } from '../../object/time.js';
import { types } from '../types.js';
import { parseDate } from '../values/date.js';
import { ValueError } from '../values/error.js';
import { wallClock } from '../values/time-parts.js';
import { zoneOffset } from '../values/zone.js';
import { number, text, time } from './arguments.js';
import { toDuration, toTime } from './conversion.js';
import { optional, param, scalar } from './define.js';
import type { ScalarFunction } from './function.js';
import { strftime } from './strftime.js';

const UNITS = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const;

/** The beginning of the year, month … in which a time is, on the wall clock of the zone. */
function truncate(unit: string, value: Timestamp, timezone: string): Timestamp {
  const wall = wallClock(value, timezone);
  if (!wall) throw new ValueError(`${value.toISOString()} is beyond the calendar`);
  const rank = UNITS.indexOf(unit.toLowerCase().replace(/s$/, '') as (typeof UNITS)[number]);
  if (rank < 0) throw new ValueError(`a time is cut to ${UNITS.join(', ')}, not '${unit.slice(0, 20)}'`);
  const parts = [
    wall.getUTCFullYear(),
    wall.getUTCMonth(),
    wall.getUTCDate(),
    wall.getUTCHours(),
    wall.getUTCMinutes(),
    wall.getUTCSeconds(),
  ] as const;
  const start = new Date(0);
  // A week begins on Monday, as ISO 8601 has it.
  const day = rank === 2 ? parts[2] - ((wall.getUTCDay() + 6) % 7) : parts[2];
  start.setUTCFullYear(parts[0], rank >= 1 ? parts[1] : 0, rank >= 2 ? day : 1);
  start.setUTCHours(rank >= 4 ? parts[3] : 0, rank >= 5 ? parts[4] : 0, rank >= 6 ? parts[5] : 0);
  const ms = start.getTime();
  // Within an hour the offset is that of the time itself; a day's beginning has its own.
  const offset = rank >= 4 ? wall.getTime() - Math.floor(Number(value.ns / 1_000_000n)) : zoneOffset(ms, timezone);
  return new Timestamp(BigInt(ms - offset) * 1_000_000n);
}

export const timeFunctions: readonly ScalarFunction[] = [
  scalar({
    name: 'timestamp',
    aliases: ['time', 'datetime'],
    topic: 'time',
    doc: "A time: of seconds since 1970, or of a date text (2026-11-24 14:03, 24 Nov 2026, yesterday, 2 hours ago) in the session's time zone.",
    parameters: [param('value', ['number', 'string', 'time'])],
    result: types.time,
    maps: 0,
    call: ([value], context) => toTime(value, context),
    examples: [
      { query: 'str(timestamp(1763992921))', value: '2025-11-24T14:02:01Z' },
      { query: 'str(timestamp("24 Nov 2026 14:03:11"))', value: '2026-11-24T14:03:11Z' },
    ],
  }),
  scalar({
    name: 'now',
    topic: 'time',
    doc: "This moment, by the clock of the analyst's machine; the same throughout a query.",
    parameters: [],
    result: types.time,
    call: (_args, context) => new Timestamp(context.now),
    examples: [{ query: 'now() > "2020-01-01"', value: true }],
  }),
  scalar({
    name: 'duration',
    topic: 'time',
    doc: 'A length of time: of seconds, or of text (90s, 2 hours, 1d 3h, 01:30:00).',
    parameters: [param('value', ['number', 'string'])],
    result: types.duration,
    maps: 0,
    call: ([value]) => toDuration(value),
    examples: [{ query: 'seconds(duration("2 hours"))', value: 7200 }],
  }),
  scalar({
    name: 'seconds',
    topic: 'time',
    doc: 'A length of time in seconds, or the seconds since 1970 of a time, with decimals.',
    parameters: [param('value', ['duration', 'time'])],
    result: types.float,
    maps: 0,
    call: ([value]) => Number(value instanceof Timestamp ? value.ns : number(value)) / 1e9,
    examples: [{ query: 'seconds(timestamp("2026-11-24 00:01") - timestamp("2026-11-24"))', value: 60 }],
  }),
  scalar({
    name: 'age',
    topic: 'time',
    doc: 'How long ago a time was: before now, or before another time.',
    parameters: [param('time', 'time'), optional('at', ['time', 'string'])],
    result: types.duration,
    maps: 0,
    call: ([value, at], context) =>
      (at === undefined ? context.now : typeof at === 'string' ? parseDate(at, context).ns : time(at).ns) -
      time(value).ns,
    examples: [{ query: 'seconds(age(timestamp("2026-11-24"), "2026-11-25"))', value: 86400 }],
  }),
  scalar({
    name: 'strftime',
    topic: 'time',
    doc: 'A time as text by a format: %Y %m %d %H %M %S %f %b %B %a %A %j %e %I %p %y %s %z %Z %F %T %D %R %u %w %%.',
    parameters: [param('format', 'string'), param('time', ['time', 'number', 'string'])],
    result: types.string,
    maps: 1,
    call: ([format, value], context) => strftime(text(format), toTime(value, context), context.timezone),
    examples: [{ query: 'strftime("%d.%m.%Y %H:%M", timestamp("2026-11-24 14:03"))', value: '24.11.2026 14:03' }],
  }),
  scalar({
    name: 'date',
    topic: 'time',
    doc: "The date of a time as text, in the session's time zone: for group by.",
    parameters: [param('time', ['time', 'number', 'string'])],
    result: types.string,
    maps: 0,
    call: ([value], context) => strftime('%F', toTime(value, context), context.timezone),
    examples: [{ query: 'date(timestamp(1763992921))', value: '2025-11-24' }],
  }),
  scalar({
    name: 'date_trunc',
    topic: 'time',
    doc: 'The beginning of the year, month, week, day, hour, minute or second that a time is in.',
    parameters: [param('unit', 'string'), param('time', 'time')],
    result: types.time,
    maps: 1,
    call: ([unit, value], context) => truncate(text(unit), time(value), context.timezone),
    examples: [{ query: 'str(date_trunc("hour", timestamp("2026-11-24 14:03:11")))', value: '2026-11-24T14:00:00Z' }],
  }),
];
