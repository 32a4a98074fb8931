import { orElse } from '../../memory/absent.js';
import type { WindowsKernel } from './kernel.js';

/** A slot of a table that is in use. */
export interface Slot {
  readonly index: number;
  /** address of the slot */
  readonly at: bigint;
  /** what stands in it, not null */
  readonly value: bigint;
}

/**
 * The used slots of a table of pointers at a symbol, in order. How many slots such a table has changed between builds, updates included
 * (nt!PspLoadImageNotifyRoutine: 8, then 64), and no type says it; but the linker placed the next variable behind it: the table ends where the
 * next symbol begins.
 * @param most slots at most, for the last symbol of a section and for profiles that know few
 */
export function* pointerTable(kernel: WindowsKernel, symbol: string, most: number): Generator<Slot> {
  const table = kernel.symbol(symbol);
  if (table === undefined) return;
  const size = BigInt(kernel.profile.pointerSize);
  for (let index = 0; index < most; index++) {
    const at = table + BigInt(index) * size;
    if (index > 0 && beyond(kernel, table, at)) return;
    const value = orElse(() => kernel.space.readPointer(at), 0n);
    if (value !== 0n) yield { index, at, value };
  }
}

/** True where another symbol begins behind `table` and not behind `at`. */
function beyond(kernel: WindowsKernel, table: bigint, at: bigint): boolean {
  const near = kernel.profile.symbols.nearest(at);
  return near !== undefined && near.symbol.address > table;
}
