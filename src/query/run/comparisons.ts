import type { Operation } from '../plan/logical.js';
import type { Type } from '../types.js';
import type { CompileContext, Evaluate } from './compile.js';
import type { Slot } from './tuple.js';

type Compute = (a: unknown, b: unknown) => unknown;

const NUMBERS = new Set<Type['kind']>(['int', 'float', 'size', 'physical', 'address', 'duration']);

/**
 * Comparisons of a column with a constant number or text, which is what most conditions are, without calls in between. Values of another
 * kind (a bigint, null) go the long way. Undefined for anything else.
 */
export function fastComparison(scalar: Operation, a: Evaluate, b: Evaluate, compute: Compute, context: CompileContext): Evaluate | undefined {
  const { left, right } = scalar;
  const slot = left.kind === 'field' ? context.layout.get(left.field) : undefined;
  const constant = right.kind === 'constant' ? right.value : undefined;
  if (slot !== undefined && typeof constant === 'number' && NUMBERS.has(left.type.kind)) return columnWithNumber(scalar, slot, constant, compute);
  if (slot !== undefined && typeof constant === 'string' && left.type.kind === 'string') return columnWithText(scalar, slot, constant, compute);
  if (!NUMBERS.has(left.type.kind) || !NUMBERS.has(right.type.kind)) return undefined;
  return numbers(scalar, a, b, compute);
}

function columnWithNumber(scalar: Operation, slot: Slot, constant: number, compute: Compute): Evaluate | undefined {
  switch (scalar.operator) {
    case '==':
      return (tuple) => {
        const value = tuple[slot];
        return typeof value === 'number' ? value === constant : compute(value, constant);
      };
    case '!=':
      return (tuple) => {
        const value = tuple[slot];
        return typeof value === 'number' ? value !== constant : compute(value, constant);
      };
    case '<':
      return (tuple) => {
        const value = tuple[slot];
        return typeof value === 'number' ? value < constant : compute(value, constant);
      };
    case '<=':
      return (tuple) => {
        const value = tuple[slot];
        return typeof value === 'number' ? value <= constant : compute(value, constant);
      };
    case '>':
      return (tuple) => {
        const value = tuple[slot];
        return typeof value === 'number' ? value > constant : compute(value, constant);
      };
    case '>=':
      return (tuple) => {
        const value = tuple[slot];
        return typeof value === 'number' ? value >= constant : compute(value, constant);
      };
    default:
      return undefined;
  }
}

function columnWithText(scalar: Operation, slot: Slot, constant: string, compute: Compute): Evaluate | undefined {
  if (scalar.operator === '==') {
    return (tuple) => {
      const value = tuple[slot];
      return typeof value === 'string' ? value === constant : compute(value, constant);
    };
  }
  if (scalar.operator === '!=') {
    return (tuple) => {
      const value = tuple[slot];
      return typeof value === 'string' ? value !== constant : compute(value, constant);
    };
  }
  return undefined;
}

function numbers(scalar: Operation, a: Evaluate, b: Evaluate, compute: Compute): Evaluate | undefined {
  const both = (test: (x: number, y: number) => boolean): Evaluate => {
    return (tuple) => {
      const x = a(tuple);
      const y = b(tuple);
      return typeof x === 'number' && typeof y === 'number' && x === x && y === y ? test(x, y) : compute(x, y);
    };
  };
  switch (scalar.operator) {
    case '==':
      return both((x, y) => x === y);
    case '!=':
      return both((x, y) => x !== y);
    case '<':
      return both((x, y) => x < y);
    case '<=':
      return both((x, y) => x <= y);
    case '>':
      return both((x, y) => x > y);
    case '>=':
      return both((x, y) => x >= y);
    default:
      return undefined;
  }
}
