import { pageNumber, pageOffset } from '../page.js';
import type { AddressSpace } from '../space.js';
import { PageBits, pageFlags } from './flags.js';
import { NO_FRAME } from './levels.js';
import type { PagedOptions } from './paged.js';
import type { TranslationStep } from './translation.js';

/** Bits of entries that the processor calls not present (`_MMPTE_SOFTWARE`, `_MMPTE_TRANSITION`, `_MMPTE_PROTOTYPE`; the same on all of x86). */
const PRESENT = 1;
const WRITABLE = 2;
export const PROTOTYPE = 1 << 10;
export const TRANSITION = 1 << 11;
const PROTECTION_SHIFT = 5;
const PROTECTION_MASK = 0x1f;

/** A prototype may lie in a page that has a prototype itself (session space); a chain that is longer is a lie. */
const DEEPEST = 4;

/** Addresses in entries of 32 bits, which have no room for a whole one: each build packs them in its own way. Undefined where what they count from is not known. */
export interface NarrowAddresses {
  prototype(entry: number): bigint | undefined;
  subsection(entry: number): bigint | undefined;
}

/** What a kernel build says of its software entries: bit positions from its types, the mask of its mitigations. */
export interface WindowsPte {
  /** where the page file's number stands: bit 1 until Windows 10 1607, 12 since 1703; 4 bits */
  readonly pageFileLow: number;
  /** where the page in the page file stands: bit 32, 12 in entries of 32 bits */
  readonly pageFileHigh: number;
  /** bits of a frame in `_MMPTE_TRANSITION`, from bit 12: 28 to 36 on amd64, 26 with PAE */
  readonly frameBits?: number;
  /** `_MMPTE_SOFTWARE.SwizzleBit` (since August 2018): set where the entry is as it is */
  readonly swizzleBit?: number;
  /** what is added to entries without that bit, so that no processor speculates on their frames (L1TF): `nt!MiState.Hardware.InvalidPteMask` */
  readonly invalidMask?: bigint;
  /** i386 without PAE */
  readonly narrow?: NarrowAddresses;
}

/** What Windows has behind an entry. */
export type WindowsEntry =
  | { readonly kind: 'valid'; readonly frame: number }
  | { readonly kind: 'transition'; readonly frame: number }
  /** `address` of the prototype; undefined: the VAD leads to it */
  | { readonly kind: 'prototype'; readonly address: bigint | undefined }
  /** of prototypes only: the part of a file that the page is to be read from (`_SUBSECTION`) */
  | { readonly kind: 'subsection'; readonly address: bigint | undefined }
  /** `offset` in bytes */
  | { readonly kind: 'pagefile'; readonly file: number; readonly offset: bigint }
  | { readonly kind: 'demand-zero' }
  | { readonly kind: 'none' };

/** What the kernel's own structures say of places that entries lead to, in words. Undefined where they say nothing. */
export interface WindowsNames {
  /** the file and offset of a prototype: `\Windows\System32\ntdll.dll +0x1a000`; `page` is the virtual page that it was reached for */
  prototype(address: bigint, page: number): string | undefined;
  /** name of a page file */
  pageFile(file: number): string | undefined;
  /** what region a page belongs to: `private READWRITE region` */
  region(page: number): string | undefined;
}

export interface WindowsPagedOptions extends PagedOptions {
  readonly pte?: WindowsPte;
  /** the kernel's space, in which prototypes lie; default: this one */
  readonly kernel?: AddressSpace;
  /** The address of the prototype of a page that only its VAD describes; undefined where it has none. */
  readonly prototypeOf?: (page: number) => bigint | undefined;
  readonly names?: WindowsNames;
}

const DEFAULT_PTE: WindowsPte = { pageFileLow: 1, pageFileHigh: 32 };

/** The space whose entries are decoded. */
interface Owner extends AddressSpace {
  readonly entrySize: 4 | 8;
}

/**
 * The entries of a Windows address space that are not present. Sources: the public types of ntoskrnl; Windows Internals, 7th ed., part 1,
 * chapter 5 ("Invalid PTEs", "Prototype PTEs"); M. Cohen, "Forensic analysis of Windows user space applications through heap allocations" (2015).
 */
export class WindowsEntries {
  readonly pte: WindowsPte;
  private depth = 0;

  constructor(
    private readonly space: Owner,
    private readonly options: WindowsPagedOptions,
  ) {
    this.pte = options.pte ?? DEFAULT_PTE;
  }

  private get kernel(): AddressSpace {
    return this.options.kernel ?? this.space;
  }

  /** An entry of the last level of page tables. */
  decode(low: number, high: number): WindowsEntry {
    if ((low & PRESENT) !== 0) return { kind: 'valid', frame: (high & 0xfffff) * 0x100000 + (low >>> 12) };
    const above = this.plainHigh(low, high);
    if ((low & PROTOTYPE) !== 0) return { kind: 'prototype', address: this.prototypeAddress(low, above) };
    return this.unshared(low, above);
  }

  /** An entry in an array of prototypes: as {@link decode}, but that the prototype bit leads to a file. */
  decodePrototype(low: number, high: number): WindowsEntry {
    if ((low & PRESENT) !== 0 || (low & PROTOTYPE) === 0) return this.decode(low, high);
    return { kind: 'subsection', address: this.wholeAddress(low, this.plainHigh(low, high), 'subsection') };
  }

  /** Neither present nor a prototype. */
  private unshared(low: number, high: number): WindowsEntry {
    if ((low & TRANSITION) !== 0) return { kind: 'transition', frame: this.frameIn(low, high) };
    const { pageFileLow, pageFileHigh } = this.pte;
    const wide = this.space.entrySize === 8;
    const page = wide ? ((pageFileHigh === 32 ? high : Number(((BigInt(high) << 32n) | BigInt(low)) >> BigInt(pageFileHigh))) >>> 0) : low >>> 12;
    if (page !== 0) return { kind: 'pagefile', file: (low >>> pageFileLow) & 0xf, offset: BigInt(page) * 4096n };
    return ((low >>> PROTECTION_SHIFT) & PROTECTION_MASK) !== 0 ? { kind: 'demand-zero' } : { kind: 'none' };
  }

  /** The frame behind an entry, through its prototype where it has one. */
  frame(low: number, high: number, page: number): number {
    if ((low & PROTOTYPE) === 0) return (low & TRANSITION) === 0 ? NO_FRAME : this.transitionFrame(low, high);
    const address = this.prototypeAddress(low, this.plainHigh(low, high)) ?? this.options.prototypeOf?.(page);
    return address === undefined ? NO_FRAME : this.prototypeFrame(address);
  }

  /** The frame of a page that has no entry: the processor would fault, and the kernel would find its prototype by the VAD. */
  emptyFrame(page: number): number {
    const address = this.options.prototypeOf?.(page);
    return address === undefined ? NO_FRAME : this.prototypeFrame(address);
  }

  /** A transition entry's frame, without what the build adds to it. */
  transitionFrame(low: number, high: number): number {
    return this.frameIn(low, this.plainHigh(low, high));
  }

  private frameIn(low: number, high: number): number {
    const bits = (this.pte.frameBits ?? 40) - 20;
    return (bits <= 0 ? 0 : high & (2 ** bits - 1)) * 0x100000 + (low >>> 12);
  }

  /** The high half of an entry without what was added to it. The mask lies there: bits that no physical address of the machine has. */
  private plainHigh(low: number, high: number): number {
    const { swizzleBit } = this.pte;
    if (swizzleBit === undefined || (low & (1 << swizzleBit)) !== 0) return high;
    const { invalidMask } = this.pte;
    return invalidMask === undefined ? high : (high & ~Number(invalidMask >> 32n)) >>> 0;
  }

  /** The address that a prototype entry names; undefined where it says that the VAD does (`MI_PTE_LOOKUP_NEEDED`: all ones where a page of a page file would stand). */
  private prototypeAddress(low: number, high: number): bigint | undefined {
    if (this.space.entrySize === 4 ? low >>> 12 === 0xfffff : high === 0xffffffff) return undefined;
    return this.wholeAddress(low, high, 'prototype');
  }

  private wholeAddress(low: number, high: number, what: 'prototype' | 'subsection'): bigint | undefined {
    if (this.space.entrySize === 4) return this.pte.narrow?.[what](low);
    if (this.space.bits === 32) return BigInt(high);
    // Bits 16 to 63, with their sign.
    return BigInt.asUintN(64, BigInt.asIntN(48, (BigInt(high) << 16n) | BigInt(low >>> 16)));
  }

  /** The frame that a prototype names: valid or in transition; others are on disk. */
  private prototypeFrame(address: bigint): number {
    const value = this.readPrototype(address);
    if (value === undefined) return NO_FRAME;
    const [low, high] = value;
    if ((low & PRESENT) !== 0) return (high & 0xfffff) * 0x100000 + (low >>> 12);
    return (low & (TRANSITION | PROTOTYPE)) === TRANSITION ? this.transitionFrame(low, high) : NO_FRAME;
  }

  private readPrototype(address: bigint): [number, number] | undefined {
    const size = this.space.entrySize;
    const offset = pageOffset(address);
    if (this.depth >= DEEPEST || offset % size !== 0) return undefined;
    this.depth++;
    try {
      const page = this.kernel.pageAt(pageNumber(address));
      return page && [page.view.getUint32(offset, true), size === 8 ? page.view.getUint32(offset + 4, true) : 0];
    } finally {
      this.depth--;
    }
  }

  /** What an entry that is not present means. */
  describe(low: number, high: number, page: number): string {
    const entry = this.decode(low, high);
    if (entry.kind !== 'prototype') return this.words(entry, page);
    return entry.address === undefined ? this.byRegion(page) : `prototype at 0x${entry.address.toString(16)}: ${this.describePrototype(entry.address, page)}`;
  }

  /** What no entry means. */
  describeEmpty(page: number): string {
    return this.options.prototypeOf === undefined ? 'not present' : this.byRegion(page);
  }

  private byRegion(page: number): string {
    const address = this.options.prototypeOf?.(page);
    if (address !== undefined) return `described by its VAD, prototype at 0x${address.toString(16)}: ${this.describePrototype(address, page)}`;
    if (this.options.prototypeOf === undefined) return 'described by its VAD';
    const region = this.options.names?.region(page);
    return region === undefined ? 'not present, and in no region (VAD)' : `demand zero: never touched, in a ${region}`;
  }

  private describePrototype(address: bigint, page: number): string {
    const value = this.readPrototype(address);
    if (value === undefined) return 'which cannot be read';
    const entry = this.decodePrototype(...value);
    const place = this.options.names?.prototype(address, page);
    const of = place === undefined ? '' : `, ${place}`;
    switch (entry.kind) {
      case 'valid':
        return `valid, shared${of}`;
      case 'transition':
        return `in transition, still in memory${of}`;
      case 'subsection':
        return `not in memory, still in its file${place === undefined ? (entry.address === undefined ? '' : `, subsection 0x${entry.address.toString(16)}`) : ` ${place}`}`;
      case 'none':
        return `empty, not in memory${of}`;
      default:
        return `${this.words(entry, page)}${of}`;
    }
  }

  /** What an entry means, but for what a prototype or a file is behind it. `page`: the virtual page that it is of, where that is known. */
  words(entry: WindowsEntry, page = Infinity): string {
    switch (entry.kind) {
      case 'valid':
        return 'valid';
      case 'transition':
        return 'transition: on the standby or modified list, still in memory';
      case 'pagefile': {
        const name = this.options.names?.pageFile(entry.file);
        return `in page file ${entry.file}${name === undefined ? '' : ` (${name})`} at offset 0x${entry.offset.toString(16)}`;
      }
      case 'demand-zero': {
        const region = this.options.names?.region(page);
        return `demand zero: never touched${region === undefined ? '' : `, in a ${region}`}`;
      }
      default:
        return 'not present';
    }
  }

  /** The prototype behind an entry, as a further step of its way. */
  behind(low: number, high: number, page: number): readonly TranslationStep[] {
    const entry = (low | high) === 0 ? ({ kind: 'prototype', address: undefined } as const) : this.decode(low, high);
    if (entry.kind !== 'prototype') return [];
    const address = entry.address ?? this.options.prototypeOf?.(page);
    const value = address === undefined ? undefined : this.readPrototype(address);
    const physical = address === undefined ? undefined : physicalOf(this.kernel, address);
    if (address === undefined || value === undefined || physical === undefined) return [];
    const [low2, high2] = value;
    const flags = pageFlags((low2 & PRESENT) !== 0 ? PageBits.present | ((low2 & WRITABLE) !== 0 ? PageBits.writable : 0) : 0);
    return [{ name: 'prototype', alias: 'prototype', address: physical, value: (BigInt(high2) << 32n) | BigInt(low2), flags, reason: `at 0x${address.toString(16)}: ${this.describePrototype(address, page)}` }];
  }
}

function physicalOf(space: AddressSpace, address: bigint): number | undefined {
  return 'translate' in space && typeof space.translate === 'function' ? (space.translate(address) as number | undefined) : undefined;
}
