import { Absent, orElse } from '../../../memory/absent.js';
import type { WindowsKernel } from '../kernel.js';
import { walkListEntry, type WalkOptions } from '../lists.js';
import { unicodeText } from '../strings.js';
import type { LdrDataTableEntry } from '../types.js';

/** The drivers and libraries of the kernel, in the order in which they were loaded (nt!PsLoadedModuleList); the kernel itself comes first. */
export function kernelModules(kernel: WindowsKernel, options: WalkOptions = {}): Generator<LdrDataTableEntry> {
  const head = kernel.global('PsLoadedModuleList', '_LIST_ENTRY');
  return walkListEntry(head, entryType(kernel), 'InLoadOrderLinks', options);
}

/** XP calls kernel modules' entries the same as those of processes; public symbols have one struct for both. */
function entryType(kernel: WindowsKernel): ReturnType<typeof kernel.struct<LdrDataTableEntry>> {
  return kernel.struct<LdrDataTableEntry>(kernel.profile.has('_KLDR_DATA_TABLE_ENTRY') ? '_KLDR_DATA_TABLE_ENTRY' : '_LDR_DATA_TABLE_ENTRY');
}

/** A driver or library of the kernel, by what can be read of its entry. */
export interface LoadedDriver {
  /** file name; empty where it cannot be read */
  readonly name: string;
  readonly path: string;
  readonly base: bigint;
  readonly size: number;
}

/** Modules at most: more is no list of a kernel's, but a lie. */
const MOST_DRIVERS = 1 << 16;

/** The modules in the order in which they were loaded, the kernel first; of a triage dump those of its header. Read once. */
export function loadedDrivers(kernel: WindowsKernel): readonly LoadedDriver[] {
  return kernel.memo('loaded drivers', () => {
    const { triage } = kernel.physical.hints.crash ?? {};
    if (triage) return triage.drivers.map(({ path, base, size }) => ({ name: path.split('\\').at(-1) ?? path, path, base, size }));
    const found: LoadedDriver[] = [];
    try {
      for (const entry of kernelModules(kernel, { limit: MOST_DRIVERS })) {
        const place = orElse(() => ({ base: entry.DllBase.address, size: entry.SizeOfImage }), undefined);
        if (place) found.push({ name: orElse(() => unicodeText(entry.BaseDllName), ''), path: orElse(() => unicodeText(entry.FullDllName), ''), ...place });
      }
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
    }
    return found;
  });
}

/** The module that an address lies in; undefined for one outside of all, where code of the kernel has no business to be. */
export function driverAt(kernel: WindowsKernel, address: bigint): LoadedDriver | undefined {
  const sorted = kernel.memo('drivers by address', () => loadedDrivers(kernel).toSorted((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0)));
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as LoadedDriver).base <= address) low = middle + 1;
    else high = middle;
  }
  const below = sorted[low - 1];
  return below && address < below.base + BigInt(below.size) ? below : undefined;
}

/** What commands say of code that no module has. */
export const OUTSIDE = 'outside of all modules';
