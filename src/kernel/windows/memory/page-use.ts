import { orElse } from '../../../memory/absent.js';
import { addressOf } from '../../../memory/page.js';
import type { Steps } from '../../../memory/breathe.js';
import type { WindowsKernel } from '../kernel.js';
import { pageOwners, type PageOwners, type UpwardPlace } from './page-owners.js';
import { LISTS, type PageFrame, pageFrames } from './pfn.js';
import { findProcesses, METHODS } from '../processes/processes.js';
import { kernelRegionAt } from './regions.js';
import { offsetIn, placeText, type Section, sectionOf, type Subsection, subsectionAt, holds } from './sections.js';
import type { Eprocess } from '../types.js';
import { sectionIndex, type SectionIndex, viewsOf } from './views.js';

/** What a page of memory is used for. */
export type PageUse =
  /** on the zeroed, free or bad list */
  | { readonly kind: 'unused' }
  /** a page of a file or of shared memory; `part` is undefined where nothing says which */
  | { readonly kind: 'section'; readonly part: Subsection | undefined; readonly section: Section | undefined; readonly offset: number | undefined }
  | { readonly kind: 'private'; readonly place: UpwardPlace; readonly process: Eprocess | undefined }
  /** `region` as {@link kernelRegionAt} has it */
  | { readonly kind: 'kernel'; readonly place: UpwardPlace; readonly region: string | undefined; readonly session: Eprocess | undefined }
  | { readonly kind: 'table'; readonly place: UpwardPlace; readonly process: Eprocess | undefined }
  | { readonly kind: 'root'; readonly process: Eprocess | undefined }
  /** in use, but no entry leads to it: memory of drivers and the firmware */
  | { readonly kind: 'unknown' };

/** Tells the use of pages. */
export class PageUses {
  private readonly owners: PageOwners;
  private readonly kernelHalf: number;
  private readonly system: Eprocess | undefined;

  /** @throws Absent where the page database cannot be read */
  constructor(
    private readonly kernel: WindowsKernel,
    readonly sections: SectionIndex,
  ) {
    this.owners = pageOwners(kernel);
    this.kernelHalf = kernelHalf(kernel);
    this.system = this.owners.system;
  }

  get frames(): PageOwners['frames'] {
    return this.owners.frames;
  }

  of(record: PageFrame): PageUse {
    if (record.list <= 1 || LISTS[record.list] === 'Bad') return { kind: 'unused' };
    if (record.prototype) {
      const part = this.sections.find(record.pte, subsectionOfPage(this.kernel, record.frame));
      return { kind: 'section', part, section: part && sectionOf(this.kernel, part.area), offset: part && offsetIn(this.kernel, part, record.pte) };
    }
    const root = this.owners.rootAt(record);
    if (root || (record.pteFrame === record.frame && record.pte !== 0n)) return { kind: 'root', process: root };
    const place = record.pte === 0n ? undefined : this.owners.placeOf(record);
    if (!place) return { kind: 'unknown' };
    const { process } = place;
    if (place.level > 0) return { kind: 'table', place, process };
    if (place.page < this.kernelHalf) return { kind: 'private', place, process };
    // Tables of session space are a session's own, and those of the window and of working sets a process's; all others are shared.
    return { kind: 'kernel', place, region: kernelRegionAt(this.kernel, addressOf(place.page, 0)), session: process?.$address === this.system?.$address ? undefined : process };
  }
}

/** The `_SUBSECTION` that a page's original entry names: known to pages of files even where no process maps them. */
export function subsectionOfPage(kernel: WindowsKernel, frame: number): bigint | undefined {
  const original = pageFrames(kernel).original(frame);
  const entry = original && kernel.entries?.decodePrototype(...original);
  return entry?.kind === 'subsection' ? entry.address : undefined;
}

const made = new WeakMap<WindowsKernel, PageUses>();

/** The first page of the kernel's half; on x86 a boot option (/3GB, increaseuserva) moves it up. */
function kernelHalf(kernel: WindowsKernel): number {
  if (kernel.profile.pointerSize === 8) return 2 ** 51;
  const start = orElse(() => kernel.variable('MmSystemRangeStart'), 0n);
  return Number((start >= 0x80000000n ? start : 0x80000000n) >> 12n);
}

/** What tells the use of pages, in steps; the last is it. Throws Absent where the page database cannot be read. */
export function* pageUses(kernel: WindowsKernel): Steps<PageUses> {
  let uses = made.get(kernel);
  if (!uses) {
    let index: SectionIndex | undefined;
    // The database first: without it the regions of all processes are read for nothing.
    pageOwners(kernel);
    for (const step of sectionIndex(kernel)) {
      if (step) index = step;
      else yield undefined;
    }
    made.set(kernel, (uses = new PageUses(kernel, index as SectionIndex)));
  }
  yield uses;
}

/** Where a page is seen, found by walking page tables. */
export interface WalkedPlace {
  /** undefined: the kernel's half */
  readonly process: Eprocess | undefined;
  readonly page: number;
}

/** Page-table entries that are looked at in one step. */
const STEP = 2048;

/** Every place where a page is mapped, by all page tables: for images whose page database cannot be read. */
export function* walkedPlaces(kernel: WindowsKernel, frame: number): Steps<WalkedPlace> {
  const half = kernelHalf(kernel);
  let looked = 0;
  const seen = new Set<number>();
  const spaces = [{ space: kernel.space, process: undefined, from: half, to: kernel.profile.pointerSize === 8 ? 2 ** 52 : 2 ** 20 }, ...processSpaces(kernel, half)];
  for (const { space, process, from, to } of spaces) {
    if (process && seen.has(space.dtb)) continue;
    if (process) seen.add(space.dtb);
    yield undefined;
    for (const run of space.leaves(from, to)) {
      if (++looked % STEP === 0) yield undefined;
      if (frame >= run.frame && frame < run.frame + run.pages) yield { process, page: run.page + frame - run.frame };
    }
  }
}

function* processSpaces(kernel: WindowsKernel, half: number) {
  for (const { process } of findProcesses(kernel, METHODS)) {
    if (orElse(() => kernel.dtbOf(process), 0) !== 0) yield { space: kernel.spaceOf(process), process, from: 0, to: Math.min(half, 2 ** 35) };
  }
}

/**
 * What the page database says of the page behind an address, in words: `shared page of \Windows\System32\ntdll.dll +0x1a000`, `private copy of …` where the
 * process has written to it, `NonPagedPool`. Undefined where it says nothing.
 */
export function frameText(kernel: WindowsKernel, physical: number, page: number, process: Eprocess | undefined): string | undefined {
  const frame = Math.floor(physical / 4096);
  const within = physical % 4096;
  return orElse(() => {
    const record = pageFrames(kernel).at(frame);
    if (!record || record.list < 2) return undefined;
    const list = LISTS[record.list] === 'Active' ? '' : `, on the ${LISTS[record.list]?.toLowerCase()} list`;
    const views = process && viewsOf(kernel, process);
    const prototype = views?.prototypeOf(page);
    if (record.prototype) {
      const mapped = prototype === record.pte ? views?.subsectionOf(page, record.pte) : undefined;
      const named = mapped ?? subsectionAt(kernel, subsectionOfPage(kernel, frame) ?? 0n);
      if (!named || !holds(kernel, named, record.pte)) return `shared page, its prototype at 0x${record.pte.toString(16)}${list}`;
      return `${sectionOf(kernel, named.area).backed ? 'shared page of ' : ''}${placeText(kernel, named, record.pte, within)}${list}`;
    }
    if (prototype !== undefined) {
      const part = views?.subsectionOf(page, prototype);
      return `private copy of ${part ? placeText(kernel, part, prototype, within) : 'a shared page'}${list}`;
    }
    if (process && page < 2 ** 51 && views?.at(page)) return `private page${list}`;
    const region = kernelRegionAt(kernel, addressOf(page, 0));
    return region && `${region}${list}`;
  }, undefined);
}
