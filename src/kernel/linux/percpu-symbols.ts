import type { KernelSymbol } from '../../symbols/types.js';
import type { LinuxKernel } from './kernel.js';

/**
 * The per-CPU variable at or before an address as it was linked. Up to 6.14 x86-64 links them at 0 (a zero page for each processor's copy), where no
 * source of symbols looks for the nearest; since then (9d7de2aa8b41) and on other machines they lie among the kernel's data.
 */
export function perCpuSymbol(kernel: LinuxKernel, linked: bigint): { readonly symbol: KernelSymbol; readonly distance: bigint } | undefined {
  const end = kernel.symbol('__per_cpu_end');
  if (end === undefined || linked >= end) return undefined;
  if (kernel.symbol('__per_cpu_start') !== 0n) return kernel.profile.symbols.nearest(linked);
  const symbols = kernel.memo('per-CPU symbols', () =>
    [...(kernel.profile.symbols.below?.(end) ?? kernel.profile.symbols.symbols())]
      .filter(({ address }) => address < end)
      .sort((one, other) => (one.address < other.address ? -1 : one.address > other.address ? 1 : 0)),
  );
  let low = 0;
  let high = symbols.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((symbols[middle] as KernelSymbol).address <= linked) low = middle + 1;
    else high = middle;
  }
  // Of several names for one address the first, as elsewhere.
  while (low > 1 && symbols[low - 2]?.address === symbols[low - 1]?.address) low--;
  const found = symbols[low - 1];
  return found && { symbol: found, distance: linked - found.address };
}
