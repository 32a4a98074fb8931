import { Timestamp } from '../../../object/time.js';
import type { Slot, Tuple } from '../tuple.js';

/** Bytes that a value takes, roughly: what V8 needs for it, headers included. Views of memory share their image's pages. */
export function sizeOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return 24 + value.length;
    case 'number':
      return 8;
    case 'bigint':
      return 24;
    case 'object':
      return value === null ? 8 : sizeOfObject(value);
    default:
      return 8;
  }
}

function sizeOfObject(value: object): number {
  if (value instanceof Timestamp) return 48;
  if (value instanceof Uint8Array) return 96 + value.byteLength;
  if (Array.isArray(value)) return (value as unknown[]).reduce((sum: number, element) => sum + 8 + sizeOf(element), 32);
  if (Object.getPrototypeOf(value) === Object.prototype) return Object.values(value).reduce((sum: number, member) => sum + 8 + sizeOf(member), 56);
  return 80;
}

/** Bytes of a tuple with these slots. */
export function sizeOfTuple(tuple: Tuple, slots: readonly Slot[]): number {
  let size = 40 + 8 * slots.length;
  for (let index = 0; index < slots.length; index++) {
    const value = tuple[slots[index] as Slot];
    if (typeof value !== 'number') size += sizeOf(value);
  }
  return size;
}
