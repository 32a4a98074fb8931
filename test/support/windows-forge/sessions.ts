import type { Forge } from './forge.js';
import type { MadeProcess } from './process.js';
import type { Space } from './space.js';

/** Session space, which only the processes of a session map (x64: MmSessionBase), and where the whole system sees the structures of sessions. */
const VIEW = 0xfffff90000000000n;
const STRUCTURES = 0xfffff88004000000n;

/** Sessions: memory that only their own processes map, with a list of these. */
export function writeSessions(forge: Forge, processes: readonly MadeProcess[]): ReadonlyMap<number, Space> {
  const spaces = new Map<number, Space>();
  if (forge.pointer !== 8) return spaces;
  for (const id of new Set(processes.map(({ spec }) => spec.session))) {
    if (id === undefined) continue;
    const own = processes.filter(({ spec }) => spec.session === id && spec.exited === undefined);
    // The view is made in the first process's tables; the others get the same.
    const space = own[0]?.space;
    if (!space) continue;
    const session = STRUCTURES + BigInt(id) * 0x10000n;
    for (let page = 0n; page < 2n; page++) space.map(VIEW + page * 4096n, forge.system.fresh(session + page * 4096n, { write: true }), { write: true }, false);
    forge.put('_MM_SESSION_SPACE', session, { ReferenceCount: own.length, SessionId: id, u: { Flags: { Initialized: 1 } }, ResidentProcessCount: own.length, ProcessReferenceToSession: own.length });
    const link = BigInt(forge.offset('_EPROCESS', 'SessionProcessLinks'));
    forge.link(session + BigInt(forge.offset('_MM_SESSION_SPACE', 'ProcessList')), own.map(({ address }) => address + link));
    for (const { address } of own) forge.put('_EPROCESS', address, { Session: session });
    spaces.set(id, space);
  }
  return spaces;
}
