import { createPagedSpace, type PagingKind } from '../../memory/paging/create.js';
import type { PagedSpace } from '../../memory/paging/paged.js';
import type { WindowsPagedOptions, WindowsPte } from '../../memory/paging/windows.js';
import { WindowsEntries } from '../../memory/paging/windows-entries.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import { orElse } from '../../memory/absent.js';
import { stateProcessMemory, type Struct } from '../../object/struct.js';
import type { Profile } from '../../symbols/profile.js';
import { type Kernel, ownSpace } from '../kernel.js';
import { sizeOfImage } from './find/base.js';
import { pageFileName } from './memory/pagefiles.js';
import { windowsPte } from './memory/pte.js';
import { ProfiledKernel } from '../profiled.js';
import type { Eprocess } from './types.js';
import { viewsOf, viewText } from './memory/views.js';

/** A kernel image whose header is not in memory is taken for one of this size. */
const LARGEST_IMAGE = 0x1000000;

/** Where a Windows kernel was found: numbers that a second open of the same image takes from the cache. */
export interface WindowsLocation {
  readonly paging: PagingKind;
  /** physical address of the System process's top page table */
  readonly dtb: number;
  /** virtual address of the kernel image's header */
  readonly base: bigint;
  /** GUID and age of its PDB, and the PDB's name */
  readonly guid: string;
  readonly pdb: string;
}

/** A Windows kernel in an image. */
export class WindowsKernel extends ProfiledKernel implements Kernel {
  readonly os = 'windows';
  readonly space: PagedSpace;
  private readonly spaces = new Map<number, PagedSpace>();
  private readonly pte: WindowsPte;

  constructor(
    readonly physical: PhysicalSpace,
    readonly profile: Profile,
    readonly location: WindowsLocation,
    /** `7600.16385.amd64fre.win7_rtm.090713-1255` */
    readonly banner: string,
    readonly version: { readonly major: number; readonly minor: number },
    /** its space where that is not one of page tables: a triage dump's blocks */
    space?: PagedSpace,
    /** of a triage dump: the objects of which the dump has copies */
    readonly crashObjects: readonly { readonly type: string; readonly address: bigint }[] = [],
  ) {
    super();
    this.pte = windowsPte(profile, () => this.space);
    this.space =
      space ?? createPagedSpace(location.paging, physical, location.dtb, { name: 'kernel', os: 'windows', windows: { pte: this.pte, names: this.names() } });
    ownSpace(this);
    stateProcessMemory(this.space, (process) => this.spaceOf(process as Eprocess));
  }

  get description(): string {
    const { paging } = this.location;
    const arch = { amd64: 'x64', 'amd64-la57': 'x64, five-level paging', i386: 'x86', 'i386-pae': 'x86 with PAE', arm64: 'ARM64' }[paging];
    return `${productOf(this.version, this.build)} ${arch}, ${this.banner}`;
  }

  get extent(): { start: bigint; end: bigint } {
    const start = this.location.base;
    return this.memo('extent', () => ({ start, end: start + BigInt(sizeOfImage(this.space, start) ?? LARGEST_IMAGE) }));
  }

  /** `7600` */
  get build(): number {
    return Number(/^\d+/.exec(this.banner)?.[0] ?? 0);
  }

  /** How entries of page tables that are not present are read; undefined where there are none (triage dumps) or they are not understood (ARM64). */
  get entries(): WindowsEntries | undefined {
    return 'software' in this.space && this.space.software instanceof WindowsEntries ? this.space.software : undefined;
  }

  /** Physical address of a process's top page table. */
  dtbOf(process: Eprocess): number {
    return directoryTable(process.Pcb, this.location.paging);
  }

  /** The address space of a process; of one without its own (exited) an empty one. */
  spaceOf(process: Eprocess): PagedSpace {
    const dtb = this.dtbOf(process);
    let space = this.spaces.get(dtb);
    if (!space) {
      const name = orElse(() => `${process.ImageFileName} (${process.UniqueProcessId})`, `dtb 0x${dtb.toString(16)}`);
      space = this.spaceAt(dtb, name, process);
      this.spaces.set(dtb, space);
    }
    return space;
  }

  /** The address space of page tables; where they are a process's, with the pages that only its regions (VADs) describe. */
  spaceAt(dtb: number, name: string, process?: Eprocess): PagedSpace {
    // Pages of the kernel's half are never described by a region.
    const highest = this.profile.pointerSize === 8 ? 2 ** 35 : 2 ** 20;
    const windows: Omit<WindowsPagedOptions, 'name'> = {
      pte: this.pte,
      kernel: this.space,
      names: this.names(process),
      ...(process ? { prototypeOf: (page: number) => (page < highest ? viewsOf(this, process).prototypeOf(page) : undefined) } : {}),
    };
    const space = createPagedSpace(this.location.paging, this.physical, dtb, { name, os: 'windows', windows });
    // The kernel's half of it has the same process objects.
    stateProcessMemory(space, (other) => this.spaceOf(other as Eprocess));
    return space;
  }

  private names(process?: Eprocess): WindowsPagedOptions['names'] {
    return {
      pageFile: (file) => pageFileName(this, file),
      prototype: (address, page) => (process ? viewText(this, viewsOf(this, process), page, address) : undefined),
      region: (page) => (process ? viewsOf(this, process).regionText(page) : undefined),
    };
  }
}

/** `_KPROCESS.DirectoryTableBase`, without the bits that are no address (PCID, flags of the shadow table). Two words of 32 bits until Windows 7 x86. */
export function directoryTable(pcb: Struct, paging: PagingKind): number {
  const stored = pcb.$get('DirectoryTableBase');
  const word = typeof stored === 'object' && stored !== null && Symbol.iterator in stored ? [...(stored as Iterable<number | bigint>)][0] : (stored as number | bigint);
  const value = BigInt(word ?? 0);
  // PAE's table of four entries is aligned to 32 bytes, all others to a page.
  return Number(paging === 'i386-pae' ? value & 0xffffffe0n : value & 0xffffffffff000n);
}

/** The name that a version is sold under. Sources: Microsoft, "Operating System Version"; builds of Windows 11 begin at 22000. */
function productOf({ major, minor }: { readonly major: number; readonly minor: number }, build: number): string {
  if (major === 10) return build >= 22000 ? 'Windows 11' : 'Windows 10';
  const names: Readonly<Record<string, string>> = { '5.0': '2000', '5.1': 'XP', '5.2': 'Server 2003', '6.0': 'Vista', '6.1': '7', '6.2': '8', '6.3': '8.1' };
  const name = names[`${major}.${minor}`];
  return name === undefined ? `Windows ${major}.${minor}` : `Windows ${name}`;
}
