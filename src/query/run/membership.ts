import type { Operation, Scalar } from '../plan/logical.js';
import { isNumeric, type Type } from '../types.js';
import { keyOf } from '../values/key.js';
import { isMissing } from '../values/equality.js';
import { compileOperator } from '../values/operators.js';
import { compile, type CompileContext, type Evaluate } from './compile.js';

interface Members {
  readonly keys: ReadonlySet<unknown>;
  readonly missing: boolean;
  /** all are numbers, truth values or text */
  readonly plain: boolean;
  readonly empty: boolean;
}

/**
 * `x in (1, 2, …)` and `x in (select …)` by hashing: a list is looked through once, however many rows ask. Undefined where equality is not
 * that of keys: times beside text, parts of texts, lists on the left. Where types are not known beforehand, values that are neither numbers
 * nor text go the long way.
 */
export function membership(scalar: Operation, context: CompileContext): Evaluate | undefined {
  const { left, right } = scalar;
  if (!isWritten(right) || right.type.kind !== 'list') return undefined;
  const sure = hashable(left.type, right.type.of);
  if (!sure && !perhaps(left.type, right.type.of)) return undefined;
  const value = compile(left, context);
  const list = compile(right, context);
  const constant = right.kind === 'list' && right.items.every(({ kind }) => kind === 'constant');
  const negated = scalar.operator === 'not in';
  const { compute } = compileOperator(scalar.operator, left.type, right.type, context.values, { exact: true });
  let last: unknown;
  let members: Members | undefined;
  return (tuple) => {
    if (!members || !constant) {
      const elements = list(tuple);
      if (!members || elements !== last) {
        last = elements;
        members = membersOf(elements as readonly unknown[]);
      }
    }
    if (members.empty) return negated;
    const one = value(tuple);
    if (isMissing(one)) return null;
    if (!sure && !(members.plain && isPlain(one))) return compute(one, last);
    if (members.keys.has(keyOf(one))) return !negated;
    return members.missing ? null : negated;
  };
}

/** A list that is written out (short ones are as fast one by one), or a sub-query. */
function isWritten(right: Scalar): boolean {
  return (
    (right.kind === 'subquery' && right.as === 'list') ||
    (right.kind === 'list' && right.items.length > 4 && right.items.every(({ kind }) => kind === 'constant'))
  );
}

/** Where two values of these types are equal exactly where their keys are. */
function hashable(left: Type, element: Type): boolean {
  const simple = (type: Type): boolean => isNumeric(type) || type.kind === 'struct';
  if (simple(left) && simple(element)) return true;
  return left.kind === element.kind && (left.kind === 'string' || left.kind === 'time' || left.kind === 'bytes');
}

/** Where they may be, and the values will tell. */
function perhaps(left: Type, element: Type): boolean {
  const open = (type: Type): boolean => type.kind === 'any' || type.kind === 'string' || isNumeric(type);
  return open(left) && open(element);
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object';
}

function membersOf(elements: readonly unknown[]): Members {
  const keys = new Set<unknown>();
  let missing = false;
  let plain = true;
  for (const element of elements) {
    if (isMissing(element)) missing = true;
    else {
      keys.add(keyOf(element));
      plain &&= isPlain(element);
    }
  }
  return { keys, missing, plain, empty: elements.length === 0 };
}
