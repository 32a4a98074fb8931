import { type Page, pageNumber, pageOffset } from '../../memory/page.js';
import { NO_FRAME } from '../../memory/paging/levels.js';
import { PagedSpace } from '../../memory/paging/paged.js';
import { AddressSpace } from '../../memory/space.js';
import { LoadedPe, type PeExport } from '../../symbols/pe/loaded.js';
import type { SymbolTable } from '../../symbols/symbol-table.js';
import type { ModuleProfile } from './module-profiles.js';

/** Differing copies of one image that are kept: more is no image that processes share. */
const MOST_COPIES = 16;

/** What was read, and where: pages by their distance from the image's first, with their frames. */
interface Reading {
  readonly frames: readonly (readonly [page: number, frame: number])[];
  readonly value: unknown;
}

/**
 * What processes that map the same executable share: its export tables, and the names made of them. A process may have pages of its own in
 * place of the file's, so that what was read for one holds for another only where every page that was read is the same physical page
 * there, or missing in both.
 */
export class SharedReads {
  private readonly readings = new Map<string, Reading[]>();
  private readonly tables = new WeakMap<object, Map<ModuleProfile | undefined, Map<bigint, SymbolTable>>>();

  /** The named exports of the executable at an address. */
  exports(space: AddressSpace, base: bigint): ReadonlyMap<string, PeExport> {
    return this.read('exports', space, base, (pe) => new Map([...(pe?.exports() ?? [])].map((one) => [one.name, one])));
  }

  /** The names of functions that stand in the executable, by their distance from its base; `#12` where there is none. */
  functions(space: AddressSpace, base: bigint): ReadonlyMap<number, readonly string[]> {
    return this.read('functions', space, base, (pe) => {
      const found = new Map<number, string[]>();
      for (const { name, ordinal, rva, forwarder } of pe?.allExports() ?? []) {
        if (forwarder !== undefined) continue;
        const names = found.get(rva);
        if (names) names.push(name ?? `#${ordinal}`);
        else found.set(rva, [name ?? `#${ordinal}`]);
      }
      return found;
    });
  }

  /** The table that is made of a profile and of exports (as {@link exports} gave them) for an executable that is loaded at an address. */
  table(profile: ModuleProfile | undefined, exports: ReadonlyMap<string, PeExport>, start: bigint, make: () => SymbolTable): SymbolTable {
    const byProfile = entry(this.tables, exports, () => new Map<ModuleProfile | undefined, Map<bigint, SymbolTable>>());
    return entry(entry(byProfile, profile, () => new Map<bigint, SymbolTable>()), start, make);
  }

  /** @param read must not depend on where the executable is loaded, and read all at once */
  private read<T>(what: string, space: AddressSpace, base: bigint, read: (pe: LoadedPe | undefined) => T): T {
    if (!(space instanceof PagedSpace) || pageOffset(base) !== 0) return read(LoadedPe.at(space, base));
    const first = pageNumber(base);
    const readings = entry(this.readings, `${what} ${space.frameAt(first)}`, () => []);
    const same = readings.find(({ frames }) => frames.every(([page, frame]) => space.frameAt(first + page) === frame));
    if (same) return same.value as T;
    const recorder = new Recorder(space);
    const value = read(LoadedPe.at(recorder, base));
    if (recorder.complete && readings.length < MOST_COPIES) readings.push({ frames: [...recorder.frames].map(([page, frame]) => [page - first, frame]), value });
    return value;
  }
}

/** The same space; it remembers which pages were read, and their frames. */
class Recorder extends AddressSpace {
  /** frames by page; {@link NO_FRAME} of pages that are missing */
  readonly frames = new Map<number, number>();
  /** false where a page has content and no frame */
  complete = true;

  constructor(private readonly space: PagedSpace) {
    super();
  }

  get name(): string {
    return this.space.name;
  }

  get bits(): 32 | 64 {
    return this.space.bits;
  }

  override pageAt(number: number): Page | undefined {
    const frame = this.space.frameAt(number);
    const page = this.space.pageAt(number);
    if (frame === NO_FRAME && page) this.complete = false;
    this.frames.set(number, frame);
    return page;
  }
}

/** The value of a key, made where there is none. */
function entry<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
