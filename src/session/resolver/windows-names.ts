import { ApiSets } from '../../kernel/windows/system/api-sets.js';
import type { WindowsKernel } from '../../kernel/windows/kernel.js';
import { loadedDrivers } from '../../kernel/windows/system/modules.js';
import { loadedModules, pebOf } from '../../kernel/windows/processes/peb.js';
import { activeProcesses } from '../../kernel/windows/processes/processes.js';
import { unicodeText } from '../../kernel/windows/strings.js';
import type { Eprocess, LdrDataTableEntry } from '../../kernel/windows/types.js';
import { fileName, type Vad, vadFacts, vadFile, vads } from '../../kernel/windows/memory/vad.js';
import { Absent, orElse } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import { LoadedPe } from '../../symbols/pe/loaded.js';
import type { CodeNames } from './code-reader.js';
import type { NamedRange } from './linux-names.js';
import { moduleKey, moduleName, type ModuleNames } from './module-names.js';
import { PeNames, type PeSurroundings, type SharedNames } from './pe-names.js';
import { RegionNames } from './region-names.js';

/** Modules of a process, and regions, at most. */
const MOST = 1 << 16;
/** IMAGE_FILE_MACHINE_I386 */
const I386 = 0x14c;

interface Names {
  readonly modules: readonly ModuleNames[];
  readonly ranges: readonly NamedRange[];
}

/**
 * The kernel's drivers and libraries, but for the kernel itself, whose profile knows more than its exports.
 * @param nt the kernel's own names
 */
export function windowsModules(kernel: WindowsKernel, nt: ModuleNames, shared: SharedNames, names: () => CodeNames): Names {
  const modules: ModuleNames[] = [];
  const around: PeSurroundings = {
    ...shared,
    names,
    types: () => kernel.profile.types,
    module: (key) => (key === moduleKey(nt.name) ? nt : modules.find(({ name }) => moduleKey(name) === key)),
    // Drivers are linked to each other without them.
    apiSets: () => undefined,
  };
  const pieces = loadedDrivers(kernel)
    .filter(({ base }) => base !== kernel.location.base)
    .map(({ name, path, base, size }) => ({ start: base, end: base + BigInt(size), path, file: name }));
  let ofSession: AddressSpace | undefined;
  // The window manager's drivers lie where only processes of a session see them.
  const spaceOf = (start: bigint): AddressSpace => (kernel.space.isValid(start) ? kernel.space : (ofSession ??= sessionSpace(kernel)));
  const found = named(pieces, spaceOf, new Set([moduleKey(nt.name)]), around);
  modules.push(...found.modules);
  return found;
}

/** The space of a process that belongs to a session; the kernel's where none is known. */
function sessionSpace(kernel: WindowsKernel): AddressSpace {
  return orElse(() => {
    for (const process of activeProcesses(kernel)) if (process.$pointer('Session') !== 0n) return kernel.spaceOf(process);
    return kernel.space;
  }, kernel.space);
}

/**
 * The modules of a process: those that its loader lists, and executables that are mapped without its knowledge, among them all of 32 bits in a process of
 * WoW64; every other region is `vad_0xSTART`, as Rekall called them. Of two modules with one name (ntdll of 64 and of 32 bits) the second has its address
 * behind it, as in WinDbg: `ntdll_76f20000`; it answers to `ntdll32`, too. What regions are called is read when one of them is first asked for: most
 * addresses lie in modules that the loader lists.
 * @param reserved names that mean something else already
 */
export function windowsProcessNames(kernel: WindowsKernel, process: Eprocess, space: AddressSpace, reserved: Iterable<string>, shared: SharedNames, names: () => CodeNames, onFault: (what: string) => void): Names {
  const taken = new Set(reserved);
  let sets: ApiSets | null | undefined;
  const around: PeSurroundings = {
    ...shared,
    names,
    types: () => kernel.profile.types,
    module: (key, machine) => {
      const namesakes = (modules: readonly ModuleNames[]): PeNames[] => modules.filter((one): one is PeNames => one instanceof PeNames && moduleKey(one.path === '' ? one.name : one.path) === key);
      const sameCode = (found: readonly PeNames[]): PeNames | undefined => found.find((one) => one.machine === machine);
      const own = namesakes(listed.modules);
      const other = sameCode(own) ? [] : namesakes([...regions().values()]);
      return sameCode(own) ?? sameCode(other) ?? own[0] ?? other[0];
    },
    apiSets: () => (sets === undefined ? (sets = apiSetsOf(kernel, process) ?? null) : sets) ?? undefined,
  };
  const missing = (): void => onFault("the loader's list is not in memory: modules are told by the files that are mapped");
  const loaded = collect(guarded(() => loadedModules(kernel, process), missing), piece);
  const known = new Set(loaded.map(({ start }) => start));
  const listed = named(loaded, () => space, taken, around);
  const others: Vad[] = [];
  for (const vad of vads(kernel, process, onFault)) if (!known.has(vad.start) && others.length < MOST) others.push(vad);
  let read: ReadonlyMap<Vad, ModuleNames> | undefined;
  const regions = (): ReadonlyMap<Vad, ModuleNames> => (read ??= new Map(others.map((vad) => [vad, namesOf(kernel, vad, space, taken, around)])));
  const rangeOf = (vad: Vad): NamedRange => ({
    start: vad.start,
    end: vad.end + 1n,
    get names() {
      return regions().get(vad) as ModuleNames;
    },
  });
  let all: readonly ModuleNames[] | undefined;
  return {
    get modules() {
      return (all ??= [...listed.modules, ...regions().values()]);
    },
    ranges: [...listed.ranges, ...others.map(rangeOf)],
  };
}

/** The names of a region: of the executable that is mapped there, or only its own. */
function namesOf(kernel: WindowsKernel, vad: Vad, space: AddressSpace, taken: Set<string>, around: PeSurroundings): ModuleNames {
  const path = orElse(() => {
    const file = vadFile(kernel, vad);
    return file ? fileName(file) : undefined;
  }, undefined);
  const [start, end] = [vad.start, vad.end + 1n];
  // One whose name is free is called the same with and without a header, which is read when its names are asked for.
  const isExecutable = path !== undefined && isImage(kernel, vad) && (!taken.has(moduleKey(moduleName(path))) || LoadedPe.at(space, start) !== undefined);
  return isExecutable ? peNames({ start, end, path, file: '' }, space, taken, around) : regionNames(path, start, end, taken);
}

/** Whether a region is mapped as an executable; of one that does not say so it is believed. */
function isImage(kernel: WindowsKernel, vad: Vad): boolean {
  return orElse(() => vadFacts(kernel, vad).image, true);
}

function apiSetsOf(kernel: WindowsKernel, process: Eprocess): ApiSets | undefined {
  const base = orElse(() => {
    const peb = pebOf(kernel, process);
    return peb?.$has('ApiSetMap') === true ? peb.$pointer('ApiSetMap') : 0n;
  }, 0n);
  return base === 0n ? undefined : ApiSets.at(kernel.spaceOf(process), base);
}

interface Piece {
  readonly start: bigint;
  readonly end: bigint;
  readonly path: string;
  readonly file: string;
}

/** Where an entry of a loader's list says that its module is. Throws Absent where that cannot be read. */
function piece(entry: LdrDataTableEntry): Piece {
  const start = entry.DllBase.address;
  return { start, end: start + BigInt(entry.SizeOfImage), path: orElse(() => unicodeText(entry.FullDllName), ''), file: orElse(() => unicodeText(entry.BaseDllName), '') };
}

function named(pieces: readonly Piece[], spaceOf: (start: bigint) => AddressSpace, taken: Set<string>, around: PeSurroundings): Names {
  const modules: ModuleNames[] = [];
  const ranges: NamedRange[] = [];
  for (const one of pieces) {
    if (one.end <= one.start) continue;
    const names = peNames(one, spaceOf(one.start), taken, around);
    modules.push(names);
    ranges.push({ start: one.start, end: one.end, names });
  }
  return { modules, ranges };
}

/** A module under its name, which the first of several that share it has. */
function peNames({ start, end, path, file }: Piece, space: AddressSpace, taken: Set<string>, around: PeSurroundings): PeNames {
  const label = moduleName(file === '' ? path : file);
  const place = start.toString(16);
  const key = moduleKey(label);
  if (label === '') return new PeNames(space, `mod_0x${place}`, start, end, path, around);
  if (!taken.has(key)) {
    taken.add(key);
    return new PeNames(space, label, start, end, path, around);
  }
  // Names of the kernel's modules are taken, too, by ones that are no namesakes of 32 bits.
  const narrow = `${key}32`;
  const isNarrow = !taken.has(narrow) && LoadedPe.at(space, start)?.machine === I386;
  if (isNarrow) taken.add(narrow);
  return new PeNames(space, `${label}_${place}`, start, end, path, around, isNarrow ? [narrow] : []);
}

function regionNames(path: string | undefined, start: bigint, end: bigint, taken: Set<string>): RegionNames {
  const label = path === undefined ? '' : moduleName(path);
  const isFree = label !== '' && !taken.has(moduleKey(label));
  if (isFree) taken.add(moduleKey(label));
  return new RegionNames(isFree ? label : `vad_0x${start.toString(16)}`, [], start, end, path);
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
