import type { Kernel } from '../kernel/kernel.js';
import type { LinuxKernel } from '../kernel/linux/kernel.js';
import { processes as linuxProcesses, processByPid } from '../kernel/linux/tasks.js';
import type { TaskStruct } from '../kernel/linux/types.js';
import type { WindowsKernel } from '../kernel/windows/kernel.js';
import { findProcesses, METHODS, notProcess, pidOf, processAt, processTitle } from '../kernel/windows/processes/processes.js';
import type { Eprocess } from '../kernel/windows/types.js';
import { Absent, orElse } from '../memory/absent.js';
import type { Struct } from '../object/struct.js';
import { PluginError } from '../plugin/error.js';
import type { ProcessContext } from './session.js';

/** A process of any system: what `cc`, `pid@N` and completion need to know of it. */
export interface KnownProcess {
  readonly pid: number;
  readonly name: string;
  readonly process: Struct;
}

/** All processes of a kernel; on Windows those that any of its sources knows and that have an address space. */
export function knownProcesses(kernel: Kernel): KnownProcess[] {
  if (kernel.os === 'linux') {
    return [...linuxProcesses(kernel as LinuxKernel)].map((task) => ({ pid: orElse(() => task.tgid, -1), name: orElse(() => task.comm, '?'), process: task }));
  }
  if (kernel.os === 'windows') return windowsProcesses(kernel as WindowsKernel);
  throw new PluginError(`Processes of ${kernel.description} are not known here yet.`, 'info');
}

/** Ghosts, of which nothing but the id is left, have no page tables. */
function windowsProcesses(kernel: WindowsKernel): KnownProcess[] {
  return kernel.memo('processes with page tables', () =>
    findProcesses(kernel, METHODS)
      .filter(({ process }) => orElse(() => kernel.dtbOf(process) !== 0, false))
      .map(({ process }) => ({ pid: pidOf(process) ?? -1, name: orElse(() => process.ImageFileName, '?'), process })),
  );
}

/** A process by its id. Throws Absent where there is none, or nothing of its memory. */
export function processWithId(kernel: Kernel, pid: number): Struct {
  if (kernel.os === 'linux') return processByPid(kernel as LinuxKernel, pid);
  const found = knownProcesses(kernel).find((known) => known.pid === pid);
  if (found) return found.process;
  const gone = kernel.os === 'windows' ? findProcesses(kernel as WindowsKernel, METHODS).find(({ process }) => pidOf(process) === pid)?.process : undefined;
  if (!gone) throw new Absent('not-applicable', `no process ${pid}`);
  return withPageTables(kernel as WindowsKernel, gone);
}

/** The process object at an address, whoever knows it. Throws Absent where none stands there, or one without page tables. */
export function processObject(kernel: WindowsKernel, address: bigint): Struct {
  const process = processAt(kernel, address);
  const why = notProcess(process);
  if (why !== undefined) throw new Absent('corrupt', why, address);
  return withPageTables(kernel, process);
}

function withPageTables(kernel: WindowsKernel, process: Eprocess): Struct {
  if (kernel.dtbOf(process) !== 0) return process;
  throw new Absent('unreadable', `${processTitle(process)} has no page tables (any more)${orElse(() => endOf(process), '')}`);
}

/** `: it ended at …` of a process that has ended, otherwise nothing. Throws Absent. */
function endOf(process: Eprocess): string {
  return process.ExitTime === null ? '' : `: it ended at ${process.ExitTime.toString()}`;
}

/** What is to be known of a process's memory before one looks into it: that it has none of its own. */
export function memoryRemark(kernel: Kernel, process: Struct): string | undefined {
  if (kernel.os === 'linux') return process.$has('mm') && process.$get('mm') === null ? 'a kernel thread, which has no memory of its own' : undefined;
  const ended = orElse(() => endOf(process as Eprocess), '');
  return ended === '' ? undefined : `whose memory is perhaps gone${ended}`;
}

/** A process object as a context. Throws Absent where its memory cannot be found. */
export function contextOf(kernel: Kernel, process: Struct): ProcessContext {
  if (kernel.os === 'linux') {
    const task = process as TaskStruct;
    return { pid: task.tgid, name: task.comm, process: task, space: (kernel as LinuxKernel).spaceOf(task) };
  }
  const eprocess = process as Eprocess;
  return { pid: pidOf(eprocess) ?? -1, name: eprocess.ImageFileName, process: eprocess, space: (kernel as WindowsKernel).spaceOf(eprocess) };
}
