import { openImage } from '../../src/memory/image/open.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import { createPagedSpace, type PagingKind } from '../../src/memory/paging/create.js';
import type { PagedSpace } from '../../src/memory/paging/paged.js';

/** One thing measured: how many a second. */
export interface PagingResult {
  readonly what: string;
  readonly perSecond: number;
}

const ROUNDS = 5;

/** The best of several rounds: what the machine can do when nobody else is on it. */
function best(count: number, work: () => void, before: () => void = () => undefined): number {
  let seconds = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    before();
    const start = performance.now();
    work();
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  return count / seconds;
}

/** Deterministic shuffle: the order in which lists and trees jump about. */
function shuffled(pages: readonly number[]): number[] {
  const out = [...pages];
  let state = 0x2545f491;
  for (let i = out.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [out[i], out[j]] = [out[j] as number, out[i] as number];
  }
  return out;
}

/**
 * Translations a second on an image: cold (caches of translations flushed; the image's pages are in memory), warm, in order and at random,
 * and whole walks of the tables.
 * @param path the image
 * @param dtb physical address of the page tables to go through
 */
export function benchPaging(path: string, kind: PagingKind, dtb: number): PagingResult[] {
  const image = openImage(path);
  const physical = new PhysicalSpace(image);
  try {
    return measure(createPagedSpace(kind, physical, dtb, { os: 'linux' }));
  } finally {
    physical.close();
  }
}

function measure(space: PagedSpace): PagingResult[] {
  const pages: number[] = [];
  for (const run of space.leaves()) for (let page = 0; page < run.pages && pages.length < 400_000; page++) pages.push(run.page + page);
  const random = shuffled(pages);
  const few = random.slice(0, 256);
  const flush = (): void => space.flush();
  let sum = 0;
  const frames = (numbers: readonly number[]): void => {
    for (const page of numbers) sum += space.frameAt(page);
  };
  const addresses = few.map((page) => BigInt(page) << 12n);
  const leaves = [...space.leaves()].length;
  const results: [string, number][] = [
    ['frameAt, cold, in order', best(pages.length, () => frames(pages), flush)],
    ['frameAt, cold, at random', best(random.length, () => frames(random), flush)],
    ['frameAt, warm', best(few.length * 4000, () => { for (let i = 0; i < 4000; i++) frames(few); })],
    ['pageAt, warm', best(few.length * 1000, () => { for (let i = 0; i < 1000; i++) for (const page of few) sum += space.pageAt(page)?.bytes.length ?? 0; })],
    ['translate (bigint), warm', best(few.length * 1000, () => { for (let i = 0; i < 1000; i++) for (const address of addresses) sum += space.translate(address) ?? 0; })],
    ['walk (every step)', best(few.length * 10, () => { for (let i = 0; i < 10; i++) for (const address of addresses) sum += space.walk(address).steps.length; })],
    ['leaves of a whole walk', best(leaves, () => { for (const run of space.leaves()) sum += run.pages; })],
    ['mappings of a whole walk', best(leaves, () => { for (const one of space.mappings()) sum += one.length; })],
  ];
  // The sum is what keeps the loops from being thrown away.
  if (!Number.isFinite(sum)) throw new RangeError('nothing was measured');
  return results.map(([what, perSecond]) => ({ what, perSecond }));
}
