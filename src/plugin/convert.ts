import type { Value } from '../../grammar/command-tree.js';
import type { Arg } from './args.js';
import { UsageError } from './error.js';
import { didYouMean } from './similar.js';

/** What turning words into values needs from outside. */
export interface Converter {
  /** The address of a name or expression; throws where it means none. */
  resolve(expression: string): Promise<bigint>;
  /** A path with `~` replaced. */
  path(text: string): string;
  /** Throws the UsageError for a mistake at a value. */
  fail(message: string, value: Value): never;
}

const NUMBER = /^([+-]?)(0x[0-9a-f]+|\d+)(?:([kmgt])i?b?|b)?$/i;
const UNITS: Readonly<Record<string, bigint>> = { k: 1n << 10n, m: 1n << 20n, g: 1n << 30n, t: 1n << 40n };

/** A whole number: decimal, `0x` hex, with a size suffix (`4k`, `10MB`, `1g`: powers of 1024); undefined where the text is none. */
export function parseNumber(text: string): bigint | undefined {
  const parts = NUMBER.exec(text.trim());
  if (!parts) return undefined;
  const [, sign, digits = '0', unit] = parts;
  // In hex a last b is a digit, and the expression above reads it so, being greedy.
  const value = BigInt(digits) * (unit === undefined ? 1n : (UNITS[unit.toLowerCase()] ?? 1n));
  return sign === '-' ? -value : value;
}

/** True and false as people write them; undefined where the text is neither. */
export function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(lower)) return true;
  if (['false', 'no', 'off', '0'].includes(lower)) return false;
  return undefined;
}

/** The elements of values of a list argument: repeated words, `1,2`, `[1,2]`. */
export function elements(values: readonly Value[]): Value[] {
  return values.flatMap((value): Value[] => {
    if (value.items) return [...value.items];
    if (value.quoted) return [value];
    const bracketed = /^\[(.*)\]$/s.exec(value.text);
    const inner = bracketed?.[1] ?? value.text;
    if (!inner.includes(',')) return bracketed && inner.trim() === '' ? [] : [{ ...value, text: inner }];
    return inner.split(',').map((text) => ({ ...value, text: text.trim() }));
  });
}

/** The value of an argument from the words that were given for it (at least one). */
export async function convert(name: string, arg: Arg, values: readonly Value[], converter: Converter): Promise<unknown> {
  const one = values.at(-1) as Value;
  switch (arg.type) {
    case 'int':
      return inRange(name, arg, integer(name, one, converter), one, converter);
    case 'address':
      return address(name, one, converter);
    case 'string':
      return one.text;
    case 'bool':
      return parseBoolean(one.text) ?? converter.fail(`${name} is yes or no, not '${one.text}'.`, one);
    case 'regex':
      return regex(name, one, converter);
    case 'path':
      return one.text === '' ? converter.fail(`${name} needs a path.`, one) : converter.path(one.text);
    case 'choice':
      return choice(name, arg, one, converter);
    case 'ints':
      return elements(values).map((value) => integer(name, value, converter));
    case 'addresses': {
      const all: bigint[] = [];
      for (const value of elements(values)) all.push(await address(name, value, converter));
      return all;
    }
    case 'strings':
      return elements(values).map((value) => value.text);
    case 'choices':
      return elements(values).map((value) => choice(name, arg, value, converter));
  }
}

function integer(name: string, value: Value, converter: Converter): number {
  const number = parseNumber(value.text);
  if (number === undefined) {
    return converter.fail(`${name} needs a whole number (12, 0x1f, 4k), not '${value.text}'.`, value);
  }
  if (number > BigInt(Number.MAX_SAFE_INTEGER) || number < BigInt(Number.MIN_SAFE_INTEGER)) {
    return converter.fail(`${name} is out of range: ${value.text} is more than 2^53.`, value);
  }
  return Number(number);
}

/** A number within the range that an argument declares. */
function inRange(name: string, arg: Arg, number: number, value: Value, converter: Converter): number {
  const expected = outOfRange(arg, number);
  return expected === undefined ? number : converter.fail(`${name} is ${value.text}: expected ${expected}.`, value);
}

/** What was expected, in words, of a number that is not within the range that an argument declares; undefined of one that is. */
export function outOfRange({ least = -Infinity, most = Infinity }: Arg, number: number): string | undefined {
  if (number >= least && number <= most) return undefined;
  return most < Infinity ? `${least > -Infinity ? `${least} to ` : 'at most '}${most}` : least === 1 ? 'one or more' : `${least} or more`;
}

async function address(name: string, value: Value, converter: Converter): Promise<bigint> {
  const number = parseNumber(value.text);
  if (number !== undefined) {
    if (number >= 1n << 64n || number < -(1n << 63n)) converter.fail(`${name} is out of range: ${value.text} has more than 64 bits.`, value);
    return BigInt.asUintN(64, number);
  }
  if (value.text.trim() === '') return converter.fail(`${name} needs an address: a number, or a name such as linux!init_task+0x10.`, value);
  try {
    return await converter.resolve(value.text);
  } catch (error) {
    // A mistake inside of the expression is one inside of the line, unless escapes have moved its characters.
    const place = error instanceof UsageError ? error.place : undefined;
    if (!(error instanceof UsageError) || place?.line !== value.text) throw error;
    const quotes = value.end - value.start - value.text.length;
    if (quotes !== 0 && quotes !== 2) return converter.fail(error.message, value);
    const start = value.start + quotes / 2;
    return converter.fail(error.message, { ...value, start: start + place.start, end: Math.max(start + place.start + 1, start + place.end) });
  }
}

function regex(name: string, value: Value, converter: Converter): RegExp {
  // `(?i)` is how Python says what is the rule here.
  const source = value.text.replace(/^\(\?i\)/, '');
  try {
    return new RegExp(source, 'i');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return converter.fail(`${name} is no regular expression: ${error.message.replace(/^.*: /, '')}.`, value);
  }
}

function choice(name: string, arg: Arg, value: Value, converter: Converter): string {
  const choices = arg.choices ?? [];
  const found = choices.find((known) => known.toLowerCase() === value.text.toLowerCase());
  return found ?? converter.fail(`${name} is one of ${choices.join(', ')}, not '${value.text}'.${didYouMean(value.text, choices)}`, value);
}
