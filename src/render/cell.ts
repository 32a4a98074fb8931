import { Absent } from '../memory/absent.js';
import { describeStruct } from '../object/describe.js';
import { Pointer } from '../object/pointer.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import type { Column } from '../plugin/columns.js';
import { escapeText } from './escape.js';

/** How values look to people. */
export interface TextStyle {
  /** an IANA time zone; UTC is printed without a calendar library */
  readonly timezone: string;
}

/** Short marks of what is missing; `why` and the machine formats know more. */
const marks = { unreadable: '(unreadable)', 'no-member': '(no member)', 'not-applicable': '-', corrupt: '(corrupt)' } as const;

/** A cell as text of one line (hex dumps of several), safe for a terminal. */
export function cellText(value: unknown, column: Column, style: TextStyle): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Absent) return marks[value.kind];
  if (value instanceof Timestamp) return timeText(value, style.timezone);
  if (value instanceof Struct) return structText(value);
  if (Buffer.isBuffer(value)) return hexText(value);
  if (column.type === 'address' && typeof value === 'bigint') return hex(value, 12);
  if (column.type === 'physical' && (typeof value === 'number' || typeof value === 'bigint')) return hex(value, 0);
  if (column.type === 'duration' && typeof value === 'bigint') return `${(Number(value) / 1e9).toFixed(6)} s`;
  if (Array.isArray(value)) return value.map((item) => cellText(item, { ...column, type: 'any' }, style)).join(', ');
  if (value instanceof Pointer) return value.toString();
  if (column.type === 'any' && typeof value === 'bigint') return value > 0xffffffffn ? hex(value, 0) : value.toString();
  return escapeText(String(value));
}

function hex(value: number | bigint, width: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16).padStart(width, '0')}`;
}

function structText(value: Struct): string {
  const { offset, name, pid } = describeStruct(value);
  const who = name === undefined ? '' : ` ${escapeText(name)}${pid === undefined ? '' : ` (${pid})`}`;
  return `${hex(offset, 12)}${who}`;
}

/** Rekall's form of a time: `2026-11-24 00:12:01.250Z`, or in another zone with its offset. */
function timeText(value: Timestamp, timezone: string): string {
  const iso = value.toISOString();
  if (timezone === 'UTC' || !iso.includes('T')) return iso.replace('T', ' ');
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
    hourCycle: 'h23',
  }).format(new Date(value.ms));
  const offset = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' }).formatToParts(new Date(value.ms));
  return `${parts.replace(',', '')} ${(offset.find((part) => part.type === 'timeZoneName')?.value ?? '').replace('GMT', '') || 'Z'}`;
}

/** One row of a hex dump: bytes in hex, then as characters. */
function hexText(bytes: Buffer): string {
  const codes = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  return `${codes}  ${text}`;
}
