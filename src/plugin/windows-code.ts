import { OUTSIDE } from '../kernel/windows/system/modules.js';
import { unloadedRanges } from '../kernel/windows/system/unloaded.js';
import type { PluginContext } from './context.js';
import { windowsOf } from './windows-select.js';

/** What is known of a place that the kernel would call. */
export interface CodePlace {
  /** name of the module it lies in: `nt`, `tcpip` */
  readonly module: string | undefined;
  /** `nt!IopInvalidDeviceRequest`, `tcpip+0x1200` */
  readonly symbol: string | undefined;
  /** what is wrong with it: it lies in no module */
  readonly fault: string | undefined;
}

/**
 * Says of addresses of kernel code where they lie. One outside of all modules may lie where a driver was unloaded from, or in the part of
 * the address space that belongs to processes, where nothing that the kernel calls has any business.
 */
export async function codePlaces(context: PluginContext): Promise<(address: bigint) => CodePlace> {
  const kernel = windowsOf(context);
  const resolver = await context.session.resolver(null);
  const lowest = kernel.profile.pointerSize === 8 ? 1n << 63n : 1n << 31n;
  return (address) => {
    const module = resolver.moduleAt(address)?.name;
    if (module !== undefined) return { module, symbol: resolver.name(address), fault: undefined };
    if (address < lowest) return { module: undefined, symbol: undefined, fault: address === 0n ? 'null' : 'user mode' };
    const unloaded = unloadedRanges(kernel).find(({ start, end }) => address >= start && address < end);
    return { module: undefined, symbol: undefined, fault: unloaded ? `unloaded ${unloaded.name}` : OUTSIDE };
  };
}
