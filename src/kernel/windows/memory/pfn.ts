import { Absent, orElse } from '../../../memory/absent.js';
import { nextReadablePage } from '../../../memory/extents.js';
import { PAGE_SIZE, pageNumber, pageOffset } from '../../../memory/page.js';
import type { Struct } from '../../../object/struct.js';
import type { StructType } from '../../../object/struct-type.js';
import { extract, type Field, fieldAt } from '../fields.js';
import type { WindowsKernel } from '../kernel.js';
import { entrySizeOf } from './pte.js';

/** `_MMPFN.u3.e1.PageLocation` (ntos/mm: MMLISTS; Windows Internals, 7th ed., part 1, chapter 5, "Page frame number database"). */
export const LISTS = ['Zeroed', 'Free', 'Standby', 'Modified', 'ModifiedNoWrite', 'Bad', 'Active', 'Transition'] as const;
/** `_MI_PFN_CACHE_ATTRIBUTE` */
export const CACHING = ['non-cached', 'cached', 'write-combined', 'not mapped'] as const;

/** Where builds keep what; the first path that a build has is taken. */
const PATHS = {
  list: ['u3.e1.PageLocation'],
  // A bit of the flags until Server 2003, of the frame's word since Vista.
  prototype: ['u4.PrototypePte', 'u3.e1.PrototypePte'],
  pteFrame: ['u4.PteFrame'],
  references: ['u3.e2.ReferenceCount', 'u3.ReferenceCount'],
  shares: ['u2.ShareCount'],
  // Of the frame's word in Server 2003, of the flags since Vista, in a byte of their own since Windows 10.
  priority: ['u3.e1.Priority', 'u3.e3.Priority', 'u4.Priority'],
  caching: ['u3.e1.CacheAttribute'],
  color: ['u4.PageColor', 'u3.e1.PageColor'],
} as const;

/** What the database says of a page. Numbers: frames and counts. */
export interface PageFrame {
  readonly frame: number;
  /** index into {@link LISTS} */
  readonly list: number;
  /** true where {@link pte} is one of a section's prototypes */
  readonly prototype: boolean;
  /** address of the entry that leads to the page; 0 where none does */
  readonly pte: bigint;
  /** the page that this entry lies in */
  readonly pteFrame: number;
  readonly references: number;
}

/**
 * The page database, `nt!MmPfnDatabase`: one `_MMPFN` for each page of physical memory. The layout is taken from the profile once;
 * records are read straight from pages, so that all of them can be gone through.
 */
export class PageFrames {
  readonly base: bigint;
  readonly size: number;
  private readonly type: StructType;
  private readonly fields: Partial<Record<keyof typeof PATHS, Field>>;
  private readonly pteAt: number;
  private readonly originalAt: number;
  private readonly entrySize: 4 | 8;
  private readonly wide: boolean;
  private readonly firstPage: number;
  private readonly firstOffset: number;

  /** @throws Absent where the kernel has no such database, or the profile no layout of it */
  constructor(private readonly kernel: WindowsKernel) {
    this.type = kernel.struct('_MMPFN');
    this.size = this.type.size ?? 0;
    if (this.size === 0) throw new Absent('no-member', 'this profile does not know the size of _MMPFN');
    this.base = kernel.variable('MmPfnDatabase');
    this.firstPage = pageNumber(this.base);
    this.firstOffset = pageOffset(this.base);
    this.entrySize = entrySizeOf(kernel.profile);
    this.wide = kernel.profile.pointerSize === 8;
    this.pteAt = this.type.offsetOf('PteAddress');
    this.originalAt = this.type.offsetOf('OriginalPte');
    this.fields = Object.fromEntries(Object.entries(PATHS).map(([name, paths]) => [name, paths.map((path) => fieldAt(kernel, this.type, path)).find((field) => field !== undefined)]));
    for (const needed of ['list', 'prototype', 'pteFrame'] as const) {
      if (!this.fields[needed]) throw new Absent('no-member', `this profile's _MMPFN has no ${PATHS[needed][0]}`);
    }
  }

  /** The record of a page, as a struct. */
  struct(frame: number): Struct {
    return this.type.at(this.kernel.space, this.addressOf(frame));
  }

  addressOf(frame: number): bigint {
    return this.base + BigInt(frame) * BigInt(this.size);
  }

  /** The record of a page; undefined where it is not in memory (there are no records for holes between ranges of memory). */
  at(frame: number): PageFrame | undefined {
    const list = this.get(frame, 'list');
    if (list === undefined) return undefined;
    const low = this.word(frame, this.pteAt);
    const high = this.wide ? this.word(frame, this.pteAt + 4) : 0;
    const pteFrame = this.get(frame, 'pteFrame');
    if (low === undefined || high === undefined || pteFrame === undefined) return undefined;
    return {
      frame,
      list,
      prototype: this.get(frame, 'prototype') === 1,
      // The lowest bits are a lock (since Windows 7) and other marks.
      pte: (BigInt(high) << 32n) | BigInt((low & ~(this.entrySize - 1)) >>> 0),
      pteFrame,
      references: this.get(frame, 'references') ?? 0,
    };
  }

  /** The next frame behind one whose record may be in memory, or `end`: the records of what a damaged kernel claims to have are not gone through. */
  nextHeld(frame: number, end: number): number {
    const pageOf = (one: number): number => this.firstPage + Math.floor((this.firstOffset + one * this.size) / PAGE_SIZE);
    const found = nextReadablePage(this.kernel.space, pageOf(frame) + 1, Math.min(pageOf(end) + 1, 2 ** 52));
    if (found === undefined) return end;
    return Math.min(end, Math.max(frame + 1, Math.floor(((found - this.firstPage) * PAGE_SIZE - this.firstOffset) / this.size)));
  }

  /** A member of a page's record; undefined where this build has none or it cannot be read. */
  get(frame: number, name: keyof typeof PATHS): number | undefined {
    const field = this.fields[name];
    if (!field) return undefined;
    const low = this.word(frame, field.offset);
    if (low === undefined) return undefined;
    const high = field.shift + field.bits > 32 ? this.word(frame, field.offset + 4) : 0;
    return high === undefined ? undefined : extract(low, high, field.shift, field.bits);
  }

  /** `_MMPFN.OriginalPte`: what the prototype or entry becomes when the page is thrown out. As two halves. */
  original(frame: number): readonly [number, number] | undefined {
    const low = this.word(frame, this.originalAt);
    const high = this.entrySize === 8 ? this.word(frame, this.originalAt + 4) : 0;
    return low === undefined || high === undefined ? undefined : [low, high];
  }

  /** The process that a page-table root belongs to, as the record of the root's own page says (`_MMPFN.u1`). */
  rootOwner(frame: number): bigint {
    return orElse(() => this.kernel.space.readPointer(this.addressOf(frame) + BigInt(this.type.offsetOf('u1'))), 0n);
  }

  /** A 32-bit word of a record; records are aligned to such, so that none lies on two pages. In numbers: this is asked for every page of memory. */
  private word(frame: number, offset: number): number | undefined {
    const at = this.firstOffset + frame * this.size + offset;
    const within = at % PAGE_SIZE;
    return within > PAGE_SIZE - 4 ? undefined : this.kernel.space.pageAt(this.firstPage + (at - within) / PAGE_SIZE)?.view.getUint32(within, true);
  }
}

/** The page database of a kernel. Throws Absent, each time, where there is none. */
export function pageFrames(kernel: WindowsKernel): PageFrames {
  return kernel.memo('page frames', () => new PageFrames(kernel));
}
