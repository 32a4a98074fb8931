import type { Operation, Scalar } from '../plan/logical.js';
import { isNumeric, type Type } from '../types.js';
import { keyOf } from '../values/key.js';
import { isMissing } from '../values/equality.js';
import { compile, type CompileContext, type Evaluate } from './compile.js';

interface Members {
  readonly keys: ReadonlySet<unknown>;
  readonly missing: boolean;
  readonly empty: boolean;
}

/**
 * `x in (1, 2, …)` and `x in (select …)` by hashing: a list is looked through once, however many rows ask. Undefined where equality is not
 * that of keys: times beside text, parts of texts, lists on the left.
 */
export function membership(scalar: Operation, context: CompileContext): Evaluate | undefined {
  const { left, right } = scalar;
  if (!isWritten(right) || right.type.kind !== 'list' || !hashable(left.type, right.type.of)) return undefined;
  const value = compile(left, context);
  const list = compile(right, context);
  const constant = right.kind === 'list' && right.items.every(({ kind }) => kind === 'constant');
  const negated = scalar.operator === 'not in';
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

function membersOf(elements: readonly unknown[]): Members {
  const keys = new Set<unknown>();
  let missing = false;
  for (const element of elements) {
    if (isMissing(element)) missing = true;
    else keys.add(keyOf(element));
  }
  return { keys, missing, empty: elements.length === 0 };
}
