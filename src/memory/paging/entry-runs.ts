import { EntryKind, type PagingLevel } from './levels.js';
import type { PagedSpace } from './paged.js';

/** What page tables say of pages one behind the other: one entry, or empty ones together. */
export interface EntryRun {
  /** number of the first page, and how many */
  readonly page: number;
  readonly pages: number;
  /** of the entry, counted from the top; the last level's entries are of single pages */
  readonly level: number;
  /** number of the first page that the entry itself spans: below `page` where the range begins within */
  readonly first: number;
  /** both 0: empty */
  readonly low: number;
  readonly high: number;
  /** the image does not hold the table that the entry would stand in */
  readonly missing: boolean;
}

/**
 * The entries that decide about pages `[from, to)`, also those that are empty or lead nowhere, ascending and without gaps but for addresses
 * that are not canonical. A part without tables costs one step.
 */
export function* entryRuns(space: PagedSpace, from: number, to: number): Generator<EntryRun, void, undefined> {
  for (const region of space.regions) {
    const end = Math.min(to, region.end);
    for (let page = Math.max(from, region.first); page < end; ) {
      const run = runAt(space, region, page, end);
      yield run;
      page = run.page + run.pages;
    }
  }
}

function runAt(space: PagedSpace, region: PagedSpace['regions'][number], page: number, end: number): EntryRun {
  const { levels, entrySize } = space;
  let [frame, offset, base] = [region.root, space.rootOffset, region.base];
  for (let level = 0; ; level++) {
    const { pages, entries } = levels[level] as PagingLevel;
    const index = Math.floor((page - base) / pages);
    const table = space.physical.pageAt(frame);
    if (!table) return { page, pages: Math.min(end, base + entries * pages) - page, level, first: page, low: 0, high: 0, missing: true };
    const at = (slot: number): number => offset + entrySize * slot;
    const low = table.view.getUint32(at(index), true);
    const high = entrySize === 8 ? table.view.getUint32(at(index) + 4, true) : 0;
    const first = base + index * pages;
    if ((low | high) === 0) {
      let last = index + 1;
      while (last < entries && base + last * pages < end && table.view.getUint32(at(last), true) === 0 && (entrySize === 4 || table.view.getUint32(at(last) + 4, true) === 0)) last++;
      return { page, pages: Math.min(end, base + last * pages) - page, level, first: page, low, high, missing: false };
    }
    const kind = space.kindOf(level, low, high);
    if (kind !== EntryKind.table || level === levels.length - 1) return { page, pages: Math.min(end, first + pages) - page, level, first, low, high, missing: false };
    frame = space.frameOf(level, low, high, kind);
    offset = 0;
    base = first;
  }
}
