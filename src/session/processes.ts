import type { Kernel } from '../kernel/kernel.js';
import type { LinuxKernel } from '../kernel/linux/kernel.js';
import { processes as linuxProcesses, processByPid } from '../kernel/linux/tasks.js';
import type { TaskStruct } from '../kernel/linux/types.js';
import type { WindowsKernel } from '../kernel/windows/kernel.js';
import { findProcesses, METHODS, pidOf } from '../kernel/windows/processes/processes.js';
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

/** A process by its id. Throws Absent where there is none. */
export function processWithId(kernel: Kernel, pid: number): Struct {
  if (kernel.os === 'linux') return processByPid(kernel as LinuxKernel, pid);
  const found = knownProcesses(kernel).find((known) => known.pid === pid);
  if (!found) throw new Absent('not-applicable', `no process ${pid}`);
  return found.process;
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
