import { Absent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { neverMade, walkListEntry } from '../lists.js';
import { processAt } from './processes.js';
import { inOrder } from '../trees.js';
import type { Eprocess } from '../types.js';
import { undocumented } from '../undocumented.js';

/** Drivers that a session may have copies of. */
const MOST_IMAGES = 4096;
/** Images begin at pages; what stands in the low bits of their addresses are flags. */
const PAGE = ~0xfffn;

type Fault = ((what: string) => void) | undefined;

/** A session and the processes in it. */
export interface SessionSpace {
  /** `_MM_SESSION_SPACE`, in the address space of one of its processes */
  readonly session: Struct;
  readonly processes: readonly SessionProcess[];
}

export interface SessionProcess {
  readonly process: Eprocess;
  /** false for one that names this session, and is not on its list */
  readonly listed: boolean;
}

/**
 * The sessions that processes belong to (`_EPROCESS.Session`), by their numbers, and what else is on the kernel's own list of sessions.
 * @param processes the processes whose sessions are wanted
 * @param all whether sessions of none of them are given too
 */
export function findSessions(kernel: WindowsKernel, processes: readonly Eprocess[], all: boolean, onFault?: (what: string) => void): SessionSpace[] {
  const members = new Map<bigint, Eprocess[]>();
  for (const process of processes) {
    const session = orElse(() => process.$pointer('Session'), 0n);
    if (session === 0n) continue;
    const known = members.get(session);
    if (known) known.push(process);
    else members.set(session, [process]);
  }
  const type = kernel.struct('_MM_SESSION_SPACE');
  const found = [...members].map(([address, own]) => {
    // Session space is mapped in the processes of the session only.
    const views = own.flatMap((process) => orElse(() => [type.at(kernel.spaceOf(process), address)], []));
    const session = views.find((view) => view.$valid) ?? type.at(kernel.space, address);
    return withProcesses(kernel, session, own, onFault);
  });
  if (all) {
    for (const session of workingSetList(kernel, onFault)) if (!members.has(session.$address)) found.push(withProcesses(kernel, session, [], onFault));
  }
  const id = ({ session }: SessionSpace): number => orElse(() => Number(session.$get('SessionId')), Infinity);
  return found.sort((a, b) => id(a) - id(b));
}

/** The session's own list of processes, and behind it those that say they are in it. */
function withProcesses(kernel: WindowsKernel, session: Struct, own: readonly Eprocess[], onFault: Fault): SessionSpace {
  const listed = new Set<bigint>();
  for (const address of addressesOf(session, 'ProcessList', () => kernel.struct('_EPROCESS'), 'SessionProcessLinks', onFault)) listed.add(address);
  const unlisted = own.filter((process) => !listed.has(process.$address));
  return {
    session,
    processes: [...[...listed].map((address) => ({ process: processAt(kernel, address), listed: true })), ...unlisted.map((process) => ({ process, listed: false }))],
  };
}

function* addressesOf(session: Struct, member: string, type: () => ReturnType<WindowsKernel['struct']>, link: string, onFault: Fault): Generator<bigint> {
  try {
    const head = session.$get(member) as Struct;
    if (neverMade(head)) return;
    for (const entry of walkListEntry(head, type(), link, { limit: 1 << 16, ...(onFault && { onFault }) })) yield entry.$address;
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    onFault?.(`${member} of the session at 0x${session.$address.toString(16)} cannot be read: ${error.reason}`);
  }
}

/** All sessions, by their working sets: nt!MiSessionWsList until Windows 8.1, then nt!MiState.Vs.SessionWsList. */
function* workingSetList(kernel: WindowsKernel, onFault: Fault): Generator<Struct> {
  const head = orElse(() => {
    if (kernel.symbol('MiSessionWsList') !== undefined) return kernel.global('MiSessionWsList', '_LIST_ENTRY');
    return (kernel.global('MiState', '_MI_SYSTEM_INFORMATION').$get('Vs') as Struct).$get('SessionWsList') as Struct;
  }, undefined);
  if (!head || orElse(() => neverMade(head), true)) return;
  yield* walkListEntry(head, kernel.struct('_MM_SESSION_SPACE'), 'WsListEntry', { limit: 1 << 16, ...(onFault && { onFault }) });
}

/** A driver that a session has its own copy of. */
export interface SessionImage {
  readonly base: bigint;
  /** address of the entry */
  readonly entry: bigint;
}

/** The images of a session: a list, since Windows 10 a tree. */
export function* sessionImages(kernel: WindowsKernel, session: Struct, onFault?: (what: string) => void): Generator<SessionImage> {
  if (session.$has('ImageTree')) {
    const type = undocumented(kernel, '_IMAGE_ENTRY_IN_SESSION_TREE');
    const node = kernel.struct('_RTL_BALANCED_NODE');
    const fault = (what: string): void => onFault?.(`images of the session at 0x${session.$address.toString(16)}: ${what}`);
    const follow = (address: bigint, side: 'left' | 'right'): bigint => {
      const next = orElse(() => node.at(session.$space, address).$pointer(side === 'left' ? 'Left' : 'Right'), undefined);
      if (next === undefined) fault(`the ${side} side of 0x${address.toString(16)} cannot be read`);
      return next ?? 0n;
    };
    const root = (session.$get('ImageTree') as Struct).$pointer('Root');
    for (const { address } of inOrder(root, follow, fault)) yield* image(type.at(session.$space, address));
    return;
  }
  const type = undocumented(kernel, '_IMAGE_ENTRY_IN_SESSION');
  const addresses = addressesOf(session, 'ImageList', () => type, 'Link', onFault);
  let count = 0;
  for (const address of addresses) {
    if (++count > MOST_IMAGES) return;
    yield* image(type.at(session.$space, address));
  }
}

function image(entry: Struct): SessionImage[] {
  const base = orElse(() => entry.$pointer('Address'), 0n) & PAGE;
  return base === 0n ? [] : [{ base, entry: entry.$address }];
}
