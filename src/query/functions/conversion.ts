import { describeStruct } from '../../object/describe.js';
import { ArrayView } from '../../object/array.js';
import { Struct } from '../../object/struct.js';
import { Timestamp } from '../../object/time.js';
import { parseNumber } from '../../plugin/convert.js';
import { type Type, typeName, types } from '../types.js';
import { secondsToNs } from '../values/arithmetic.js';
import { parseDate, parseDuration } from '../values/date.js';
import { ValueError } from '../values/error.js';
import { asList, isList } from '../values/list.js';
import { normal, numberOf } from '../values/number.js';
import { textOf } from '../values/text.js';
import { truth } from '../values/truth.js';
import { buffer, described, number, text, whole } from './arguments.js';
import { optional, param, scalar } from './define.js';
import type { CallContext, ScalarFunction } from './function.js';

/** Names of types as `cast` takes them, and what makes a value one. */
const CASTS: Readonly<Record<string, { readonly type: Type; to(value: unknown, context: CallContext): unknown }>> = {
  int: { type: types.int, to: (value) => toInt(value) },
  float: { type: types.float, to: (value) => toFloat(value) },
  string: { type: types.string, to: (value) => textOf(value) },
  bytes: { type: types.bytes, to: (value) => toBytes(value) },
  bool: { type: types.bool, to: (value) => truth(value) },
  address: { type: types.address, to: (value) => toAddress(value) },
  time: { type: types.time, to: (value, context) => toTime(value, context) },
  duration: { type: types.duration, to: (value) => toDuration(value) },
};
const CAST_ALIASES: Readonly<Record<string, string>> = {
  str: 'string',
  text: 'string',
  integer: 'int',
  real: 'float',
  boolean: 'bool',
  timestamp: 'time',
  blob: 'bytes',
  unicode: 'string',
};

/** The type that a word of `cast` means. Throws ValueError where it means none. */
function castType(word: string): Type {
  return castOf(word).type;
}

function castOf(word: string): (typeof CASTS)[string] {
  const name = word.toLowerCase();
  const cast = Object.hasOwn(CASTS, name) ? CASTS[name] : CASTS[CAST_ALIASES[name] ?? ''];
  if (!cast)
    throw new ValueError(`nothing can be cast to ${word.slice(0, 40)}; there are ${Object.keys(CASTS).join(', ')}`);
  return cast;
}

/** Whole numbers of text (decimal, `0x` hex, `0o`, `0b`), floats cut off towards zero, times as seconds since 1970. */
function toInt(value: unknown, base?: bigint): number | bigint {
  if (value instanceof Timestamp) return normal(value.ns / 1_000_000_000n);
  if (typeof value === 'string') return normal(base === undefined ? parsedInt(value) : digits(value, Number(base)));
  const given = numberOf(value);
  if (given === undefined) throw new ValueError(`${described(value)} is no number`);
  if (typeof given === 'bigint' || Number.isSafeInteger(given)) return given;
  if (!Number.isFinite(given)) throw new ValueError(`${given} is no whole number`);
  return normal(BigInt(Math.trunc(given)));
}

function parsedInt(given: string): bigint {
  const trimmed = given.trim();
  const other = /^([+-]?)(0o[0-7]+|0b[01]+)$/i.exec(trimmed);
  if (other) return BigInt(other[2] ?? '0') * (other[1] === '-' ? -1n : 1n);
  const parsed = parseNumber(trimmed);
  if (parsed !== undefined && trimmed.length <= 1000) return parsed;
  const float = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i.test(trimmed) ? Number(trimmed) : NaN;
  if (!Number.isFinite(float)) throw new ValueError(`${described(given)} is no number`);
  return BigInt(Math.trunc(float));
}

function digits(given: string, base: number): bigint {
  if (!Number.isInteger(base) || base < 2 || base > 36)
    throw new ValueError(`numbers have a base from 2 to 36, not ${base}`);
  const parts = /^([+-]?)(?:0[xob](?=.))?([0-9a-z]{1,1000})$/i.exec(given.trim());
  let value = 0n;
  for (const digit of parts?.[2] ?? '?') {
    const worth = parseInt(digit, base);
    if (Number.isNaN(worth)) throw new ValueError(`${described(given)} is no number of base ${base}`);
    value = value * BigInt(base) + BigInt(worth);
  }
  return parts?.[1] === '-' ? -value : value;
}

function toFloat(value: unknown): number {
  if (value instanceof Timestamp) return Number(value.ns) / 1e9;
  if (typeof value !== 'string') return Number(number(value));
  const trimmed = value.trim();
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed)) return Number(parsedInt(trimmed));
  return Number(trimmed);
}

function toBytes(value: unknown): Buffer {
  if (value instanceof ArrayView && value.stride === 1) return value.bytes();
  if (!isList(value)) return buffer(value);
  return Buffer.from(
    asList(value).map((element) => {
      const byte = whole(element);
      if (byte < 0n || byte > 255n) throw new ValueError(`${byte} is no byte`);
      return Number(byte);
    }),
  );
}

/** Negative numbers are addresses from the top, as in C. */
function toAddress(value: unknown): bigint {
  const given = typeof value === 'string' ? parsedInt(value) : whole(value);
  if (given >= 1n << 64n || given < -(1n << 63n)) throw new ValueError('an address has 64 bits');
  return BigInt.asUintN(64, given);
}

/** Seconds since 1970, or a date text. */
export function toTime(value: unknown, context: CallContext): Timestamp {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'string')
    return /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) && value.trim().length > 4
      ? new Timestamp(secondsToNs(Number(value)))
      : parseDate(value, context);
  const seconds = number(value);
  if (Math.abs(Number(seconds)) > 1e17 || Number.isNaN(seconds)) throw new ValueError(`${seconds} seconds are no time`);
  return new Timestamp(secondsToNs(seconds));
}

/** Nanoseconds of seconds, or of a text such as `2 hours`. */
export function toDuration(value: unknown): bigint {
  if (typeof value === 'string') return parseDuration(value);
  const seconds = number(value);
  if (Math.abs(Number(seconds)) > 1e17 || Number.isNaN(seconds))
    throw new ValueError(`${seconds} seconds are too many`);
  return secondsToNs(seconds);
}

function hex(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  const given = typeof value === 'string' ? parsedInt(value) : number(value);
  const exact = typeof given === 'bigint' ? given : BigInt(Math.trunc(Number.isFinite(given) ? given : 0));
  return exact < 0n ? `-0x${(-exact).toString(16)}` : `0x${exact.toString(16)}`;
}

/** The type's name as `typeof` tells it: of the value at hand, by the static type where the value alone does not tell. */
function typeOf(value: unknown, type: Type | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Struct) return typeName({ kind: 'struct', struct: value.$type });
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof Timestamp) return 'time';
  if (value instanceof Uint8Array) return 'bytes';
  if (type && type.kind !== 'any' && type.kind !== 'null') return typeName(type);
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return isList(value) ? 'list' : 'row';
}

export const conversionFunctions: readonly ScalarFunction[] = [
  scalar({
    name: 'hex',
    topic: 'conversion',
    doc: 'A whole number (an address, a pointer) in hex with 0x, bytes as hex digits; of a list, of each element.',
    parameters: [param('value', ['address', 'bytes', 'string'])],
    result: types.string,
    maps: 0,
    call: ([value]) => hex(value),
    examples: [
      { query: 'hex(4096)', value: '0x1000' },
      { query: 'hex((1, 255))', value: ['0x1', '0xff'] },
    ],
  }),
  scalar({
    name: 'str',
    aliases: ['string', 'text'],
    topic: 'conversion',
    doc: 'A value as text: numbers in decimal, times ISO 8601, bytes as the text they hold, a process as its name.',
    parameters: [param('value')],
    result: types.string,
    call: ([value]) => textOf(value),
    examples: [{ query: 'str(4096) + "!"', value: '4096!' }],
  }),
  scalar({
    name: 'int',
    topic: 'conversion',
    doc: 'A whole number of text (decimal, 0x hex, with a suffix such as 4k, or in another base), of a float (cut off), of a time (seconds since 1970), of an object (its address).',
    parameters: [param('value', ['number', 'string', 'address', 'time']), optional('base', 'int')],
    result: types.int,
    maps: 0,
    call: ([value, base]) => toInt(value, base === undefined ? undefined : whole(base)),
    examples: [
      { query: 'int("0x10")', value: 16 },
      { query: 'int("ff", 16)', value: 255 },
      { query: 'int(-7.9)', value: -7 },
    ],
  }),
  scalar({
    name: 'float',
    topic: 'conversion',
    doc: 'A number with decimals, of text or of a whole number.',
    parameters: [param('value', ['number', 'string', 'time'])],
    result: types.float,
    maps: 0,
    call: ([value]) => toFloat(value),
    examples: [{ query: 'float("1.5") * 2', value: 3 }],
  }),
  scalar({
    name: 'bool',
    topic: 'conversion',
    doc: 'Whether a value counts as true: a number that is not 0, a text that is not empty, a list with such an element.',
    parameters: [param('value')],
    result: types.bool,
    call: ([value]) => truth(value),
    examples: [{ query: 'bool(4)', value: true }],
  }),
  scalar({
    name: 'bytes',
    topic: 'conversion',
    doc: 'The bytes of a text in UTF-8, of a list of numbers from 0 to 255, of an array in memory.',
    parameters: [param('value', ['string', 'bytes', 'list'])],
    result: types.bytes,
    call: ([value]) => toBytes(value),
    examples: [{ query: 'hex(bytes("AB"))', value: '4142' }],
  }),
  scalar({
    name: 'address',
    topic: 'conversion',
    doc: 'A number as an address, so that it is shown in hex; of an object, where it is.',
    parameters: [param('value', ['address', 'string'])],
    result: types.address,
    maps: 0,
    call: ([value]) => toAddress(value),
    examples: [{ query: 'hex(address(-4096))', value: '0xfffffffffffff000' }],
  }),
  scalar({
    name: 'cast',
    topic: 'conversion',
    doc: `A value as another type: ${Object.keys(CASTS).join(', ')}.`,
    parameters: [param('value'), param('type', 'string', 'word')],
    result: ([, type]) => type ?? types.any,
    words: castType,
    call: ([value, type], context) => castOf(text(type)).to(value, context),
    examples: [{ query: 'cast("12", int) + 1', value: 13 }],
  }),
  scalar({
    name: 'typeof',
    topic: 'conversion',
    doc: "The name of a value's type: null, int, float, string, time, struct task_struct ….",
    parameters: [param('value')],
    result: types.string,
    nulls: 'handled',
    call: ([value], context) => typeOf(value, context.types[0]),
    examples: [{ query: 'typeof("x")', value: 'string' }],
  }),
  scalar({
    name: 'describe_struct',
    topic: 'objects',
    doc: 'What is known of an object at a glance: type and address, of a process also name and pid.',
    parameters: [param('object', 'struct')],
    result: { kind: 'row' },
    call: ([value]) => {
      if (!(value instanceof Struct)) throw new ValueError(`${described(value)} is no kernel object`);
      return { ...describeStruct(value) };
    },
    examples: [
      { query: 'select describe_struct(proc).pid as pid from pslist() where pid == 1', value: [{ pid: 1 }] },
    ],
  }),
];
