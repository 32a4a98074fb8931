import { Absent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { unicodeText } from '../strings.js';
import { undocumented } from '../undocumented.js';

/** Slots of the ring at nt!MmUnloadedDrivers: MI_UNLOADED_DRIVERS (WRK, mm/mi.h), the same to this day. */
const SLOTS = 50;

/**
 * The records of drivers that were unloaded, the oldest first: a ring, in which nt!MmLastUnloadedDriver is the slot that will be overwritten
 * next. Windows keeps the ring from the first unloading on.
 * @returns undefined where no driver was unloaded yet
 */
export function unloadedDrivers(kernel: WindowsKernel): Struct[] | undefined {
  const { ring, next } = placeOf(kernel);
  if (ring === 0n) return undefined;
  const type = undocumented(kernel, '_UNLOADED_DRIVERS');
  const size = BigInt(type.size ?? 0);
  const start = next > 0 && next < SLOTS ? next : 0;
  const found: Struct[] = [];
  for (let i = 0; i < SLOTS; i++) {
    const entry = type.at(kernel.space, ring + BigInt((start + i) % SLOTS) * size);
    if (orElse(() => entry.$pointer('StartAddress') !== 0n || (entry.$get('Name') as Struct).$pointer('Buffer') !== 0n, false)) found.push(entry);
  }
  return found;
}

/** Two symbols; builds of Windows 10 that lack them keep both in nt!MiState. Throws Absent. */
function placeOf(kernel: WindowsKernel): { readonly ring: bigint; readonly next: number } {
  if (kernel.symbol('MmUnloadedDrivers') !== undefined) {
    return { ring: kernel.variable('MmUnloadedDrivers'), next: orElse(() => kernel.space.readU32(kernel.profile.address('MmLastUnloadedDriver')), 0) };
  }
  let state = kernel.global('MiState', '_MI_SYSTEM_INFORMATION');
  if (!state.$has('UnloadedDrivers') && state.$has('Vs')) state = state.$get('Vs') as Struct;
  if (!state.$has('UnloadedDrivers')) throw new Absent('no-member', 'this kernel has neither MmUnloadedDrivers nor MiState.UnloadedDrivers');
  return { ring: state.$pointer('UnloadedDrivers'), next: state.$has('LastUnloadedDriver') ? Number(state.$get('LastUnloadedDriver')) : 0 };
}

/** A range that a driver was unloaded from. */
export interface UnloadedRange {
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
}

/** Where unloaded drivers were, the newest first; empty where that cannot be read; of a triage dump those of its header. */
export function unloadedRanges(kernel: WindowsKernel): readonly UnloadedRange[] {
  return kernel.memo('unloaded ranges', () => {
    const { triage } = kernel.physical.hints.crash ?? {};
    if (triage) return triage.unloaded.toReversed();
    const entries = orElse(() => unloadedDrivers(kernel), undefined) ?? [];
    return entries
      .flatMap((entry) =>
        orElse(() => [{ name: orElse(() => unicodeText(entry.$get('Name') as Struct), ''), start: entry.$pointer('StartAddress'), end: entry.$pointer('EndAddress') }], []),
      )
      .reverse();
  });
}
