import type { AddressSpace } from '../space.js';
import { PageBits } from './flags.js';
import { EntryKind, type PagingLevel, type PagingRegion } from './levels.js';
import { PagedSpace, type PagedOptions } from './paged.js';

/** Bits of an x86 entry (Intel SDM vol. 3A, tables 4-4 to 4-20). */
const PRESENT = 0x1;
const WRITABLE = 0x2;
const USER = 0x4;
const ACCESSED = 0x20;
const DIRTY = 0x40;
const PAGE_SIZE_BIT = 0x80;
const GLOBAL = 0x100;
/** bit 63, in the high half */
const NO_EXECUTE = 0x80000000;
/** physical address bits 32 to 51, in the high half */
const HIGH_FRAME = 0xfffff;

function level(name: string, alias: string, entries: number, pages: number): PagingLevel {
  return { name, alias, entries, pages };
}

/** What all x86 paging modes share: the meaning of an entry's low bits. */
abstract class X86Space extends PagedSpace {
  /** Levels at which bit 7 makes an entry a leaf. */
  protected abstract readonly large: readonly boolean[];

  override kindOf(level: number, low: number, _high: number): EntryKind {
    if ((low & PRESENT) === 0) return EntryKind.absent;
    if (level === this.levels.length - 1) return EntryKind.leaf;
    return (low & PAGE_SIZE_BIT) !== 0 && this.large[level] === true ? EntryKind.leaf : EntryKind.table;
  }

  override bitsOf(level: number, low: number, high: number, kind: EntryKind, _page: number): number {
    let bits = 0;
    if ((low & PRESENT) !== 0) bits |= PageBits.present;
    if ((low & WRITABLE) !== 0) bits |= PageBits.writable;
    if ((low & USER) !== 0) bits |= PageBits.user;
    if ((low & ACCESSED) !== 0) bits |= PageBits.accessed;
    if ((high & NO_EXECUTE) !== 0) bits |= PageBits.noExecute;
    if (kind === EntryKind.leaf) {
      if ((low & DIRTY) !== 0) bits |= PageBits.dirty;
      if ((low & GLOBAL) !== 0) bits |= PageBits.global;
      if (level !== this.levels.length - 1) bits |= PageBits.large;
    }
    return bits;
  }

  override frameOf(level: number, low: number, high: number, kind: EntryKind): number {
    const frame = (high & HIGH_FRAME) * 0x100000 + (low >>> 12);
    if (kind !== EntryKind.leaf) return frame;
    // A large page's frame is aligned to it; the bits below (PAT) are no address.
    const { pages } = this.levels[level] as PagingLevel;
    return frame - (frame % pages);
  }
}

/** Long mode, 4 levels (48-bit addresses) or 5 (LA57, 57-bit addresses). */
export class Amd64Space extends X86Space {
  override readonly bits = 64;
  override readonly entrySize = 8;
  override readonly levels: readonly PagingLevel[];
  override readonly regions: readonly PagingRegion[];
  protected override readonly large: readonly boolean[];

  constructor(physical: AddressSpace, dtb: number, options: PagedOptions & { readonly levels?: 4 | 5 } = {}) {
    super(physical, dtb, options);
    const five = options.levels === 5;
    this.levels = [
      ...(five ? [level('PML5E', 'pgd', 512, 2 ** 36)] : []),
      level('PML4E', five ? 'p4d' : 'pgd', 512, 2 ** 27),
      level('PDPTE', 'pud', 512, 2 ** 18),
      level('PDE', 'pmd', 512, 512),
      level('PTE', 'pte', 512, 1),
    ];
    this.large = five ? [false, false, true, true, false] : [false, true, true, false];
    const half = five ? 2 ** 44 : 2 ** 35;
    const root = Math.floor(dtb / 4096) % 2 ** 40;
    this.regions = [
      { first: 0, end: half, base: 0, root },
      { first: 2 ** 52 - half, end: 2 ** 52, base: 2 ** 52 - 2 * half, root },
    ];
  }
}

/** 32-bit paging without PAE: 4 KiB and 4 MiB pages (PSE, with PSE-36's upper address bits). */
export class I386Space extends X86Space {
  override readonly bits = 32;
  override readonly entrySize = 4;
  override readonly levels = [level('PDE', 'pgd', 1024, 1024), level('PTE', 'pte', 1024, 1)];
  override readonly regions: readonly PagingRegion[];
  protected override readonly large = [true, false];

  constructor(physical: AddressSpace, dtb: number, options: PagedOptions = {}) {
    super(physical, dtb, options);
    this.regions = [{ first: 0, end: 2 ** 20, base: 0, root: Math.floor(dtb / 4096) }];
  }

  override frameOf(level: number, low: number, high: number, kind: EntryKind): number {
    if (kind !== EntryKind.leaf || level !== 0) return super.frameOf(level, low, high, kind);
    // Address bits 22 to 31, and 32 to 39 from bits 13 to 20 of the entry (PSE-36).
    return (low >>> 22) * 1024 + ((low >>> 13) & 0xff) * 0x100000;
  }
}

/** 32-bit paging with PAE: 4 KiB and 2 MiB pages, no-execute. The top table has four entries without rights. */
export class PaeSpace extends X86Space {
  override readonly bits = 32;
  override readonly entrySize = 8;
  override readonly levels = [level('PDPTE', 'pgd', 4, 2 ** 18), level('PDE', 'pmd', 512, 512), level('PTE', 'pte', 512, 1)];
  override readonly regions: readonly PagingRegion[];
  override readonly rootOffset: number;
  protected override readonly large = [false, true, false];

  constructor(physical: AddressSpace, dtb: number, options: PagedOptions = {}) {
    super(physical, dtb, options);
    this.rootOffset = dtb % 4096 & 0xfe0;
    this.regions = [{ first: 0, end: 2 ** 20, base: 0, root: Math.floor(dtb / 4096) }];
  }

  override bitsOf(level: number, low: number, high: number, kind: EntryKind, page: number): number {
    const bits = super.bitsOf(level, low, high, kind, page);
    return level === 0 ? bits | PageBits.writable | PageBits.user : bits;
  }
}
