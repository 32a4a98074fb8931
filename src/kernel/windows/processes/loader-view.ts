import { Absent, orAbsent, orElse } from '../../../memory/absent.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import { programBase } from './images.js';
import type { WindowsKernel } from '../kernel.js';
import { LOADER_LISTS, loadedModules, pebOf } from './peb.js';
import { unicodeText } from '../strings.js';
import type { Eprocess, LdrDataTableEntry } from '../types.js';
import { fileName, isExecutable, type Vad, type VadFacts, vadFacts, vadFile, vads } from '../memory/vad.js';
import { hasLoader32, loadedModules32 } from './wow64.js';

export type ListName = keyof typeof LOADER_LISTS;
const LISTS = Object.keys(LOADER_LISTS) as ListName[];

/** An entry of one of the loader's lists. */
interface Listed {
  readonly entry: LdrDataTableEntry;
  /** true for the loader of 32 bits in a process of a 64-bit system */
  readonly wow64: boolean;
}

/** What is mapped at an address of a process, or said to be, and which lists of its loader have it. */
export interface MappedImage {
  readonly base: bigint;
  /** the region that begins there; undefined where only a list has it */
  readonly region: Vad | undefined;
  /** Image: mapped as an executable; File: mapped as data; Private: memory of the process alone; Nothing: no region begins there */
  readonly kind: 'Image' | 'File' | 'Private' | 'Nothing';
  /** path of the file that is mapped; null where none is. Throws Absent. */
  file(): string | null;
  /** whether a list has it; null for a process without a loader; Absent where the list could not be read */
  in(list: ListName): boolean | null | Absent;
  /** the path that a list states; null where it does not have it. Throws Absent. */
  path(list: ListName): string | null;
  /** true where the lists of the 32-bit loader have it */
  readonly wow64: boolean;
  /** what is to be said about it; null where nothing is */
  remark(): Remark | null;
}

export interface Remark {
  readonly text: string;
  /** false where Windows itself makes it so */
  readonly odd: boolean;
}

/**
 * The executables in the memory of a process by the kernel's regions, and by the loader's three lists, which the process may change: all regions that are
 * mapped as images, private or executable ones that begin with MZ, and addresses that only a list has; by address.
 */
export function* mappedImages(kernel: WindowsKernel, process: Eprocess, onFault: (what: string) => void): Generator<MappedImage> {
  const lists = new Loader(kernel, process, onFault);
  const space = orElse(() => kernel.spaceOf(process), undefined);
  const found = new Map<bigint, { region: Vad | undefined; facts: VadFacts | undefined }>();
  for (const region of vads(kernel, process, onFault)) {
    const facts = orElse(() => vadFacts(kernel, region), undefined);
    if (lists.bases.has(region.start) || (facts && isCandidate(facts, region, space))) found.set(region.start, { region, facts });
  }
  for (const base of lists.bases) if (!found.has(base)) found.set(base, { region: undefined, facts: undefined });
  const program = programBase(kernel, process);
  for (const [base, { region, facts }] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const kind = !region ? 'Nothing' : facts?.image === true ? 'Image' : facts?.private === true ? 'Private' : 'File';
    yield new Image(kernel, lists, { base, region, kind, program: base === program.kernel || base === program.peb });
  }
}

/** An image; or what begins like one and was not mapped as data. */
function isCandidate(facts: VadFacts, { start }: Vad, space: PagedSpace | undefined): boolean {
  if (facts.image) return true;
  if (!facts.private && !isExecutable(facts.protection)) return false;
  return orElse(() => space?.read(start, 2).toString('latin1') === 'MZ', false);
}

/** The loader's lists of a process, by the addresses of the modules. */
class Loader {
  readonly bases = new Set<bigint>();
  readonly exists: boolean;
  private readonly entries = new Map<ListName, ReadonlyMap<bigint, Listed>>();
  private readonly missing = new Map<ListName, Absent>();

  constructor(kernel: WindowsKernel, process: Eprocess, onFault: (what: string) => void) {
    this.exists = orElse(() => process.$pointer('Peb') !== 0n, false);
    if (!this.exists) return;
    const wow64 = hasLoader32(kernel, process);
    for (const list of LISTS) {
      const entries = new Map<bigint, Listed>();
      const take = (modules: Iterable<LdrDataTableEntry>, bits32: boolean): void => {
        const failed = orAbsent(() => {
          for (const entry of modules) {
            const base = orElse(() => entry.DllBase.address, 0n);
            if (base !== 0n && !entries.has(base)) entries.set(base, { entry, wow64: bits32 });
          }
        });
        if (failed instanceof Absent) this.missing.set(list, failed);
      };
      // A PEB that has no list yet is one of a process that has not begun.
      const begun = orAbsent(() => pebOf(kernel, process)?.$pointer('Ldr'));
      if (begun instanceof Absent) this.missing.set(list, begun);
      else take(loadedModules(kernel, process, list, { onFault }), false);
      if (wow64) take(loadedModules32(kernel, process, list, { onFault }), true);
      this.entries.set(list, entries);
      for (const base of entries.keys()) this.bases.add(base);
    }
  }

  get(list: ListName, base: bigint): Listed | undefined {
    return this.entries.get(list)?.get(base);
  }

  has(list: ListName, base: bigint): boolean | null | Absent {
    if (!this.exists) return null;
    return this.get(list, base) !== undefined || (this.missing.get(list) ?? false);
  }
}

interface Place {
  readonly base: bigint;
  readonly region: Vad | undefined;
  readonly kind: MappedImage['kind'];
  /** the process's program */
  readonly program: boolean;
}

class Image implements MappedImage {
  readonly base: bigint;
  readonly region: Vad | undefined;
  readonly kind: MappedImage['kind'];

  constructor(
    private readonly kernel: WindowsKernel,
    private readonly lists: Loader,
    private readonly place: Place,
  ) {
    ({ base: this.base, region: this.region, kind: this.kind } = place);
  }

  get wow64(): boolean {
    return LISTS.some((list) => this.lists.get(list, this.base)?.wow64 === true);
  }

  file(): string | null {
    const object = this.region && vadFile(this.kernel, this.region);
    return object ? fileName(object) : null;
  }

  in(list: ListName): boolean | null | Absent {
    return this.lists.has(list, this.base);
  }

  path(list: ListName): string | null {
    const listed = this.lists.get(list, this.base);
    return listed ? unicodeText(listed.entry.FullDllName) : null;
  }

  remark(): Remark | null {
    const known = LISTS.filter((list) => this.in(list) === true);
    if (this.kind === 'Nothing') return { text: 'the loader lists it, and nothing is mapped there', odd: true };
    if (this.kind === 'Private') return { text: `private memory${known.length > 0 ? ', which the loader lists' : ' that begins with MZ'}`, odd: true };
    const file = orElse(() => this.file(), null);
    const innocent = known.length === 0 ? INNOCENT.find(([pattern]) => pattern.test(file ?? '')) : undefined;
    if (innocent) return this.in('load') === false ? { text: `in no list: ${innocent[1]}`, odd: false } : null;
    const remarks: string[] = file === null ? ['no file behind it'] : [];
    if (this.lists.exists) remarks.push(...this.missingFrom(known), ...this.otherPath(file));
    return remarks.length === 0 ? null : { text: remarks.join('; '), odd: true };
  }

  private *missingFrom(known: readonly ListName[]): Generator<string> {
    const gone = LISTS.filter((list) => this.in(list) === false);
    if (gone.length === 0) return;
    if (known.length === 0) {
      if (!LISTS.some((list) => this.in(list) instanceof Absent)) yield 'in no list of the loader';
      return;
    }
    const entry = known.map((list) => this.lists.get(list, this.base)?.entry).find((one) => one !== undefined);
    // The program is never initialized by the loader, nor is what has no entry point.
    const uninitialized = this.place.program || orElse(() => entry?.EntryPoint.address === 0n, false);
    const odd = gone.filter((list) => list !== 'init' || !uninitialized);
    if (odd.length > 0) yield `unlinked from ${odd.map((list) => NAMES[list]).join(' and ')}`;
  }

  private *otherPath(file: string | null): Generator<string> {
    if (file === null) return;
    for (const list of LISTS) {
      const path = orElse(() => this.path(list), null);
      if (path === null || path === '' || samePath(path, file)) continue;
      yield `the loader calls it ${path}`;
      return;
    }
  }
}

/** What is mapped as an image, and no module of the loader's. */
const INNOCENT: readonly (readonly [file: RegExp, why: string])[] = [
  // Since Windows 7, into every process, before there is a loader.
  [/\\apisetschema\.dll$/i, 'the kernel maps it for the loader'],
  [/\.mui$/i, 'resources'],
];

const NAMES: Readonly<Record<ListName, string>> = { load: 'load order', memory: 'memory order', init: 'initialization order' };

/**
 * True where a loader's path (`C:\Windows\system32\x.dll`, `\SystemRoot\System32\x.dll`, `\??\C:\…`) may be that of a file object (`\Windows\System32\x.dll`):
 * without the drive; the two system folders of WoW64 are called alike by the 32-bit loader, and short names are not told apart.
 */
function samePath(listed: string, file: string): boolean {
  if (listed.includes('~') || file.includes('~') || !listed.includes('\\')) return true;
  const plain = (path: string): string => path.toLowerCase().replace(/^\\\?\?\\/, '').replace(/^[a-z]:/, '').replace(/\\(syswow64|sysnative|sysarm32)\\/, '\\system32\\');
  const [one, two] = [plain(listed), plain(file)];
  return one.startsWith('\\systemroot\\') ? two.endsWith(one.slice('\\systemroot'.length)) : two.endsWith(one);
}
