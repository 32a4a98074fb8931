import type { AddressSpace } from '../space.js';
import { EntryKind, NO_FRAME, type PagedOptions } from './paged.js';
import { Amd64Space, I386Space, PaeSpace } from './x86.js';

/** Bits of entries that the processor calls not present (`_MMPTE_SOFTWARE`, `_MMPTE_TRANSITION`, `_MMPTE_PROTOTYPE`; the same on all of x86). */
const PROTOTYPE = 1 << 10;
const TRANSITION = 1 << 11;
/** `_MMPTE_SUBSECTION` of a prototype that leads to a file has the prototype bit as well. */
const PROTECTION_SHIFT = 5;

/** What a kernel build says of its software entries: bit positions from its `_MMPTE_SOFTWARE`, the mask of its mitigations. */
export interface WindowsPte {
  /** where the page file's number stands: bit 1 until Windows 7, 12 since Windows 10; 4 bits */
  readonly pageFileLow: number;
  /** where the page in the page file stands: bit 32 */
  readonly pageFileHigh: number;
  /** `_MMPTE_SOFTWARE.SwizzleBit` (since August 2018), or undefined */
  readonly swizzleBit?: number;
  /** exclusive-or of frames in entries without that bit: `nt!MiState.Hardware.InvalidPteMask` */
  readonly invalidMask?: bigint;
}

/** What Windows has behind an entry. */
export type WindowsEntry =
  | { readonly kind: 'transition'; readonly frame: number }
  /** `address` of the prototype; undefined: the VAD leads to it */
  | { readonly kind: 'prototype'; readonly address: bigint | undefined }
  | { readonly kind: 'pagefile'; readonly file: number; readonly offset: bigint }
  | { readonly kind: 'demand-zero' }
  | { readonly kind: 'none' };

export interface WindowsPagedOptions extends PagedOptions {
  readonly pte?: WindowsPte;
  /** the kernel's space, in which prototypes lie; default: this one */
  readonly kernel?: AddressSpace;
  /** The address of the prototype of a page that only its VAD describes; undefined where it has none. */
  readonly prototypeOf?: (page: number) => bigint | undefined;
}

const DEFAULT_PTE: WindowsPte = { pageFileLow: 1, pageFileHigh: 32 };

/** What the three paging modes share. Source: the public types of ntoskrnl; Windows Internals, 7th ed., part 1, chapter 5 ("Invalid PTEs", "Prototype PTEs"). */
class WindowsEntries {
  readonly pte: WindowsPte;

  constructor(
    private readonly space: AddressSpace & { readonly entrySize: 4 | 8 },
    private readonly options: WindowsPagedOptions,
    /** the address that a prototype entry names; undefined where the VAD does */
    private readonly prototypeAddress: (low: number, high: number) => bigint | undefined,
  ) {
    this.pte = options.pte ?? DEFAULT_PTE;
  }

  decode(low: number, high: number): WindowsEntry {
    if ((low & PROTOTYPE) !== 0) return { kind: 'prototype', address: this.prototypeAddress(low, high) };
    if ((low & TRANSITION) !== 0) return { kind: 'transition', frame: this.transitionFrame(low, high) };
    const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
    const wide = this.space.entrySize === 8;
    const file = Number((value >> BigInt(this.pte.pageFileLow)) & 0xfn);
    const page = wide ? (value >> BigInt(this.pte.pageFileHigh)) & 0xffffffffn : BigInt(low >>> 12);
    if (page !== 0n) return { kind: 'pagefile', file, offset: page * 4096n };
    return ((low >>> PROTECTION_SHIFT) & 0x1f) !== 0 ? { kind: 'demand-zero' } : { kind: 'none' };
  }

  /** The frame behind an entry, through its prototype where it has one. */
  frame(low: number, high: number, page: number): number {
    const entry = this.decode(low, high);
    if (entry.kind === 'transition') return entry.frame;
    if (entry.kind !== 'prototype') return NO_FRAME;
    const address = entry.address ?? this.options.prototypeOf?.(page);
    return address === undefined ? NO_FRAME : this.prototypeFrame(address);
  }

  /** The frame that a prototype names: valid or in transition; others are on disk. */
  private prototypeFrame(address: bigint): number {
    const value = this.readPrototype(address);
    if (value === undefined) return NO_FRAME;
    const [low, high] = value;
    if ((low & 1) !== 0) return this.hardwareFrame(low, high);
    return (low & (TRANSITION | PROTOTYPE)) === TRANSITION ? this.transitionFrame(low, high) : NO_FRAME;
  }

  describe(low: number, high: number, page: number): string {
    const entry = this.decode(low, high);
    switch (entry.kind) {
      case 'transition':
        return 'transition: on the standby or modified list, still in memory';
      case 'pagefile':
        return `in page file ${entry.file} at offset 0x${entry.offset.toString(16)}`;
      case 'demand-zero':
        return 'demand zero: never touched';
      case 'none':
        return 'not present';
      case 'prototype': {
        const address = entry.address ?? this.options.prototypeOf?.(page);
        if (address === undefined) return 'described by its VAD';
        const way = `${entry.address === undefined ? 'described by its VAD, ' : ''}prototype at 0x${address.toString(16)}`;
        return `${way}: ${this.describePrototype(address)}`;
      }
    }
  }

  private describePrototype(address: bigint): string {
    const value = this.readPrototype(address);
    if (value === undefined) return 'which cannot be read';
    const [low, high] = value;
    if ((low & 1) !== 0) return 'valid, shared';
    if ((low & PROTOTYPE) !== 0) return 'still in its file';
    if ((low & TRANSITION) !== 0) return 'in transition, still in memory';
    const entry = this.decode(low, high);
    return entry.kind === 'pagefile' ? `in page file ${entry.file} at offset 0x${entry.offset.toString(16)}` : 'demand zero: never touched';
  }

  private readPrototype(address: bigint): [number, number] | undefined {
    const kernel = this.options.kernel ?? this.space;
    const size = this.space.entrySize;
    const { bytes, gaps } = kernel.readPartial(address, size);
    if (gaps.length > 0) return undefined;
    return [bytes.readUInt32LE(0), size === 8 ? bytes.readUInt32LE(4) : 0];
  }

  private hardwareFrame(low: number, high: number): number {
    return (high & 0xfffff) * 0x100000 + (low >>> 12);
  }

  /** A transition entry's frame: 36 bits on amd64 (40 in later builds), unmasked where the build hides frames from speculation. */
  private transitionFrame(low: number, high: number): number {
    const { swizzleBit, invalidMask } = this.pte;
    if (swizzleBit === undefined || invalidMask === undefined || (low & (1 << swizzleBit)) !== 0) return this.hardwareFrame(low, high);
    const value = ((BigInt(high) << 32n) | BigInt(low >>> 0)) & ~invalidMask;
    return Number((value >> 12n) & 0xffffffffffn);
  }
}

/** x86-64 as Windows uses it. */
export class WindowsAmd64Space extends Amd64Space {
  readonly software: WindowsEntries;

  constructor(physical: AddressSpace, dtb: number, options: WindowsPagedOptions & { readonly levels?: 4 | 5 } = {}) {
    super(physical, dtb, options);
    this.software = new WindowsEntries(this, options, (low, high) => {
      // ProtoAddress is bits 16 to 63, with its sign; all ones lead to the VAD.
      const address = BigInt.asUintN(64, BigInt.asIntN(48, ((BigInt(high) << 32n) | BigInt(low >>> 0)) >> 16n));
      return address === 0xffffffffffff0000n ? undefined : address;
    });
  }

  override kindOf(level: number, low: number, high: number): EntryKind {
    const kind = super.kindOf(level, low, high);
    // A page of page tables may itself be in transition.
    return kind === EntryKind.absent && level < this.levels.length - 1 && (low & (TRANSITION | PROTOTYPE)) === TRANSITION ? EntryKind.table : kind;
  }

  override softFrame(level: number, low: number, high: number, page: number): number {
    return level === this.levels.length - 1 ? this.software.frame(low, high, page) : NO_FRAME;
  }

  override describeEntry(level: number, low: number, high: number, page: number): string {
    return level === this.levels.length - 1 ? this.software.describe(low, high, page) : 'not present';
  }
}

/** i386 with PAE as Windows uses it: prototypes are named by the high half. */
export class WindowsPaeSpace extends PaeSpace {
  readonly software: WindowsEntries;

  constructor(physical: AddressSpace, dtb: number, options: WindowsPagedOptions = {}) {
    super(physical, dtb, options);
    this.software = new WindowsEntries(this, options, (_low, high) => (high === 0xffffffff ? undefined : BigInt(high >>> 0)));
  }

  override kindOf(level: number, low: number, high: number): EntryKind {
    const kind = super.kindOf(level, low, high);
    return kind === EntryKind.absent && level === 1 && (low & (TRANSITION | PROTOTYPE)) === TRANSITION ? EntryKind.table : kind;
  }

  override softFrame(level: number, low: number, high: number, page: number): number {
    return level === 2 ? this.software.frame(low, high, page) : NO_FRAME;
  }

  override describeEntry(level: number, low: number, high: number, page: number): string {
    return level === 2 ? this.software.describe(low, high, page) : 'not present';
  }
}

/**
 * i386 without PAE as Windows uses it. A prototype entry holds bits 2 to 8 of the prototype's distance from the paged pool in its
 * bits 1 to 7, and the rest from bit 11 on (`_MMPTE_PROTOTYPE`); without the pool's start it leads nowhere.
 */
export class WindowsI386Space extends I386Space {
  readonly software: WindowsEntries;

  constructor(physical: AddressSpace, dtb: number, options: WindowsPagedOptions & { readonly prototypeBase?: bigint } = {}) {
    super(physical, dtb, options);
    this.software = new WindowsEntries(this, options, (low) => {
      if (low >>> 11 === 0x1fffff || options.prototypeBase === undefined) return undefined;
      return options.prototypeBase + BigInt((low >>> 11) * 512 + (((low >>> 1) & 0x7f) << 2));
    });
  }

  override kindOf(level: number, low: number, high: number): EntryKind {
    const kind = super.kindOf(level, low, high);
    return kind === EntryKind.absent && level === 0 && (low & (TRANSITION | PROTOTYPE)) === TRANSITION ? EntryKind.table : kind;
  }

  override softFrame(level: number, low: number, high: number, page: number): number {
    return level === 1 ? this.software.frame(low, high, page) : NO_FRAME;
  }

  override describeEntry(level: number, low: number, high: number, page: number): string {
    return level === 1 ? this.software.describe(low, high, page) : 'not present';
  }
}
