import { ALL_RIGHTS, combine, PageBits } from './flags.js';
import { EntryKind, NO_FRAME, type PagingLevel, type PagingRegion } from './levels.js';
import type { PagedSpace } from './paged.js';

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
  /** told, in a phrase, which part of the tables was not walked and why */
  readonly onFault?: (what: string) => void;
}

/** 256 GiB of 4 KiB pages. */
const MOST_LEAVES = 1 << 26;

/** Tables that one walk enters at most: of the last level, these would map 8 TiB in 4 KiB pages. */
const MOST_TABLES = 1 << 22;

/**
 * Times that one walk enters a table at one level. Kernels do share tables: Linux maps each page of the espfix area 65,536
 * times by 2,048 uses of one table (arch/x86/kernel/espfix_64.c), and the KASAN shadow of unused addresses by millions of uses of
 * one (mm/kasan/init.c). Only the latter is cut short, as it is in the kernel's own ptdump.
 */
const MOST_VISITS = 4096;

/** What one walk may still do. */
class Budget {
  private tables = 0;
  private readonly visits = new Map<number, number>();
  private readonly told = new Set<string>();

  constructor(
    private leaves: number,
    private readonly onFault: ((what: string) => void) | undefined,
  ) {}

  /** Counts a leaf; false when it was the last. */
  leaf(): boolean {
    return --this.leaves > 0;
  }

  /** True where the walk may enter a table; tells why not. */
  enter(level: number, frame: number, alias: string): boolean {
    if (this.tables >= MOST_TABLES) {
      this.tell(`more than ${MOST_TABLES} page tables: the rest is not walked`);
      return false;
    }
    // A frame has 40 bits at most: with the level it is still exact.
    const key = frame * 8 + level;
    const count = this.visits.get(key) ?? 0;
    if (count >= MOST_VISITS) {
      this.tell(`the ${alias} table at 0x${(frame * 4096).toString(16)} is used more than ${MOST_VISITS} times: later uses are not walked`);
      return false;
    }
    this.visits.set(key, count + 1);
    this.tables++;
    return true;
  }

  missing(frame: number, alias: string): void {
    if (this.onFault) this.tell(`the image does not hold the ${alias} table at 0x${(frame * 4096).toString(16)}`);
  }

  /** Each fault once; of very many, the first. */
  private tell(what: string): void {
    if (!this.onFault || this.told.has(what) || this.told.size >= MOST_VISITS) return;
    this.told.add(what);
    this.onFault(what);
  }
}

/** The leaves of a space's tables in pages `[from, to)`, ascending; empty subtrees cost one entry. Always ends. */
export function* leaves(space: PagedSpace, from: number, to: number, { limit = MOST_LEAVES, onFault }: WalkLimits = {}): Generator<PageRun, void, undefined> {
  if (limit <= 0) return;
  const budget = new Budget(limit, onFault);
  for (const region of space.regions) {
    const first = Math.max(from, region.first);
    const end = Math.min(to, region.end);
    if (first < end && !(yield* inRegion(space, region, first, end, budget))) return;
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

/** Depth first, with one position per level instead of nested generators. Returns false when the budget is spent. */
function* inRegion(space: PagedSpace, region: PagingRegion, first: number, end: number, budget: Budget): Generator<PageRun, boolean, undefined> {
  const { levels, entrySize } = space;
  const position = (level: number, frame: number, offset: number, base: number, rights: number): Position => {
    const { pages, alias } = levels[level] as PagingLevel;
    if (!space.physical.pageAt(frame)) budget.missing(frame, alias);
    return { frame, offset, base, index: Math.max(0, Math.floor((first - base) / pages)), rights };
  };
  const stack: Position[] = [position(0, region.root, space.rootOffset, region.base, ALL_RIGHTS)];
  while (stack.length > 0) {
    const level = stack.length - 1;
    const here = stack[level] as Position;
    const { pages, entries } = levels[level] as PagingLevel;
    const table = space.physical.pageAt(here.frame);
    let descended = false;
    while (table && here.index < entries) {
      const page = here.base + here.index * pages;
      if (page >= end) break;
      const at = here.offset + entrySize * here.index++;
      const low = table.view.getUint32(at, true);
      const high = entrySize === 8 ? table.view.getUint32(at + 4, true) : 0;
      if (low === 0 && high === 0) continue;
      const kind = space.kindOf(level, low, high);
      const soft = kind === EntryKind.absent;
      const frame = soft ? space.softFrame(level, low, high, page) : space.frameOf(level, low, high, kind);
      if (frame === NO_FRAME) continue;
      const bits = space.bitsOf(level, low, high, kind, page) | (soft && pages > 1 ? PageBits.large : 0);
      const rights = combine(here.rights, bits);
      if (kind === EntryKind.table) {
        if (!budget.enter(level + 1, frame, (levels[level + 1] as PagingLevel).alias)) continue;
        stack.push(position(level + 1, frame, 0, page, rights));
        descended = true;
        break;
      }
      const start = Math.max(page, first);
      const stop = Math.min(page + pages, end);
      yield { page: start, frame: frame + start - page, pages: stop - start, bits: rights, leafPages: pages };
      if (!budget.leaf()) return false;
    }
    if (!descended) stack.pop();
  }
  return true;
}
