import type { WindowsKernel } from '../../kernel/windows/kernel.js';
import { loadedDrivers } from '../../kernel/windows/modules.js';
import { loadedModules } from '../../kernel/windows/peb.js';
import { unicodeText } from '../../kernel/windows/strings.js';
import type { Eprocess } from '../../kernel/windows/types.js';
import { fileName, vadFile, vads } from '../../kernel/windows/vad.js';
import { Absent, orElse } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import { LoadedPe } from '../../symbols/pe/loaded.js';
import { type NearSymbol, SymbolTable } from '../../symbols/symbol-table.js';
import type { KernelSymbol } from '../../symbols/types.js';
import type { NamedRange } from './linux-names.js';
import { moduleKey, moduleName, type ModuleNames } from './module-names.js';

/** Modules of a process, and regions, at most. */
const MOST = 1 << 16;

/** What a Windows module exports, read when first asked for. Forwarders have a name here and their code elsewhere: they are left out. */
class PeNames implements ModuleNames {
  private table: SymbolTable | undefined;

  constructor(
    private readonly space: AddressSpace,
    readonly name: string,
    readonly start: bigint,
    readonly end: bigint,
    readonly path: string,
    readonly aliases: readonly string[] = [],
  ) {}

  lookup(symbol: string): bigint | undefined {
    return this.index().lookup(symbol);
  }

  nearest(address: bigint): NearSymbol | undefined {
    return address >= this.start && address < this.end ? this.index().nearest(address) : undefined;
  }

  at(address: bigint): readonly KernelSymbol[] {
    return this.index().at(address);
  }

  index(): SymbolTable {
    return (this.table ??= new SymbolTable(this.symbols()));
  }

  private symbols(): KernelSymbol[] {
    const pe = LoadedPe.at(this.space, this.start);
    if (!pe) return [];
    return [...pe.exports()].filter((one) => one.forwarder === undefined).map((one) => ({ name: one.name, address: this.start + BigInt(one.rva), kind: 'T' }));
  }
}

/** A region that has no names but its own: `vad_0x1c0000`. */
class VadNames implements ModuleNames {
  private static readonly nothing = new SymbolTable([]);

  constructor(
    readonly name: string,
    readonly start: bigint,
    readonly end: bigint,
    readonly path: string | undefined,
  ) {}

  lookup(): undefined {
    return undefined;
  }

  nearest(): undefined {
    return undefined;
  }

  at(): readonly KernelSymbol[] {
    return [];
  }

  index(): SymbolTable {
    return VadNames.nothing;
  }
}

interface Names {
  readonly modules: readonly ModuleNames[];
  readonly ranges: readonly NamedRange[];
}

/** The kernel's drivers and libraries, but for the kernel itself, whose profile knows more than its exports. */
export function windowsModules(kernel: WindowsKernel): Names {
  return named(
    loadedDrivers(kernel)
      .filter(({ base }) => base !== kernel.location.base)
      .map(({ name, path, base, size }) => ({ start: base, end: base + BigInt(size), path, file: name })),
    kernel.space,
    new Set(['nt']),
  );
}

/**
 * The modules of a process: those that its loader lists, and executables that are mapped without its knowledge; every other region is
 * `vad_0xSTART`, as Rekall called them.
 * @param reserved names that mean something else already
 */
export function windowsProcessNames(kernel: WindowsKernel, process: Eprocess, space: AddressSpace, reserved: Iterable<string>, onFault: (what: string) => void): Names {
  const taken = new Set(reserved);
  const loaded = collect(guarded(() => loadedModules(kernel, process), () => onFault("the loader's list is not in memory: modules are told by the files that are mapped")), (entry) => ({
    start: entry.DllBase.address,
    end: entry.DllBase.address + BigInt(entry.SizeOfImage),
    path: orElse(() => unicodeText(entry.FullDllName), ''),
    file: orElse(() => unicodeText(entry.BaseDllName), ''),
  }));
  const known = new Set(loaded.map(({ start }) => start));
  const { modules, ranges } = named(loaded, space, taken);
  const all = { modules: [...modules], ranges: [...ranges] };
  let count = 0;
  for (const vad of vads(kernel, process, onFault)) {
    if (known.has(vad.start) || ++count > MOST) continue;
    const path = orElse(() => {
      const file = vadFile(kernel, vad);
      return file ? fileName(file) : undefined;
    }, undefined);
    const label = path === undefined ? undefined : moduleName(path);
    const free = label !== undefined && label !== '' && !taken.has(moduleKey(label));
    if (free) taken.add(moduleKey(label));
    const end = vad.end + 1n;
    const isExecutable = path !== undefined && LoadedPe.at(space, vad.start) !== undefined;
    const names = isExecutable && free ? new PeNames(space, label, vad.start, end, path) : new VadNames(free ? label : `vad_0x${vad.start.toString(16)}`, vad.start, end, path);
    all.modules.push(names);
    all.ranges.push({ start: vad.start, end, names });
  }
  return all;
}

interface Piece {
  readonly start: bigint;
  readonly end: bigint;
  readonly path: string;
  readonly file: string;
}

/** Modules by their names; of several that share one (a DLL of 32 and of 64 bits) the first has it. */
function named(pieces: readonly Piece[], space: AddressSpace, taken: Set<string>): Names {
  const modules: ModuleNames[] = [];
  const ranges: NamedRange[] = [];
  for (const { start, end, path, file } of pieces) {
    if (end <= start) continue;
    const label = moduleName(file === '' ? path : file);
    const free = label !== '' && !taken.has(moduleKey(label));
    if (free) taken.add(moduleKey(label));
    const names = new PeNames(space, free ? label : `mod_0x${start.toString(16)}`, start, end, path);
    modules.push(names);
    ranges.push({ start, end, names });
  }
  return { modules, ranges };
}

/** What can be read of each entry. */
function collect<T>(entries: Iterable<T>, read: (entry: T) => Piece): Piece[] {
  const found: Piece[] = [];
  for (const entry of entries) {
    const piece = orElse(() => read(entry), undefined);
    if (piece && found.length < MOST) found.push(piece);
  }
  return found;
}

function* guarded<T>(walk: () => Iterable<T>, onFault: () => void): Generator<T> {
  try {
    yield* walk();
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    onFault();
  }
}
