import { orElse } from '../../../memory/absent.js';
import type { ArrayView } from '../../../object/array.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';

/** A part of the kernel's address space with one purpose. */
export interface VirtualRegion {
  readonly type: string;
  readonly start: bigint;
  /** one past the last byte */
  readonly end: bigint;
  /** what says so: a variable of the kernel, or the layout that this version always has */
  readonly source: string;
  /** the kernel's record of it, `_MI_SYSTEM_VA_ASSIGNMENT`, where it keeps one */
  readonly region?: Struct;
}

/** The regions in the order of their addresses. Nothing where this version neither tells nor has a fixed layout. */
export function virtualMap(kernel: WindowsKernel): VirtualRegion[] {
  const found = [...assignedRegions(kernel)];
  if (found.length === 0) found.push(...typedRegions(kernel));
  if (found.length === 0) {
    found.push(...variableRegions(kernel));
    // What a variable says of a region is more exact than the room that the version has for it.
    const known = new Set(found.map(({ type }) => type));
    found.push(...[...fixedRegions(kernel)].filter(({ type }) => !known.has(type)));
  }
  const seen = new Set<string>();
  return found
    .filter(({ start, end }) => end > start && !seen.has(`${start} ${end}`) && seen.add(`${start} ${end}`))
    .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.end > b.end ? -1 : 1));
}

/** `_MI_VISIBLE_STATE`: behind nt!MiVisibleState, or within nt!MiState. Since Windows 10 1607. */
function visibleState(kernel: WindowsKernel): Struct | undefined {
  if (!kernel.profile.has('_MI_VISIBLE_STATE')) return undefined;
  const pointed = orElse(() => kernel.variable('MiVisibleState'), 0n);
  if (pointed !== 0n && kernel.space.isValid(pointed)) return kernel.at('_MI_VISIBLE_STATE', pointed);
  return orElse(() => kernel.global('MiState', '_MI_SYSTEM_INFORMATION').$get('Vs') as Struct, undefined);
}

/** x64 since Windows 10 1607: places are chosen at each start, and kept in a table by purpose (`_MI_ASSIGNED_REGION_TYPES`). */
function* assignedRegions(kernel: WindowsKernel): Generator<VirtualRegion> {
  const state = visibleState(kernel);
  if (!state || !state.$has('SystemVaRegions')) return;
  const names = labels(kernel, '_MI_ASSIGNED_REGION_TYPES', 'AssignedRegion');
  const regions = state.$get('SystemVaRegions') as ArrayView<Struct>;
  for (let index = 0; index < regions.length; index++) {
    const found = orElse(() => {
      const region = regions.at(index);
      return { region, start: region.$pointer('BaseAddress'), bytes: BigInt(region.$get('NumberOfBytes') as number | bigint) };
    }, undefined);
    if (!found || found.bytes === 0n) continue;
    yield { type: names.get(index) ?? `region ${index}`, start: found.start, end: BigInt.asUintN(64, found.start + found.bytes) || 1n << 64n, source: 'nt!MiVisibleState', region: found.region };
  }
}

/** x86 since Vista: a byte for each entry of the page directory says what its 4 MiB (with PAE 2 MiB) are used for (`_MI_SYSTEM_VA_TYPE`). */
function* typedRegions(kernel: WindowsKernel): Generator<VirtualRegion> {
  if (kernel.profile.pointerSize === 8) return;
  const state = visibleState(kernel);
  const source = state && state.$has('SystemVaType') ? 'nt!MiVisibleState' : 'nt!MiSystemVaType';
  const table = source === 'nt!MiVisibleState' ? state?.$addressOf('SystemVaType') : kernel.symbol('MiSystemVaType');
  if (table === undefined) return;
  const begin = orElse(() => kernel.variable('MmSystemRangeStart'), 0x80000000n);
  const unit = kernel.location.paging === 'i386-pae' ? 0x200000n : 0x400000n;
  const names = labels(kernel, '_MI_SYSTEM_VA_TYPE', 'MiVa');
  let open: { readonly type: number; readonly start: bigint } | undefined;
  const close = function* (end: bigint): Generator<VirtualRegion> {
    if (open && open.type !== 0) yield { type: names.get(open.type) ?? `type ${open.type}`, start: open.start, end, source };
  };
  for (let at = begin, index = 0n; at < 1n << 32n; at += unit, index++) {
    const type = orElse(() => kernel.space.readU8(table + index), 0);
    if (open?.type === type) continue;
    yield* close(at);
    open = { type, start: at };
  }
  yield* close(1n << 32n);
}

/** Names of an enumeration's values, without what all begin with. */
function labels(kernel: WindowsKernel, enumeration: string, prefix: string): Map<number, string> {
  const choices = kernel.profile.types.enum(enumeration)?.choices ?? [];
  return new Map([...choices].map(([value, name]) => [Number(value), name.startsWith(prefix) ? name.slice(prefix.length) : name]));
}

type Fixed = readonly (readonly [type: string, start: bigint, end: bigint])[];

/** What all x64 kernels before Windows 10 1607 have in the same place. */
const EVERY: Fixed = [
  ['PageTables', 0xfffff68000000000n, 0xfffff70000000000n],
  ['HyperSpace', 0xfffff70000000000n, 0xfffff78000000000n],
  ['SharedData', 0xfffff78000000000n, 0xfffff78000001000n],
  ['SystemCacheWorkingSet', 0xfffff78000001000n, 0xfffff80000000000n],
  ['LoaderMappings', 0xfffff80000000000n, 0xfffff88000000000n],
  ['Session', 0xfffff90000000000n, 0xfffff98000000000n],
];
/** Vista, 7 and 8. Source: Windows Internals 6th ed. part 2, ch. 10, "x64 Virtual Address Translation: address space layouts"; CodeMachine, "Kernel Virtual Address Layout". */
const VISTA: Fixed = [
  ['SystemPtes', 0xfffff88000000000n, 0xfffff8a000000000n],
  ['PagedPool', 0xfffff8a000000000n, 0xfffff8c000000000n],
  ['DynamicSystemSpace', 0xfffff98000000000n, 0xfffffa8000000000n],
  ['Hal', 0xffffffffffc00000n, 1n << 64n],
];
/** 8.1 and the first two releases of 10: 16 TiB for each pool. Source: Windows Internals 7th ed. part 1, ch. 5, "64-bit address space layouts". */
const BLUE: Fixed = [
  ['SystemCache', 0xffffb00000000000n, 0xffffc00000000000n],
  ['PagedPool', 0xffffc00000000000n, 0xffffd00000000000n],
  ['SystemPtes', 0xffffd00000000000n, 0xffffe00000000000n],
  ['NonPagedPool', 0xffffe00000000000n, 0xfffff00000000000n],
  ['Hal', 0xffffffffffc00000n, 1n << 64n],
];

/** x64 before Windows 10 1607 (14393). XP and Server 2003 keep the rest in variables. */
function* fixedRegions(kernel: WindowsKernel): Generator<VirtualRegion> {
  if (kernel.location.paging !== 'amd64' || kernel.build >= 14393) return;
  const more = kernel.build >= 9600 ? BLUE : kernel.version.major >= 6 ? VISTA : [];
  for (const [type, start, end] of [...EVERY, ...more]) yield { type, start, end, source: 'layout of this version' };
}

/** Pairs of variables that hold the first address of a region, and the one past it or the last. */
const PAIRS = [
  ['PagedPool', 'MmPagedPoolStart', 'MmPagedPoolEnd'],
  ['NonPagedPoolExpansion', 'MmNonPagedPoolExpansionStart', 'MmNonPagedPoolEnd'],
  ['SystemCache', 'MmSystemCacheStart', 'MmSystemCacheEnd'],
  ['SystemPtes', 'MmNonPagedSystemStart', 'MmNonPagedPoolExpansionStart'],
  ['SpecialPool', 'MmSpecialPoolStart', 'MmSpecialPoolEnd'],
] as const;
/** The first address of a region, and how many bytes it has. */
const SIZES = [['NonPagedPool', ['MmNonPagedPoolStart'], ['MmSizeOfNonPagedPoolInBytes', 'MmMaximumNonPagedPoolInBytes']]] as const;

/** What variables say; and on x86 the page tables, whose place is fixed. */
function* variableRegions(kernel: WindowsKernel): Generator<VirtualRegion> {
  const value = (name: string): bigint => orElse(() => kernel.variable(name), 0n);
  for (const [type, first, last] of PAIRS) {
    const [start, end] = [value(first), value(last)];
    // Some name the last byte.
    if (start !== 0n && end !== 0n) yield { type, start, end: (end & 0xfffn) === 0xfffn ? end + 1n : end, source: `nt!${first}, nt!${last}` };
  }
  for (const [type, [first], sizes] of SIZES) {
    const size = sizes.find((name) => value(name) !== 0n);
    const start = value(first);
    if (start !== 0n && size !== undefined) yield { type, start, end: start + value(size), source: `nt!${first}, nt!${size}` };
  }
  const pages = value('MmHighestPhysicalPage');
  const database = value('MmPfnDatabase');
  const entry = kernel.profile.has('_MMPFN') ? kernel.struct('_MMPFN').size : undefined;
  if (database !== 0n && pages !== 0n && entry !== undefined) yield { type: 'PfnDatabase', start: database, end: database + (pages + 1n) * BigInt(entry), source: 'nt!MmPfnDatabase, nt!MmHighestPhysicalPage' };
  const session = value('MmSessionBase');
  if (kernel.profile.pointerSize === 8) return;
  if (session !== 0n && session < 0xc0000000n) yield { type: 'Session', start: session, end: 0xc0000000n, source: 'nt!MmSessionBase' };
  const wide = kernel.location.paging === 'i386-pae';
  yield { type: 'PageTables', start: 0xc0000000n, end: wide ? 0xc0800000n : 0xc0400000n, source: 'layout of x86' };
  yield { type: 'SharedData', start: 0xffdf0000n, end: 0xffdf1000n, source: 'layout of x86' };
}
