import { PAGE_SIZE, pageNumber } from './page.js';
import { PagedSpace } from './paging/paged.js';
import { PhysicalSpace } from './physical.js';
import { type AddressSpace, BufferSpace } from './space.js';

/** Pages in a row that a space describes: from `page` on, `pages` of them. The image need not hold each. */
export interface Extent {
  readonly page: number;
  readonly pages: number;
}

/**
 * The parts of a space that may hold something, in pages `[from, to)`, ascending: the leaves of its page tables, joined where they
 * touch, or the runs of an image. It costs what is there, not what could be: a process's 2^36 pages are walked in milliseconds.
 * @param onFault told which part of the page tables could not be walked
 */
export function* extents(space: AddressSpace, from: number, to: number, onFault?: (what: string) => void): Generator<Extent, void, undefined> {
  let page = from;
  let end = from;
  for (const next of parts(space, from, to, onFault)) {
    // Page tables that are smeared or lie cannot lead back: what comes is in order.
    if (next.page === end) {
      end += next.pages;
      continue;
    }
    if (end > page) yield { page, pages: end - page };
    page = next.page;
    end = next.page + next.pages;
  }
  if (end > page) yield { page, pages: end - page };
}

function* parts(space: AddressSpace, from: number, to: number, onFault: ((what: string) => void) | undefined): Generator<Extent, void, undefined> {
  if (space instanceof PagedSpace) {
    // A large page that damaged tables have far outside of the image is not gone through page by page.
    const held = space.levels.length > 0 && space.physical instanceof PhysicalSpace ? Math.ceil(space.physical.end / PAGE_SIZE) : Infinity;
    for (const { page, frame, pages } of space.leaves(from, to, onFault ? { onFault } : {})) {
      if (frame < held) yield { page, pages: Math.min(pages, held - frame) };
    }
  } else if (space instanceof PhysicalSpace) {
    for (const { start, end } of space.runs) {
      const page = Math.max(from, Math.floor(start / PAGE_SIZE));
      const pages = Math.min(to, Math.ceil(end / PAGE_SIZE)) - page;
      if (pages > 0) yield { page, pages };
    }
  } else {
    const end = space instanceof BufferSpace ? pageNumber(space.end + 0xfffn) : to;
    for (let page = space instanceof BufferSpace ? Math.max(from, pageNumber(space.base)) : from; page < Math.min(to, end); page++) if (space.pageAt(page)) yield { page, pages: 1 };
  }
}

/** The first page in `[from, to)` that can be read, or undefined. */
export function nextReadablePage(space: AddressSpace, from: number, to: number): number | undefined {
  for (const { page, pages } of extents(space, from, to)) {
    for (let at = page; at < page + pages; at++) if (space.pageAt(at)) return at;
  }
  return undefined;
}
