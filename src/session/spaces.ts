import { processByPid } from '../kernel/linux/tasks.js';
import type { LinuxKernel } from '../kernel/linux/kernel.js';
import type { AddressSpace } from '../memory/space.js';
import { PluginError } from '../plugin/error.js';
import type { Session } from './session.js';

/**
 * The space that an argument names: `K` or `Kernel`, `P` or `Physical`, `pid@N`; without one, the session's own (the process
 * context's, or the kernel's).
 */
export async function spaceNamed(session: Session, name: string | undefined): Promise<AddressSpace> {
  if (name === undefined || name === '') return session.space();
  const lower = name.toLowerCase();
  if (lower === 'p' || lower === 'physical') return session.physical();
  const kernel = await session.kernel();
  if (lower === 'k' || lower === 'kernel') return kernel.space;
  const pid = /^pid@(\d+)$/.exec(lower)?.[1];
  if (pid !== undefined) return (kernel as LinuxKernel).spaceOf(processByPid(kernel as LinuxKernel, Number(pid)));
  throw new PluginError(`No address space ${name}: there are K (kernel), P (physical) and pid@N (a process).`, 'dump OFFSET P');
}
