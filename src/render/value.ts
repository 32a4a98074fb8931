import { Absent } from '../memory/absent.js';
import { PartialBytes, rowWidth } from '../memory/partial.js';
import { ArrayView } from '../object/array.js';
import { describeStruct } from '../object/describe.js';
import { Pointer } from '../object/pointer.js';
import { Struct } from '../object/struct.js';
import { Timestamp } from '../object/time.js';
import type { Column, ColumnType } from '../plugin/columns.js';
import { escapeText } from './escape.js';
import { hexdump } from './hexdump.js';
import { formatDuration, formatTime } from './time.js';

/** How values are shown to people. */
export interface ValueStyle {
  /** name of a time zone */
  readonly timezone: string;
}

const MARKS: Readonly<Record<Absent['kind'], string>> = {
  unreadable: '(unreadable)',
  'no-member': '(no member)',
  'not-applicable': '-',
  corrupt: '(corrupt)',
};

/** A list cell shows so many elements. */
const ELEMENTS = 64;

/** {@link valueText} of a column's cell, in the form that the column asks for. */
export function cellText(value: unknown, column: Column, style: ValueStyle): string | readonly string[] {
  if (column.hex === true && (typeof value === 'number' || typeof value === 'bigint')) return value.toString(16).toUpperCase();
  if (column.lines === true && typeof value === 'string') return value.split('\n').map((line) => escapeText(line));
  return valueText(value, column.type, style);
}

/**
 * What a cell looks like on a terminal: one line, or several (a hex dump). Escaped: nothing in it can steer a terminal.
 * @param type the column's type; it decides how numbers are written
 */
export function valueText(value: unknown, type: ColumnType, style: ValueStyle): string | readonly string[] {
  return bytesText(value) ?? lineText(value, type, style);
}

/** The hex dump of what is bytes, otherwise undefined. @param most bytes a line at most */
export function bytesText(value: unknown, most = Infinity): readonly string[] | undefined {
  const bytes = value instanceof PartialBytes ? value.bytes : value;
  if (!(bytes instanceof Uint8Array)) return undefined;
  const width = most === Infinity ? rowWidth(value as object) : Math.min(most, rowWidth(value as object) ?? most);
  return hexdump(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), width, value instanceof PartialBytes ? value.missing : undefined);
}

/** The same on one line: for elements of lists and for headings. */
export function lineText(value: unknown, type: ColumnType, style: ValueStyle): string {
  switch (typeof value) {
    case 'string':
      return escapeText(value);
    case 'number':
    case 'bigint':
      return numberText(value, type);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? '-' : objectText(value, style);
    default:
      return value === undefined ? '-' : escapeText(String(value));
  }
}

function objectText(value: object, style: ValueStyle): string {
  if (value instanceof Absent) return MARKS[value.kind];
  if (value instanceof Timestamp) return formatTime(value, style.timezone);
  if (value instanceof Struct) return structText(value);
  if (value instanceof Pointer) return hex(value.address, 12);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (value instanceof ArrayView) return escapeText(value.toString());
  if (Array.isArray(value)) {
    const shown = value.slice(0, ELEMENTS).map((element) => lineText(element, 'any', style));
    return value.length > ELEMENTS ? `${shown.join(', ')}, … ${value.length - ELEMENTS} more` : shown.join(', ');
  }
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === Object.prototype || prototype === null) {
    return Object.entries(value)
      .map(([key, member]) => `${escapeText(key)}=${lineText(member, 'any', style)}`)
      .join(', ');
  }
  return escapeText(String(value));
}

/** `0xffff888003d8c000`, a process with its name and id: `0xffff888003d8c000 bash (135)`. */
function structText(struct: Struct): string {
  // Tables about processes say the same one in row after row, often beside other structs, of which only the address is told.
  if (struct === lastNamed) return lastText;
  const { offset, name, pid } = describeStruct(struct);
  const address = hex(offset, 12);
  if (name === undefined && pid === undefined) return address;
  lastNamed = struct;
  lastText = `${address} ${name === undefined ? '(unreadable)' : escapeText(name)}${pid === undefined ? '' : ` (${pid})`}`;
  return lastText;
}

let lastNamed: Struct | undefined;
let lastText = '';

function numberText(value: number | bigint, type: ColumnType): string {
  switch (type) {
    case 'address':
      return hex(value, 12);
    case 'physical':
      return hex(value);
    case 'duration':
      return formatDuration(BigInt(value));
    case 'any':
      // The type is not known: what is too large to be a count is an address or a mask.
      return value >= 2 ** 32 ? hex(value, 12) : value.toString();
    default:
      return value.toString();
  }
}

/** `0x0000deadbeef`; @param digits at least so many */
export function hex(value: number | bigint, digits = 1): string {
  return value < 0 ? `-0x${(-value).toString(16).padStart(digits, '0')}` : `0x${value.toString(16).padStart(digits, '0')}`;
}
