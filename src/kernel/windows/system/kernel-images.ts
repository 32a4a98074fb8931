import type { Steps } from '../../../memory/breathe.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import { addressOf } from '../../../memory/page.js';
import type { PhysicalSpace } from '../../../memory/physical.js';
import { LoadedPe } from '../../../symbols/pe/loaded.js';

/** Bytes that are looked through in one step; pages of page tables between two steps. */
const CHUNK = 512 * 1024;
const PAGES_A_STEP = 512;
/** Where kernels are loaded. */
export const KERNEL_HALF = { wide: 0xfffff80000000000n, narrow: 0x80000000n };
/** "MZ" */
const SIGNATURE = 0x5a4d;

/** Names that kernels have in their export directory; most builds say the first, whatever their file is called. */
const KERNELS: ReadonlySet<string> = new Set(['ntoskrnl.exe', 'ntkrnlmp.exe', 'ntkrnlpa.exe', 'ntkrpamp.exe']);

/** True for the image of a kernel, by the name that its export directory gives it. */
export function isKernelImage(pe: LoadedPe): boolean {
  return KERNELS.has(pe.exportedName()?.toLowerCase() ?? '');
}

/** Headers of executables at the starts of physical pages whose image lies in one piece there, ascending: of kernels in large pages, of boot loaders' copies. */
export function* physicalKernels(physical: PhysicalSpace): Steps<LoadedPe> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  for (const run of physical.runs) {
    const start = Math.ceil(run.start / 4096) * 4096;
    for (let from = start; from < run.end; from += CHUNK) {
      yield undefined;
      const count = physical.readInto(from, buffer, 0, Math.min(CHUNK, run.end - from));
      for (let at = 0; at + 4096 <= count; at += 4096) {
        if (buffer.readUInt16LE(at) !== SIGNATURE) continue;
        const pe = LoadedPe.at(physical, BigInt(from + at));
        if (pe && isKernelImage(pe)) yield pe;
      }
    }
  }
}

/** Images of kernels that page tables map in the kernel's half, ascending: found by their headers alone. */
export function* mappedKernels(space: PagedSpace): Steps<LoadedPe> {
  const from = space.bits === 64 ? KERNEL_HALF.wide : KERNEL_HALF.narrow;
  let pages = 0;
  const seen = new Set<number>();
  for (const run of space.leaves(Number(from >> 12n))) {
    for (let page = 0; page < run.pages; page++) {
      if (++pages % PAGES_A_STEP === 0) yield undefined;
      const frame = run.frame + page;
      const bytes = space.physical.pageAt(frame);
      if (bytes?.view.getUint16(0, true) !== SIGNATURE || seen.has(frame)) continue;
      seen.add(frame);
      const pe = LoadedPe.at(space, addressOf(run.page + page, 0));
      if (pe && isKernelImage(pe)) yield pe;
    }
  }
}
