import { orElse } from '../../../memory/absent.js';
import { pageNumber } from '../../../memory/page.js';
import { EntryKind } from '../../../memory/paging/levels.js';
import type { WindowsKernel } from '../kernel.js';
import { type PageFrame, type PageFrames, pageFrames } from './pfn.js';
import { findProcesses, METHODS, processAt } from '../processes/processes.js';
import { entrySizeOf } from './pte.js';
import type { Eprocess } from '../types.js';

/** Page numbers of 64-bit addresses. */
const PAGE_NUMBERS = 2 ** 52;
/** Where page tables see themselves on x86: at a fixed place. On amd64 at the entry of the top table that names the table; until Windows 10 1607 always the same. */
const NARROW_TABLES = 0xc0000000n;
const WIDE_TABLES = 0xfffff68000000000n;

/** An entry on the way up from a page to the root of page tables. */
export interface UpwardStep {
  /** the processor manual's name of the entry */
  readonly name: string;
  /** its physical address */
  readonly address: number;
}

/** What the entry that a page's record names maps: where a page is seen, found from below. */
export interface UpwardPlace {
  /** number of the virtual page; of a table: of its place in the tables' own window */
  readonly page: number;
  /** 0: memory; 1: a page table; 2: a table of page tables …; the number of levels: the root */
  readonly level: number;
  /** first of the virtual pages that a table maps */
  readonly maps: number;
  /** 4 KiB pages that the entry maps: more than one for a large page */
  readonly span: number;
  readonly steps: readonly UpwardStep[];
  /** whose tables they are; undefined where no process's root is reached */
  readonly process: Eprocess | undefined;
  /** true where the entry does not lead to the page: the record or the entry was read while it changed */
  readonly stale: boolean;
}

/**
 * From a physical page upwards: its record names the entry that leads to it, and the page which that entry lies in, which has a
 * record too, and so on to the root. The address of an entry, in the window where page tables see themselves, tells which virtual page it maps.
 */
export class PageOwners {
  readonly frames: PageFrames;
  private readonly window: number;
  private readonly entrySize: 4 | 8;
  private readonly entries: number;
  /** pages of the address space, and the first of its upper half as the tables number them */
  private readonly pages: number;
  private readonly roots: ReadonlyMap<number, Eprocess>;
  /** the System process, whose tables are the kernel's */
  readonly system: Eprocess | undefined;
  private readonly tops = new Map<number, Eprocess | undefined>();

  /** @throws Absent where the page database cannot be read */
  constructor(private readonly kernel: WindowsKernel) {
    this.frames = pageFrames(kernel);
    this.entrySize = entrySizeOf(kernel.profile);
    this.entries = 4096 / this.entrySize;
    this.pages = kernel.profile.pointerSize === 4 ? 2 ** 20 : 512 ** kernel.space.levels.length;
    this.window = pageNumber(tableWindow(kernel));
    this.system = systemProcess(kernel);
    this.roots = rootFrames(kernel, this.system);
  }

  /** Where a page is seen; undefined where no entry leads to it. Not for pages of sections, whose entry is a prototype. */
  placeOf(record: PageFrame): UpwardPlace | undefined {
    const first = this.pageOf(record.pte);
    if (first === undefined) return undefined;
    const ladder = [first];
    for (let at = first; this.inWindow(at) && ladder.length <= this.kernel.space.levels.length; ) ladder.push((at = this.mappedBy(at)));
    const depth = Math.min(ladder.length - 1, this.kernel.space.levels.length);
    const address = record.pteFrame * 4096 + Number(record.pte & 0xfffn);
    const [low, high] = this.entryAt(address) ?? [0, 0];
    const levels = this.kernel.space.levels.length;
    const { kind, frame, span } = this.decode(depth, low, high);
    const large = depth > 0 && kind === EntryKind.leaf;
    const stale = frame < 0 || record.frame < frame || record.frame >= frame + (large ? span : 1);
    const last = ladder[depth] as number;
    const within = large && !stale ? record.frame - frame : 0;
    return {
      page: large ? last + within : first,
      level: large ? 0 : depth,
      maps: last,
      span: large ? span : 1,
      steps: this.stepsFrom(record, address, depth, Math.max(0, levels - depth)),
      process: this.rootOf(record.pteFrame) ?? this.roots.get(record.frame),
      stale,
    };
  }

  /** The process whose page-table root a page is: of a list, or of which only the record is left. */
  rootAt(record: PageFrame): Eprocess | undefined {
    return this.roots.get(record.frame) ?? (record.pteFrame === record.frame ? this.namedByRoot(record.frame) : undefined);
  }

  /** The virtual page that an entry maps, by its place in the window; undefined for addresses outside of it. */
  private pageOf(pte: bigint): number | undefined {
    const index = Number(BigInt.asIntN(64, pte - (BigInt(this.window) << 12n))) / this.entrySize;
    return index >= 0 && index < this.pages && Number.isInteger(index) ? this.canonical(index) : undefined;
  }

  private canonical(index: number): number {
    return this.pages > 2 ** 20 && index >= this.pages / 2 ? index + PAGE_NUMBERS - this.pages : index;
  }

  private inWindow(page: number): boolean {
    return page >= this.window && page < this.window + this.pages / this.entries;
  }

  /** The first of the pages that a page of the window, being a table, maps. */
  private mappedBy(page: number): number {
    return this.canonical((page - this.window) * this.entries);
  }

  /** What an entry `depth` levels above the last is. */
  private decode(depth: number, low: number, high: number): { readonly kind: EntryKind; readonly frame: number; readonly span: number } {
    const { space } = this.kernel;
    // A root is named by an entry of its own, which is one of the top level.
    const level = Math.max(0, space.levels.length - 1 - depth);
    const kind = space.kindOf(level, low, high);
    const span = space.levels[level]?.pages ?? 1;
    if (kind === EntryKind.absent) return { kind, frame: (low | high) === 0 ? -1 : space.softFrame(level, low, high, 0), span };
    return { kind, frame: space.frameOf(level, low, high, kind), span };
  }

  /** The way up: the entry itself, then those of the tables above it. */
  private stepsFrom(record: PageFrame, address: number, depth: number, most: number): UpwardStep[] {
    const names = this.kernel.space.levels.map(({ name }) => name).reverse();
    const steps: UpwardStep[] = [];
    let at = address;
    let frame = record.pteFrame;
    for (let level = depth; steps.length < most && level < names.length; level++) {
      steps.push({ name: names[level] as string, address: at });
      if (this.roots.has(frame)) break;
      const above = this.frames.at(frame);
      if (!above || above.pte === 0n || above.pteFrame === frame) break;
      at = above.pteFrame * 4096 + Number(above.pte & 0xfffn);
      frame = above.pteFrame;
    }
    return steps;
  }

  /** The process whose root is above a table. */
  private rootOf(table: number): Eprocess | undefined {
    const way: number[] = [];
    let found: Eprocess | undefined;
    for (let at = table; way.length <= this.kernel.space.levels.length + 1; ) {
      if (this.tops.has(at)) {
        found = this.tops.get(at);
        break;
      }
      way.push(at);
      if ((found = this.roots.get(at)) !== undefined) break;
      const above = orElse(() => this.frames.at(at), undefined);
      if (!above) break;
      if (above.pteFrame === at) {
        found = this.namedByRoot(at);
        break;
      }
      at = above.pteFrame;
    }
    for (const one of way) this.tops.set(one, found);
    return found;
  }

  /** The record of a root's page names its process: for those that no list knows. Believed where the process names the root. */
  private namedByRoot(frame: number): Eprocess | undefined {
    const process = processAt(this.kernel, this.frames.rootOwner(frame));
    return orElse(() => Math.floor(this.kernel.dtbOf(process) / 4096) === frame, false) ? process : undefined;
  }

  /** An entry of page tables, in two halves. */
  entryAt(physical: number): readonly [number, number] | undefined {
    const page = this.kernel.physical.pageAt(Math.floor(physical / 4096));
    const offset = physical % 4096;
    if (!page || offset % this.entrySize !== 0) return undefined;
    return [page.view.getUint32(offset, true), this.entrySize === 8 ? page.view.getUint32(offset + 4, true) : 0];
  }
}

/** Where page tables are seen: found by the entry of the top table that names the table itself, whose place is random since Windows 10 1607. */
function tableWindow(kernel: WindowsKernel): bigint {
  const { space } = kernel;
  if (space.bits === 32) return NARROW_TABLES;
  const frame = Math.floor(space.dtb / 4096);
  const table = kernel.physical.pageAt(frame);
  for (let index = 256; table && index < 512; index++) {
    const [low, high] = [table.view.getUint32(index * 8, true), table.view.getUint32(index * 8 + 4, true)];
    if (space.kindOf(0, low, high) !== EntryKind.table || space.frameOf(0, low, high, EntryKind.table) !== frame) continue;
    const shift = BigInt(space.levels.length * 9 + 3);
    return BigInt.asUintN(64, (-1n << (shift + 9n)) | (BigInt(index) << shift));
  }
  return orElse(() => kernel.variable('MmPteBase'), WIDE_TABLES);
}

/** The pages of processes' page-table roots. With PAE, where a root is 32 bytes, its four tables instead. */
function rootFrames(kernel: WindowsKernel, system: Eprocess | undefined): Map<number, Eprocess> {
  const roots = new Map<number, Eprocess>();
  for (const { process } of findProcesses(kernel, METHODS)) {
    const dtb = orElse(() => kernel.dtbOf(process), 0);
    if (dtb === 0) continue;
    for (const frame of tablesOf(kernel, dtb)) if (!roots.has(frame)) roots.set(frame, process);
  }
  // Other processes of the kernel (Idle) share the System process's tables.
  if (system) for (const frame of tablesOf(kernel, kernel.space.dtb)) roots.set(frame, system);
  return roots;
}

function* tablesOf(kernel: WindowsKernel, dtb: number): Generator<number> {
  const frame = Math.floor(dtb / 4096);
  if (kernel.location.paging !== 'i386-pae') {
    yield frame;
    return;
  }
  const page = kernel.physical.pageAt(frame);
  for (let index = 0; page && index < 4; index++) {
    const low = page.view.getUint32((dtb % 4096 & 0xfe0) + index * 8, true);
    if ((low & 1) !== 0) yield (page.view.getUint32((dtb % 4096 & 0xfe0) + index * 8 + 4, true) & 0xfffff) * 0x100000 + (low >>> 12);
  }
}

function systemProcess(kernel: WindowsKernel): Eprocess | undefined {
  return orElse(() => {
    const pointer = kernel.variable('PsInitialSystemProcess');
    return pointer === 0n ? undefined : processAt(kernel, pointer);
  }, undefined);
}

const owners = new WeakMap<WindowsKernel, PageOwners>();

/** What leads from pages to their owners. Throws Absent where the page database cannot be read. */
export function pageOwners(kernel: WindowsKernel): PageOwners {
  let made = owners.get(kernel);
  if (!made) owners.set(kernel, (made = new PageOwners(kernel)));
  return made;
}
