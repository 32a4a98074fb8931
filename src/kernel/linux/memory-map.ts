import { PAGE_NUMBERS } from '../../memory/paging/levels.js';
import type { PagedSpace } from '../../memory/paging/paged.js';
import type { LinuxKernel } from './kernel.js';
import type { TaskStruct } from './types.js';

/** The space of a process, or undefined for a task without memory of its own. Throws Absent. */
export function processSpace(kernel: LinuxKernel, task: TaskStruct): PagedSpace | undefined {
  const mm = task.mm;
  return mm ? kernel.spaceOfMm(mm, `${task.comm} (${task.tgid})`) : undefined;
}

/**
 * Number of the first page that is not user space's: TASK_SIZE is the middle of the address space on 64 bits, PAGE_OFFSET on 32
 * (arch/x86/include/asm/page_64_types.h, page_32_types.h).
 */
export function userPages(kernel: LinuxKernel): number {
  return kernel.profile.pointerSize === 8 ? PAGE_NUMBERS / 2 : Number(kernel.location.pageOffset >> 12n);
}
