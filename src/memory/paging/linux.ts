import { NO_FRAME, type PagedSpace } from './paged.js';
import { Amd64Space, I386Space, PaeSpace } from './x86.js';

/** arch/x86/include/asm/pgtable_types.h: _PAGE_PROTNONE is _PAGE_GLOBAL of an entry that is not present. */
const PROTNONE = 0x100;
const LARGE = 0x80;

/**
 * The frame of a PROT_NONE page: the processor faults on it, the kernel still has it there. Since 4.19 the frame's bits are
 * inverted (L1TF; 6b28baca9b1f); where that leads out of the image, they are taken as they are.
 */
function protNoneFrame(space: PagedSpace, level: number, low: number, high: number): number {
  const leaf = level === space.levels.length - 1 || (low & LARGE) !== 0;
  if ((low & PROTNONE) === 0 || !leaf) return NO_FRAME;
  const inverted = (~high & 0xfffff) * 0x100000 + (~low >>> 12);
  if (space.physical.pageAt(inverted)) return inverted;
  const plain = (high & 0xfffff) * 0x100000 + (low >>> 12);
  return space.physical.pageAt(plain) ? plain : NO_FRAME;
}

/** Swap entries of x86-64: type in bits 59 to 63, inverted offset in bits 9 to 58 (arch/x86/include/asm/pgtable_64.h). */
function describe64(low: number, high: number): string {
  if (low === 0 && high === 0) return 'not present';
  if ((low & PROTNONE) !== 0) return 'PROT_NONE: in memory, no access';
  const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const offset = BigInt.asUintN(64, ~value << 5n) >> 14n;
  return `swapped out: type ${value >> 59n}, offset 0x${offset.toString(16)}`;
}

function describe32(low: number, high: number): string {
  if (low === 0 && high === 0) return 'not present';
  if ((low & PROTNONE) !== 0) return 'PROT_NONE: in memory, no access';
  return `swapped out: entry 0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`;
}

/** x86-64 as Linux uses it. */
export class LinuxAmd64Space extends Amd64Space {
  override softFrame(level: number, low: number, high: number): number {
    return protNoneFrame(this, level, low, high);
  }

  override describeEntry(_level: number, low: number, high: number): string {
    return describe64(low, high);
  }
}

/** i386 with PAE as Linux uses it. */
export class LinuxPaeSpace extends PaeSpace {
  override softFrame(level: number, low: number, high: number): number {
    return protNoneFrame(this, level, low, high);
  }

  override describeEntry(_level: number, low: number, high: number): string {
    return describe32(low, high);
  }
}

/** i386 without PAE as Linux uses it. Its frames are never inverted (arch/x86/include/asm/pgtable-2level.h). */
export class LinuxI386Space extends I386Space {
  override softFrame(level: number, low: number, _high: number): number {
    return (low & PROTNONE) !== 0 && level === 1 ? low >>> 12 : NO_FRAME;
  }

  override describeEntry(_level: number, low: number, high: number): string {
    return describe32(low, high);
  }
}
