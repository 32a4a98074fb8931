import type { PagedSpace } from '../../memory/paging/paged.js';
import { orElse } from '../../memory/absent.js';
import { addressOf } from '../../memory/page.js';
import type { RsdsRecord } from './rsds.js';

/** Pages that are looked through below a debug record for the image's header: kernels have up to 16 MiB, and some are larger. */
const REACH = 64 * 256;
/** Where kernels are loaded. */
const KERNEL_HALF = { wide: 0xfffff80000000000n, narrow: 0x80000000n };

/** Virtual addresses of a physical one in the kernel's half, ascending. */
export function* virtualsOf(space: PagedSpace, physical: number): Generator<bigint> {
  const frame = Math.floor(physical / 4096);
  const from = space.bits === 64 ? KERNEL_HALF.wide : KERNEL_HALF.narrow;
  for (const run of space.leaves(Number(from >> 12n))) {
    if (frame >= run.frame && frame < run.frame + run.pages) yield addressOf(run.page + frame - run.frame, physical % 4096);
  }
}

/** The header of the executable that a debug record belongs to: the nearest one below whose size covers the record. */
export function headerBelow(space: PagedSpace, address: bigint): bigint | undefined {
  let page = address & ~0xfffn;
  for (let count = 0; count < REACH && page > 0n; count++, page -= 4096n) {
    const size = sizeOfImage(space, page);
    if (size !== undefined && page + BigInt(size) > address) return page;
  }
  return undefined;
}

/** SizeOfImage of the PE header at a page, or undefined where there is none. */
export function sizeOfImage(space: PagedSpace, base: bigint): number | undefined {
  return orElse(() => {
    if (space.readU16(base) !== 0x5a4d) return undefined;
    const header = space.readU32(base + 0x3cn);
    if (header > 0x1000 || space.readU32(base + BigInt(header)) !== 0x4550) return undefined;
    return space.readU32(base + BigInt(header) + 0x50n);
  }, undefined);
}

/** Virtual base of the kernel that an RSDS record belongs to; undefined where the tables do not map the record. */
export function kernelBase(space: PagedSpace, record: RsdsRecord): bigint | undefined {
  for (const address of virtualsOf(space, record.physical)) {
    const base = headerBelow(space, address);
    if (base !== undefined) return base;
  }
  return undefined;
}
