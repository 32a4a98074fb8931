import type { WindowsKernel } from './kernel.js';
import { walkListEntry, type WalkOptions } from './lists.js';
import type { LdrDataTableEntry } from './types.js';

/** The drivers and libraries of the kernel, in the order in which they were loaded (nt!PsLoadedModuleList); the kernel itself comes first. */
export function kernelModules(kernel: WindowsKernel, options: WalkOptions = {}): Generator<LdrDataTableEntry> {
  const head = kernel.global('PsLoadedModuleList', '_LIST_ENTRY');
  return walkListEntry(head, entryType(kernel), 'InLoadOrderLinks', options);
}

/** XP calls kernel modules' entries the same as those of processes; public symbols have one struct for both. */
function entryType(kernel: WindowsKernel): ReturnType<typeof kernel.struct<LdrDataTableEntry>> {
  return kernel.struct<LdrDataTableEntry>(kernel.profile.has('_KLDR_DATA_TABLE_ENTRY') ? '_KLDR_DATA_TABLE_ENTRY' : '_LDR_DATA_TABLE_ENTRY');
}
