import type { Page } from '../page.js';
import { PAGE_SIZE, pageNumber, pageOffset } from '../page.js';
import { AddressSpace } from '../space.js';
import { ALL_RIGHTS, combine, PageBits, pageFlags } from './flags.js';
import { leaves, type PageRun, type WalkLimits } from './leaves.js';
import { EntryKind, NO_FRAME, PAGE_NUMBERS, type PagingLevel, type PagingRegion } from './levels.js';
import { mappings, type Mapping, type MappingOptions } from './mappings.js';
import type { Translation, TranslationStep } from './translation.js';

const TLB_SETS = 512;
const TABLE_SLOTS = 64;

export interface PagedOptions {
  /** for people: `kernel`, `bash (135)` */
  readonly name?: string;
}

/**
 * An address space behind page tables. An architecture says what its levels and entries look like; walking, caching
 * and explaining is done here. An operating system's subclass may know pages behind entries that the
 * processor calls not present: {@link softFrame}, {@link emptyFrame} and {@link describeEntry}.
 *
 * Entries are handled as two 32-bit halves (`high` is 0 where entries have 32 bits); frames are 4 KiB page numbers of
 * the physical space.
 */
export abstract class PagedSpace extends AddressSpace {
  readonly name: string;
  abstract override readonly bits: 32 | 64;
  /** Top level first. */
  abstract readonly levels: readonly PagingLevel[];
  /** Ascending, not overlapping: the canonical addresses. */
  abstract readonly regions: readonly PagingRegion[];
  /** Bytes of an entry. */
  abstract readonly entrySize: 4 | 8;
  /** Byte offset of the top table in its page: not 0 only for PAE's 32-byte table. */
  readonly rootOffset: number = 0;

  /**
   * Software TLB of two ways: pairs (page number, frame). For repeated pages at random about a third faster than a direct-mapped
   * one of that size ("frameAt, warm" of test/bench/paging.bench.ts, the two run in turns; other figures did not move). Made when it is first needed: many spaces are never read.
   */
  private tlb: Float64Array | undefined;
  /**
   * Direct-mapped pairs (page number without its last-level index, x): x >= 0 is the frame of the last-level table,
   * x < NO_FRAME the large page's frame for that prefix as NO_FRAME - 1 - frame.
   */
  private tables: Float64Array | undefined;

  /**
   * @param physical the space that page tables and pages lie in; usually a PhysicalSpace
   * @param dtb physical address of the top-level page table: CR3, TTBR; its low (PCID, cache) bits are ignored
   */
  constructor(
    readonly physical: AddressSpace,
    readonly dtb: number,
    options: PagedOptions = {},
  ) {
    super();
    this.name = options.name ?? `dtb 0x${dtb.toString(16)}`;
  }

  /** What the processor makes of an entry of `levels[level]`. */
  abstract kindOf(level: number, low: number, high: number): EntryKind;

  /** The frame that a table or leaf entry names: of the next table, or of the first 4 KiB of the page. */
  abstract frameOf(level: number, low: number, high: number, kind: EntryKind): number;

  /** {@link PageBits} of an entry by itself. A level that has no say about rights allows everything. */
  abstract bitsOf(level: number, low: number, high: number, kind: EntryKind, page: number): number;

  /**
   * The frame behind an entry that the processor calls not present, or {@link NO_FRAME}: for operating systems, which
   * keep frames in such entries (Linux PROT_NONE, Windows transition pages). Called for entries that are not 0.
   * @param _page number of the page, for systems that look elsewhere for what the entry leaves out (Windows' VADs)
   */
  softFrame(_level: number, _low: number, _high: number, _page: number): number {
    return NO_FRAME;
  }

  /**
   * The frame of a page whose entry is empty, at whatever level, or {@link NO_FRAME}: for operating systems that describe a page elsewhere
   * until it is first touched (the views of files in Windows' VADs). Asked last, so that pages with entries do not pay for it; walks over the
   * tables (`leaves`, `mappings`) do not ask.
   */
  emptyFrame(_page: number): number {
    return NO_FRAME;
  }

  /** What the operating system reads on behind an entry that is not present: Windows' prototype, for example. For {@link walk} only. */
  behindEntry(_level: number, _low: number, _high: number, _page: number): readonly TranslationStep[] {
    return [];
  }

  /** Why an entry leads nowhere, or what a soft entry is: `not present`, `swap: type 0 offset 0x123`. */
  describeEntry(_level: number, _low: number, _high: number, _page: number): string {
    return 'not present';
  }

  override pageAt(number: number): Page | undefined {
    const frame = this.frameAt(number);
    return frame < 0 ? undefined : this.physical.pageAt(frame);
  }

  /** Page frame of a page, or {@link NO_FRAME}: {@link translate} for hot loops. The image need not hold the frame. */
  frameAt(number: number): number {
    const tlb = (this.tlb ??= emptyCache(TLB_SETS * 2));
    const set = (number & (TLB_SETS - 1)) << 2;
    if (tlb[set] === number) return tlb[set + 1] as number;
    if (tlb[set + 2] === number) return tlb[set + 3] as number;
    const frame = this.resolve(number);
    tlb[set + 2] = tlb[set] as number;
    tlb[set + 3] = tlb[set + 1] as number;
    tlb[set] = number;
    tlb[set + 1] = frame;
    return frame;
  }

  /** Physical address of a virtual one, or undefined where the tables map nothing. The image need not hold it. */
  translate(address: bigint): number | undefined {
    const frame = this.frameAt(pageNumber(address));
    return frame < 0 ? undefined : frame * PAGE_SIZE + pageOffset(address);
  }

  /** The way through the tables, level by level, and how it ends. Reads the tables, never the TLB. */
  walk(address: bigint): Translation {
    const number = pageNumber(address);
    const region = this.regionOf(number);
    if (!region) return { address, steps: [], reason: 'not a canonical address' };
    const steps: TranslationStep[] = [];
    let frame = region.root;
    let offset = this.rootOffset;
    let rights = ALL_RIGHTS;
    for (const [level, { name, alias, pages, entries }] of this.levels.entries()) {
      const at = offset + this.entrySize * ((number / pages) & (entries - 1));
      const where = frame * PAGE_SIZE + at;
      const table = this.physical.pageAt(frame);
      if (!table) return { address, steps, reason: `the image does not hold the ${alias} table at 0x${where.toString(16)}` };
      const low = table.view.getUint32(at, true);
      const high = this.entrySize === 8 ? table.view.getUint32(at + 4, true) : 0;
      const kind = this.kindOf(level, low, high);
      const empty = (low | high) === 0;
      const soft = kind !== EntryKind.absent ? NO_FRAME : empty ? this.emptyFrame(number) : this.softFrame(level, low, high, number);
      // What is known behind an empty entry is known for one page.
      const span = empty ? 1 : pages;
      const bits = this.bitsOf(level, low, high, kind, number) | (soft >= 0 && span > 1 ? PageBits.large : 0);
      rights = combine(rights, bits);
      const step = { name, alias, address: where, value: (BigInt(high) << 32n) | BigInt(low), flags: pageFlags(bits) };
      if (kind === EntryKind.table) {
        steps.push(step);
        frame = this.frameOf(level, low, high, kind);
        offset = 0;
        continue;
      }
      const absent = kind === EntryKind.absent;
      const reason = absent ? this.describeEntry(level, low, high, number) : undefined;
      const behind = absent ? this.behindEntry(level, low, high, number) : [];
      steps.push(reason === undefined ? step : { ...step, reason });
      const way = { address, steps, ...(behind.length > 0 ? { behind } : {}) };
      if (reason !== undefined && soft < 0) return { ...way, reason };
      const first = kind === EntryKind.leaf ? this.frameOf(level, low, high, kind) : soft;
      const physical = (first + (number % span)) * PAGE_SIZE + pageOffset(address);
      return { ...way, physical, flags: pageFlags(rights), pageSize: span * PAGE_SIZE };
    }
    return { address, steps, reason: 'the last level names another table' };
  }

  /**
   * What the tables map in `[from, to)`, ascending, one per page-table leaf (clipped to the range, which is widened to
   * whole pages), made as it is asked for. Flags are the effective rights over all levels.
   */
  mappings(from = 0n, to = 1n << 64n, options: MappingOptions = {}): Generator<Mapping, void, undefined> {
    return mappings(this, pageNumber(from < 0n ? 0n : from), endPage(to), options);
  }

  /** {@link mappings} in page numbers, for hot loops: pages `[from, to)`. */
  leaves(from = 0, to = PAGE_NUMBERS, limits: WalkLimits = {}): Generator<PageRun, void, undefined> {
    return leaves(this, from, to, limits);
  }

  /** Forgets all cached translations. */
  flush(): void {
    this.tlb?.fill(NaN);
    this.tables?.fill(NaN);
  }

  private regionOf(number: number): PagingRegion | undefined {
    for (const region of this.regions) if (number >= region.first && number < region.end) return region;
    return undefined;
  }

  private resolve(number: number): number {
    const levels = this.levels;
    const last = levels.length - 1;
    const { entries } = levels[last] as PagingLevel;
    const prefix = Math.floor(number / entries);
    const tables = (this.tables ??= emptyCache(TABLE_SLOTS));
    const slot = (prefix & (TABLE_SLOTS - 1)) << 1;
    if (tables[slot] === prefix) {
      const known = tables[slot + 1] as number;
      if (known < NO_FRAME) return NO_FRAME - 1 - known + (number & (entries - 1));
      return this.resolveLast(known, 0, last, number, entries);
    }
    const region = this.regionOf(number);
    if (!region) return NO_FRAME;
    let frame = region.root;
    let offset = this.rootOffset;
    for (let level = 0; level < last; level++) {
      const { pages, entries: count } = levels[level] as PagingLevel;
      const table = this.physical.pageAt(frame);
      if (!table) return NO_FRAME;
      // Dividing by a power of two is exact, and `&` drops the fraction.
      const at = offset + this.entrySize * ((number / pages) & (count - 1));
      const low = table.view.getUint32(at, true);
      const high = this.entrySize === 8 ? table.view.getUint32(at + 4, true) : 0;
      const kind = this.kindOf(level, low, high);
      if (kind !== EntryKind.table) {
        if ((low | high) === 0) return this.emptyFrame(number);
        const first = kind === EntryKind.leaf ? this.frameOf(level, low, high, kind) : this.softFrame(level, low, high, number);
        if (first < 0) return NO_FRAME;
        const inLarge = number % pages;
        tables[slot] = prefix;
        tables[slot + 1] = NO_FRAME - 1 - (first + inLarge - (number & (entries - 1)));
        return first + inLarge;
      }
      frame = this.frameOf(level, low, high, kind);
      offset = 0;
    }
    tables[slot] = prefix;
    tables[slot + 1] = frame;
    return this.resolveLast(frame, offset, last, number, entries);
  }

  private resolveLast(frame: number, offset: number, level: number, number: number, entries: number): number {
    const table = this.physical.pageAt(frame);
    if (!table) return NO_FRAME;
    const at = offset + this.entrySize * (number & (entries - 1));
    const low = table.view.getUint32(at, true);
    const high = this.entrySize === 8 ? table.view.getUint32(at + 4, true) : 0;
    const kind = this.kindOf(level, low, high);
    if (kind === EntryKind.leaf) return this.frameOf(level, low, high, kind);
    return (low | high) === 0 ? this.emptyFrame(number) : this.softFrame(level, low, high, number);
  }
}

function emptyCache(slots: number): Float64Array {
  return new Float64Array(slots * 2).fill(NaN);
}

function endPage(to: bigint): number {
  if (to <= 0n) return 0;
  return to >= 1n << 64n ? PAGE_NUMBERS : pageNumber(to + 0xfffn - ((to + 0xfffn) & 0xfffn));
}
