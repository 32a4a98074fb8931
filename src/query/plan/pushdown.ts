import type { Arg } from '../../plugin/args.js';
import { isListArgument } from '../run/arguments.js';
import { types } from '../types.js';
import { isPure } from './conditions.js';
import type { Field, Operation, Relation, Scalar, TableScan } from './logical.js';
import { textOf } from './print.js';
import { needsOf } from './walk.js';

/** A condition that a table can apply itself. */
export interface Pushed {
  readonly name: string;
  readonly arg: Arg;
  readonly value: Scalar;
  /** for `explain` */
  readonly text: string;
}

/**
 * Conditions that arguments of the table stand for (`narrows` in its declaration), so that it gives fewer rows which would be dropped
 * anyway. An argument that the query itself gives stays as it is.
 */
export function pushable(relation: TableScan, conditions: readonly Scalar[]): Pushed[] {
  const pushed: Pushed[] = [];
  for (const [name, arg] of Object.entries(relation.table.args)) {
    if (!arg.narrows || relation.args.has(name)) continue;
    for (const condition of conditions) {
      const value = valueFor(arg, relation, condition);
      if (!value) continue;
      pushed.push({ name, arg, value, text: `${name}: ${textOf(value, 60)}` });
      break;
    }
  }
  return pushed;
}

/** What an argument is to be so that the table drops rows for which a condition is not true; undefined where it cannot. */
function valueFor(arg: Arg, relation: TableScan, condition: Scalar): Scalar | undefined {
  const own = new Set<Field>(relation.fields);
  const outside = (scalar: Scalar): boolean => [...needsOf(scalar).fields].every((field) => !own.has(field));
  const named = (scalar: Scalar): boolean => isNamed(arg, scalar, own);
  if (condition.kind === 'between') {
    const bound = arg.narrows?.by === 'from' ? condition.low : arg.narrows?.by === 'to' ? condition.high : undefined;
    return bound && !condition.negated && named(condition.operand) && outside(bound) && isPure(bound) ? bound : undefined;
  }
  if (condition.kind !== 'binary') return undefined;
  const { operator, left, right } = condition;
  switch (arg.narrows?.by) {
    case 'equality':
      if (operator === '==') return equalTo(named(left) ? right : named(right) ? left : undefined, outside);
      return operator === 'in' && isListArgument(arg.type) && named(left) && isWholeList(right) && outside(right) ? right : undefined;
    case 'match':
      return operator === '=~' && named(left) ? patternFor(right) : undefined;
    case 'from':
    case 'to':
      return bound(arg.narrows.by, condition, named, outside);
    case undefined:
      return undefined;
  }
}

function equalTo(value: Scalar | undefined, outside: (scalar: Scalar) => boolean): Scalar | undefined {
  const plain = value && value.type.kind !== 'list' && value.type.kind !== 'any' && value.type.kind !== 'tuple';
  return plain && isPure(value) && outside(value) ? value : undefined;
}

/** A list in which whole values are compared: written out, or the values of a sub-query. */
function isWholeList(scalar: Scalar): boolean {
  return (
    (scalar.kind === 'subquery' && scalar.as === 'list') || (scalar.kind === 'list' && scalar.items.every((item) => item.type.kind !== 'list' && isPure(item)))
  );
}

function bound(by: 'from' | 'to', condition: Operation, named: (scalar: Scalar) => boolean, outside: (scalar: Scalar) => boolean): Scalar | undefined {
  const { left, right } = condition;
  const above =
    condition.operator === '>' || condition.operator === '>=' ? 'from' : condition.operator === '<' || condition.operator === '<=' ? 'to' : undefined;
  if (above === undefined) return undefined;
  const [column, value, direction] = named(left) ? [left, right, above] : [right, left, above === 'from' ? 'to' : 'from'];
  return named(column) && direction === by && isPure(value) && outside(value) && value.type.kind !== 'list' ? value : undefined;
}

/** A column (`pid`) or a member of one (`proc.pid`) that the argument speaks of. */
function isNamed(arg: Arg, scalar: Scalar, own: ReadonlySet<Field>): boolean {
  const columns = arg.narrows?.columns ?? [];
  if (scalar.kind === 'field') return own.has(scalar.field) && columns.includes(scalar.field.name);
  return (
    scalar.kind === 'member' && scalar.object.kind === 'field' && own.has(scalar.object.field) && columns.includes(`${scalar.object.field.name}.${scalar.name}`)
  );
}

/** Words with anything between them, and alternatives: no table takes long to search for these. */
const SIMPLE = /^\^?[\w /:@-]+((\.\*|\.|\|)[\w /:@-]+)*$/;

/** A regular expression for the table, that matches at least what the query's does: it is searched for in the same texts first. */
function patternFor(pattern: Scalar): Scalar | undefined {
  if (pattern.kind !== 'constant' || typeof pattern.value !== 'string' || pattern.value.length > 200 || !SIMPLE.test(pattern.value)) return undefined;
  if (pattern.value.split('.*').length > 3) return undefined;
  return { ...pattern, value: new RegExp(pattern.value, 'is'), type: types.any };
}

/** A scan that can be told which values of a key a join will look for. */
export interface NarrowTarget {
  readonly scan: TableScan;
  readonly name: string;
  readonly arg: Arg;
}

/**
 * The scan from whose column a key of a join comes unchanged, where an argument narrows that column: through everything that lets rows
 * pass one by one. A limit is where that ends: fewer rows before it would be others behind it.
 */
export function narrowTarget(relation: Relation, key: Scalar): NarrowTarget | undefined {
  switch (relation.kind) {
    case 'table': {
      const own = new Set<Field>(relation.fields);
      const found = Object.entries(relation.table.args).find(
        ([name, arg]) => arg.narrows?.by === 'equality' && isListArgument(arg.type) && !relation.args.has(name) && isNamed(arg, key, own),
      );
      return found && { scan: relation, name: found[0], arg: found[1] };
    }
    case 'filter':
    case 'sort':
    case 'distinct':
      return narrowTarget(relation.input, key);
    case 'project':
      return through(relation.input, key, (field) => relation.items[relation.fields.indexOf(field)]);
    case 'group':
      return through(relation.input, key, (field) => relation.keys.find((candidate) => candidate.field === field)?.value);
    case 'join':
      // The right side of a left join is not all there is: its rows decide which rows of the left have none.
      return narrowTarget(relation.left, key) ?? (relation.type === 'inner' ? narrowTarget(relation.right, key) : undefined);
    default:
      return undefined;
  }
}

function through(input: Relation, key: Scalar, itemOf: (field: Field) => Scalar | undefined): NarrowTarget | undefined {
  if (key.kind === 'field') {
    const item = itemOf(key.field);
    return item && narrowTarget(input, item);
  }
  if (key.kind !== 'member' || key.object.kind !== 'field') return undefined;
  const item = itemOf(key.object.field);
  return item && narrowTarget(input, { ...key, object: item });
}

/** True where a relation has something that makes it smaller than its tables are. */
export function isSelective(relation: Relation): boolean {
  switch (relation.kind) {
    case 'filter':
    case 'limit':
    case 'list':
    case 'one':
      return true;
    case 'table':
      return relation.args.size > 0 || !Object.values(relation.table.args).some((arg) => arg.narrows);
    case 'join':
      return isSelective(relation.left) || isSelective(relation.right);
    case 'project':
    case 'sort':
    case 'distinct':
    case 'group':
      return isSelective(relation.input);
    case 'set':
    case 'shared':
      return false;
  }
}
