import { NO_FRAME } from './levels.js';
import type { PagedSpace } from './paged.js';
import { Amd64Space, I386Space, PaeSpace } from './x86.js';

/** arch/x86/include/asm/pgtable_types.h: _PAGE_PROTNONE is _PAGE_GLOBAL of an entry that is not present. */
const PROTNONE = 0x100;
/** _PAGE_PSE */
const LARGE = 0x80;
/** Bit 51 of an entry, the highest of the frame, in the high half. */
const HIGHEST_FRAME_BIT = 0x80000;
/** Bit 58 of an entry, in the high half. */
const HIGHEST_OFFSET_BIT = 1 << 26;

/**
 * The frame of a page that the processor faults on and the kernel still has there: PROT_NONE (also made by automatic NUMA
 * balancing), and a huge page while it is split (pmd_mkinvalid clears present and PROTNONE, leaves PSE; pmd_present()).
 *
 * Since 4.19 the frame's bits of entries that are not present are inverted (L1TF; kernel commit 6b28baca9b1f; also in
 * the stable kernels of August 2018). No machine has memory at bit 51: where that bit is set, the frame is inverted. PAE's frames have the same
 * width of 52 bits since that series ("Increase 32bit PAE __PHYSICAL_PAGE_SHIFT").
 */
function heldFrame(space: PagedSpace, level: number, low: number, high: number): number {
  const above = space.levels.length - 1 - level;
  // Huge pages stand one or two levels above the PTE; there, without PSE, it is a migration entry of a huge page.
  if (above > 2) return NO_FRAME;
  if (above === 0 ? (low & PROTNONE) === 0 : (low & LARGE) === 0) return NO_FRAME;
  const inverted = (high & HIGHEST_FRAME_BIT) !== 0;
  const frame = ((inverted ? ~high : high) & 0xfffff) * 0x100000 + ((inverted ? ~low : low) >>> 12);
  const { pages } = space.levels[level] as PagedSpace['levels'][number];
  return frame - (frame % pages);
}

/**
 * Where a page was swapped to. Of the 32 types the highest are no swap area: device, migration, poison and marker entries
 * (include/linux/swap.h: MAX_SWAPFILES); how many depends on the kernel's configuration.
 */
function swap(type: number, offset: bigint | number, layout = ''): string {
  const special = type >= 23 ? ' (a kernel entry for migration, device memory, poison or a marker, not a swap area)' : '';
  return `swap: type ${type} offset 0x${offset.toString(16)}${layout}${special}`;
}

/**
 * Entries of 64 bits. Since 4.19 (the same series: "Change order of offset/type in swap entry", "Protect PAE swap entries") the type is in bits 59 to 63 and the offset, inverted, in
 * bits 9 to 58, with PAE too (arch/x86/include/asm/pgtable_64.h, pgtable-3level.h). Before, x86-64 had the type in bits 9 to 13 and the
 * offset from bit 14 (since 4.8, 00839ee3b299), and PAE had both in the high half: type in bits 32 to 36, offset from bit 37.
 * The inverted offset of any swap area that exists has bit 58 set.
 */
function describe64(space: PagedSpace, level: number, low: number, high: number): string {
  if (low === 0 && high === 0) return 'not present';
  if (heldFrame(space, level, low, high) !== NO_FRAME) return (low & PROTNONE) !== 0 ? 'PROT_NONE' : 'huge page being split';
  if ((high & HIGHEST_OFFSET_BIT) !== 0) {
    const value = (BigInt(high) << 32n) | BigInt(low);
    return swap(high >>> 27, BigInt.asUintN(64, ~value << 5n) >> 14n);
  }
  const before = ' (as before 4.19)';
  if (space.bits === 32) return swap(high & 0x1f, high >>> 5, before);
  return swap((low >>> 9) & 0x1f, (low >>> 14) + high * 2 ** 18, before);
}

/** x86-64 as Linux uses it. */
export class LinuxAmd64Space extends Amd64Space {
  override softFrame(level: number, low: number, high: number): number {
    return heldFrame(this, level, low, high);
  }

  override describeEntry(level: number, low: number, high: number): string {
    return describe64(this, level, low, high);
  }
}

/** i386 with PAE as Linux uses it. */
export class LinuxPaeSpace extends PaeSpace {
  override softFrame(level: number, low: number, high: number): number {
    // Level 0 has no pages: its bits 7 and 8 are reserved.
    return level === 0 ? NO_FRAME : heldFrame(this, level, low, high);
  }

  override describeEntry(level: number, low: number, high: number): string {
    return level === 0 ? 'not present' : describe64(this, level, low, high);
  }
}

/**
 * i386 without PAE as Linux uses it. Its frames are never inverted; swap entries have the type in bits 1 to 5 and the offset
 * from bit 9 (arch/x86/include/asm/pgtable-2level.h; the type had seven bits in very old kernels, of which none used more than 5).
 */
export class LinuxI386Space extends I386Space {
  override softFrame(level: number, low: number, _high: number): number {
    return (low & PROTNONE) !== 0 && level === 1 ? low >>> 12 : NO_FRAME;
  }

  override describeEntry(level: number, low: number, _high: number): string {
    if (low === 0 || level === 0) return 'not present';
    return (low & PROTNONE) !== 0 ? 'PROT_NONE' : swap((low >>> 1) & 0x1f, low >>> 9);
  }
}
