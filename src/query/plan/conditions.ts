import { types } from '../types.js';
import type { Field, Relation, Scalar } from './logical.js';
import { contains, needsOf } from './walk.js';

/** The terms of a condition that all have to hold. */
export function conjuncts(condition: Scalar | undefined): readonly Scalar[] {
  if (!condition) return [];
  return condition.kind === 'logical' && condition.operator === 'and' ? condition.terms : [condition];
}

/** One condition of several; undefined of none. */
export function conjunction(terms: readonly Scalar[]): Scalar | undefined {
  const [first] = terms;
  if (!first || terms.length === 1) return first;
  return { kind: 'logical', operator: 'and', terms, type: types.bool, start: first.start, end: terms.at(-1)?.end ?? first.end };
}

/** True where a relation provides all the columns that an expression reads, among those that `of` provides. */
export function readsOnly(scalar: Scalar, fields: ReadonlySet<Field>, others: ReadonlySet<Field>): boolean {
  for (const field of needsOf(scalar).fields) if (!fields.has(field) && others.has(field)) return false;
  return true;
}

/** True where an expression may be computed for other rows than the query says, and as often as one likes. */
export function isPure(scalar: Scalar): boolean {
  return !contains(scalar, (part) => part.kind === 'subquery' || (part.kind === 'call' && part.callee.pure === false));
}

export function fieldsOf(relation: Relation): Set<Field> {
  return new Set(relation.fields);
}
