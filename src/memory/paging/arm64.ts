import type { AddressSpace } from '../space.js';
import { PageBits } from './flags.js';
import { EntryKind, type PagingLevel, type PagingRegion } from './levels.js';
import { PagedSpace, type PagedOptions } from './paged.js';

/** Bits of a stage 1 descriptor (Arm ARM DDI 0487, D8.3 "Translation table descriptor formats"). */
const VALID = 0x1;
/** with VALID: a table (levels 0 to 2) or a page (level 3); without: a block */
const TABLE = 0x2;
const AP_USER = 0x40;
const AP_READ_ONLY = 0x80;
const ACCESS_FLAG = 0x400;
const NOT_GLOBAL = 0x800;
/** dirty bit modifier, bit 51; UXN bit 54, PXN bit 53: in the high half */
const DIRTY_MODIFIER = 1 << 19;
const PXN = 1 << 21;
const UXN = 1 << 22;
/** table descriptors: APTable[1] bit 62, APTable[0] bit 61, UXNTable bit 60, PXNTable bit 59, in the high half */
const TABLE_READ_ONLY = 1 << 30;
const TABLE_NO_USER = 1 << 29;
const TABLE_UXN = 1 << 28;
const TABLE_PXN = 1 << 27;
/** output address bits 32 to 47, in the high half */
const HIGH_FRAME = 0xffff;

/** VMSAv8-64, 4 KiB granule, 48-bit addresses: user tables at TTBR0, kernel tables at TTBR1. */
export class Arm64Space extends PagedSpace {
  override readonly bits = 64;
  override readonly entrySize = 8;
  override readonly levels: readonly PagingLevel[] = [
    { name: 'L0', alias: 'pgd', entries: 512, pages: 2 ** 27 },
    { name: 'L1', alias: 'pud', entries: 512, pages: 2 ** 18 },
    { name: 'L2', alias: 'pmd', entries: 512, pages: 512 },
    { name: 'L3', alias: 'pte', entries: 512, pages: 1 },
  ];
  override readonly regions: readonly PagingRegion[];

  /**
   * @param dtb physical address of the kernel's table (TTBR1)
   * @param options `userDtb`: physical address of the process's table (TTBR0); without it the low half is empty
   */
  constructor(physical: AddressSpace, dtb: number, options: PagedOptions & { readonly userDtb?: number } = {}) {
    super(physical, dtb, options);
    const frame = (address: number): number => Math.floor(address / 4096) % 2 ** 36;
    this.regions = [
      ...(options.userDtb === undefined ? [] : [{ first: 0, end: 2 ** 36, base: 0, root: frame(options.userDtb) }]),
      { first: 2 ** 52 - 2 ** 36, end: 2 ** 52, base: 2 ** 52 - 2 ** 36, root: frame(dtb) },
    ];
  }

  override kindOf(level: number, low: number, _high: number): EntryKind {
    if ((low & VALID) === 0) return EntryKind.absent;
    if (level === 3) return (low & TABLE) !== 0 ? EntryKind.leaf : EntryKind.absent;
    if ((low & TABLE) !== 0) return EntryKind.table;
    // Blocks exist at levels 1 (1 GiB) and 2 (2 MiB).
    return level === 0 ? EntryKind.absent : EntryKind.leaf;
  }

  override frameOf(level: number, low: number, high: number, kind: EntryKind): number {
    const frame = (high & HIGH_FRAME) * 0x100000 + (low >>> 12);
    const { pages } = this.levels[level] as PagingLevel;
    return kind === EntryKind.leaf ? frame - (frame % pages) : frame;
  }

  override bitsOf(level: number, low: number, high: number, kind: EntryKind, page: number): number {
    // Execution is asked of whoever owns that half: user code below, the kernel above.
    const kernel = page >= 2 ** 51;
    let bits = (low & VALID) !== 0 ? PageBits.present : 0;
    if (kind === EntryKind.table) {
      if ((high & TABLE_READ_ONLY) === 0) bits |= PageBits.writable;
      if ((high & TABLE_NO_USER) === 0) bits |= PageBits.user;
      if ((high & (kernel ? TABLE_PXN : TABLE_UXN)) !== 0) bits |= PageBits.noExecute;
      return bits;
    }
    const readOnly = (low & AP_READ_ONLY) !== 0;
    const dirtyManaged = (high & DIRTY_MODIFIER) !== 0;
    // A page whose dirty state hardware manages is writable; read-only then means clean.
    if (!readOnly || dirtyManaged) bits |= PageBits.writable;
    if (dirtyManaged && !readOnly) bits |= PageBits.dirty;
    if ((low & AP_USER) !== 0) bits |= PageBits.user;
    if ((low & ACCESS_FLAG) !== 0) bits |= PageBits.accessed;
    if ((low & NOT_GLOBAL) === 0) bits |= PageBits.global;
    if ((high & (kernel ? PXN : UXN)) !== 0) bits |= PageBits.noExecute;
    if (level !== 3) bits |= PageBits.large;
    return bits;
  }
}
