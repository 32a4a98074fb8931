import type { Value } from '../../grammar/command-tree.js';
import { Pointer } from '../object/pointer.js';
import { Struct } from '../object/struct.js';
import { type Arg, type Args, spaceGiven } from './args.js';
import { convert, type Converter, outOfRange } from './convert.js';
import { UsageError } from './error.js';
import { didYouMean } from './similar.js';

/** What turning values into arguments needs from outside. */
export interface ValueOptions {
  /** The address of a name or expression (`linux!init_task+0x10`), in the space that the command was given beside it (`pid@7`). */
  resolve(expression: string, space?: string): Promise<bigint>;
  /** A path with `~` replaced; as given when absent. */
  path?(text: string): string;
}

/**
 * Arguments from values instead of words: what code and queries give. Values of the declared type are taken as they are; a whole
 * number may be a number or a bigint, an address also a struct, a pointer or the text of an expression, a regular expression also
 * its source, a list also its one element or any iterable; texts are read as the command line reads them. `undefined` and `null`
 * count as not given. Throws UsageError: unknown names (with the nearest), wrong types, what is missing.
 */
export async function bindValues(
  command: { readonly name: string; readonly args: Args },
  values: Readonly<Record<string, unknown>>,
  options: ValueOptions,
): Promise<Readonly<Record<string, unknown>>> {
  checkNames(command, values);
  const space = spaceGiven(command.args, (name) => textsOf(values[name]));
  const converter: Converter = {
    resolve: (text) => options.resolve(text, space),
    path: (text) => options.path?.(text) ?? text,
    fail: (message) => {
      throw new UsageError(`${command.name}: ${message}`);
    },
  };
  const bound: Record<string, unknown> = {};
  for (const [name, arg] of Object.entries(command.args)) {
    const value = values[name] ?? values[name.replaceAll('_', '-')];
    if (value !== undefined && value !== null) bound[name] = await valueOf(`${command.name}: ${name}`, name, arg, value, converter);
    else if (arg.default !== undefined) bound[name] = arg.default;
    else if (arg.required) throw new UsageError(`${command.name} needs ${name} (${arg.type}): ${arg.doc}.`);
  }
  return bound;
}

/** What was given for an argument, as texts: a list's elements, or the one value. */
export function textsOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map(String);
}

/** Throws UsageError for a name that the command has not declared. */
export function checkNames(command: { readonly name: string; readonly args: Args }, values: Readonly<Record<string, unknown>>): void {
  const known = Object.keys(command.args);
  for (const name of Object.keys(values)) {
    if (command.args[name.replaceAll('-', '_')] || command.args[name]) continue;
    const guess = didYouMean(name, known);
    throw new UsageError(`${command.name} has no argument ${name}.${guess === '' ? ` It has ${known.length > 0 ? known.join(', ') : 'none'}.` : guess}`);
  }
}

async function valueOf(place: string, name: string, arg: Arg, value: unknown, converter: Converter): Promise<unknown> {
  const wrong = (expected: string, got = value): never => {
    throw new UsageError(`${place} needs ${expected}, not ${shown(got)}.`);
  };
  /** a text, read as the command line reads it */
  const read = (type: Arg['type'], text: string): Promise<unknown> => convert(name, { ...arg, type }, [literal(text)], converter);
  const integer = async (one: unknown): Promise<number> => {
    if (typeof one === 'string') return (await read('int', one)) as number;
    if (typeof one !== 'number' && typeof one !== 'bigint') return wrong('a whole number', one);
    const number = Number(one);
    if (!Number.isInteger(number)) return wrong('a whole number', one);
    if (!Number.isSafeInteger(number)) return wrong('a whole number within 2^53', one);
    return number;
  };
  const address = async (one: unknown): Promise<bigint> => {
    if (typeof one === 'string') return (await read('address', one)) as bigint;
    if (one instanceof Struct) return one.$address;
    if (one instanceof Pointer) return one.address;
    if (typeof one === 'number' && !Number.isSafeInteger(one)) return wrong('an address that is exact: a bigint (0xffff888000000000n)', one);
    if (typeof one !== 'number' && typeof one !== 'bigint') return wrong('an address (a bigint, a number, a struct, or text such as "linux!init_task+0x10")', one);
    const wide = BigInt(one);
    return wide >= 1n << 64n || wide < -(1n << 63n) ? wrong('an address of 64 bits', one) : BigInt.asUintN(64, wide);
  };
  const text = async (one: unknown): Promise<string> => (typeof one === 'string' ? Promise.resolve(one) : wrong('a text', one));
  const choice = async (one: unknown): Promise<string> => (await read('choice', await text(one))) as string;
  switch (arg.type) {
    case 'int': {
      const number = await integer(value);
      const expected = outOfRange(arg, number);
      return expected === undefined ? number : wrong(expected);
    }
    case 'address':
      return address(value);
    case 'string':
      return text(value);
    case 'bool':
      if (typeof value === 'boolean') return value;
      return typeof value === 'string' ? read('bool', value) : wrong('true or false');
    case 'regex':
      // A global expression remembers where it stopped, and would skip every second match.
      if (value instanceof RegExp) return new RegExp(value.source, value.flags.replace(/[gy]/g, ''));
      return typeof value === 'string' ? read('regex', value) : wrong('a regular expression or its text');
    case 'path':
      return read('path', await text(value));
    case 'choice':
      return choice(value);
    case 'ints':
      return Promise.all(items(value).map(integer));
    case 'addresses':
      return Promise.all(items(value).map(address));
    case 'strings':
      return Promise.all(items(value).map(text));
    case 'choices':
      return Promise.all(items(value).map(choice));
  }
}

/** The elements of a list, or the one value. */
function items(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || value instanceof Struct || !(Symbol.iterator in value)) return [value];
  return [...(value as Iterable<unknown>)];
}

function literal(text: string): Value {
  return { text, quoted: true, start: 0, end: text.length };
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  return value instanceof Struct ? `the struct ${value.toString()}` : `${/^[AEIOU]/.test(kindOf(value)) ? 'an' : 'a'} ${kindOf(value)}`;
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return typeof value;
  return (value as { constructor?: { name?: string } }).constructor?.name ?? 'object';
}
