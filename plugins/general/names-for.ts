import type { Names } from '../../src/disasm/names.js';
import type { AddressSpace } from '../../src/memory/space.js';
import type { Session } from '../../src/session/session.js';
import { findSpace } from '../../src/session/spaces.js';

/** Addresses whose names are kept. */
const KEPT = 4096;

export const NOTHING: Names = { nearest: () => undefined, name: () => undefined };

/**
 * The space that an argument names, and names of addresses in it: the kernel's and, of a process, those of its programs and libraries. Physical addresses
 * have none.
 * @param first an address whose module is made ready: what it knows may have to be fetched
 */
export async function spaceWithNames(session: Session, argument: string | undefined, first?: bigint): Promise<{ readonly space: AddressSpace; readonly names: Names }> {
  const { kind, space, context } = await findSpace(session, argument);
  if (kind === 'physical') return { space, names: NOTHING };
  const resolver = await session.resolver(context ?? null);
  if (first !== undefined) await resolver.readyAt(first);
  // A listing asks for the same few addresses again and again.
  const known = new Map<bigint, ReturnType<Names['nearest']>>();
  const nearest: Names['nearest'] = (address) => {
    if (known.has(address)) return known.get(address);
    if (known.size >= KEPT) known.clear();
    const found = resolver.nearest(address);
    const named = found?.symbol && { module: found.module, symbol: found.symbol, distance: found.distance };
    known.set(address, named);
    return named;
  };
  const prototype: Names['prototype'] = (address) => {
    const found = resolver.nearest(address);
    const type = found && found.names.type?.(found.symbol.name);
    return type?.kind === 'function' && type.signature ? found?.names.compiler?.describe(type) : undefined;
  };
  return { space, names: { nearest, prototype, line: (address) => resolver.moduleAt(address)?.line?.(address), name: (address) => resolver.name(address) } };
}
