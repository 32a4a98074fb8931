import { orElse } from '../../memory/absent.js';
import type { LinuxKernel } from './kernel.js';
import type { MmStruct, VmAreaStruct } from './types.js';
import { mmBounds, vmaFlags, vmaName, vmas } from './vma.js';

/** The memory area that an address lies in. */
export interface Area {
  readonly vma: VmAreaStruct;
  readonly start: bigint;
  readonly end: bigint;
  /** `r-xp`, as /proc/PID/maps has it */
  readonly flags: string;
  /** path of the file, or what the area is for (`[heap]`); null where it has no name */
  readonly name: string | null;
  /** offset in the file of the address, bytes; undefined where there is no file */
  readonly offset: bigint | undefined;
}

/** The area of a process that an address lies in; undefined where nothing is mapped, or where the areas cannot be read. */
export function areaAt(kernel: LinuxKernel, mm: MmStruct, address: bigint): Area | undefined {
  const bounds = orElse(() => mmBounds(mm), { heapStart: 0n, heapEnd: 0n, stack: 0n });
  for (const vma of vmas(kernel, mm)) {
    const found = orElse(() => {
      const start = BigInt(vma.vm_start);
      const end = BigInt(vma.vm_end);
      if (address < start || address >= end) return undefined;
      const offset = vma.$pointer('vm_file') === 0n ? undefined : BigInt(vma.vm_pgoff) * 4096n + address - start;
      return { vma, start, end, flags: vmaFlags(vma), name: orElse(() => vmaName(kernel, vma, bounds), null), offset };
    }, undefined);
    if (found) return found;
  }
  return undefined;
}

/** `/usr/bin/bash +0x5b2c0 (r-xp)`, `[heap] (rw-p)`: an area, and where in its file the address is. */
export function areaText({ name, offset, flags, start }: Area): string {
  const what = name ?? `anonymous memory from 0x${start.toString(16)}`;
  return `${what}${offset === undefined ? '' : ` +0x${offset.toString(16)}`} (${flags})`;
}
