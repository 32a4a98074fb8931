import type { RunContext } from '../context.js';
import { BATCH } from '../step.js';

export type Compare<T> = (a: T, b: T) => number;

/** Elements that are sorted or merged in one go: a few milliseconds of work. */
const PIECE = 1 << 14;
/** Below so many, inserting is quicker than merging. */
const INSERTED = 12;

/**
 * The order of `count` elements, as their indices: a stable merge sort that lets other work through.
 * @param compare compares the elements at two indices
 */
export async function sortedIndices(count: number, compare: (a: number, b: number) => number, context: RunContext): Promise<Uint32Array> {
  let from = Uint32Array.from({ length: count }, (_, index) => index);
  for (let start = 0; start < count; start += PIECE) {
    const end = Math.min(count, start + PIECE);
    for (let run = start; run < end; run += INSERTED) insertionSort(from, run, Math.min(end, run + INSERTED), compare);
    if (context.due) await context.breathe();
  }
  let to = new Uint32Array(count);
  for (let width = INSERTED; width < count;) {
    // Runs never go across the end of a piece before whole pieces are merged.
    const whole = width >= PIECE;
    const unit = whole ? count : PIECE;
    for (let start = 0; start < count; start += unit) {
      const end = Math.min(count, start + unit);
      for (let low = start; low < end; low += 2 * width) {
        const cursor = { left: low, right: Math.min(end, low + width), out: low };
        const middle = cursor.right;
        const high = Math.min(end, low + 2 * width);
        while (cursor.out < high) {
          mergeSome(from, to, cursor, middle, high, compare);
          if (context.due) await context.breathe();
        }
      }
    }
    [from, to] = [to, from];
    width = whole ? width * 2 : Math.min(width * 2, PIECE);
  }
  return from;
}

function insertionSort(indices: Uint32Array, start: number, end: number, compare: (a: number, b: number) => number): void {
  for (let at = start + 1; at < end; at++) {
    const one = indices[at] as number;
    let place = at;
    while (place > start && compare(indices[place - 1] as number, one) > 0) {
      indices[place] = indices[place - 1] as number;
      place--;
    }
    indices[place] = one;
  }
}

function mergeSome(
  from: Uint32Array,
  to: Uint32Array,
  cursor: { left: number; right: number; out: number },
  middle: number,
  high: number,
  compare: (a: number, b: number) => number,
): void {
  let { left, right, out } = cursor;
  const until = Math.min(high, out + PIECE);
  while (out < until) {
    if (left < middle && (right >= high || compare(from[left] as number, from[right] as number) <= 0)) to[out++] = from[left++] as number;
    else to[out++] = from[right++] as number;
  }
  cursor.left = left;
  cursor.right = right;
  cursor.out = out;
}

interface Head<T> {
  readonly source: AsyncGenerator<readonly T[], void, undefined>;
  readonly rank: number;
  batch: readonly T[];
  at: number;
}

/** Sorted sources made one; of equal elements those of an earlier source come first. */
export async function* merged<T>(sources: readonly AsyncGenerator<readonly T[], void, undefined>[], compare: Compare<T>): AsyncGenerator<T[], void, undefined> {
  const heads: Head<T>[] = [];
  const before = (a: Head<T>, b: Head<T>): boolean => {
    const order = compare(a.batch[a.at] as T, b.batch[b.at] as T);
    return order < 0 || (order === 0 && a.rank < b.rank);
  };
  try {
    for (const [rank, source] of sources.entries()) {
      const first = await source.next();
      if (first.done !== true) push(heads, { source, rank, batch: first.value, at: 0 }, before);
    }
    let out: T[] = [];
    while (heads[0]) {
      const least = heads[0];
      out.push(least.batch[least.at++] as T);
      if (least.at === least.batch.length) {
        const next = await least.source.next();
        if (next.done === true) {
          const last = heads.pop() as Head<T>;
          if (heads.length > 0) heads[0] = last;
        } else {
          least.batch = next.value;
          least.at = 0;
        }
      }
      sink(heads, before);
      if (out.length >= BATCH) {
        yield out;
        out = [];
      }
    }
    if (out.length > 0) yield out;
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

/** A binary heap: the least first. */
function push<T>(heap: T[], value: T, before: (a: T, b: T) => boolean): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(heap[at] as T, heap[parent] as T)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function sink<T>(heap: T[], before: (a: T, b: T) => boolean): void {
  for (let at = 0; ;) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && before(heap[child] as T, heap[least] as T)) least = child;
    if (least === at) return;
    swap(heap, at, least);
    at = least;
  }
}

function swap<T>(heap: T[], a: number, b: number): void {
  const value = heap[a] as T;
  heap[a] = heap[b] as T;
  heap[b] = value;
}
