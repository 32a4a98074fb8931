import type { Names } from '../../src/disasm/names.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import type { AddressSpace } from '../../src/memory/space.js';
import type { Session } from '../../src/session/session.js';

/** Addresses whose names are kept. */
const KEPT = 4096;

export const NOTHING: Names = { nearest: () => undefined, name: () => undefined };

/**
 * Names of addresses in a space. Physical ones have none. On x86-64 symbols of the kernel below its half are no addresses (per-CPU variables
 * are linked at 0 until 6.15): a program's addresses are not named after them.
 */
export async function namesFor(session: Session, space: AddressSpace): Promise<Names> {
  if (space instanceof PhysicalSpace) return NOTHING;
  const resolver = await session.resolver();
  const lowest = space.bits === 64 ? 1n << 63n : 0x80000000n;
  // A listing asks for the same few addresses again and again.
  const known = new Map<bigint, ReturnType<Names['nearest']>>();
  const nearest: Names['nearest'] = (address) => {
    if (known.has(address)) return known.get(address);
    if (known.size >= KEPT) known.clear();
    const found = resolver.nearest(address);
    const named = found?.symbol === undefined || (found.module === 'linux' && found.symbol.address < lowest) ? undefined : found;
    known.set(address, named);
    return named;
  };
  return { nearest, name: (address) => (nearest(address) ? resolver.name(address) : undefined) };
}
