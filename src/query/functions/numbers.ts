import { type Type, types, unify } from '../types.js';
import { ValueError } from '../values/error.js';
import { isMissing } from '../values/equality.js';
import { compareValues } from '../values/order.js';
import { normal } from '../values/number.js';
import { count, number, whole } from './arguments.js';
import { optional, param, rest, scalar } from './define.js';
import type { ScalarFunction } from './function.js';

const MOST_SHIFT = 256n;

/** The least or greatest of several values, by the order of `order by`; null where one is null, as SQLite's min and max of several. */
function extreme(values: readonly unknown[], sign: 1 | -1): unknown {
  return values.reduce((best, value) => (compareValues(value, best) * sign > 0 ? value : best));
}

function sameNumber([first]: readonly Type[]): Type {
  return first?.kind === 'bool' ? types.int : (first ?? types.any);
}

/** Rounds half away from zero, as SQL does. */
function round(value: number | bigint, digits: number): number | bigint {
  if (typeof value === 'bigint' || Number.isInteger(value))
    return digits >= 0 ? value : roundWhole(BigInt(value), -digits);
  if (!Number.isFinite(value)) return value;
  if (digits < 0) return roundWhole(BigInt(Math.trunc(value)), -digits);
  if (digits > 15) return value;
  // Through the shortest decimal text: 1.005 is what was written, not the double just below it.
  const shifted = Number(`${Math.abs(value)}e${digits}`);
  if (Number.isNaN(shifted)) return value;
  const rounded = Math.sign(value) * Number(`${Math.round(shifted)}e${-digits}`);
  return rounded + 0;
}

function roundWhole(value: bigint, digits: number): number | bigint {
  const unit = 10n ** BigInt(Math.min(digits, 40));
  const half = value < 0n ? -unit / 2n : unit / 2n;
  return normal(((value + half) / unit) * unit);
}

function real(
  name: string,
  doc: string,
  compute: (value: number) => number,
  example: { readonly query: string; readonly value: unknown },
  aliases?: readonly string[],
): ScalarFunction {
  return scalar({
    name,
    ...(aliases ? { aliases } : {}),
    topic: 'numbers',
    doc,
    parameters: [param('value', 'number')],
    result: types.float,
    maps: 0,
    call: ([value]) => finite(compute(Number(number(value)))),
    examples: [example],
  });
}

/** What is no number (the root of -1) is null, as division by zero is. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function integral(
  name: string,
  doc: string,
  compute: (value: number) => number,
  example: { readonly query: string; readonly value: unknown },
  aliases?: readonly string[],
): ScalarFunction {
  return scalar({
    name,
    ...(aliases ? { aliases } : {}),
    topic: 'numbers',
    doc,
    parameters: [param('value', 'number')],
    result: types.int,
    maps: 0,
    call: ([value]) => {
      const given = number(value);
      if (typeof given === 'bigint') return given;
      const result = compute(given);
      if (!Number.isFinite(result)) return null;
      return Number.isSafeInteger(result) ? result + 0 : BigInt(result);
    },
    examples: [example],
  });
}

function bits(
  name: string,
  doc: string,
  compute: (a: bigint, b: bigint) => bigint,
  example: { readonly query: string; readonly value: unknown },
  aliases: readonly string[],
): ScalarFunction {
  return scalar({
    name,
    aliases,
    topic: 'numbers',
    doc,
    parameters: [param('a', 'address'), param('b', 'address')],
    result: ([a]) => (a?.kind === 'address' ? types.address : types.int),
    maps: 0,
    call: ([a, b]) => normal(compute(whole(a), whole(b))),
    examples: [example],
  });
}

function shift(value: bigint, by: bigint): bigint {
  if (by > MOST_SHIFT || by < -MOST_SHIFT) throw new ValueError(`a shift by more than ${MOST_SHIFT} bits`);
  return by >= 0n ? value << by : value >> -by;
}

export const numberFunctions: readonly ScalarFunction[] = [
  scalar({
    name: 'abs',
    topic: 'numbers',
    doc: 'A number without its sign.',
    parameters: [param('value', 'number')],
    result: sameNumber,
    maps: 0,
    call: ([value]) => {
      const given = number(value);
      return typeof given === 'bigint' ? (given < 0n ? -given : given) : Math.abs(given);
    },
    examples: [{ query: 'abs(-4)', value: 4 }],
  }),
  scalar({
    name: 'sign',
    topic: 'numbers',
    doc: '-1, 0 or 1.',
    parameters: [param('value', 'number')],
    result: types.int,
    maps: 0,
    call: ([value]) => {
      const given = number(value);
      return given > 0 ? 1 : given < 0 ? -1 : 0;
    },
    examples: [{ query: 'sign(-4)', value: -1 }],
  }),
  scalar({
    name: 'round',
    topic: 'numbers',
    doc: 'A number rounded, half away from zero, to so many decimals (none; negative: tens, hundreds …).',
    parameters: [param('value', 'number'), optional('digits', 'int')],
    result: sameNumber,
    maps: 0,
    call: ([value, digits]) => round(number(value), digits === undefined ? 0 : count(digits)),
    examples: [
      { query: 'round(2.345, 2)', value: 2.35 },
      { query: 'round(1234, -2)', value: 1200 },
    ],
  }),
  integral('floor', 'The greatest whole number that is not more.', Math.floor, { query: 'floor(-1.5)', value: -2 }),
  integral('ceil', 'The least whole number that is not less.', Math.ceil, { query: 'ceil(1.2)', value: 2 }, [
    'ceiling',
  ]),
  integral('trunc', 'A number without its decimals.', Math.trunc, { query: 'trunc(-1.7)', value: -1 }),
  scalar({
    name: 'least',
    topic: 'numbers',
    doc: 'The least of several values; min(a, b) is the same.',
    parameters: [param('a'), rest('values')],
    result: (args) => args.reduce(unify),
    call: (values) => extreme(values, -1),
    examples: [{ query: 'least(3, 1, 2)', value: 1 }],
  }),
  scalar({
    name: 'greatest',
    topic: 'numbers',
    doc: 'The greatest of several values; max(a, b) is the same.',
    parameters: [param('a'), rest('values')],
    result: (args) => args.reduce(unify),
    call: (values) => extreme(values, 1),
    examples: [{ query: 'greatest("a", "b")', value: 'b' }],
  }),
  real('sqrt', 'The square root.', Math.sqrt, { query: 'sqrt(9)', value: 3 }),
  real('exp', 'e to the power of a number.', Math.exp, { query: 'exp(0)', value: 1 }),
  real('ln', 'The natural logarithm.', Math.log, { query: 'ln(1)', value: 0 }),
  real('log2', 'The logarithm of base 2.', Math.log2, { query: 'log2(8)', value: 3 }),
  real('log10', 'The logarithm of base 10.', Math.log10, { query: 'log10(1000)', value: 3 }, ['log']),
  scalar({
    name: 'power',
    aliases: ['pow'],
    topic: 'numbers',
    doc: 'A number to the power of another; whole numbers exactly.',
    parameters: [param('base', 'number'), param('exponent', 'number')],
    result: ([base, exponent]) => (base?.kind === 'float' || exponent?.kind === 'float' ? types.float : types.any),
    call: ([a, b]) => {
      const [base, exponent] = [number(a), number(b)];
      const exact =
        (typeof base === 'bigint' || Number.isInteger(base)) &&
        (typeof exponent === 'bigint' || Number.isInteger(exponent));
      if (!exact || exponent < 0) return finite(Number(base) ** Number(exponent));
      if (exponent > 4096 || Number(exponent) * Math.log2(Math.abs(Number(base)) + 1) > 4096)
        throw new ValueError('a number of more than 4096 bits');
      return normal(BigInt(base) ** BigInt(exponent));
    },
    examples: [{ query: 'power(2, 64)', value: 18446744073709551616n }],
  }),
  bits(
    'bit_and',
    'The bits that two whole numbers share: of flags, those of a mask.',
    (a, b) => a & b,
    { query: 'bit_and(0x1f, 0x12)', value: 18 },
    ['bitand'],
  ),
  bits('bit_or', 'The bits that one of two whole numbers has.', (a, b) => a | b, { query: 'bit_or(1, 4)', value: 5 }, [
    'bitor',
  ]),
  bits(
    'bit_xor',
    'The bits that just one of two whole numbers has.',
    (a, b) => a ^ b,
    { query: 'bit_xor(5, 4)', value: 1 },
    ['bitxor'],
  ),
  bits(
    'bit_shift',
    'A whole number moved left by so many bits; right where negative.',
    shift,
    { query: 'bit_shift(1, 12)', value: 4096 },
    ['bitshift'],
  ),
];

/** What least and greatest do, for min and max of several values. */
export function extremeOf(values: readonly unknown[], sign: 1 | -1): unknown {
  return values.some(isMissing) ? null : extreme(values, sign);
}
