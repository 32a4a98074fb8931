import { Absent } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import { DIRECTORY, LoadedPe, type PeDebug } from './loaded.js';

/** The debug record of a module, or why there is none. */
export interface DebugState {
  readonly record?: PeDebug & { readonly address: bigint };
  /** `the header is not in memory`; undefined where there is a record */
  readonly missing?: string;
}

/** Looks for the debug record of the module that is loaded at an address, and says at which step that ends. */
export function debugState(space: AddressSpace, base: bigint): DebugState {
  let pe: LoadedPe;
  try {
    pe = LoadedPe.read(space, base);
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    return { missing: error.kind === 'unreadable' ? 'its header is not in memory' : `it has no header: ${error.reason}` };
  }
  const found = pe.debug();
  if (found?.rva !== undefined) return { record: { ...found, address: pe.address(found.rva) } };
  const directory = pe.directory(DIRECTORY.debug);
  if (!directory) return { missing: 'it was linked without a debug directory' };
  const { gaps } = space.readPartial(pe.address(directory.rva), Math.min(directory.size, 16 * 28));
  return { missing: gaps.length > 0 ? 'its debug directory is not in memory' : 'its debug record is not in memory, or there is none' };
}
