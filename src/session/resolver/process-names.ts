import { orElse } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import type { LinuxKernel } from '../../kernel/linux/kernel.js';
import { CachedFile } from '../../kernel/linux/page-cache.js';
import type { MmStruct, VmAreaStruct } from '../../kernel/linux/types.js';
import { mmBounds, vmaName, vmas } from '../../kernel/linux/vma.js';
import { LoadedElf } from '../../symbols/elf/loaded.js';
import { type NearSymbol, SymbolTable } from '../../symbols/symbol-table.js';
import type { KernelSymbol } from '../../symbols/types.js';
import type { NamedRange } from './linux-names.js';
import { moduleKey, type ModuleNames, moduleName } from './module-names.js';
import { NO_NAMES, RegionNames } from './region-names.js';

/** Symbols of all programs and libraries of one process: a damaged process could claim any number. */
const MOST_SYMBOLS = 1 << 22;

/** Areas of a process that are looked at; vm.max_map_count is 65530 unless it was raised. */
const MOST_AREAS = 1 << 17;

/** What the names of one process share: how many symbols may still be read, and who is told what is missing. */
interface Budget {
  symbols: number;
  readonly onFault: (what: string) => void;
}

/** A program or library that a process has mapped, or the vdso: its own symbol tables, as far as they are in memory. */
class ElfNames implements ModuleNames {
  private table: SymbolTable | undefined;

  constructor(
    private readonly elf: LoadedElf,
    private readonly file: CachedFile | undefined,
    private readonly budget: Budget,
    readonly name: string,
    readonly aliases: readonly string[],
    readonly end: bigint,
    readonly path: string | undefined,
  ) {}

  get start(): bigint {
    return this.elf.base;
  }

  lookup(symbol: string): bigint | undefined {
    return this.index().lookup(symbol);
  }

  nearest(address: bigint): NearSymbol | undefined {
    return this.index().nearest(address);
  }

  at(address: bigint): readonly KernelSymbol[] {
    return this.index().at(address);
  }

  index(): SymbolTable {
    return (this.table ??= this.read());
  }

  private read(): SymbolTable {
    const { budget, name } = this;
    if (budget.symbols <= 0) {
      budget.onFault(`${name}: its symbols are not read, the process has too many already`);
      return NO_NAMES;
    }
    const { symbols, missing } = this.elf.symbols(this.file);
    budget.symbols -= symbols.length;
    if (missing.length > 0) budget.onFault(`${name}: not in memory: ${missing.join('; ')}`);
    // Of several names for one place the plain one comes first: printf, not _IO_printf.
    return new SymbolTable(symbols.toSorted((a, b) => underscores(a.name) - underscores(b.name)));
  }
}

function underscores(name: string): number {
  return /^_*/.exec(name)?.[0].length ?? 0;
}

/** The names of a process's memory, and where they hold. */
export interface ProcessNames {
  readonly modules: readonly ModuleNames[];
  /** ascending */
  readonly ranges: readonly NamedRange[];
}

/** A program under way: its areas follow one another. */
interface Image {
  readonly names: ElfNames;
  readonly inode: bigint;
  readonly end: bigint;
}

/**
 * The memory areas of a process by name. A file of ELF is one module from its header to the end of its segments, whichever areas the loader
 * made of it, the memory that no file backs (.bss) included; other files are called by their names, what has none `map_0xSTART`.
 * Of several areas that would have one name the first has it.
 * @param reserved names that mean something else already: the kernel and its modules
 */
export function processNames(kernel: LinuxKernel, mm: MmStruct, space: AddressSpace, reserved: Iterable<string>, onFault: (what: string) => void): ProcessNames {
  const taken = new Set(reserved);
  const budget: Budget = { symbols: MOST_SYMBOLS, onFault };
  const modules: ModuleNames[] = [];
  const ranges: NamedRange[] = [];
  const bounds = orElse(() => mmBounds(mm), { heapStart: 0n, heapEnd: 0n, stack: 0n });
  let image: Image | undefined;

  /** The name of what starts at an address, and the others that it answers to. */
  const nameFor = (start: bigint, wanted: string | undefined): { name: string; aliases: string[] } => {
    const map = `map_0x${start.toString(16)}`;
    if (wanted === undefined || wanted === '' || taken.has(moduleKey(wanted))) return { name: map, aliases: [] };
    taken.add(moduleKey(wanted));
    return { name: wanted, aliases: [map] };
  };
  const region = (start: bigint, end: bigint, wanted: string | undefined, path?: string): void => {
    const { name, aliases } = nameFor(start, wanted);
    const names = new RegionNames(name, aliases, start, end, path);
    modules.push(names);
    ranges.push({ start, end, names });
  };

  for (const vma of vmas(kernel, mm, { onFault, limit: MOST_AREAS })) {
    const area = orElse(() => areaOf(kernel, vma, bounds), undefined);
    if (!area || area.end <= area.start) continue;
    const { start, end, path, inode } = area;
    if (image && start >= image.end) image = undefined;
    if (image && (inode === image.inode || (path === undefined && inode === 0n))) {
      const stop = end < image.end || inode === image.inode ? end : image.end;
      ranges.push({ start, end: stop, names: image.names });
      if (stop < end) region(stop, end, undefined);
      continue;
    }
    const special = /^\[(vdso|vsyscall)\]$/.test(path ?? '');
    const elf = area.offset === 0n && (inode !== 0n || special) ? LoadedElf.at(space, start) : undefined;
    const label = path === undefined ? undefined : /^\[\w+\]$/.test(path) ? path.slice(1, -1) : path.startsWith('[') ? undefined : moduleName(path);
    if (!elf) {
      region(start, end, label, path);
      continue;
    }
    const { name, aliases } = nameFor(start, label);
    const file = area.file === undefined ? undefined : new CachedFile(kernel, area.file, name);
    const stop = elf.end > end ? elf.end : end;
    const names = new ElfNames(elf, file, budget, name, path === undefined ? aliases : [...aliases, fileName(path)], stop, path);
    image = { names, inode, end: stop };
    modules.push(names);
    ranges.push({ start, end, names });
  }
  ranges.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  return { modules, ranges };
}

function fileName(path: string): string {
  return path.replace(/ \(deleted\)$/, '').replace(/^.*\//, '').toLowerCase();
}

/** An area: its place, what /proc/PID/maps calls it, and the file behind it. Throws Absent. */
function areaOf(kernel: LinuxKernel, vma: VmAreaStruct, bounds: Parameters<typeof vmaName>[2]) {
  const file = vma.vm_file;
  const inode = orElse(() => file?.f_inode ?? null, null);
  return {
    start: BigInt(vma.vm_start),
    end: BigInt(vma.vm_end),
    path: orElse(() => vmaName(kernel, vma, bounds), null) ?? undefined,
    offset: file ? BigInt(vma.vm_pgoff) : 0n,
    file: inode ?? undefined,
    inode: inode?.$address ?? 0n,
  };
}
