import { orElse } from '../../memory/absent.js';
import type { ArrayView } from '../../object/array.js';
import type { Struct } from '../../object/struct.js';
import type { WindowsKernel } from './kernel.js';
import { entrySizeOf } from './pte.js';

/** A part of the kernel's address space, by what it is used for. */
export interface KernelRegion {
  /** as `_MI_SYSTEM_VA_TYPE` calls it, without MiVa: `NonPagedPool`, `PagedPool`, `SystemPtes`, `SystemCache`, `SessionSpace`, `DriverImages` … */
  readonly type: string;
  readonly start: bigint;
  /** one past its last byte */
  readonly end: bigint;
}

/** How amd64 is laid out from Vista to Windows 8.1 (Windows Internals, 6th ed., part 2, chapter 10, "64-Bit Address Space Layouts"). */
const WIDE: readonly (readonly [type: string, start: bigint])[] = [
  ['PageTables', 0xfffff68000000000n],
  ['HyperSpace', 0xfffff70000000000n],
  ['BootLoaded', 0xfffff80000000000n],
  ['SystemPtes', 0xfffff88000000000n],
  ['PagedPool', 0xfffff8a000000000n],
  ['SessionSpace', 0xfffff90000000000n],
  ['SystemCache', 0xfffff98000000000n],
  ['PfnDatabase', 0xfffffa8000000000n],
  ['Hal', 0xffffffffff800000n],
];

/** What is known of the kernel's address space, by address; what cannot be read is left out. */
export function kernelRegions(kernel: WindowsKernel): readonly KernelRegion[] {
  return kernel.memo('regions of the kernel', () => {
    const found = [assigned, byEntry, byTable, byVariables, fixed].map((source) => orElse(() => source(kernel), []));
    return joined(found.find((regions) => regions.length > 0) ?? []);
  });
}

/** The region that an address lies in. */
export function kernelRegionAt(kernel: WindowsKernel, address: bigint): KernelRegion | undefined {
  const regions = kernelRegions(kernel);
  let [low, high] = [0, regions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((regions[middle] as KernelRegion).end <= address) low = middle + 1;
    else high = middle;
  }
  const region = regions[low];
  return region && region.start <= address ? region : undefined;
}

/** Windows 10 and later: `nt!MiVisibleState.SystemVaRegions`, ranges of a random place. */
function assigned(kernel: WindowsKernel): KernelRegion[] {
  if (!kernel.profile.has('_MI_VISIBLE_STATE', 'SystemVaRegions')) return [];
  const labels = kernel.profile.types.enum('_MI_ASSIGNED_REGION_TYPES')?.choices;
  return [...(visibleState(kernel).$get('SystemVaRegions') as ArrayView)].flatMap((item, index) => {
    const one = item as Struct;
    const start = one.$pointer('BaseAddress');
    const length = BigInt(one.$get('NumberOfBytes') as number | bigint);
    const type = labels?.get(String(index))?.replace(/^AssignedRegion/, '');
    return start === 0n || length === 0n || type === undefined ? [] : [{ type, start, end: start + length }];
  });
}

/** Windows 10 and later: the use of each entry of the top table's upper half, `nt!MiVisibleState.SystemVaType`. */
function byEntry(kernel: WindowsKernel): KernelRegion[] {
  if (!kernel.profile.has('_MI_VISIBLE_STATE', 'SystemVaType')) return [];
  return typed(kernel, [...(visibleState(kernel).$get('SystemVaType') as ArrayView)].map(Number), 0xffff800000000000n, 1n << 39n);
}

/** `nt!MiVisibleState` is the struct itself in newer builds, a pointer to it in older ones. */
function visibleState(kernel: WindowsKernel): Struct {
  const at = kernel.profile.address('MiVisibleState');
  const target = orElse(() => kernel.space.readPointer(at), 0n);
  return kernel.at('_MI_VISIBLE_STATE', target >= (kernel.profile.pointerSize === 8 ? 0xffff800000000000n : 0x80000000n) ? target : at);
}

/** x86 since Vista: the use of each page of page tables from the kernel's half on, `nt!MiSystemVaType`. */
function byTable(kernel: WindowsKernel): KernelRegion[] {
  const table = kernel.symbol('MiSystemVaType');
  if (table === undefined || kernel.profile.pointerSize === 8) return [];
  const span = entrySizeOf(kernel.profile) === 8 ? 0x200000n : 0x400000n;
  const start = kernel.variable('MmSystemRangeStart');
  const count = Number((0x100000000n - start) / span);
  return typed(kernel, [...kernel.space.read(table, Math.min(count, 1024))], start, span);
}

function typed(kernel: WindowsKernel, types: readonly number[], start: bigint, span: bigint): KernelRegion[] {
  const labels = kernel.profile.types.enum('_MI_SYSTEM_VA_TYPE')?.choices;
  return types.flatMap((type, index) => {
    const label = labels?.get(String(type))?.replace(/^MiVa/, '');
    const at = start + BigInt(index) * span;
    return label === undefined || label === 'Unused' ? [] : [{ type: label, start: at, end: at + span }];
  });
}

/** Until Server 2003 variables say where the parts begin and end. */
function byVariables(kernel: WindowsKernel): KernelRegion[] {
  if (kernel.symbol('MmPagedPoolStart') === undefined) return [];
  const between = (type: string, from: string, to: string): KernelRegion[] => {
    const [start, end] = [from, to].map((name) => orElse(() => kernel.variable(name), 0n)) as [bigint, bigint];
    return start !== 0n && end > start ? [{ type, start, end }] : [];
  };
  const pool = orElse(() => kernel.variable('MmNonPagedPoolStart'), 0n);
  const size = orElse(() => kernel.variable('MmSizeOfNonPagedPoolInBytes'), 0n);
  return [
    ...between('SystemCache', 'MmSystemCacheStart', 'MmSystemCacheEnd'),
    ...between('PagedPool', 'MmPagedPoolStart', 'MmPagedPoolEnd'),
    ...(pool !== 0n && size !== 0n ? [{ type: 'NonPagedPool', start: pool, end: pool + size }] : []),
    ...between('NonPagedPool', 'MmNonPagedPoolExpansionStart', 'MmNonPagedPoolEnd'),
    ...between('SessionSpace', 'MmSessionBase', 'MiSessionSpaceEnd'),
  ].sort((a, b) => (a.start < b.start ? -1 : 1));
}

/** The layout that is the same on all machines, with the non-paged pool behind the page database. */
function fixed(kernel: WindowsKernel): KernelRegion[] {
  if (kernel.profile.pointerSize === 4 || kernel.version.major !== 6) return [];
  const pool = orElse(() => kernel.variable('MmNonPagedPoolStart'), 0n);
  const parts = [...WIDE, ...(pool > 0xfffffa8000000000n && pool < 0xffffffffff800000n ? ([['NonPagedPool', pool]] as const) : [])].sort((a, b) => (a[1] < b[1] ? -1 : 1));
  return parts.map(([type, start], index) => ({ type, start, end: parts[index + 1]?.[1] ?? 1n << 64n }));
}

/** Neighbours of one type are one region. */
function joined(regions: readonly KernelRegion[]): KernelRegion[] {
  const sorted = [...regions].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const result: KernelRegion[] = [];
  for (const region of sorted) {
    const last = result.at(-1);
    if (last && last.type === region.type && last.end === region.start) result[result.length - 1] = { ...last, end: region.end };
    else result.push(region);
  }
  return result;
}
