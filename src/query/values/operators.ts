import type { BinaryOperator } from '../../../grammar/efilter-tree.js';
import { Absent } from '../../memory/absent.js';
import { incomparable, listOf, type Type, typeName, types } from '../types.js';
import {
  type ArithmeticOperator,
  arithmetic,
  arithmeticType,
  type Compute,
  elementwise,
  joined,
} from './arithmetic.js';
import type { ValueContext } from './context.js';
import { parseDate, parseDuration } from './date.js';
import { equal, order } from './equality.js';
import { absenceOf, ValueError } from './error.js';
import { isIn } from './in.js';
import { compileLike } from './like.js';
import { isList } from './list.js';
import { isMatch } from './match.js';
import { compareTuples } from './order.js';
import { patternOf } from './pattern.js';
import { textOf } from './text.js';
import { and, not, or } from './truth.js';

/** An operator compiled for operands of known types. */
export interface CompiledOperator {
  readonly type: Type;
  /** Never throws for the values of a row: what it cannot do is null or Absent. */
  readonly compute: Compute;
}

export interface OperandFacts {
  /** the right operand's value, where it is known beforehand (a literal, a parameter): patterns and dates are then read, and refused, once */
  readonly constant?: { readonly value: unknown };
  /** the same of the left one: a date may stand there */
  readonly constantLeft?: { readonly value: unknown };
  /** of `in`: the right side is written out as a list, or a sub-query: whole values are compared, parts of texts are not */
  readonly exact?: boolean;
}

/**
 * Checks and compiles `a operator b`.
 * @throws ValueError saying why the types do not go together, or what is wrong with a constant (a pattern, a date)
 */
export function compileOperator(
  operator: BinaryOperator,
  a: Type,
  b: Type,
  context: ValueContext,
  facts: OperandFacts = {},
): CompiledOperator {
  switch (operator) {
    case 'and':
      return { type: types.bool, compute: and };
    case 'or':
      return { type: types.bool, compute: or };
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparison(operator, a, b, context, facts);
    case '=~':
      return matching(a, b, facts);
    case '!~':
      return negated(matching(a, b, facts));
    case 'in':
      return membership(a, b, context, facts);
    case 'not in':
      return negated(membership(a, b, context, facts));
    case 'like':
      return liking(a, b, facts);
    case 'not like':
      return negated(liking(a, b, facts));
    case '||':
      return { type: types.string, compute: guarded(concatenate) };
    default:
      return { type: arithmeticOf(operator, a, b), compute: guarded(arithmetic(operator, a, b)) };
  }
}

function arithmeticOf(operator: ArithmeticOperator, a: Type, b: Type): Type {
  const type = arithmeticType(operator, a, b);
  if (typeof type === 'string') throw new ValueError(type);
  return type;
}

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '==': (sign) => sign === 0,
  '!=': (sign) => sign !== 0,
  '<': (sign) => sign < 0,
  '<=': (sign) => sign <= 0,
  '>': (sign) => sign > 0,
  '>=': (sign) => sign >= 0,
};

function comparison(
  operator: Comparison,
  a: Type,
  b: Type,
  context: ValueContext,
  facts: OperandFacts,
): CompiledOperator {
  const reason = incomparable(a, b);
  if (reason !== undefined) throw new ValueError(reason);
  const left = converter(b, facts.constantLeft, context);
  const right = converter(a, facts.constant, context);
  const base = scalarComparison(operator, context, a.kind === 'tuple' || b.kind === 'tuple');
  const one: Compute = left || right ? (x, y) => base(left ? left(x) : x, right ? right(y) : y) : base;
  const lists = a.kind === 'list' || b.kind === 'list';
  const perhaps = a.kind === 'any' || b.kind === 'any';
  if (!lists && !perhaps) return { type: types.bool, compute: left || right ? guarded(one) : one };
  const compute: Compute = (x, y) => (isList(x) || isList(y) ? elementwise(x, y, one) : one(x, y));
  return { type: lists ? listOf(types.bool) : types.bool, compute: left || right ? guarded(compute) : compute };
}

function scalarComparison(operator: Comparison, context: ValueContext, tuples: boolean): Compute {
  const holds = HOLDS[operator];
  if (tuples) return (x, y) => (Array.isArray(x) && Array.isArray(y) ? holds(compareTuples(x, y)) : null);
  if (operator === '==') return (x, y) => equal(x, y, context);
  if (operator === '!=') {
    return (x, y) => {
      const same = equal(x, y, context);
      return same === null ? null : !same;
    };
  }
  return (x, y) => {
    const sign = order(x, y, context);
    return sign === null ? null : holds(sign);
  };
}

/**
 * What a text becomes beside a value of another type: a date beside a time, a length of time beside a duration. A constant one is read now,
 * so that a mistake is told before anything runs; others row by row.
 */
function converter(
  other: Type,
  constant: { readonly value: unknown } | undefined,
  context: ValueContext,
): ((value: unknown) => unknown) | undefined {
  const kind = other.kind === 'list' ? other.of.kind : other.kind;
  if (kind !== 'time' && kind !== 'duration') return undefined;
  const read = kind === 'time' ? (text: string) => parseDate(text, context) : parseDuration;
  if (constant === undefined) return (value) => (typeof value === 'string' ? read(value) : value);
  if (typeof constant.value !== 'string') return undefined;
  const value = read(constant.value);
  return () => value;
}

function matching(a: Type, b: Type, facts: OperandFacts): CompiledOperator {
  const text = a.kind === 'list' ? a.of : a;
  if (text.kind === 'struct' || text.kind === 'row' || text.kind === 'tuple') {
    throw new ValueError(`${typeName(text)} is no text to search in; name one of its members`);
  }
  requireText(b, 'a regular expression');
  const constant = facts.constant?.value;
  const pattern = typeof constant === 'string' ? patternOf(constant) : undefined;
  return { type: types.bool, compute: guarded((x, y) => isMatch(x, y, pattern)) };
}

function membership(a: Type, b: Type, context: ValueContext, facts: OperandFacts): CompiledOperator {
  const exact = facts.exact === true;
  if (b.kind === 'string' && a.kind !== 'string' && a.kind !== 'any' && a.kind !== 'null') {
    throw new ValueError(`${typeName(a)} cannot be part of a text; str(x) makes text of a value`);
  }
  if (b.kind === 'tuple' || b.kind === 'list') {
    const elements = b.kind === 'list' ? [b.of] : b.items;
    const reasons = elements.map((element) => incomparable(a, onlyMember(element)));
    const [first] = reasons;
    if (first !== undefined && reasons.every((reason) => reason !== undefined)) throw new ValueError(first);
  }
  return { type: types.bool, compute: guarded((x, y) => isIn(x, y, context, exact)) };
}

/** A sub-query of one column is the values of that column. */
function onlyMember(type: Type): Type {
  if (type.kind !== 'row' || type.members?.size !== 1) return type;
  return [...type.members.values()][0] ?? type;
}

function liking(a: Type, b: Type, facts: OperandFacts): CompiledOperator {
  const text = a.kind === 'list' ? a.of : a;
  if (text.kind === 'struct' || text.kind === 'row')
    throw new ValueError(`${typeName(text)} is no text; name one of its members`);
  requireText(b, 'a pattern');
  const constant = facts.constant?.value;
  const known = typeof constant === 'string' ? compileLike(constant) : undefined;
  const one: Compute = (x, y) => {
    const value = typeof x === 'string' ? x : textOf(x);
    if (typeof value !== 'string') return null;
    if (known) return known(value);
    return typeof y === 'string' ? compileLike(y)(value) : null;
  };
  return { type: types.bool, compute: guarded((x, y) => (isList(x) ? or3(elementwise(x, y, one)) : one(x, y))) };
}

function or3(values: readonly unknown[]): unknown {
  return values.reduce<unknown>((all, one) => or(all, one), false);
}

function requireText(type: Type, what: string): void {
  if (type.kind !== 'string' && type.kind !== 'any' && type.kind !== 'null')
    throw new ValueError(`${what} is a string, not ${typeName(type)}`);
}

function concatenate(a: unknown, b: unknown): unknown {
  const left = textOf(a);
  const right = textOf(b);
  if (left === null || left instanceof Absent) return left;
  return right === null || right instanceof Absent ? right : joined(left, right);
}

function negated(operator: CompiledOperator): CompiledOperator {
  const { compute } = operator;
  return { type: types.bool, compute: (a, b) => not(compute(a, b)) };
}

/** What a row's values make impossible costs that cell alone. */
function guarded(compute: Compute): Compute {
  return (a, b) => {
    try {
      return compute(a, b);
    } catch (error) {
      return absenceOf(error);
    }
  };
}
