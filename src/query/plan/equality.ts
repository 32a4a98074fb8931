import type { Type } from '../types.js';
import { isPure, readsOnly } from './conditions.js';
import type { Field, Scalar } from './logical.js';
import { needsOf } from './walk.js';

/** A condition of a join that says that two values are equal. */
export interface Equality {
  readonly term: Scalar;
  readonly left: Scalar;
  readonly right: Scalar;
}

/** `a.x == b.y`, as what each side of a join contributes. */
export function equality(term: Scalar, left: ReadonlySet<Field>, right: ReadonlySet<Field>): Equality[] {
  if (term.kind !== 'binary' || term.operator !== '==' || !isPure(term) || !byKey(term.left, term.right)) return [];
  const sides = (a: Scalar, b: Scalar): Equality[] => {
    const reads = (scalar: Scalar, own: ReadonlySet<Field>, other: ReadonlySet<Field>): boolean =>
      readsOnly(scalar, own, other) && [...needsOf(scalar).fields].some((field) => own.has(field));
    return reads(a, left, right) && reads(b, right, left) ? [{ term, left: a, right: b }] : [];
  };
  const straight = sides(term.left, term.right);
  return straight.length > 0 ? straight : sides(term.right, term.left);
}

const NUMBERS: ReadonlySet<Type['kind']> = new Set(['int', 'float', 'size', 'physical', 'address', 'duration', 'bool', 'struct']);

/** True where two values of these types are equal exactly where their keys are (`keyOf`), as far as is known: not times beside text, not lists. */
function byKey({ type: a }: Scalar, { type: b }: Scalar): boolean {
  if (NUMBERS.has(a.kind) && NUMBERS.has(b.kind)) return true;
  if (isOpen(a) || isOpen(b)) return [a, b].every((type) => isOpen(type) || NUMBERS.has(type.kind) || type.kind === 'string');
  return a.kind === b.kind && (a.kind === 'string' || a.kind === 'time' || a.kind === 'bytes');
}

/** True where only the values will tell. */
export function isOpen(type: Type): boolean {
  return type.kind === 'any';
}
