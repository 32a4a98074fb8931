import { orElse } from '../../../memory/absent.js';
import type { WindowsKernel } from '../kernel.js';
import { virtualMap, type VirtualRegion } from './virtual-map.js';

/** The page database of amd64 until Windows 8 has its place, and the non-paged pool comes behind it; HAL's own part ends it. */
const POOL = { from: 0xfffffa8000000000n, to: 0xffffffffff800000n };

/** What a part of the kernel's address space is used for, as {@link virtualMap} has it: of parts within others the inner one. */
export function kernelRegionAt(kernel: WindowsKernel, address: bigint): string | undefined {
  const regions = regionsOf(kernel);
  let [low, high] = [0, regions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((regions[middle] as VirtualRegion).start <= address) low = middle + 1;
    else high = middle;
  }
  // Parts that hold others are few and begin not far before them.
  for (let index = low - 1; index >= 0 && index > low - 8; index--) {
    const region = regions[index] as VirtualRegion;
    if (region.end > address) return region.type;
  }
  return undefined;
}

function regionsOf(kernel: WindowsKernel): readonly VirtualRegion[] {
  return kernel.memo('regions of the kernel', () => {
    const found = orElse(() => virtualMap(kernel), []);
    // Where the size of the pool is not to be had it ends where the next part begins.
    const start = orElse(() => kernel.variable('MmNonPagedPoolStart'), 0n);
    if (start < POOL.from || start >= POOL.to || found.some(({ type }) => type === 'NonPagedPool')) return found;
    const end = found.find((region) => region.start > start)?.start ?? POOL.to;
    return [...found, { type: 'NonPagedPool', start, end, source: 'nt!MmNonPagedPoolStart' }].sort((a, b) => (a.start < b.start ? -1 : 1));
  });
}
