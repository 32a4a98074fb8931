import type { Arg, ArgType } from '../../plugin/args.js';
import { parseBoolean } from '../../plugin/convert.js';
import { Absent } from '../../memory/absent.js';
import { didYouMean } from '../../plugin/similar.js';
import type { Catalog } from '../catalog.js';
import { ValueError } from '../values/error.js';
import { asList } from '../values/list.js';
import { numberOf } from '../values/number.js';
import { onlyValue } from '../values/in.js';

export function isListArgument(type: ArgType): boolean {
  return type === 'ints' || type === 'addresses' || type === 'strings' || type === 'choices';
}

/**
 * The value of a table's argument, of the type that it declares, from a value of the query. Names of addresses are resolved by the
 * catalog, so the value may be a promise. Throws ValueError where it cannot be had.
 * @param space the space that other arguments name (`pid@7`)
 */
export function argumentValue(name: string, arg: Arg, value: unknown, catalog?: Catalog, space?: string): unknown {
  switch (arg.type) {
    case 'ints':
    case 'strings':
    case 'choices': {
      const one: Arg = { ...arg, type: arg.type === 'ints' ? 'int' : arg.type === 'strings' ? 'string' : 'choice' };
      return present(name, value).map((element) => argumentValue(name, one, element));
    }
    case 'addresses':
      return Promise.all(present(name, value).map((element) => address(name, element, catalog, space)));
    case 'address':
      return address(name, value, catalog, space);
    case 'int':
      return integer(name, value);
    case 'bool': {
      const known =
        typeof value === 'string' ? parseBoolean(value) : typeof value === 'boolean' ? value : numberOf(value) === undefined ? undefined : Number(value) !== 0;
      if (known === undefined) throw wrong(name, 'true or false', value);
      return known;
    }
    case 'regex':
      return value instanceof RegExp ? value : regex(name, text(name, value));
    case 'choice': {
      const given = text(name, value);
      const found = (arg.choices ?? []).find((choice) => choice.toLowerCase() === given.toLowerCase());
      if (found === undefined)
        throw new ValueError(`${name} is one of ${(arg.choices ?? []).join(', ')}, not '${given}'${didYouMean(given, arg.choices ?? []).replace(/\.$/, '')}`);
      return found;
    }
    default:
      return text(name, value);
  }
}

/** Elements of a list that are there; of rows with several columns the one that is called like the argument. */
function present(name: string, value: unknown): unknown[] {
  return asList(value)
    .map((element) => {
      const only = onlyValue(element);
      const named = typeof only === 'object' && only !== null && Object.getPrototypeOf(only) === Object.prototype && Object.hasOwn(only, name);
      return named ? (only as Record<string, unknown>)[name] : only;
    })
    .filter((element) => element !== null && element !== undefined && !(element instanceof Absent));
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw wrong(name, 'a string', value);
}

function integer(name: string, value: unknown): number {
  const number = typeof value === 'boolean' ? undefined : numberOf(value);
  if (number === undefined || (typeof number === 'number' && !Number.isInteger(number))) throw wrong(name, 'a whole number', value);
  if (!Number.isSafeInteger(Number(number))) throw new ValueError(`${name} is out of range: ${number} is more than 2^53`);
  return Number(number);
}

/** An address is a promise only where it has a name. */
function address(name: string, value: unknown, catalog: Catalog | undefined, space: string | undefined): bigint | Promise<bigint> {
  if (typeof value === 'string') {
    const resolve = catalog?.address?.bind(catalog);
    // While a query is checked nothing is resolved yet.
    return resolve ? resolve(value, space) : 0n;
  }
  const number = typeof value === 'boolean' ? undefined : numberOf(value);
  if (number === undefined || (typeof number === 'number' && !Number.isInteger(number))) throw wrong(name, 'an address', value);
  const exact = BigInt(number);
  if (exact >= 1n << 64n || exact < -(1n << 63n)) throw new ValueError(`${name} is out of range: ${exact} has more than 64 bits`);
  return BigInt.asUintN(64, exact);
}

/** As the command line makes one: case ignored, found anywhere. `(?i)` is how Python says what is the rule here. */
function regex(name: string, source: string): RegExp {
  try {
    return new RegExp(source.replace(/^\(\?i\)/, ''), 'i');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ValueError(`${name} is no regular expression: ${error.message.replace(/^.*: /, '')}`);
  }
}

function wrong(name: string, wanted: string, value: unknown): ValueError {
  const shown = value instanceof Absent ? value.reason : typeof value === 'string' ? `'${value}'` : String(value);
  return new ValueError(`${name} needs ${wanted}, not ${shown}`);
}
