import { PAGE_SIZE } from '../memory/page.js';
import { PageBits } from '../memory/paging/flags.js';
import type { PageRun } from '../memory/paging/leaves.js';
import { PAGE_NUMBERS } from '../memory/paging/levels.js';
import type { PagedSpace } from '../memory/paging/paged.js';
import type { PhysicalSpace } from '../memory/physical.js';

/** Pages of a process that lie together, virtually and physically. In 4 KiB pages. */
export interface MappedRun {
  readonly page: number;
  readonly frame: number;
  readonly pages: number;
  /** PageBits */
  readonly bits: number;
}

export interface MapOptions {
  /** join neighbours with the same rights */
  readonly coalesce?: boolean;
  /** the kernel's half, too */
  readonly all?: boolean;
  /** told where page tables map more than can be */
  readonly onFault?: (what: string) => void;
}

/**
 * What the page tables of a process map, ascending: one run for each entry, or joined. Tables that lead back to themselves map without
 * end: the walk stops when they map much more than the image has.
 * @param user number of the first page that is the kernel's
 */
export function* mappedRuns(space: PagedSpace, user: number, physical: PhysicalSpace, options: MapOptions = {}): Generator<MappedRun> {
  const joined = options.coalesce === true;
  const limit = MORE_THAN_ENOUGH + 4 * Math.ceil(physical.end / PAGE_SIZE);
  let count = 0;
  let open: { page: number; frame: number; pages: number; bits: number } | undefined;
  for (const run of space.leaves(0, options.all === true ? PAGE_NUMBERS : user)) {
    if (++count > limit) {
      options.onFault?.(`page tables at 0x${space.dtb.toString(16)} map more than ${limit} pages: they lead back to themselves`);
      break;
    }
    if (open && joined && follows(open, run)) {
      open.pages += run.pages;
      continue;
    }
    if (open) yield open;
    open = { page: run.page, frame: run.frame, pages: run.pages, bits: run.bits };
  }
  if (open) yield open;
}

/** Pages that a process may map of a small image: the same ones many times over. */
const MORE_THAN_ENOUGH = 1 << 20;

/** What a process may do with a page; other bits tell what it did. */
const RIGHTS = PageBits.present | PageBits.writable | PageBits.user | PageBits.noExecute;

function follows(open: MappedRun, run: PageRun): boolean {
  return run.page === open.page + open.pages && run.frame === open.frame + open.pages && ((run.bits ^ open.bits) & RIGHTS) === 0;
}

/** `rwx`, with `-` for what a page does not allow; `---` for one that the processor does not reach (PROT_NONE; pages in transition). */
export function rights(bits: number): string {
  if ((bits & PageBits.present) === 0) return '---';
  return `r${(bits & PageBits.writable) !== 0 ? 'w' : '-'}${(bits & PageBits.noExecute) !== 0 ? '-' : 'x'}`;
}
