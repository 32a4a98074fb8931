import { Absent } from '../../memory/absent.js';
import { ValueError } from '../values/error.js';
import { numberOf } from '../values/number.js';
import { textOf } from '../values/text.js';
import { described } from './arguments.js';

const CONVERSION = /%([-+ 0#]*)(\d+)?(?:\.(\d+))?(?:ll|[hlzjtq])?(.?)/gs;
const WIDEST = 4096;

/**
 * A text with values in it, by C's printf: `%s %d %i %u %x %X %o %b %f %e %g %c %%` with flags, width and precision. Null and Absent are
 * written as `-`; a value too few is a mistake.
 */
export function format(pattern: string, values: readonly unknown[]): string {
  let next = 0;
  return pattern.replace(
    CONVERSION,
    (whole, flags: string, width: string | undefined, precision: string | undefined, letter: string) => {
      if (letter === '%') return '%';
      if (Number(width ?? 0) > WIDEST || Number(precision ?? 0) > 100) throw new ValueError(`${whole} is too wide`);
      if (next >= values.length) throw new ValueError(`format has a ${whole}, for which there is no value`);
      const value = values[next++];
      const missing = value === null || value === undefined || value instanceof Absent;
      const [sign, body] = missing
        ? ['', '-']
        : converted(letter, value, flags, precision === undefined ? undefined : Number(precision), whole);
      const lacking = Number(width ?? 0) - sign.length - body.length;
      if (lacking <= 0) return sign + body;
      if (flags.includes('-')) return sign + body + ' '.repeat(lacking);
      return flags.includes('0') && letter !== 's' && letter !== 'c' && !missing
        ? sign + '0'.repeat(lacking) + body
        : ' '.repeat(lacking) + sign + body;
    },
  );
}

/** The sign (and `0x`), which stands before padding zeros, and the rest. */
function converted(
  letter: string,
  value: unknown,
  flags: string,
  precision: number | undefined,
  whole: string,
): readonly [string, string] {
  switch (letter) {
    case 's': {
      const text = String(textOf(value));
      return ['', precision === undefined ? text : text.slice(0, precision)];
    }
    case 'c': {
      const code = numberOf(value);
      return [
        '',
        typeof code === 'number' && code >= 0 && code <= 0x10ffff
          ? String.fromCodePoint(code)
          : String(textOf(value)).slice(0, 1),
      ];
    }
    case 'd':
    case 'i':
    case 'u':
      return integer(value, 10, '', flags, precision);
    case 'x':
    case 'p':
      return integer(value, 16, flags.includes('#') || letter === 'p' ? '0x' : '', flags, precision);
    case 'X': {
      const [sign, body] = integer(value, 16, flags.includes('#') ? '0x' : '', flags, precision);
      return [sign, body.toUpperCase()];
    }
    case 'o':
      return integer(value, 8, flags.includes('#') ? '0' : '', flags, precision);
    case 'b':
      return integer(value, 2, flags.includes('#') ? '0b' : '', flags, precision);
    case 'f':
    case 'e':
    case 'g':
      return float(value, letter, flags, precision ?? 6);
    default:
      throw new ValueError(`format knows no ${whole}; it knows %s %d %x %X %o %b %f %e %g %c %%`);
  }
}

function integer(
  value: unknown,
  base: number,
  prefix: string,
  flags: string,
  precision: number | undefined,
): readonly [string, string] {
  const given = numberOf(value);
  if (given === undefined || (typeof given === 'number' && !Number.isFinite(given)))
    throw new ValueError(`${described(value)} is no whole number`);
  const exact = typeof given === 'bigint' ? given : BigInt(Math.trunc(given));
  const digits = (exact < 0n ? -exact : exact).toString(base).padStart(precision ?? 0, '0');
  return [signOf(exact < 0n, flags) + prefix, digits];
}

function float(value: unknown, letter: 'f' | 'e' | 'g', flags: string, precision: number): readonly [string, string] {
  const given = Number(numberOf(value) ?? NaN);
  if (Number.isNaN(given) && numberOf(value) === undefined) throw new ValueError(`${described(value)} is no number`);
  const size = Math.abs(given);
  const sign = signOf(given < 0 || Object.is(given, -0), flags);
  if (!Number.isFinite(size)) return [sign, Number.isNaN(size) ? 'nan' : 'inf'];
  if (letter === 'f') return [sign, size.toFixed(precision)];
  if (letter === 'e') return [sign, exponent(size.toExponential(precision))];
  const digits = Math.max(1, precision);
  const power = size === 0 ? 0 : Number(size.toExponential(digits - 1).split('e')[1]);
  const text = power < -4 || power >= digits ? size.toExponential(digits - 1) : size.toFixed(digits - 1 - power);
  return [sign, exponent(text.includes('.') ? text.replace(/\.?0+(?=e|$)/, '') : text)];
}

/** C writes at least two digits of an exponent. */
function exponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function signOf(negative: boolean, flags: string): string {
  if (negative) return '-';
  return flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}
