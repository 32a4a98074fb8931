import type { Timestamp } from '../object/time.js';

const zones = new Map<string, Intl.DateTimeFormat>();

/**
 * `2026-11-24 00:12:01.250Z` in UTC, `2026-11-24 01:12:01.250+0100` elsewhere. For eyes: milliseconds at most, so that columns stay narrow and even;
 * the machine-readable forms have all digits.
 */
export function formatTime(time: Timestamp, timezone: string): string {
  const iso = time.toISOString().replace(/(\.\d{3})\d+Z$/, '$1Z');
  if (!iso.endsWith('Z')) return iso;
  if (timezone.toUpperCase() === 'UTC') return iso.replace('T', ' ');
  const parts = new Map(zoneOf(timezone).formatToParts(time.ms).map((part) => [part.type, part.value]));
  const of = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const fraction = /\.\d+/.exec(iso)?.[0] ?? '';
  // `GMT+01:00`, or `GMT` alone where the offset is zero.
  const offset = of('timeZoneName').replace('GMT', '').replace(':', '') || 'Z';
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')}${fraction}${offset}`;
}

/** `1.250 s`, `02:03:04`, `3 d 04:05:06`; @param ns nanoseconds */
export function formatDuration(ns: bigint): string {
  if (ns < 0n) return `-${formatDuration(-ns)}`;
  const seconds = ns / 1_000_000_000n;
  if (seconds < 60n) return `${(Number(ns) / 1e9).toFixed(3)} s`;
  const two = (value: bigint): string => value.toString().padStart(2, '0');
  const clock = `${two((seconds / 3600n) % 24n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  const days = seconds / 86400n;
  return days > 0n ? `${days} d ${clock}` : clock;
}

/** Throws RangeError where the zone is not known. */
function zoneOf(name: string): Intl.DateTimeFormat {
  let zone = zones.get(name);
  if (!zone) {
    zone = new Intl.DateTimeFormat('en-GB', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'longOffset',
    });
    zones.set(name, zone);
  }
  return zone;
}
