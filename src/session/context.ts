import { Absent, orAbsent, orElse } from '../memory/absent.js';
import type { LinuxKernel } from '../kernel/linux/kernel.js';
import type { Kernel } from '../kernel/kernel.js';
import { processes, taskType, threads } from '../kernel/linux/tasks.js';
import type { TaskStruct } from '../kernel/linux/types.js';
import type { WindowsKernel } from '../kernel/windows/kernel.js';
import { describeStruct } from '../object/describe.js';
import type { Struct } from '../object/struct.js';
import { PluginError } from '../plugin/error.js';
import { contextOf, knownProcesses, processObject, processWithId } from './processes.js';
import type { Session } from './session.js';

/** A process that may become the context. */
export interface ProcessCandidate {
  readonly pid: number;
  readonly name: string;
  readonly process: Struct;
  /** the thread by whose id or name it was found, where that is not the process's own */
  readonly thread?: { readonly tid: number; readonly name: string };
}

/** The words that mean the kernel's own context; 0 is its idle task. */
const KERNEL = new Set(['kernel', 'k', '0']);

/**
 * Makes a process the session's context: what works in an address space works in its. Without a process id back to the kernel's.
 * Throws Absent where there is no such process.
 */
export async function enterProcess(session: Session, which: number | ProcessCandidate | undefined): Promise<void> {
  if (which === undefined) {
    session.context = undefined;
    return;
  }
  const kernel = await session.kernel();
  session.context = contextOf(kernel, typeof which === 'number' ? processWithId(kernel, which) : which.process);
}

/** All processes that are known. */
export async function processCandidates(session: Session): Promise<ProcessCandidate[]> {
  return knownProcesses(await session.kernel());
}

/**
 * The processes that a text means, the best kind of match alone: `kernel`; a process id, or a thread's; the address of a task_struct;
 * a name (case ignored), or a thread's; a regular expression that names match. Throws PluginError for an address where no process is.
 */
export async function findProcesses(session: Session, text: string): Promise<readonly ProcessCandidate[] | 'kernel'> {
  const wanted = text.trim();
  if (KERNEL.has(wanted.toLowerCase())) return 'kernel';
  const found = await session.kernel();
  if (found.os !== 'linux') return findByName(session, found, wanted);
  const kernel = found as LinuxKernel;
  if (/^\d+$/.test(wanted)) {
    const byId = candidatesWith(kernel, (task) => task.pid === Number(wanted), 'pid');
    if (byId.length > 0) return byId;
  }
  if (/^0x[0-9a-f]+$/i.test(wanted) || wanted.includes('!'))
    return [at(kernel, await (await session.resolver()).address(wanted), wanted)];
  const lower = wanted.toLowerCase();
  const named = candidatesWith(kernel, (task) => task.comm.toLowerCase() === lower, 'comm');
  if (named.length > 0) return named;
  const pattern = regex(wanted);
  return candidatesWith(kernel, (task) => pattern.test(task.comm), 'comm');
}

/** The same where processes alone are known, and not their threads: by id, by the object's address, by name. */
async function findByName(session: Session, kernel: Kernel, wanted: string): Promise<readonly ProcessCandidate[]> {
  const all = knownProcesses(kernel);
  if (/^\d+$/.test(wanted)) {
    const byId = all.filter(({ pid }) => pid === Number(wanted));
    if (byId.length > 0) return byId;
    const gone = orAbsent(() => processWithId(kernel, Number(wanted)));
    if (gone instanceof Absent && gone.kind !== 'not-applicable') throw new PluginError(`${gone.reason}.`, `pslist ${wanted}`);
  }
  if (/^0x[0-9a-f]+$/i.test(wanted) || wanted.includes('!')) {
    const address = await (await session.resolver()).address(wanted);
    const known = all.find(({ process }) => process.$address === address);
    if (known) return [known];
    const process = orAbsent(() => processObject(kernel as WindowsKernel, address));
    if (process instanceof Absent) throw new PluginError(`No process at ${wanted}: ${process.reason}.`, 'pslist');
    const { name = '?', pid = -1 } = describeStruct(process);
    return [{ pid, name, process }];
  }
  const lower = wanted.toLowerCase();
  // `lsass` means lsass.exe.
  const named = all.filter(({ name }) => [lower, `${lower}.exe`].includes(name.toLowerCase()));
  if (named.length > 0) return named;
  const pattern = regex(wanted);
  return all.filter(({ name }) => pattern.test(name));
}

/** Processes that a test fits; where none does those that have a thread which it fits. */
function candidatesWith(
  kernel: LinuxKernel,
  fits: (task: TaskStruct) => boolean,
  by: 'pid' | 'comm',
): ProcessCandidate[] {
  const all = [...processes(kernel)];
  const test = (task: TaskStruct): boolean => orElse(() => fits(task), false);
  const found = all.filter(test).map(candidate);
  if (found.length > 0) return found;
  return all.flatMap((leader) => {
    const thread = [...orElse(() => [...threads(kernel, leader)], [])].find(test);
    // A thread that has its process's name is no match of its own.
    if (!thread || (by === 'comm' && orElse(() => thread.comm === leader.comm, true))) return [];
    return [{ ...candidate(leader), thread: { tid: thread.pid, name: orElse(() => thread.comm, '?') } }];
  });
}

function candidate(task: TaskStruct): ProcessCandidate {
  return { pid: orElse(() => task.tgid, -1), name: orElse(() => task.comm, '?'), process: task };
}

/** The process whose task_struct, or that of one of its threads, stands at an address. */
function at(kernel: LinuxKernel, address: bigint, text: string): ProcessCandidate {
  const task = taskType(kernel).at(kernel.space, address);
  try {
    const leader = task.group_leader;
    // A task's leader leads itself, in its own memory or in the kernel's idle task.
    if (
      leader?.group_leader?.$address === leader?.$address &&
      leader &&
      leader.pid === leader.tgid &&
      leader.tgid === task.tgid
    ) {
      const thread = leader.$address === task.$address ? {} : { thread: { tid: task.pid, name: task.comm } };
      return { ...candidate(leader), ...thread };
    }
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    throw new PluginError(`No process at ${text}: ${error.toString()}.`, 'pslist');
  }
  throw new PluginError(`No process at ${text}: what stands there is no task_struct.`, 'pslist');
}

/** A regular expression as typed; what is none is text. */
function regex(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
  }
}
