import { Timestamp } from '../../object/time.js';
import { ValueError } from '../values/error.js';
import { numberOf } from '../values/number.js';
import { textOf } from '../values/text.js';

/** What the value of a row's cell is called in messages. */
export function described(value: unknown): string {
  if (value instanceof Timestamp) return 'a time';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  return typeof value === 'object' ? 'an object' : String(value);
}

/** The argument as text. Throws ValueError where it has none. */
export function text(value: unknown): string {
  const told = textOf(value);
  if (typeof told !== 'string') throw new ValueError(`${described(value)} is no text`);
  return told;
}

/** The argument as a number. Throws ValueError where it is none. */
export function number(value: unknown): number | bigint {
  const told = numberOf(value);
  if (told === undefined) throw new ValueError(`${described(value)} is no number`);
  return told;
}

/** The argument as a whole number. Throws ValueError where it is none. */
export function whole(value: unknown): bigint {
  const told = number(value);
  if (typeof told === 'bigint') return told;
  if (!Number.isInteger(told)) throw new ValueError(`${described(value)} is no whole number`);
  return BigInt(told);
}

/** The argument as a whole number that serves as a place or a count: beyond what JavaScript counts to it is held there. */
export function count(value: unknown): number {
  const exact = whole(value);
  if (exact > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  return exact < BigInt(Number.MIN_SAFE_INTEGER) ? Number.MIN_SAFE_INTEGER : Number(exact);
}

/** The argument as a time. Throws ValueError where it is none. */
export function time(value: unknown): Timestamp {
  if (value instanceof Timestamp) return value;
  throw new ValueError(`${described(value)} is no time; timestamp(x) makes one`);
}

/** Bytes as they are, text as its UTF-8. Throws ValueError for anything else. */
export function buffer(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  throw new ValueError(`${described(value)} is neither bytes nor text`);
}
