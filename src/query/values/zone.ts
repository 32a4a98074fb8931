import { ValueError } from './error.js';

const zones = new Map<string, Intl.DateTimeFormat>();

function zoneOf(timezone: string): Intl.DateTimeFormat {
  let zone = zones.get(timezone);
  if (zone) return zone;
  try {
    zone = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      calendar: 'gregory',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ValueError(`no time zone is called ${timezone.slice(0, 40)}`);
  }
  zones.set(timezone, zone);
  return zone;
}

/** How far the wall clock of a zone is ahead of UTC at a moment, in milliseconds. */
function offsetAt(moment: number, timezone: string): number {
  if (timezone.toUpperCase() === 'UTC') return 0;
  const parts = new Map(
    zoneOf(timezone)
      .formatToParts(moment)
      .map((part) => [part.type, part.value]),
  );
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type) ?? '0');
  const year = parts.get('era')?.startsWith('B') === true ? 1 - of('year') : of('year');
  const wall = Date.UTC(year, of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return wall - Math.floor(moment / 1000) * 1000;
}

/**
 * Offset of a zone from UTC in milliseconds.
 * @param time milliseconds: of a wall clock's reading in that zone (where summer time ends, the first of the two moments is meant; where it begins, the hour
 * that is skipped counts on from before), or since 1970 UTC if `exact`
 */
export function zoneOffset(time: number, timezone: string, exact = false): number {
  const guess = offsetAt(time, timezone);
  if (exact || timezone.toUpperCase() === 'UTC') return guess;
  // The offset before the reading, so that of two moments with one reading the first is taken.
  const before = offsetAt(time - guess - 86_400_000, timezone);
  if (offsetAt(time - before, timezone) === before) return before;
  const after = offsetAt(time - guess + 86_400_000, timezone);
  return offsetAt(time - after, timezone) === after ? after : before;
}
