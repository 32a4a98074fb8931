import { orAbsent } from '../../memory/absent.js';
import { ArrayView } from '../../object/array.js';

/** Elements of an array in memory that are looked at: an image may state any length. */
const MOST_ELEMENTS = 1 << 20;

/** Repeated values: arrays, and arrays in memory. (Text and bytes are one value each.) */
export function isList(value: unknown): value is readonly unknown[] | ArrayView {
  return Array.isArray(value) || value instanceof ArrayView;
}

/** The elements; one that cannot be read is Absent. */
export function elementsOf(list: readonly unknown[] | ArrayView): readonly unknown[] {
  if (!(list instanceof ArrayView)) return list;
  const values: unknown[] = [];
  for (let index = 0; index < Math.min(list.length, MOST_ELEMENTS); index++)
    values.push(orAbsent(() => list.at(index)));
  return values;
}

/** A value as the list that it is: one value is a list of itself, null is the empty list. */
export function asList(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  return isList(value) ? elementsOf(value) : [value];
}
