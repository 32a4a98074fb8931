import type { RunContext } from '../context.js';
import { BATCH } from '../step.js';

export type Compare<T> = (a: T, b: T) => number;

/** Elements that are sorted in one go: a few milliseconds of work. */
const PIECE = 1 << 14;

/** A stable sort that lets other work through. */
export async function sorted<T>(all: T[], compare: Compare<T>, context: RunContext): Promise<T[]> {
  if (all.length <= PIECE) return all.sort(compare);
  let pieces: T[][] = [];
  for (let from = 0; from < all.length; from += PIECE) {
    pieces.push(all.slice(from, from + PIECE).sort(compare));
    if (context.due) await context.breathe();
  }
  while (pieces.length > 1) {
    const longer: T[][] = [];
    for (let index = 0; index < pieces.length; index += 2) {
      const left = pieces[index] as T[];
      const right = pieces[index + 1];
      longer.push(right ? await mergedPair(left, right, compare, context) : left);
    }
    pieces = longer;
  }
  return pieces[0] ?? [];
}

async function mergedPair<T>(left: readonly T[], right: readonly T[], compare: Compare<T>, context: RunContext): Promise<T[]> {
  const out: T[] = [];
  const cursor = { left: 0, right: 0 };
  while (out.length < left.length + right.length) {
    mergeSome(left, right, compare, out, cursor);
    if (context.due) await context.breathe();
  }
  return out;
}

function mergeSome<T>(left: readonly T[], right: readonly T[], compare: Compare<T>, out: T[], cursor: { left: number; right: number }): void {
  const until = out.length + PIECE;
  while (out.length < until) {
    if (cursor.left < left.length && (cursor.right >= right.length || compare(left[cursor.left] as T, right[cursor.right] as T) <= 0))
      out.push(left[cursor.left++] as T);
    else if (cursor.right < right.length) out.push(right[cursor.right++] as T);
    else return;
  }
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
