import type { AddressSpace } from '../../src/memory/space.js';
import type { Session } from '../../src/session/session.js';

/** Where a command that goes on when it is repeated stopped last: one address for each space of a session. */
export function positions(session: Session, command: string): WeakMap<AddressSpace, bigint> {
  return session.memo(`positions of ${command}`, () => new WeakMap<AddressSpace, bigint>());
}
