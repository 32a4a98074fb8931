import type { LinuxKernel } from '../kernel/linux/kernel.js';
import { processByPid } from '../kernel/linux/tasks.js';
import type { Session } from './session.js';

/**
 * Makes a process the session's context: what works in an address space works in its. Without a process id back to the kernel's.
 * Throws Absent where there is no such process.
 */
export async function enterProcess(session: Session, pid: number | undefined): Promise<void> {
  if (pid === undefined) {
    session.context = undefined;
    return;
  }
  const kernel = (await session.kernel()) as LinuxKernel;
  const process = processByPid(kernel, pid);
  session.context = { pid, name: process.comm, process, space: kernel.spaceOf(process) };
}
