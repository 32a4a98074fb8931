import { Absent } from '../../memory/absent.js';
import { ArrayView } from '../../object/array.js';
import { Pointer } from '../../object/pointer.js';
import { Struct } from '../../object/struct.js';
import { asList } from './list.js';

/** Three-valued logic, as in SQL: null is "not known". */
export type Truth = boolean | null;

/**
 * Whether a value counts as true: numbers that are not 0, text and bytes that are not empty, every struct, pointers that are not null,
 * times; a list where any element does (`where` takes repeated conditions); null and Absent are not known.
 */
export function truth(value: unknown): Truth {
  if (value === true || value === false) return value;
  switch (typeof value) {
    case 'number':
      return value !== 0 && !Number.isNaN(value);
    case 'bigint':
      return value !== 0n;
    case 'string':
      return value !== '';
    case 'object':
      return value === null ? null : objectTruth(value);
    default:
      return value === undefined ? null : true;
  }
}

function objectTruth(value: object): Truth {
  if (value instanceof Absent) return null;
  if (value instanceof Struct) return true;
  if (value instanceof Pointer) return !value.isNull;
  if (value instanceof Uint8Array) return value.length > 0;
  if (!Array.isArray(value) && !(value instanceof ArrayView)) return true;
  let unknown = false;
  for (const element of asList(value)) {
    const one = truth(element);
    if (one === true) return true;
    if (one === null) unknown = true;
  }
  return unknown ? null : false;
}

export function not(value: unknown): Truth {
  const known = truth(value);
  return known === null ? null : !known;
}

/** `a and b`; whoever compiles it need not compute b where a is false. */
export function and(a: unknown, b: unknown): Truth {
  const left = truth(a);
  if (left === false) return false;
  const right = truth(b);
  return right === false ? false : left === null || right === null ? null : true;
}

/** `a or b`; whoever compiles it need not compute b where a is true. */
export function or(a: unknown, b: unknown): Truth {
  const left = truth(a);
  if (left === true) return true;
  const right = truth(b);
  return right === true ? true : left === null || right === null ? null : false;
}
