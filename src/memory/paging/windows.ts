import type { AddressSpace } from '../space.js';
import { EntryKind, NO_FRAME, type PagingLevel } from './levels.js';
import type { TranslationStep } from './translation.js';
import { PROTOTYPE, TRANSITION, WindowsEntries, type WindowsPagedOptions } from './windows-entries.js';
import { Amd64Space, I386Space, PaeSpace } from './x86.js';

export type { NarrowAddresses, WindowsEntry, WindowsNames, WindowsPagedOptions, WindowsPte } from './windows-entries.js';

/** What the three spaces below add to the processor's. */
interface WindowsSpace {
  readonly levels: readonly PagingLevel[];
  readonly software: WindowsEntries;
}

/** True for an entry that names a page of page tables which is itself in transition. */
function tableInTransition(low: number): boolean {
  return (low & (TRANSITION | PROTOTYPE)) === TRANSITION;
}

function describe(space: WindowsSpace, level: number, low: number, high: number, page: number): string {
  if ((low | high) === 0) return space.software.describeEmpty(page);
  if (level === space.levels.length - 1) return space.software.describe(low, high, page);
  const entry = space.software.decode(low, high);
  return entry.kind === 'pagefile' ? `its page table is ${space.software.describe(low, high, page)}` : 'not present';
}

function behind(space: WindowsSpace, level: number, low: number, high: number, page: number): readonly TranslationStep[] {
  return level === space.levels.length - 1 || (low | high) === 0 ? space.software.behind(low, high, page) : [];
}

/** x86-64 as Windows uses it. */
export class WindowsAmd64Space extends Amd64Space {
  readonly software: WindowsEntries;

  constructor(physical: AddressSpace, dtb: number, options: WindowsPagedOptions & { readonly levels?: 4 | 5 } = {}) {
    super(physical, dtb, options);
    this.software = new WindowsEntries(this, options);
  }

  override kindOf(level: number, low: number, high: number): EntryKind {
    const kind = super.kindOf(level, low, high);
    return kind === EntryKind.absent && level < this.levels.length - 1 && tableInTransition(low) ? EntryKind.table : kind;
  }

  override frameOf(level: number, low: number, high: number, kind: EntryKind): number {
    return (low & 1) === 0 ? this.software.transitionFrame(low, high) : super.frameOf(level, low, high, kind);
  }

  override softFrame(level: number, low: number, high: number, page: number): number {
    return level === this.levels.length - 1 ? this.software.frame(low, high, page) : NO_FRAME;
  }

  override emptyFrame(page: number): number {
    return this.software.emptyFrame(page);
  }

  override describeEntry(level: number, low: number, high: number, page: number): string {
    return describe(this, level, low, high, page);
  }

  override behindEntry(level: number, low: number, high: number, page: number): readonly TranslationStep[] {
    return behind(this, level, low, high, page);
  }
}

/** i386 with PAE as Windows uses it: prototypes are named by the high half. */
export class WindowsPaeSpace extends PaeSpace {
  readonly software: WindowsEntries;

  constructor(physical: AddressSpace, dtb: number, options: WindowsPagedOptions = {}) {
    super(physical, dtb, options);
    this.software = new WindowsEntries(this, options);
  }

  override kindOf(level: number, low: number, high: number): EntryKind {
    const kind = super.kindOf(level, low, high);
    return kind === EntryKind.absent && level === 1 && tableInTransition(low) ? EntryKind.table : kind;
  }

  override frameOf(level: number, low: number, high: number, kind: EntryKind): number {
    return (low & 1) === 0 ? this.software.transitionFrame(low, high) : super.frameOf(level, low, high, kind);
  }

  override softFrame(level: number, low: number, high: number, page: number): number {
    return level === 2 ? this.software.frame(low, high, page) : NO_FRAME;
  }

  override emptyFrame(page: number): number {
    return this.software.emptyFrame(page);
  }

  override describeEntry(level: number, low: number, high: number, page: number): string {
    return describe(this, level, low, high, page);
  }

  override behindEntry(level: number, low: number, high: number, page: number): readonly TranslationStep[] {
    return behind(this, level, low, high, page);
  }
}

/** i386 without PAE as Windows uses it: what entries name is packed ({@link WindowsPte.narrow}). */
export class WindowsI386Space extends I386Space {
  readonly software: WindowsEntries;

  constructor(physical: AddressSpace, dtb: number, options: WindowsPagedOptions = {}) {
    super(physical, dtb, options);
    this.software = new WindowsEntries(this, options);
  }

  override kindOf(level: number, low: number, high: number): EntryKind {
    const kind = super.kindOf(level, low, high);
    return kind === EntryKind.absent && level === 0 && tableInTransition(low) ? EntryKind.table : kind;
  }

  override softFrame(level: number, low: number, high: number, page: number): number {
    return level === 1 ? this.software.frame(low, high, page) : NO_FRAME;
  }

  override emptyFrame(page: number): number {
    return this.software.emptyFrame(page);
  }

  override describeEntry(level: number, low: number, high: number, page: number): string {
    return describe(this, level, low, high, page);
  }

  override behindEntry(level: number, low: number, high: number, page: number): readonly TranslationStep[] {
    return behind(this, level, low, high, page);
  }
}
