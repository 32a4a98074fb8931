import type { Scalar } from '../plan/logical.js';
import { partsOf } from '../plan/walk.js';

/** True where two expressions have the same value in every row, as far as their form tells. */
export function sameScalar(a: Scalar, b: Scalar): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || !sameNode(a, b)) return false;
  const left = partsOf(a);
  const right = partsOf(b);
  return left.length === right.length && left.every((part, index) => sameScalar(part, right[index] as Scalar));
}

/** The same but for its parts. */
function sameNode(a: Scalar, b: Scalar): boolean {
  switch (a.kind) {
    case 'constant':
      return Object.is(a.value, (b as typeof a).value);
    case 'field':
      return a.field === (b as typeof a).field;
    case 'variable':
      return a.variable === (b as typeof a).variable;
    case 'member':
      return a.name === (b as typeof a).name;
    case 'unary':
    case 'logical':
    case 'binary':
      return a.operator === (b as typeof a).operator;
    case 'between':
    case 'is-null':
      return a.negated === (b as typeof a).negated;
    case 'case': {
      const other = b as typeof a;
      return (
        (a.operand === undefined) === (other.operand === undefined) &&
        (a.otherwise === undefined) === (other.otherwise === undefined) &&
        a.branches.length === other.branches.length
      );
    }
    case 'call':
      return a.callee === (b as typeof a).callee && a.callee.pure !== false;
    case 'aggregate':
      return a.callee === (b as typeof a).callee && a.distinct === (b as typeof a).distinct;
    case 'row': {
      const { fields } = b as typeof a;
      return a.fields.length === fields.length && a.fields.every((field, index) => field === fields[index]);
    }
    case 'index':
    case 'list':
    case 'tuple':
    case 'pair':
      return true;
    case 'per-element':
    case 'let':
    case 'subquery':
      // Told apart by identity: each has variables or fields of its own.
      return false;
  }
}

/** What an expression is called where it has no other name: its column or member. */
export function nameOfScalar(scalar: Scalar): string | undefined {
  if (scalar.kind === 'field') return scalar.field.name;
  return scalar.kind === 'member' ? scalar.name : undefined;
}
