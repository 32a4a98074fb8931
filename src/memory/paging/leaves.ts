import { ALL_RIGHTS, combine } from './flags.js';
import { EntryKind, NO_FRAME, type PagedSpace, type PagingLevel, type PagingRegion } from './paged.js';

/** Contiguous 4 KiB pages of one leaf entry. */
export interface PageRun {
  /** number of the first page */
  readonly page: number;
  /** page frame of the first page */
  readonly frame: number;
  /** how many pages */
  readonly pages: number;
  /** effective rights and the leaf's own marks: PageBits */
  readonly bits: number;
  /** pages that the whole leaf spans: 1, 512, 1024 or 262144 */
  readonly leafPages: number;
}

export interface WalkLimits {
  /** leaves at most; more than any real address space has by default, so that tables that name themselves end */
  readonly limit?: number;
}

/** 256 GiB of 4 KiB pages. */
const MOST_LEAVES = 1 << 26;

/** The leaves of a space's tables in pages `[from, to)`, ascending; empty subtrees cost one entry. */
export function* leaves(space: PagedSpace, from: number, to: number, { limit = MOST_LEAVES }: WalkLimits = {}): Generator<PageRun, void, undefined> {
  const left = { count: limit };
  for (const region of space.regions) {
    const first = Math.max(from, region.first);
    const end = Math.min(to, region.end);
    if (first < end) yield* inRegion(space, region, first, end, left);
  }
}

interface Position {
  frame: number;
  offset: number;
  /** page that entry 0 maps */
  base: number;
  index: number;
  rights: number;
}

/** Depth first, with one position per level instead of nested generators. */
function* inRegion(space: PagedSpace, region: PagingRegion, first: number, end: number, left: { count: number }): Generator<PageRun, void, undefined> {
  const { levels, entrySize } = space;
  const enter = (level: number, frame: number, offset: number, base: number, rights: number): Position => {
    const { pages } = levels[level] as PagingLevel;
    return { frame, offset, base, index: Math.max(0, Math.floor((first - base) / pages)), rights };
  };
  const stack: Position[] = [enter(0, region.root, space.rootOffset, region.base, ALL_RIGHTS)];
  while (stack.length > 0) {
    const level = stack.length - 1;
    const position = stack[level] as Position;
    const { pages, entries } = levels[level] as PagingLevel;
    const table = space.physical.pageAt(position.frame);
    let descended = false;
    while (table && position.index < entries) {
      const page = position.base + position.index * pages;
      if (page >= end) break;
      const at = position.offset + entrySize * position.index++;
      const low = table.view.getUint32(at, true);
      const high = entrySize === 8 ? table.view.getUint32(at + 4, true) : 0;
      if (low === 0 && high === 0) continue;
      const kind = space.kindOf(level, low, high);
      const frame = kind === EntryKind.absent ? space.softOf(level, low, high) : space.frameOf(level, low, high, kind);
      if (frame === NO_FRAME) continue;
      const rights = combine(position.rights, space.bitsOf(level, low, high, kind, page));
      if (kind === EntryKind.table) {
        stack.push(enter(level + 1, frame, 0, page, rights));
        descended = true;
        break;
      }
      const start = Math.max(page, first);
      const stop = Math.min(page + pages, end);
      yield { page: start, frame: frame + start - page, pages: stop - start, bits: rights, leafPages: pages };
      if (--left.count <= 0) return;
    }
    if (!descended) stack.pop();
  }
}
