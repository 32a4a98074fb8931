import { addressOf, PAGE_SIZE } from '../page.js';
import { type PageFlags, pageFlags, RIGHTS } from './flags.js';
import { leaves, type PageRun, type WalkLimits } from './leaves.js';
import type { PagedSpace } from './paged.js';

/** A piece of an address space that the tables map contiguously. */
export interface Mapping {
  readonly virtual: bigint;
  readonly physical: number;
  /** bytes */
  readonly length: number;
  readonly flags: PageFlags;
  /** bytes of a page */
  readonly pageSize: number;
}

export interface MappingOptions extends WalkLimits {
  /** join neighbours that are contiguous both ways, of one page size and with the same rights */
  readonly coalesce?: boolean;
}

/** {@link PagedSpace.mappings} in page numbers. */
export function* mappings(space: PagedSpace, from: number, to: number, options: MappingOptions): Generator<Mapping, void, undefined> {
  let open: { run: PageRun; pages: number } | undefined;
  for (const run of leaves(space, from, to, options)) {
    if (open && options.coalesce === true && joins(open.run, open.pages, run)) {
      open.pages += run.pages;
      continue;
    }
    if (open) yield mapping(open.run, open.pages);
    open = { run, pages: run.pages };
  }
  if (open) yield mapping(open.run, open.pages);
}

function joins(run: PageRun, pages: number, next: PageRun): boolean {
  return (
    next.page === run.page + pages &&
    next.frame === run.frame + pages &&
    next.leafPages === run.leafPages &&
    (next.bits & RIGHTS) === (run.bits & RIGHTS)
  );
}

function mapping(run: PageRun, pages: number): Mapping {
  return {
    virtual: addressOf(run.page, 0),
    physical: run.frame * PAGE_SIZE,
    length: pages * PAGE_SIZE,
    flags: pageFlags(run.bits),
    pageSize: run.leafPages * PAGE_SIZE,
  };
}
