import { Absent, orElse } from '../../memory/absent.js';
import type { Struct } from '../../object/struct.js';
import type { WindowsKernel } from './kernel.js';
import { handleEntries, handleTable } from './handles.js';
import { walkListEntry } from './lists.js';
import { objectAt, objectOfBody } from './objects.js';
import type { Eprocess } from './types.js';

/** The ways in which the kernel keeps its processes. */
export const METHODS = ['PsActiveProcessHead', 'CSRSS', 'PspCidTable', 'Sessions', 'Handles'] as const;
export type Method = (typeof METHODS)[number];

/** A process and the methods that know it. */
export interface FoundProcess {
  readonly process: Eprocess;
  readonly methods: ReadonlySet<Method>;
}

type Fault = ((what: string) => void) | undefined;

/** `_EPROCESS` at an address. */
export function processAt(kernel: WindowsKernel, address: bigint): Eprocess {
  return kernel.at<Eprocess>('_EPROCESS', address);
}

/** The process id, or undefined where it cannot be read. */
export function pidOf(process: Eprocess): number | undefined {
  return orElse(() => Number(process.UniqueProcessId), undefined);
}

/** The processes on the active list, in its order. */
export function activeProcesses(kernel: WindowsKernel, onFault?: (what: string) => void): Generator<Eprocess> {
  const head = kernel.global('PsActiveProcessHead', '_LIST_ENTRY');
  return walkListEntry(head, kernel.struct<Eprocess>('_EPROCESS'), 'ActiveProcessLinks', onFault ? { onFault } : {});
}

/** The processes that each method knows, in the order of their ids. What a method cannot read is told, and the others go on. */
export function findProcesses(kernel: WindowsKernel, methods: readonly Method[], onFault?: (what: string) => void): FoundProcess[] {
  const found = new Map<bigint, { process: Eprocess; methods: Set<Method> }>();
  for (const method of methods) {
    try {
      for (const address of walkers[method](kernel, onFault)) {
        const known = found.get(address);
        if (known) known.methods.add(method);
        else found.set(address, { process: processAt(kernel, address), methods: new Set([method]) });
      }
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      onFault?.(`processes by ${method}: ${error.reason}`);
    }
  }
  const id = ({ process }: FoundProcess): number => pidOf(process) ?? Infinity;
  return [...found.values()].sort((a, b) => id(a) - id(b) || (a.process.$address < b.process.$address ? -1 : 1));
}

const walkers: Readonly<Record<Method, (kernel: WindowsKernel, onFault: Fault) => Iterable<bigint>>> = {
  *PsActiveProcessHead(kernel, onFault) {
    for (const process of activeProcesses(kernel, onFault)) yield process.$address;
  },
  *CSRSS(kernel, onFault) {
    // The subsystem holds a handle to every process that it serves: all but itself, System and smss.
    for (const process of activeProcesses(kernel)) {
      if (orElse(() => process.ImageFileName.toLowerCase(), '') === 'csrss.exe') yield* processHandles(kernel, process, onFault);
    }
  },
  *PspCidTable(kernel, onFault) {
    // Ids of processes and threads are handles of one table, whose entries lead to the objects themselves.
    const table = kernel.at('_HANDLE_TABLE', kernel.variable('PspCidTable'));
    for (const { object } of handleEntries(kernel, table, onFault)) {
      if (orElse(() => objectOfBody(kernel, object).type, undefined) === 'Process') yield object;
    }
  },
  *Sessions(kernel, onFault) {
    const seen = new Set<bigint>();
    for (const process of activeProcesses(kernel)) {
      const session = orElse(() => process.$pointer('Session'), 0n);
      if (session === 0n || seen.has(session) || !kernel.profile.has('_MM_SESSION_SPACE', 'ProcessList')) continue;
      seen.add(session);
      // Session space is mapped in the processes of the session only.
      const space = kernel.spaceOf(process);
      const head = kernel.struct('_MM_SESSION_SPACE').at(space, session).$get('ProcessList') as Struct;
      const type = kernel.struct<Eprocess>('_EPROCESS');
      for (const member of walkListEntry(head, type, 'SessionProcessLinks', onFault ? { onFault } : {})) yield member.$address;
    }
  },
  *Handles(kernel, onFault) {
    for (const process of activeProcesses(kernel)) yield* processHandles(kernel, process, onFault);
  },
};

/** Processes that a process has handles to. */
function* processHandles(kernel: WindowsKernel, process: Eprocess, onFault: Fault): Generator<bigint> {
  const table = handleTable(kernel, process);
  if (!table) return;
  for (const { object } of handleEntries(kernel, table, onFault)) {
    const target = orElse(() => objectAt(kernel, object), undefined);
    if (target?.type === 'Process') yield target.body;
  }
}

/** The session that a process belongs to; undefined for those outside of all (System, smss). */
export function sessionId(kernel: WindowsKernel, process: Eprocess): number | undefined {
  const session = process.$pointer('Session');
  if (session === 0n) return undefined;
  return Number(kernel.struct('_MM_SESSION_SPACE').at(kernel.spaceOf(process), session).$get('SessionId'));
}

/** True for a 32-bit process on a 64-bit kernel. */
export function isWow64(process: Eprocess): boolean {
  // Wow64Process until Windows 8.1; since Windows 10 WoW64Process, a pointer to a struct.
  for (const member of ['Wow64Process', 'WoW64Process']) if (process.$has(member)) return process.$pointer(member) !== 0n;
  return false;
}
