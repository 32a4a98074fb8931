import { Absent } from '../../memory/absent.js';
import { Timestamp } from '../../object/time.js';
import { isNumeric, isWhole, listOf, type Type, typeName, types } from '../types.js';
import { ValueError } from './error.js';
import { asList, isList } from './list.js';
import { numberOf } from './number.js';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type Compute = (a: unknown, b: unknown) => unknown;

/** Whole numbers grow without rounding; this many bits are more than anybody means, and keep a query from filling memory. */
const MOST_BITS = 4096n;
const LIMIT = 1n << MOST_BITS;
const SECOND = 1_000_000_000n;

/**
 * The type of `a + b` and the like, or why it has none, in words.
 *
 * Whole numbers stay whole, and exact; `/` between them gives the whole part, as in SQL (7 / 2 is 3, -7 / 2 is -3), and `%` has the sign of
 * the left; with a float on either side both are those of floats. Division by zero is null. An address moved is an address, the distance of
 * two a number. `time + duration`, `time - time`; a number beside a time is seconds. `+` joins texts. Lists are taken element by element.
 */
export function arithmeticType(operator: ArithmeticOperator, a: Type, b: Type): Type | string {
  if (a.kind === 'list' || b.kind === 'list') {
    const of = arithmeticType(operator, a.kind === 'list' ? a.of : a, b.kind === 'list' ? b.of : b);
    return typeof of === 'string' ? of : listOf(of);
  }
  if (a.kind === 'null' || b.kind === 'null') return types.null;
  if (a.kind === 'time' || b.kind === 'time') return timeType(operator, a, b);
  if (a.kind === 'any' || b.kind === 'any') return types.any;
  if (a.kind === 'string' && b.kind === 'string' && operator === '+') return types.string;
  const left = asNumber(a);
  const right = asNumber(b);
  if (left && right) return numberType(operator, left, right);
  const culprit = left ? b : a;
  const advice =
    operator === '+' && (a.kind === 'string' || b.kind === 'string') ? `; a || b joins values as text` : '';
  return `${typeName(culprit)} is no number: ${typeName(a)} ${operator} ${typeName(b)} means nothing${advice}`;
}

/** A struct counts as its address. */
function asNumber(type: Type): Type | undefined {
  if (type.kind === 'struct') return types.address;
  if (type.kind === 'bool') return types.int;
  return isNumeric(type) ? type : undefined;
}

function timeType(operator: ArithmeticOperator, a: Type, b: Type): Type | string {
  if (a.kind === 'time' && b.kind === 'time' && operator === '-') return types.duration;
  const other = a.kind === 'time' ? b : a;
  const fits =
    other.kind === 'any'
      ? operator !== '*' && operator !== '/' && operator !== '%'
      : isWhole(other) || other.kind === 'float';
  if (fits && (operator === '+' || (operator === '-' && a.kind === 'time')))
    return other.kind === 'any' && operator === '-' ? types.any : types.time;
  return `${typeName(a)} ${operator} ${typeName(b)} means nothing; a time takes + and - of a duration (or seconds), and - of a time`;
}

function numberType(operator: ArithmeticOperator, a: Type, b: Type): Type {
  if (a.kind === 'float' || b.kind === 'float') return types.float;
  const address = a.kind === 'address' || b.kind === 'address';
  if (operator === '+') return address ? types.address : kept(a, b);
  if (operator === '-')
    return a.kind === 'address' && b.kind === 'address' ? types.int : address ? types.address : kept(a, b);
  if (address) return types.int;
  const unit =
    a.kind === 'size' || a.kind === 'duration'
      ? a
      : operator === '*' && (b.kind === 'size' || b.kind === 'duration')
        ? b
        : types.int;
  const other = unit === a ? b : a;
  // A size by a size is a ratio; a rest of a size is a size.
  if (unit.kind === 'int' || other.kind === unit.kind)
    return operator === '%' && other.kind === unit.kind ? unit : types.int;
  return unit;
}

/** Sums keep what they count where both count the same, or one is a bare number. */
function kept(a: Type, b: Type): Type {
  if (a.kind === b.kind) return a;
  if (a.kind === 'int') return b;
  return b.kind === 'int' ? a : types.int;
}

/** Compiles an operator for operands of these types: what is known of them makes whole, float and time arithmetic differ. */
export function arithmetic(operator: ArithmeticOperator, a: Type, b: Type): Compute {
  const left = a.kind === 'list' ? a.of : a;
  const right = b.kind === 'list' ? b.of : b;
  const float = left.kind === 'float' || right.kind === 'float';
  const nanoseconds = left.kind === 'duration' || right.kind === 'duration';
  const numbers = float ? floats[operator] : wholes[operator];
  const one: Compute = (x, y) => {
    if (typeof x === 'number' && typeof y === 'number') return numbers(x, y);
    if (x instanceof Absent) return x;
    if (y instanceof Absent) return y;
    if (x === null || y === null || x === undefined || y === undefined) return null;
    if (isList(x) || isList(y)) return elementwise(x, y, one);
    if (x instanceof Timestamp || y instanceof Timestamp) return timeArithmetic(operator, x, y, nanoseconds);
    if (typeof x === 'string' || typeof y === 'string')
      return operator === '+' && typeof x === 'string' && typeof y === 'string' ? joined(x, y) : null;
    const m = numberOf(x);
    const n = numberOf(y);
    return m === undefined || n === undefined ? null : numbers(m, n);
  };
  return one;
}

/** `-a`. */
export function negate(value: unknown): unknown {
  if (typeof value === 'number') return 0 - value;
  if (value === null || value === undefined) return null;
  if (value instanceof Absent) return value;
  if (isList(value)) return asList(value).map(negate);
  const number = numberOf(value);
  return number === undefined ? null : typeof number === 'number' ? 0 - number : -number;
}

/** Two texts as one. Throws ValueError where it would be longer than a query may make one. */
export function joined(a: string, b: string): string {
  if (a.length + b.length > MOST_TEXT) throw new ValueError('a text of more than 64 million characters');
  return a + b;
}
const MOST_TEXT = 1 << 26;

/** Lists element by element: a single value goes with each, the shorter of two lists goes on with 0. */
export function elementwise(a: unknown, b: unknown, compute: Compute): unknown[] {
  const left = isList(a) ? asList(a) : undefined;
  const right = isList(b) ? asList(b) : undefined;
  const length = Math.max(left?.length ?? 0, right?.length ?? 0);
  const values: unknown[] = [];
  for (let index = 0; index < length; index++) {
    const x = left ? (index < left.length ? left[index] : 0) : a;
    const y = right ? (index < right.length ? right[index] : 0) : b;
    values.push(compute(x, y));
  }
  return values;
}

function timeArithmetic(operator: ArithmeticOperator, a: unknown, b: unknown, nanoseconds: boolean): unknown {
  if (a instanceof Timestamp && b instanceof Timestamp) return operator === '-' ? a.ns - b.ns : null;
  const time = a instanceof Timestamp ? a : (b as Timestamp);
  const length = numberOf(a instanceof Timestamp ? b : a);
  if (length === undefined || Number.isNaN(length) || Math.abs(Number(length)) === Infinity) return null;
  const ns = nanoseconds ? (typeof length === 'bigint' ? length : BigInt(Math.round(length))) : secondsToNs(length);
  if (operator === '+') return new Timestamp(time.ns + ns);
  return operator === '-' && a instanceof Timestamp ? new Timestamp(time.ns - ns) : null;
}

/** Seconds, whole or not, as nanoseconds. */
export function secondsToNs(seconds: number | bigint): bigint {
  if (typeof seconds === 'bigint') return seconds * SECOND;
  const whole = Math.floor(seconds);
  return BigInt(whole) * SECOND + BigInt(Math.round((seconds - whole) * 1e9));
}

type Numbers = (a: number | bigint, b: number | bigint) => number | bigint | null;

const wholes: Readonly<Record<ArithmeticOperator, Numbers>> = {
  '+': exact(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  '-': exact(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  '*': exact(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '/': divided(
    // Exact: a - a % b is a multiple of b.
    (a, b) => (a - (a % b)) / b,
    (a, b) => a / b,
    (a, b) => a / b,
  ),
  '%': divided(
    (a, b) => a % b,
    (a, b) => a % b,
    (a, b) => a % b,
  ),
};

const floats: Readonly<Record<ArithmeticOperator, Numbers>> = {
  '+': (a, b) => Number(a) + Number(b),
  '-': (a, b) => Number(a) - Number(b),
  '*': (a, b) => Number(a) * Number(b),
  '/': (a, b) => (Number(b) === 0 ? null : Number(a) / Number(b)),
  '%': (a, b) => (Number(b) === 0 ? null : Number(a) % Number(b)),
};

/** Whole numbers: in doubles where that is exact, else as bigint. A number that is not whole makes it arithmetic of floats. */
function exact(small: (a: number, b: number) => number, large: (a: bigint, b: bigint) => bigint): Numbers {
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') {
      const result = small(a, b);
      if (Number.isSafeInteger(result)) return result + 0;
      if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return result;
      return large(BigInt(a), BigInt(b));
    }
    if (!isExact(a) || !isExact(b)) return small(Number(a), Number(b));
    return bounded(large(BigInt(a), BigInt(b)));
  };
}

function divided(
  small: (a: number, b: number) => number,
  large: (a: bigint, b: bigint) => bigint,
  float: (a: number, b: number) => number,
): Numbers {
  return (a, b) => {
    if (b === 0 || b === 0n) return null;
    // The + 0 makes a zero of -0, which would be shown as such.
    if (typeof a === 'number' && typeof b === 'number')
      return Number.isSafeInteger(a) && Number.isSafeInteger(b) ? small(a, b) + 0 : float(a, b);
    if (!isExact(a) || !isExact(b)) return float(Number(a), Number(b));
    return large(BigInt(a), BigInt(b));
  };
}

function isExact(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

function bounded(value: bigint): bigint {
  if (value > LIMIT || value < -LIMIT) throw new ValueError(`a number of more than ${MOST_BITS} bits`);
  return value;
}
