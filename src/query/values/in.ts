import { Absent } from '../../memory/absent.js';
import type { ValueContext } from './context.js';
import { equal, isMissing } from './equality.js';
import { asList, isList } from './list.js';
import type { Truth } from './truth.js';

/**
 * `a in b`. In a text: a is part of it, exactly. In a list: an element equals a; unless `exact`, a text is also in a list one of whose
 * texts has it as a part (as Rekall's EFILTER had it: `"ld.so" in maps`). In a row: it has a column or key of this name. Null or
 * Absent: not known, as in SQL (so is the answer where no element equals a, but one is null).
 * @param exact for lists that are written out, and for sub-queries, where SQL's readers expect whole values
 */
export function isIn(a: unknown, b: unknown, context: ValueContext, exact: boolean): Truth {
  if (b === null || b === undefined || b instanceof Absent) return null;
  if (typeof b === 'string') return isMissing(a) ? null : typeof a === 'string' ? b.includes(a) : null;
  if (isList(b)) return inList(a, asList(b), context, exact);
  if (b instanceof Map) return typeof a === 'string' ? b.has(a) : null;
  if (b instanceof Uint8Array) return inBytes(a, b);
  const prototype = typeof b === 'object' ? (Object.getPrototypeOf(b) as unknown) : undefined;
  if (prototype === Object.prototype || prototype === null) return typeof a === 'string' ? Object.hasOwn(b, a) : null;
  return equal(a, b, context);
}

function inList(a: unknown, list: readonly unknown[], context: ValueContext, exact: boolean): Truth {
  if (list.length === 0) return false;
  if (isMissing(a)) return null;
  let unknown = false;
  for (const element of list) {
    const value = onlyValue(element);
    if (!exact && typeof a === 'string' && typeof value === 'string') {
      if (value.includes(a)) return true;
      continue;
    }
    const one = equal(a, value, context);
    if (one === true) return true;
    if (one === null) unknown = true;
  }
  return unknown ? null : false;
}

/** The value of a row of one column, which is what a sub-query of one column has for elements; any other value itself. */
export function onlyValue(element: unknown): unknown {
  if (typeof element !== 'object' || element === null || Object.getPrototypeOf(element) !== Object.prototype)
    return element;
  const values = Object.entries(element).filter(([name]) => name !== '$depth');
  return values.length === 1 ? values[0]?.[1] : element;
}

function inBytes(a: unknown, bytes: Uint8Array): Truth {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (typeof a === 'string') return buffer.includes(a);
  if (a instanceof Uint8Array) return buffer.includes(Buffer.from(a));
  return typeof a === 'number' && a >= 0 && a <= 255 ? buffer.includes(a) : null;
}
