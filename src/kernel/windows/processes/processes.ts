import { Absent, orAbsent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { fastRef } from '../fast-ref.js';
import { handleEntries, type HandleEntry, handleTable, headersOfType } from '../objects/handles.js';
import { walkListEntry } from '../lists.js';
import { type ObjectTyper, objectTyper } from '../objects/objects.js';
import { unicodeText } from '../strings.js';
import type { Eprocess } from '../types.js';

/** The ways in which the kernel keeps its processes. */
export const METHODS = ['PsActiveProcessHead', 'CSRSS', 'PspCidTable', 'Sessions', 'Handles'] as const;
/** … and those by which what was hidden from them is found: the owners of threads. */
export const CROSS_METHODS = [...METHODS, 'Thrdproc'] as const;
export type Method = (typeof CROSS_METHODS)[number];

/** A process and the methods that know it. */
export interface FoundProcess {
  readonly process: Eprocess;
  readonly methods: ReadonlySet<Method>;
}

type Fault = ((what: string) => void) | undefined;
/** Told what could not be read of one process; the others go on. */
type Lost = (error: Absent, whose: Eprocess) => void;

/** `_EPROCESS` at an address. */
export function processAt(kernel: WindowsKernel, address: bigint): Eprocess {
  return kernel.at<Eprocess>('_EPROCESS', address);
}

/** The process id, or undefined where it cannot be read, or is none. */
export function pidOf(process: Eprocess): number | undefined {
  return orElse(() => processId(process), undefined);
}

/** The process id. Throws Absent where it cannot be read, or is none. */
export function processId(process: Eprocess): number {
  return idIn(process.UniqueProcessId);
}

/** The id of the process that started this one. Throws Absent. */
export function parentId(process: Eprocess): number {
  return idIn(process.InheritedFromUniqueProcessId);
}

/** Ids stand in words of the size of a pointer, and have 32 bits at most: what has more is something else, and no number holds it exactly. */
function idIn(word: number | bigint): number {
  if (word > 0xffffffffn) throw new Absent('corrupt', `0x${word.toString(16)} is no process id`);
  return Number(word);
}

/** The processes on the active list, in its order. */
export function activeProcesses(kernel: WindowsKernel, onFault?: (what: string) => void): Generator<Eprocess> {
  const head = kernel.global('PsActiveProcessHead', '_LIST_ENTRY');
  return walkListEntry(head, kernel.struct<Eprocess>('_EPROCESS'), 'ActiveProcessLinks', onFault ? { onFault } : {});
}

/** What a method answered. */
interface Answer {
  /** addresses of the processes that it knows */
  readonly known: ReadonlySet<bigint>;
  /** what it could not read on its way */
  readonly faults: readonly string[];
  /** why it could not be asked at all, or not to its end */
  readonly failed: Absent | undefined;
}

/** What a walk gives until it meets what cannot be read, which is told. */
function* guarded(walk: () => Iterable<bigint>, lost: (error: Absent) => void): Generator<bigint> {
  try {
    yield* walk();
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    lost(error);
  }
}

/** `lsass.exe (484)`, as notes call a process */
export function processTitle(process: Eprocess): string {
  const name = orElse(() => process.ImageFileName, '?') || 'a process without name';
  // A sentence has one line, whatever a name has.
  return `${name.replace(/[\r\n]+/g, ' ')} (${pidOf(process) ?? '?'})`;
}

/** `DISPATCHER_HEADER.Type` of processes: KOBJECTS.ProcessObject, the same on all versions. */
const PROCESS_OBJECT = 3;

/** Why what stands at an address is no process object; undefined where it may be one. */
export function notProcess(process: Eprocess): string | undefined {
  const type = orAbsent(() => Number((process.Pcb.$get('Header') as Struct).$get('Type')));
  if (type instanceof Absent) return type.kind === 'no-member' ? undefined : type.reason;
  return type === PROCESS_OBJECT ? undefined : `what stands there is of type ${type}, and a process of type ${PROCESS_OBJECT} (_DISPATCHER_HEADER.Type)`;
}

/** Asks a method; once for each kernel, since an image does not change. */
function ask(kernel: WindowsKernel, method: Method): Answer {
  return kernel.memo(`processes by ${method}`, () => {
    const known = new Set<bigint>();
    const faults: string[] = [];
    let failed: Absent | undefined;
    const lost = (error: Absent, whose?: Eprocess): void => {
      failed ??= error;
      // A source that this kernel does not have misses nobody; who asks for it alone is told.
      if (error.kind !== 'no-member') faults.push(`processes by ${method}${whose ? `, ${processTitle(whose)}` : ''}: ${error.reason}`);
    };
    for (const address of guarded(() => walkers[method](kernel, (what) => faults.push(what), lost), lost)) known.add(address);
    return { known, faults, failed };
  });
}

/** Whether a method knows a process; Absent where it does not, but could not be asked to its end. */
export function knows(kernel: WindowsKernel, method: Method, process: Eprocess): boolean | Absent {
  const { known, failed } = ask(kernel, method);
  return known.has(process.$address) || (failed ?? false);
}

/** The processes that each method knows, in the order of their ids. What a method cannot read is told, and the others go on. */
export function findProcesses(kernel: WindowsKernel, methods: readonly Method[], onFault?: (what: string) => void): FoundProcess[] {
  const found = new Map<bigint, { process: Eprocess; methods: Set<Method> }>();
  for (const method of methods) {
    const { known, faults, failed } = ask(kernel, method);
    for (const fault of faults) onFault?.(fault);
    if (failed?.kind === 'no-member' && methods.length < METHODS.length) onFault?.(`processes by ${method}: ${failed.reason}`);
    for (const address of known) {
      const before = found.get(address);
      if (before) before.methods.add(method);
      else found.set(address, { process: processAt(kernel, address), methods: new Set([method]) });
    }
  }
  const id = ({ process }: FoundProcess): number => pidOf(process) ?? Infinity;
  return [...found.values()].sort((a, b) => id(a) - id(b) || (a.process.$address < b.process.$address ? -1 : 1));
}

const walkers: Readonly<Record<Method, (kernel: WindowsKernel, onFault: Fault, lost: Lost) => Iterable<bigint>>> = {
  *PsActiveProcessHead(kernel, onFault) {
    for (const process of activeProcesses(kernel, onFault)) yield process.$address;
  },
  *CSRSS(kernel, onFault, lost) {
    // The subsystem holds a handle to every process that it serves: all but itself, System and smss.
    for (const process of activeProcesses(kernel)) {
      if (orElse(() => process.ImageFileName.toLowerCase(), '') === 'csrss.exe') yield* guarded(() => processHandles(kernel, process, onFault), (error) => lost(error, process));
    }
  },
  *PspCidTable(kernel, onFault) {
    const typeOf = bodyTyper(kernel);
    for (const { object } of cidEntries(kernel, onFault)) if (orElse(() => typeOf(object), undefined) === 'Process') yield object;
  },
  *Sessions(kernel, onFault, lost) {
    const seen = new Set<bigint>();
    // Throws where this build has no such list: then nobody is missing from it.
    const offset = kernel.struct('_MM_SESSION_SPACE').offsetOf('ProcessList');
    for (const process of activeProcesses(kernel)) {
      const session = orElse(() => process.$pointer('Session'), 0n);
      if (session === 0n || seen.has(session)) continue;
      seen.add(session);
      yield* guarded(
        function* () {
          // Session space is mapped in the processes of the session only.
          const head = kernel.struct('_LIST_ENTRY').at(kernel.spaceOf(process), session + BigInt(offset));
          const type = kernel.struct<Eprocess>('_EPROCESS');
          for (const member of walkListEntry(head, type, 'SessionProcessLinks', onFault ? { onFault } : {})) yield member.$address;
        },
        (error) => lost(error, process),
      );
    }
  },
  *Handles(kernel, onFault, lost) {
    for (const process of activeProcesses(kernel)) yield* guarded(() => processHandles(kernel, process, onFault), (error) => lost(error, process));
  },
  *Thrdproc(kernel, onFault) {
    const typeOf = bodyTyper(kernel);
    for (const { object } of cidEntries(kernel, onFault)) {
      if (orElse(() => typeOf(object), undefined) !== 'Thread') continue;
      const owner = orElse(() => ownerOf(kernel.at('_ETHREAD', object)), 0n);
      if (owner !== 0n && orElse(() => typeOf(owner), undefined) === 'Process') yield owner;
    }
  },
};

/** The same for the object itself, whose header stands right before. */
function bodyTyper(kernel: WindowsKernel): ObjectTyper {
  const typeOf = objectTyper(kernel);
  const body = BigInt(kernel.struct('_OBJECT_HEADER').offsetOf('Body'));
  return (object) => typeOf(object - body);
}

/** The table of process and thread ids, whose entries lead to the objects themselves. */
function cidEntries(kernel: WindowsKernel, onFault: Fault): Iterable<HandleEntry> {
  return handleEntries(kernel, kernel.at('_HANDLE_TABLE', kernel.variable('PspCidTable')), onFault);
}

/** The process that a thread belongs to: `_ETHREAD.ThreadsProcess` until Server 2003, since Vista `_KTHREAD.Process`. */
export function ownerOf(thread: Struct): bigint {
  return thread.$has('ThreadsProcess') ? thread.$pointer('ThreadsProcess') : (thread.$get('Tcb') as Struct).$pointer('Process');
}

/** Processes that a process has handles to; two methods ask for those of csrss. */
function* processHandles(kernel: WindowsKernel, process: Eprocess, onFault: Fault): Generator<bigint> {
  const { targets, faults } = kernel.memo(`process handles of 0x${process.$address.toString(16)}`, () => {
    const told: string[] = [];
    const found: bigint[] = [];
    const table = handleTable(kernel, process);
    const body = BigInt(kernel.struct('_OBJECT_HEADER').offsetOf('Body'));
    const read = orAbsent(() => {
      for (const header of table ? headersOfType(kernel, table, 'Process', (what) => told.push(what)) : []) found.push(header + body);
    });
    // A table that cannot be read at all is no reason not to look at those of the others.
    if (read instanceof Absent) told.push(`the handle table of process ${pidOf(process) ?? '?'}: ${read.reason}`);
    return { targets: found, faults: told };
  });
  for (const fault of faults) onFault?.(fault);
  yield* targets;
}

/** The session that a process belongs to; undefined for those outside of all (System, smss). Throws Absent. */
export function sessionId(kernel: WindowsKernel, process: Eprocess): number | undefined {
  const session = process.$pointer('Session');
  if (session === 0n) return undefined;
  // Session space is mapped in the processes of the session only. Of one whose memory is gone, its token tells the same.
  const type = SESSION_TYPES.find((name) => kernel.profile.has(name, 'SessionId'));
  const own = type === undefined ? undefined : orElse(() => Number(kernel.struct(type).at(kernel.spaceOf(process), session).$get('SessionId')), undefined);
  return own ?? Number(kernel.at('_TOKEN', fastRef(process.$get('Token') as Struct)).$get('SessionId'));
}

/** What `_EPROCESS.Session` leads to; since Windows 11 24H2 (build 26100) the second. */
const SESSION_TYPES = ['_MM_SESSION_SPACE', '_PSP_SESSION_SPACE'];

/** True for a 32-bit process on a 64-bit kernel. */
export function isWow64(process: Eprocess): boolean {
  // Wow64Process until Windows 8.1; since Windows 10 WoW64Process, a pointer to a struct.
  for (const member of ['Wow64Process', 'WoW64Process']) if (process.$has(member)) return process.$pointer(member) !== 0n;
  return false;
}

/** The path of a process's program as the kernel noted it for audits, which the process cannot change (since XP); null where it did not. Throws Absent. */
export function auditName(process: Eprocess): string | null {
  if (!process.$has('SeAuditProcessCreationInfo')) return null;
  const name = (process.$get('SeAuditProcessCreationInfo') as Struct).$get('ImageFileName') as Struct | null;
  return name ? unicodeText(name.$get('Name') as Struct) : null;
}
