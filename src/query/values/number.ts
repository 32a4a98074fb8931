import { Pointer } from '../../object/pointer.js';
import { Struct } from '../../object/struct.js';

/** A value as a number where it is one: numbers, booleans (0 and 1), pointers and structs (their address); else undefined. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Struct) return value.$address;
  if (value instanceof Pointer) return value.address;
  return undefined;
}

/** Whole and exact as a JavaScript number. */
export function isSafe(value: number): boolean {
  return Number.isSafeInteger(value);
}

/** A whole number in the form that the engine keeps it in: `number` up to 2^53, `bigint` beyond. */
export function normal(value: bigint): number | bigint {
  return value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : value;
}
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER);

/**
 * Which of two numbers is greater, exactly: -1, 0 or 1. Comparing a bigint with a float converts neither (JavaScript compares the
 * mathematical values). NaN is below all numbers and equal to itself, so that the order is total.
 */
export function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // eslint-disable-next-line eqeqeq -- == compares a number and a bigint by value
  if (a == b) return 0;
  return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : 1;
}
