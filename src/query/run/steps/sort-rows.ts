import { isMissing } from '../../values/equality.js';
import { compareText, compareValues } from '../../values/order.js';
import type { RunContext } from '../context.js';
import { sizeOf, sizeOfTuple } from '../memory/size.js';
import type { Slot, Tuple } from '../tuple.js';
import { sortedIndices } from './merge.js';

/** How a key is ordered. */
export interface KeyOrder {
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** What all values of a key are so far. */
type Kind = 'none' | 'number' | 'text' | 'mixed';

/** Rows to be sorted, and their keys column by column: a comparison then reads two numbers, and makes no objects. */
export class SortRows {
  tuples: Tuple[] = [];
  private columns: unknown[][];
  private kinds: Kind[];

  constructor(
    private readonly orders: readonly KeyOrder[],
    private readonly slots: readonly Slot[],
  ) {
    this.columns = orders.map(() => []);
    this.kinds = orders.map(() => 'none');
  }

  get length(): number {
    return this.tuples.length;
  }

  /** @returns roughly the bytes that it takes */
  add(tuple: Tuple, keys: readonly unknown[]): number {
    let size = sizeOfTuple(tuple, this.slots) + 8;
    this.tuples.push(tuple);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      (this.columns[index] as unknown[]).push(key);
      const kind: Kind = typeof key === 'number' && key === key ? 'number' : typeof key === 'string' ? 'text' : 'mixed';
      const known = this.kinds[index];
      if (known !== kind) this.kinds[index] = known === 'none' ? kind : 'mixed';
      size += 8 + (kind === 'number' ? 0 : sizeOf(key));
    }
    return size;
  }

  keysAt(index: number): unknown[] {
    return this.columns.map((column) => column[index]);
  }

  /** Indices of the rows, in order; equal ones as they came. */
  sorted(context: RunContext): Promise<Uint32Array> {
    return sortedIndices(this.tuples.length, this.comparison(), context);
  }

  /** Leaves the first rows alone, in order. */
  async truncate(count: number, context: RunContext): Promise<void> {
    const order = (await this.sorted(context)).subarray(0, count);
    const of = <T>(column: readonly T[]): T[] => Array.from(order, (index) => column[index] as T);
    this.tuples = of(this.tuples);
    this.columns = this.columns.map(of);
  }

  private comparison(): (a: number, b: number) => number {
    const parts = this.orders.map((order, index) => compareColumn(this.columns[index] as unknown[], this.kinds[index] as Kind, order));
    const [first, second] = parts;
    if (first && parts.length === 1) return first;
    if (first && second && parts.length === 2) return (a, b) => first(a, b) || second(a, b);
    return (a, b) => {
      for (const part of parts) {
        const order = part(a, b);
        if (order !== 0) return order;
      }
      return 0;
    };
  }
}

function compareColumn(values: readonly unknown[], kind: Kind, order: KeyOrder): (a: number, b: number) => number {
  const sign = order.descending ? -1 : 1;
  if (kind === 'number') {
    const numbers = Float64Array.from(values as readonly number[]);
    return (a, b) => {
      const x = numbers[a] as number;
      const y = numbers[b] as number;
      return x < y ? -sign : x > y ? sign : 0;
    };
  }
  if (kind === 'text') return (a, b) => sign * compareText(values[a] as string, values[b] as string);
  return (a, b) => compareKeys(values[a], values[b], order);
}

/** The order of two values of a key, with what is missing where the query wants it. */
export function compareKeys(x: unknown, y: unknown, { descending, nullsFirst }: KeyOrder): number {
  const missing = isMissing(x);
  if (missing || isMissing(y)) {
    if (missing && isMissing(y)) return 0;
    return missing === nullsFirst ? -1 : 1;
  }
  const order = compareValues(x, y);
  return descending ? -order : order;
}
