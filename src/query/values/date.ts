import { Timestamp } from '../../object/time.js';
import type { ValueContext } from './context.js';
import { ValueError } from './error.js';
import { zoneOffset } from './zone.js';

const SECOND = 1_000_000_000n;
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
  d: 86_400n * SECOND,
  w: 604_800n * SECOND,
};
const UNIT_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:ns|nanosec(?:ond)?s?)$/, 'ns'],
  [/^(?:us|µs|microsec(?:ond)?s?)$/, 'us'],
  [/^(?:ms|millis(?:ec(?:ond)?s?)?)$/, 'ms'],
  [/^(?:s|secs?|seconds?)$/, 's'],
  [/^(?:m|mins?|minutes?)$/, 'm'],
  [/^(?:h|hrs?|hours?)$/, 'h'],
  [/^(?:d|days?)$/, 'd'],
  [/^(?:w|wks?|weeks?)$/, 'w'],
];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const TIME = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(am|pm)?`;
const ZONE = String.raw`(?:\s*(z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2}))?`;
const CLOCK = String.raw`(?:(?:\s*t\s*|\s+|,\s*)${TIME}${ZONE})?`;
/** 2026-11-24, 2026/11/24 14:03, 2026-11-24T14:03:11.25Z, 2026-11 */
const ISO = new RegExp(String.raw`^(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2})${CLOCK})?$`);
/** 24 Nov 2026 14:03:11, Tue, 24 November 2026 */
const DAY_FIRST = new RegExp(
  String.raw`^(?:[a-z]{3,9},?\s+)?(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4})${CLOCK}$`,
);
/** Nov 24 2026 14:03, November 24, 2026 */
const MONTH_FIRST = new RegExp(
  String.raw`^(?:[a-z]{3,9},?\s+)?([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})${CLOCK}$`,
);
/** Tue Nov 24 14:03:11 UTC 2026: what `date` and `ctime` print */
const CTIME = new RegExp(String.raw`^(?:[a-z]{3}\s+)?([a-z]{3})\s+(\d{1,2})\s+${TIME}${ZONE}\s+(\d{4})$`);
/** yesterday, today 14:03 */
const DAY_WORD = new RegExp(String.raw`^(today|yesterday|tomorrow)${CLOCK}$`);
const CLOCK_ALONE = new RegExp(String.raw`^${TIME}${ZONE}$`);
const EPOCH = /^@(-?\d{1,12})(?:\.(\d{1,9}))?$/;
const AGO = /^(?:in\s+)?([\d.\sa-zµ,]+?)(?:\s+(ago|from now))?$/;

/** The date texts of a query are few, and compared with millions of times. */
const cache = new Map<string, bigint | null>();
const CACHED = 512;

/** What a date text means, in nanoseconds since 1970; undefined where it is no date. */
export function timeOf(text: string, context: ValueContext): bigint | undefined {
  const key = `${context.timezone}\0${context.now}\0${text}`;
  let ns = cache.get(key);
  if (ns === undefined) {
    ns = read(text, context) ?? null;
    if (cache.size >= CACHED) cache.clear();
    cache.set(key, ns);
  }
  return ns ?? undefined;
}

/**
 * The moment that a text means: ISO 8601 and parts of it (`2026-11-24`, `2026-11-24 14:03`, `2026-11`), `24 Nov 2026 14:03:11`,
 * `November 24, 2026`, `today`, `yesterday 14:00`, `14:03` (today), `now`, `2 hours ago`, `in 3 days`, `@1764000000` (seconds since
 * 1970). Without a zone of its own (`Z`, `UTC`, `+01:00`) it is read in that of the context.
 * @throws ValueError where it means none
 */
export function parseDate(text: string, context: ValueContext): Timestamp {
  const ns = timeOf(text, context);
  if (ns === undefined) {
    throw new ValueError(
      `'${text.slice(0, 60)}' is no date; write 2026-11-24, "2026-11-24 14:03", "24 Nov 2026 14:03:11", "yesterday" or "2 hours ago"`,
    );
  }
  return new Timestamp(ns);
}

/**
 * Nanoseconds of a length of time: `90`, `2h`, `1 day 3 hours`, `1.5 min`, `250ms`, `01:30:00`; a number alone is seconds.
 * @throws ValueError where the text is none
 */
export function parseDuration(text: string): bigint {
  const ns = duration(text.trim().toLowerCase());
  if (ns === undefined)
    throw new ValueError(`'${text.slice(0, 60)}' is no length of time; write 90, "2 hours", "1d 3h" or "250ms"`);
  return ns;
}

function read(given: string, context: ValueContext): bigint | undefined {
  // What is longer than any date is none; and no expression below has to look at it.
  if (given.length > 80) return undefined;
  const text = given.trim().toLowerCase().replace(/\s+/g, ' ');
  if (text === 'now') return context.now;
  const iso = ISO.exec(text);
  if (iso) return moment(iso[1], Number(iso[2]), iso[3] ?? '1', iso.slice(4), context);
  const dayFirst = DAY_FIRST.exec(text);
  if (dayFirst) return moment(dayFirst[3], month(dayFirst[2]), dayFirst[1], dayFirst.slice(4), context);
  const monthFirst = MONTH_FIRST.exec(text);
  if (monthFirst) return moment(monthFirst[3], month(monthFirst[1]), monthFirst[2], monthFirst.slice(4), context);
  const ctime = CTIME.exec(text);
  if (ctime) return moment(ctime[9], month(ctime[1]), ctime[2], ctime.slice(3, 9), context);
  const dayWord = DAY_WORD.exec(text);
  if (dayWord)
    return relativeDay(dayWord[1] === 'yesterday' ? -1 : dayWord[1] === 'tomorrow' ? 1 : 0, dayWord.slice(2), context);
  const clock = CLOCK_ALONE.exec(text);
  if (clock) return relativeDay(0, clock.slice(1), context);
  const epoch = EPOCH.exec(text);
  if (epoch) return BigInt(epoch[1] ?? '0') * SECOND + (text.startsWith('@-') ? -1n : 1n) * fraction(epoch[2]);
  const ago = AGO.exec(text);
  if (!ago || (ago[2] === undefined && !text.startsWith('in '))) return undefined;
  const length = duration(ago[1] ?? '');
  if (length === undefined) return undefined;
  return ago[2] === 'ago' ? context.now - length : context.now + length;
}

/** @param clock hour, minute, second, fraction, am or pm, zone: what the expressions caught, each perhaps absent */
function moment(
  year: string | undefined,
  monthNumber: number,
  day: string | undefined,
  clock: readonly (string | undefined)[],
  context: ValueContext,
): bigint | undefined {
  const [hours = '0', minutes = '0', seconds = '0', decimals, half, zone] = clock;
  let hour = Number(hours);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half === 'pm' ? 12 : 0);
  }
  if (hour > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  // Date.UTC would take a year below 100 for one of the last century.
  const date = new Date(Date.UTC(2000, 0, 1, hour, Number(minutes), Number(seconds)));
  const wall = date.setUTCFullYear(Number(year), monthNumber - 1, Number(day));
  // The 31st of November is no 1st of December.
  if (
    date.getUTCFullYear() !== Number(year) ||
    date.getUTCMonth() !== monthNumber - 1 ||
    date.getUTCDate() !== Number(day)
  )
    return undefined;
  const offset = zone === undefined ? zoneOffset(wall, context.timezone) : written(zone);
  return offset === undefined ? undefined : BigInt(wall - offset) * 1_000_000n + fraction(decimals);
}

/** A day relative to the one that `now` is in, in the context's time zone. */
function relativeDay(days: number, clock: readonly (string | undefined)[], context: ValueContext): bigint | undefined {
  const now = Number(context.now / 1_000_000n);
  // The day is that of now on the wall clock there.
  const day = new Date(now + wallOffset(now, context.timezone) + days * 86_400_000);
  return moment(String(day.getUTCFullYear()), day.getUTCMonth() + 1, String(day.getUTCDate()), clock, context);
}

/** Offset of a zone at a moment: the wall clock's guess is corrected once, as the wall clock is not known before. */
function wallOffset(moment: number, timezone: string): number {
  return zoneOffset(moment, timezone, true);
}

function month(name: string | undefined): number {
  const index = MONTHS.indexOf((name ?? '').slice(0, 3));
  const full = [
    'january',
    'february',
    'march',
    'april',
    'may',
    'june',
    'july',
    'august',
    'september',
    'october',
    'november',
    'december',
  ][index];
  const fits = name !== undefined && full !== undefined && (name.length === 3 || full.startsWith(name));
  return fits ? index + 1 : NaN;
}

/** Milliseconds of a written offset: `+01:00`, `+0100`, `+01`, `z`. */
function written(zone: string): number | undefined {
  if (/^[a-z]/.test(zone)) return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Nanoseconds of the digits behind a point. */
function fraction(digits: string | undefined): bigint {
  return digits === undefined ? 0n : BigInt(digits.padEnd(9, '0'));
}

function duration(text: string): bigint | undefined {
  if (text.length > 80) return undefined;
  const clock = /^(?:(\d{1,6}):)?(\d{1,2}):(\d{2})(?:\.(\d{1,9}))?$/.exec(text);
  if (clock && clock[1] !== undefined) {
    return (
      BigInt(clock[1]) * 3600n * SECOND +
      BigInt(clock[2] ?? '0') * 60n * SECOND +
      BigInt(clock[3] ?? '0') * SECOND +
      fraction(clock[4])
    );
  }
  let total = 0n;
  let rest = text.startsWith('-') ? text.slice(1).trim() : text;
  if (rest === '') return undefined;
  while (rest !== '') {
    const part = /^(\d{1,15}|an?)(?:\.(\d{1,9}))?\s*([a-zµ]*)\s*(?:,|and\b)?\s*/.exec(rest);
    if (!part) return undefined;
    const [all, whole = '', decimals, word = ''] = part;
    const unit = UNITS[word === '' ? 's' : (UNIT_WORDS.find(([expression]) => expression.test(word))?.[1] ?? '')];
    // A number without a unit is seconds only where it stands alone.
    if (unit === undefined || (word === '' && all.length !== text.length)) return undefined;
    total += (whole.startsWith('a') ? 1n : BigInt(whole)) * unit + (fraction(decimals) * unit) / SECOND;
    rest = rest.slice(all.length);
  }
  return text.startsWith('-') ? -total : total;
}
