import { Absent } from '../../memory/absent.js';
import { listOf, type Type, types, unify } from '../types.js';
import { isMissing, same } from '../values/equality.js';
import { ValueError } from '../values/error.js';
import { isIn, onlyValue } from '../values/in.js';
import { keyOf } from '../values/key.js';
import { asList, isList } from '../values/list.js';
import { compareValues } from '../values/order.js';
import { truth } from '../values/truth.js';
import { averageOf, medianOf, sumOf } from './accumulate.js';
import { count } from './arguments.js';
import { optional, param, rest, scalar } from './define.js';
import type { PerElement, ScalarFunction } from './function.js';
import { extremeOf } from './numbers.js';

/** A list, or a single value as a list of itself; a sub-query is all of its rows. */
const LIST = ['list', 'any'] as const;
const MOST_RANGE = 1 << 20;

/** The type of a list's elements; a value that is no list is a list of itself. */
export function elementType(type: Type | undefined): Type {
  if (type?.kind === 'list') return type.of;
  if (type?.kind === 'tuple') return types.any;
  return type ?? types.any;
}

function sameList([list]: readonly Type[]): Type {
  return listOf(elementType(list));
}

function perElement(value: unknown): PerElement {
  if (typeof value !== 'function') throw new TypeError('an argument of form each arrives compiled');
  return value as PerElement;
}

/** The elements as values: rows of one column are that column's values. */
function values(list: unknown): readonly unknown[] {
  return asList(list).map(onlyValue);
}

function sorted(list: readonly unknown[], key: PerElement | undefined): unknown[] {
  const keyed = list.map((element) => ({ element, key: key ? key(element) : onlyValue(element) }));
  return keyed.sort((a, b) => compareValues(a.key, b.key)).map(({ element }) => element);
}

function distinct(list: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>();
  return list.filter((element) => {
    const key = keyOf(element);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The one value of a list whose elements are all the same. */
export function singleton(list: readonly unknown[]): unknown {
  const known = list.filter((element) => !isMissing(element));
  const [first] = known;
  if (known.some((element) => !same(element, first))) return new Absent('not-applicable', 'more than one value');
  return first ?? null;
}

function range(start: number, end: number, step: number): number[] {
  if (step === 0) throw new ValueError('a range with a step of 0 does not end');
  const length = Math.max(0, Math.ceil((end - start) / step));
  if (length > MOST_RANGE) throw new ValueError(`a range of more than ${MOST_RANGE} numbers`);
  return Array.from({ length }, (_, index) => start + index * step);
}

function reversed(value: unknown): unknown {
  if (typeof value === 'string') return Array.from(value).reverse().join('');
  if (value instanceof Uint8Array) return Buffer.from(value).reverse();
  return [...asList(value)].reverse();
}

/** Special forms: their second argument is evaluated for each element, whose members are in scope (an element without any is `it`). */
const forms: readonly ScalarFunction[] = [
  scalar({
    name: 'map',
    topic: 'lists',
    doc: 'An expression for each element of a list, whose members are in scope (the element itself is `it`).',
    parameters: [param('list', LIST), param('expression', 'any', 'each')],
    result: ([, value]) => listOf(value ?? types.any),
    call: ([list, expression]) => asList(list).map(perElement(expression)),
    examples: [
      { query: 'map((1, 2), it * 2)', value: [2, 4] },
      { query: 'map((select pid from pslist() where pid < 3), pid + 1)', value: [2, 3] },
    ],
  }),
  scalar({
    name: 'filter',
    topic: 'lists',
    doc: 'The elements of a list for which a condition is true.',
    parameters: [param('list', LIST), param('condition', 'any', 'each')],
    result: sameList,
    call: ([list, condition]) => asList(list).filter((element) => truth(perElement(condition)(element)) === true),
    examples: [{ query: 'filter((1, 2, 3), it > 1)', value: [2, 3] }],
  }),
  scalar({
    name: 'sort',
    topic: 'lists',
    doc: 'The elements of a list in order: of themselves, or of a key computed for each.',
    parameters: [param('list', LIST), optional('key', 'any', 'each')],
    result: sameList,
    call: ([list, key]) => sorted(asList(list), key === undefined ? undefined : perElement(key)),
    examples: [
      { query: 'sort((3, 1, 2))', value: [1, 2, 3] },
      { query: 'sort((3, 1, 2), -it)', value: [3, 2, 1] },
    ],
  }),
  scalar({
    name: 'any',
    topic: 'lists',
    doc: 'Whether there is an element (for which a condition is true).',
    parameters: [param('list', LIST), optional('condition', 'any', 'each')],
    result: types.bool,
    call: ([list, condition]) =>
      condition === undefined
        ? asList(list).length > 0
        : asList(list).some((element) => truth(perElement(condition)(element)) === true),
    examples: [{ query: 'any((1, 2, 3), it > 2)', value: true }],
  }),
  scalar({
    name: 'each',
    aliases: ['all'],
    topic: 'lists',
    doc: 'Whether a condition is true for every element.',
    parameters: [param('list', LIST), param('condition', 'any', 'each')],
    result: types.bool,
    call: ([list, condition]) => asList(list).every((element) => truth(perElement(condition)(element)) === true),
    examples: [{ query: 'each((1, 2, 3), it > 0)', value: true }],
  }),
];

export const listFunctions: readonly ScalarFunction[] = [
  ...forms,
  scalar({
    name: 'count',
    topic: 'lists',
    doc: 'Elements of a list; of a single value 1, of null 0.',
    parameters: [param('list', LIST)],
    result: types.int,
    nulls: 'handled',
    call: ([list]) => (list instanceof Absent ? list : isList(list) ? list.length : asList(list).length),
    examples: [{ query: 'count((4, 5, 6))', value: 3 }],
  }),
  scalar({
    name: 'take',
    topic: 'lists',
    doc: 'The first n elements of a list.',
    parameters: [param('n', 'int'), param('list', LIST)],
    result: ([, list]) => listOf(elementType(list)),
    call: ([n, list]) => asList(list).slice(0, Math.max(0, count(n))),
    examples: [{ query: 'take(2, (4, 5, 6))', value: [4, 5] }],
  }),
  scalar({
    name: 'drop',
    topic: 'lists',
    doc: 'A list without its first n elements.',
    parameters: [param('n', 'int'), param('list', LIST)],
    result: ([, list]) => listOf(elementType(list)),
    call: ([n, list]) => asList(list).slice(Math.max(0, count(n))),
    examples: [{ query: 'drop(2, (4, 5, 6))', value: [6] }],
  }),
  scalar({
    name: 'first',
    topic: 'lists',
    doc: 'The first element of a list; null where it is empty.',
    parameters: [param('list', LIST)],
    result: ([list]) => elementType(list),
    call: ([list]) => asList(list)[0] ?? null,
    examples: [{ query: 'first((4, 5, 6))', value: 4 }],
  }),
  scalar({
    name: 'last',
    topic: 'lists',
    doc: 'The last element of a list; null where it is empty.',
    parameters: [param('list', LIST)],
    result: ([list]) => elementType(list),
    call: ([list]) => asList(list).at(-1) ?? null,
    examples: [{ query: 'last((4, 5, 6))', value: 6 }],
  }),
  scalar({
    name: 'reverse',
    topic: 'lists',
    doc: 'A list from its end to its beginning; a text likewise.',
    parameters: [param('list', LIST)],
    result: ([list]) =>
      list?.kind === 'string' || list?.kind === 'bytes' || list?.kind === 'any' ? list : listOf(elementType(list)),
    call: ([list]) => reversed(list),
    examples: [
      { query: 'reverse((1, 2, 3))', value: [3, 2, 1] },
      { query: 'reverse("abc")', value: 'cba' },
    ],
  }),
  scalar({
    name: 'materialize',
    topic: 'lists',
    doc: 'All elements of a list at once, so that it is computed no more than once.',
    parameters: [param('list', LIST)],
    result: sameList,
    call: ([list]) => [...asList(list)],
    examples: [{ query: 'materialize((1, 2))', value: [1, 2] }],
  }),
  scalar({
    name: 'singleton',
    topic: 'lists',
    doc: 'The one value of a list whose elements are all the same; nothing where they differ.',
    parameters: [param('list', LIST)],
    result: ([list]) => elementType(list),
    call: ([list]) => singleton(values(list)),
    examples: [{ query: 'singleton((4, 4, 4))', value: 4 }],
  }),
  scalar({
    name: 'unique',
    topic: 'lists',
    doc: 'The elements of a list, each once, in the order in which they first come.',
    parameters: [param('list', LIST)],
    result: sameList,
    call: ([list]) => distinct(asList(list)),
    examples: [{ query: 'unique((1, 2, 1))', value: [1, 2] }],
  }),
  scalar({
    name: 'flatten',
    topic: 'lists',
    doc: 'The elements of the lists in a list, as one list.',
    parameters: [param('list', LIST)],
    result: ([list]) => listOf(elementType(elementType(list))),
    call: ([list]) => asList(list).flatMap((element) => asList(element)),
    examples: [{ query: 'flatten(([1, 2], [3]))', value: [1, 2, 3] }],
  }),
  scalar({
    name: 'range',
    topic: 'lists',
    doc: 'The whole numbers from start up to but not including end.',
    parameters: [param('start', 'int'), param('end', 'int'), optional('step', 'int')],
    result: listOf(types.int),
    call: ([start, end, step]) => range(count(start), count(end), step === undefined ? 1 : count(step)),
    examples: [{ query: 'range(0, 3)', value: [0, 1, 2] }],
  }),
  scalar({
    name: 'contains',
    topic: 'lists',
    doc: 'Whether a list has an element, or a text a part.',
    parameters: [param('container', ['list', 'string', 'bytes', 'row']), param('value')],
    result: types.bool,
    call: ([container, value], context) => isIn(value, container, context, true),
    examples: [
      { query: 'contains((1, 2), 2)', value: true },
      { query: 'contains("kernel", "ern")', value: true },
    ],
  }),
  scalar({
    name: 'sum',
    topic: 'lists',
    doc: 'The sum of a list of numbers; null of none.',
    parameters: [param('list', LIST)],
    result: ([list]) => summed(elementType(list)),
    call: ([list], context) => sumOf(values(list), elementType(context.types[0])),
    examples: [{ query: 'sum((1, 2, 3))', value: 6 }],
  }),
  scalar({
    name: 'mean',
    aliases: ['avg'],
    topic: 'lists',
    doc: 'The mean of a list of numbers; null of none.',
    parameters: [param('list', LIST)],
    result: ([list]) => averaged(elementType(list)),
    call: ([list], context) => averageOf(values(list), elementType(context.types[0])),
    examples: [{ query: 'mean((1, 2))', value: 1.5 }],
  }),
  scalar({
    name: 'median',
    topic: 'lists',
    doc: 'The middle one of a list of numbers (of two middle ones the mean); null of none.',
    parameters: [param('list', LIST)],
    result: ([list]) => averaged(elementType(list)),
    call: ([list], context) => medianOf(values(list), elementType(context.types[0])),
    examples: [{ query: 'median((1, 9, 2))', value: 2 }],
  }),
  ...(['min', 'max'] as const).map((name) =>
    scalar({
      name,
      topic: 'lists',
      doc: `The ${name === 'min' ? 'least' : 'greatest'} element of a list (nulls aside), or of several values (null where one is).`,
      parameters: [param('values', LIST), { ...rest('more'), optional: true }],
      result: (args) => (args.length > 1 ? args.reduce(unify) : elementType(args[0])),
      call: ([first, ...more]) => {
        const sign = name === 'min' ? -1 : 1;
        if (more.length > 0) return extremeOf([first, ...more], sign);
        const known = values(first).filter((value) => !isMissing(value));
        return known.length === 0 ? null : extremeOf(known, sign);
      },
      examples: [
        { query: `${name}((3, 1, 2))`, value: name === 'min' ? 1 : 3 },
        { query: `${name}(3, 1)`, value: name === 'min' ? 1 : 3 },
      ],
    }),
  ),
];

/** The type of a sum: sizes give a size, durations a duration. */
export function summed(of: Type): Type {
  if (of.kind === 'bool' || of.kind === 'address' || of.kind === 'physical') return types.int;
  return of.kind === 'row' && of.members?.size === 1 ? summed([...of.members.values()][0] ?? types.any) : of;
}

/** The type of a mean: of durations a duration, of sizes and counts a number with decimals. */
export function averaged(of: Type): Type {
  if (of.kind === 'row' && of.members?.size === 1) return averaged([...of.members.values()][0] ?? types.any);
  return of.kind === 'duration' || of.kind === 'time' ? of : types.float;
}
