import type { Steps } from '../../../memory/breathe.js';
import { orElse } from '../../../memory/absent.js';
import { nextReadablePage } from '../../../memory/extents.js';
import { addressOf, PAGE_SIZE, pageNumber } from '../../../memory/page.js';
import { type EntryRun, entryRuns } from '../../../memory/paging/entry-runs.js';
import { EntryKind } from '../../../memory/paging/levels.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import type { WindowsEntries, WindowsEntry } from '../../../memory/paging/windows-entries.js';
import type { WindowsKernel } from '../kernel.js';
import { entrySizeOf } from './pte.js';
import { holds, offsetIn, sectionOf, type Subsection } from './sections.js';
import type { ProcessViews, View } from './views.js';

/** Where the content of pages is, as Rekall called it. */
export type PageType = 'Valid' | 'Transition' | 'Pagefile' | 'Demand Zero' | 'File Mapping' | 'Invalid';

/** Pages of a region, one behind the other, of which the same is true. */
export interface PageState {
  readonly page: number;
  readonly pages: number;
  readonly type: PageType;
  /** by a prototype, which all processes share that map the section */
  readonly prototype: boolean;
  /** valid and in transition: physical address of the first page */
  readonly physical?: number;
  /** the file that the section maps, and the position of the first page in it; without a name where that is not in memory */
  readonly file?: { readonly name: string | undefined; readonly offset: number };
  /** number of the page file, and the position in it */
  readonly pageFile?: { readonly number: number; readonly offset: bigint };
  /** why it is invalid */
  readonly reason?: string;
}

type Found = Omit<PageState, 'page' | 'pages'>;

/** Pages of a section that are looked at between two turns of the event loop. */
const PAGES_A_STEP = 4096;

/**
 * The state of each page of a part of a region, ascending: from its entry in the page tables, its prototype, or the region alone. Parts of private memory without
 * page tables are one state. Source: Windows Internals, 7th ed., part 1, chapter 5 ("Page faults", "Prototype PTEs").
 * @param from number of the first page that is wanted, and one behind the last
 */
export function* pageStates(kernel: WindowsKernel, space: PagedSpace, views: ProcessViews, view: View, from: number, to: number): Steps<PageState> {
  const reader = new StateReader(kernel, space, views, view);
  let count = 0;
  for (const run of entryRuns(space, Math.max(from, view.first), Math.min(to, view.last + 1))) {
    const whole = reader.of(run);
    if (whole) {
      yield { page: run.page, pages: run.pages, ...whole };
      continue;
    }
    // Each page has a prototype of its own.
    for (let page = run.page; page < run.page + run.pages; ) {
      const { pages, ...found } = reader.shared(page, run.page + run.pages - page, run);
      yield { page, pages, ...found };
      page += pages;
      if (++count % PAGES_A_STEP === 0) yield undefined;
    }
  }
}

class StateReader {
  private readonly entries: WindowsEntries | undefined;
  private part: Subsection | undefined;

  constructor(
    private readonly kernel: WindowsKernel,
    private readonly space: PagedSpace,
    private readonly views: ProcessViews,
    private readonly view: View,
  ) {
    this.entries = kernel.entries;
  }

  /** The state of all pages of a run; undefined where their prototypes say it. */
  of({ page, level, first, low, high, missing }: EntryRun): Found | undefined {
    if (missing) return { type: 'Invalid', prototype: false, reason: 'its page table is not in the image' };
    if ((low | high) === 0) return this.view.prototypes ? undefined : { type: 'Demand Zero', prototype: false };
    const kind = this.space.kindOf(level, low, high);
    if (kind === EntryKind.leaf) return { type: 'Valid', prototype: false, physical: (this.space.frameOf(level, low, high, kind) + page - first) * PAGE_SIZE, ...this.filePlace(page) };
    if (!this.entries) return { type: 'Invalid', prototype: false, reason: 'its entry is not understood' };
    const entry = this.entries.decode(low, high);
    if (level < this.space.levels.length - 1) return { ...plain(entry), reason: 'its page table is not in memory' };
    return entry.kind === 'prototype' ? undefined : plain(entry);
  }

  /** The state of a page that has a prototype; of more where a whole page of prototypes is missing. */
  shared(page: number, most: number, { low, high }: EntryRun): Found & { readonly pages: number } {
    const entry = (low | high) === 0 ? undefined : this.entries?.decode(low, high);
    const address = (entry?.kind === 'prototype' ? entry.address : undefined) ?? this.views.prototypeOf(page);
    // Behind the last prototype there are no more: a region that states too many pages is told in one go.
    if (address === undefined) return { pages: most, type: this.view.prototypes ? 'Invalid' : 'Demand Zero', prototype: false, ...(this.view.prototypes ? { reason: 'it has no prototype' } : {}) };
    const size = entrySizeOf(this.kernel.profile);
    const value = orElse((): [number, number] => [this.kernel.space.readU32(address), size === 8 ? this.kernel.space.readU32(address + 4n) : 0], undefined);
    if (!value || !this.entries) {
      return { pages: Math.max(1, Math.min(most, this.missing(address, entry === undefined))), type: 'Invalid', prototype: true, reason: 'its prototype is not in memory', ...this.place(page, address) };
    }
    const behind = this.entries.decodePrototype(...value);
    // Of a section that is reserved only: nothing was committed there.
    const found: Found = behind.kind === 'none' ? { type: 'Invalid', prototype: true, reason: 'its prototype is empty' } : plain(behind);
    return { pages: 1, ...found, prototype: true, ...this.place(page, address) };
  }

  /** How many prototypes are missing together: those of one page; those that lie in a row, up to the next page that is in memory. */
  private missing(address: bigint, inRow: boolean): number {
    const size = BigInt(entrySizeOf(this.kernel.profile));
    const last = this.view.prototypes?.last ?? 0n;
    const next = pageNumber(address) + 1;
    if (!inRow || address > last || pageNumber(last) <= next) return Number((addressOf(next, 0) - address) / size);
    const readable = nextReadablePage(this.kernel.space, next, pageNumber(last) + 1);
    return Number(((readable === undefined ? last + size : addressOf(readable, 0)) - address) / size);
  }

  /** Of a page of an image or a file that the process has made its own, too: where it came from. */
  private filePlace(page: number): Pick<PageState, 'file'> {
    const address = this.view.prototypes ? this.views.prototypeOf(page) : undefined;
    return address === undefined ? {} : this.place(page, address);
  }

  private place(page: number, prototype: bigint): Pick<PageState, 'file'> {
    if (!this.part || !holds(this.kernel, this.part, prototype)) this.part = orElse(() => this.views.subsectionOf(page, prototype), undefined);
    const { part } = this;
    const section = part && orElse(() => sectionOf(this.kernel, part.area), undefined);
    return part && section?.backed === true ? { file: { name: section.file, offset: offsetIn(this.kernel, part, prototype) } } : {};
  }
}

/** What an entry means by itself. */
function plain(entry: WindowsEntry): Found {
  switch (entry.kind) {
    case 'valid':
    case 'transition':
      return { type: entry.kind === 'valid' ? 'Valid' : 'Transition', prototype: false, physical: entry.frame * PAGE_SIZE };
    case 'pagefile':
      return { type: 'Pagefile', prototype: false, pageFile: { number: entry.file, offset: entry.offset } };
    case 'subsection':
      return { type: 'File Mapping', prototype: false };
    case 'prototype':
      return { type: 'Invalid', prototype: false, reason: 'its prototype leads to another' };
    default:
      return { type: 'Demand Zero', prototype: false };
  }
}

/** States that follow each other and say the same are one: types alike, and places that go on. */
export function* joinedStates(states: Steps<PageState>): Steps<PageState> {
  let open: PageState | undefined;
  for (const state of states) {
    if (!state) {
      yield undefined;
      continue;
    }
    if (open && goesOn(open, state)) open = { ...open, pages: open.pages + state.pages };
    else {
      if (open) yield open;
      open = state;
    }
  }
  if (open) yield open;
}

function goesOn(one: PageState, next: PageState): boolean {
  const bytes = one.pages * PAGE_SIZE;
  return (
    next.page === one.page + one.pages &&
    next.type === one.type &&
    next.prototype === one.prototype &&
    next.reason === one.reason &&
    next.file?.name === one.file?.name &&
    (next.file === undefined) === (one.file === undefined) &&
    (one.file === undefined || next.file?.offset === one.file.offset + bytes) &&
    next.pageFile?.number === one.pageFile?.number &&
    (one.pageFile === undefined || next.pageFile?.offset === one.pageFile.offset + BigInt(bytes))
  );
}
