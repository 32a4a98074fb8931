import { listOf, type Type, types } from '../types.js';
import { compareValues } from '../values/order.js';
import { textOf } from '../values/text.js';
import { joined } from '../values/arithmetic.js';
import { Mean, medianOf, Sum } from './accumulate.js';
import { text } from './arguments.js';
import { aggregate, optional, param } from './define.js';
import type { Accumulator, AggregateFunction } from './function.js';
import { averaged, singleton, summed } from './lists.js';

/** The least or greatest value so far. */
class Extreme implements Accumulator {
  private best: unknown = null;
  private empty = true;

  constructor(private readonly sign: 1 | -1) {}

  add([value]: readonly unknown[]): void {
    if (!this.empty && compareValues(value, this.best) * this.sign <= 0) return;
    this.best = value;
    this.empty = false;
  }

  result(): unknown {
    return this.best;
  }
}

/** Values that are gathered and looked at when they are all there. */
class Gathered implements Accumulator {
  private readonly values: unknown[] = [];

  constructor(private readonly finish: (values: readonly unknown[]) => unknown) {}

  add([value]: readonly unknown[]): void {
    this.values.push(value);
  }

  result(): unknown {
    return this.finish(this.values);
  }
}

function fold(add: (args: readonly unknown[]) => void, result: () => unknown): Accumulator {
  return { add, result };
}

function counting(): Accumulator {
  let rows = 0;
  return fold(
    () => void rows++,
    () => rows,
  );
}

function concatenating(): Accumulator {
  let whole: string | null = null;
  return fold(
    ([value, separator]) => {
      const told = textOf(value);
      if (typeof told === 'string')
        whole = whole === null ? told : joined(whole, (separator === undefined ? ',' : text(separator)) + told);
    },
    () => whole,
  );
}

const own = ([type]: readonly Type[]): Type => type ?? types.any;
const numbers = [param('value', ['number', 'struct'])];

/** Aggregates, as SQL has them: rows in which the argument is null (or unreadable) do not count. */
export const aggregateFunctions: readonly AggregateFunction[] = [
  aggregate({
    name: 'count',
    doc: 'How many rows: count(*) all, count(x) those in which x is there, count(distinct x) how many different ones.',
    parameters: [param('value')],
    result: types.int,
    star: true,
    create: counting,
    examples: [{ query: 'select count(*) as n from pslist() where pid == 1', value: [{ n: 1 }] }],
  }),
  aggregate({
    name: 'sum',
    doc: 'The sum, exactly where the numbers are whole; null of no rows.',
    parameters: numbers,
    result: ([type]) => summed(type ?? types.any),
    create: (context) => {
      const sum = new Sum(context.types[0]?.kind === 'float');
      return fold(
        ([value]) => sum.add(value),
        () => sum.result(),
      );
    },
    examples: [{ query: 'select sum(pid) as total from pslist() where pid < 3', value: [{ total: 3 }] }],
  }),
  aggregate({
    name: 'avg',
    aliases: ['mean'],
    doc: 'The mean; null of no rows.',
    parameters: [param('value', ['number', 'time'])],
    result: ([type]) => averaged(type ?? types.any),
    create: (context) => {
      const mean = new Mean(context.types[0] ?? types.any);
      return fold(
        ([value]) => mean.add(value),
        () => mean.result(),
      );
    },
    examples: [{ query: 'select avg(pid) as mean from pslist() where pid < 3', value: [{ mean: 1.5 }] }],
  }),
  aggregate({
    name: 'min',
    doc: 'The least value, in the order of order by.',
    parameters: [param('value')],
    result: own,
    create: () => new Extreme(-1),
    examples: [{ query: 'select min(pid) as least from pslist()', value: [{ least: 1 }] }],
  }),
  aggregate({
    name: 'max',
    doc: 'The greatest value, in the order of order by.',
    parameters: [param('value')],
    result: own,
    create: () => new Extreme(1),
    examples: [{ query: 'select max(pid) as greatest from pslist() where pid < 3', value: [{ greatest: 2 }] }],
  }),
  aggregate({
    name: 'list',
    aliases: ['array_agg', 'collect'],
    doc: 'All values of a group as a list, in the order of the rows.',
    parameters: [param('value')],
    result: ([type]) => listOf(type ?? types.any),
    create: () => new Gathered((values) => [...values]),
    examples: [{ query: 'select list(pid) as pids from pslist() where pid < 3', value: [{ pids: [1, 2] }] }],
  }),
  aggregate({
    name: 'group_concat',
    aliases: ['string_agg'],
    doc: 'All values of a group as one text, with a separator (a comma) between them.',
    parameters: [param('value'), optional('separator', 'string')],
    result: types.string,
    create: concatenating,
    examples: [
      { query: 'select group_concat(pid, "+") as pids from pslist() where pid < 3', value: [{ pids: '1+2' }] },
    ],
  }),
  aggregate({
    name: 'first',
    doc: "The value of a group's first row in which it is there.",
    parameters: [param('value')],
    result: own,
    create: () => {
      let found: unknown = null;
      let seen = false;
      return fold(
        ([value]) => {
          if (!seen) found = value;
          seen = true;
        },
        () => found,
      );
    },
    examples: [{ query: 'select first(pid) as pid from pslist() where pid < 3', value: [{ pid: 1 }] }],
  }),
  aggregate({
    name: 'last',
    doc: "The value of a group's last row in which it is there.",
    parameters: [param('value')],
    result: own,
    create: () => {
      let found: unknown = null;
      return fold(
        ([value]) => {
          found = value;
        },
        () => found,
      );
    },
    examples: [{ query: 'select last(pid) as pid from pslist() where pid < 3', value: [{ pid: 2 }] }],
  }),
  aggregate({
    name: 'median',
    doc: 'The middle value (of two middle ones the mean); null of no rows.',
    parameters: [param('value', ['number', 'time'])],
    result: ([type]) => averaged(type ?? types.any),
    create: (context) => new Gathered((values) => medianOf(values, context.types[0] ?? types.any)),
    examples: [{ query: 'select median(pid) as middle from pslist() where pid < 4', value: [{ middle: 2 }] }],
  }),
  aggregate({
    name: 'singleton',
    doc: 'The one value that all rows of a group have; nothing where they differ.',
    parameters: [param('value')],
    result: own,
    create: () => new Gathered(singleton),
    examples: [{ query: 'select singleton(pid) as pid from pslist() where pid == 1', value: [{ pid: 1 }] }],
  }),
];
