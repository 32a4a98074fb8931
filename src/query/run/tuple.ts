import type { Field } from '../plan/logical.js';

/**
 * A row inside of a query: an array, or a row object as its source gave it. Which slot has which field, the step's {@link Layout} says.
 */
export interface Tuple {
  readonly [slot: string | number]: unknown;
}

/** A key of a tuple: the name of a source's column, or an index. */
export type Slot = string | number;

/** Where a step's tuples have their fields. */
export type Layout = ReadonlyMap<Field, Slot>;

/** A tuple that is an array. */
export function tupleOf(values: unknown[]): Tuple {
  return values as unknown as Tuple;
}

/** A layout of arrays. */
export function arrayLayout(fields: readonly Field[]): Map<Field, Slot> {
  return new Map(fields.map((field, index) => [field, index]));
}

/** Copies the slots of two tuples into one. */
export function joiner(left: readonly Slot[], right: readonly Slot[]): (a: Tuple, b: Tuple | undefined) => Tuple {
  const lefts = left.length;
  const rights = right.length;
  const width = lefts + rights;
  return (a, b) => {
    // Of its final size at once: an array that grows takes several times the room.
    const values = new Array<unknown>(width);
    for (let index = 0; index < lefts; index++) values[index] = a[left[index] as Slot];
    if (b) for (let index = 0; index < rights; index++) values[lefts + index] = b[right[index] as Slot];
    else for (let index = lefts; index < width; index++) values[index] = null;
    return tupleOf(values);
  };
}

/** Makes tuples with these slots again from their values in order, which stand in an array from an index on. */
export function rebuilder(slots: readonly Slot[]): (values: Tuple, from: number) => Tuple {
  if (typeof slots[0] !== 'string') return (values, from) => tupleOf(slots.map((_, index) => values[from + index]));
  return (values, from) => {
    const row: Record<string, unknown> = {};
    for (const [index, slot] of slots.entries()) row[slot] = values[from + index];
    return row;
  };
}
