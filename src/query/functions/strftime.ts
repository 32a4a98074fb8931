import type { Timestamp } from '../../object/time.js';
import { ValueError } from '../values/error.js';
import { wallClock } from '../values/time-parts.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const NS = 1_000_000_000n;

/** A time by a format of strftime (C's, with Python's `%f` for microseconds), on the wall clock of a zone. */
export function strftime(format: string, time: Timestamp, timezone: string): string {
  const wall = wallClock(time, timezone);
  if (!wall) return time.toISOString();
  return format.replace(/%(-?)([\s\S]?)/g, (whole, bare: string, letter: string) => {
    const value = directive(letter, wall, time, timezone);
    if (value === undefined) throw new ValueError(`strftime knows no ${whole}`);
    return bare === '' ? value : value.replace(/^0+(?=\d)/, '');
  });
}

function directive(letter: string, wall: Date, time: Timestamp, timezone: string): string | undefined {
  const two = (value: number): string => String(value).padStart(2, '0');
  const hour = wall.getUTCHours();
  const day = wall.getUTCDay();
  const nested = (format: string): string => strftime(format, time, timezone);
  switch (letter) {
    case 'Y':
      return String(wall.getUTCFullYear()).padStart(4, '0');
    case 'y':
      return two(((wall.getUTCFullYear() % 100) + 100) % 100);
    case 'm':
      return two(wall.getUTCMonth() + 1);
    case 'd':
      return two(wall.getUTCDate());
    case 'e':
      return String(wall.getUTCDate()).padStart(2, ' ');
    case 'H':
      return two(hour);
    case 'I':
      return two(hour % 12 === 0 ? 12 : hour % 12);
    case 'M':
      return two(wall.getUTCMinutes());
    case 'S':
      return two(wall.getUTCSeconds());
    case 'f':
      return String((Number(((time.ns % NS) + NS) % NS) / 1000) | 0).padStart(6, '0');
    case 'p':
      return hour < 12 ? 'AM' : 'PM';
    case 'a':
      return (DAYS[day] ?? '').slice(0, 3);
    case 'A':
      return DAYS[day] ?? '';
    case 'b':
    case 'h':
      return (MONTHS[wall.getUTCMonth()] ?? '').slice(0, 3);
    case 'B':
      return MONTHS[wall.getUTCMonth()] ?? '';
    case 'j':
      return String(Math.floor((wall.getTime() - Date.UTC(wall.getUTCFullYear(), 0, 1)) / 86_400_000) + 1).padStart(
        3,
        '0',
      );
    case 'u':
      return String(day === 0 ? 7 : day);
    case 'w':
      return String(day);
    case 's':
      return String((time.ns - (((time.ns % NS) + NS) % NS)) / NS);
    case 'z':
      return offsetText(wall.getTime() - Math.floor(Number(time.ns / 1_000_000n)));
    case 'Z':
      return timezone;
    case 'F':
      return nested('%Y-%m-%d');
    case 'T':
      return nested('%H:%M:%S');
    case 'D':
      return nested('%m/%d/%y');
    case 'R':
      return nested('%H:%M');
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

/** `+0100`; @param offset milliseconds ahead of UTC */
function offsetText(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
}
