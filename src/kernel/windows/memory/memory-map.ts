import { orElse } from '../../../memory/absent.js';
import { PAGE_NUMBERS } from '../../../memory/paging/levels.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import type { WindowsKernel } from '../kernel.js';
import type { Eprocess } from '../types.js';

/** The space of a process, or undefined for one that has no page tables any more. Throws Absent. */
export function processSpace(kernel: WindowsKernel, process: Eprocess): PagedSpace | undefined {
  return kernel.dtbOf(process) === 0 ? undefined : kernel.spaceOf(process);
}

/**
 * Number of the first page that is the kernel's: the middle of the address space on 64 bits, nt!MmSystemRangeStart on 32 (2 GiB, or more with
 * the boot option increaseuserva).
 */
export function userPages(kernel: WindowsKernel): number {
  if (kernel.profile.pointerSize === 8) return PAGE_NUMBERS / 2;
  const start = orElse(() => kernel.variable('MmSystemRangeStart'), 0n);
  return Number((start >= 0x80000000n ? start : 0x80000000n) >> 12n);
}
