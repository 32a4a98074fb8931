import { PAGE_SIZE } from '../../memory/page.js';
import { PageBits } from '../../memory/paging/flags.js';
import type { PageRun } from '../../memory/paging/leaves.js';
import { PAGE_NUMBERS, type PagedSpace } from '../../memory/paging/paged.js';
import type { LinuxKernel } from './kernel.js';
import type { TaskStruct } from './types.js';

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

/** The space of a process, or undefined for a task without memory of its own. Throws Absent. */
export function processSpace(kernel: LinuxKernel, task: TaskStruct): PagedSpace | undefined {
  const mm = task.mm;
  return mm ? kernel.spaceOfMm(mm, `${task.comm} (${task.tgid})`) : undefined;
}

/**
 * What the page tables of a process map, ascending: one run for each entry, or joined. The half that user space has ends at
 * TASK_SIZE: the middle of the address space on 64 bits, PAGE_OFFSET on 32 (arch/x86/include/asm/page_64_types.h, page_32_types.h).
 * Tables that lead back to themselves map without end: the walk stops when they map much more than the image has.
 */
export function* mappedRuns(kernel: LinuxKernel, space: PagedSpace, options: MapOptions = {}): Generator<MappedRun> {
  const user = kernel.profile.pointerSize === 8 ? PAGE_NUMBERS / 2 : Number(kernel.location.pageOffset >> 12n);
  const joined = options.coalesce === true;
  const limit = MORE_THAN_ENOUGH + 4 * Math.ceil(kernel.physical.end / PAGE_SIZE);
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

/** `rwx`, with `-` for what a page does not allow; `---` for one that the processor does not reach (PROT_NONE). */
export function rights(bits: number): string {
  if ((bits & PageBits.present) === 0) return '---';
  return `r${(bits & PageBits.writable) !== 0 ? 'w' : '-'}${(bits & PageBits.noExecute) !== 0 ? '-' : 'x'}`;
}
