import { orElse } from '../../memory/absent.js';
import { decodeText } from '../../object/text.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { isKernelThread } from './tasks.js';
import type { TaskStruct } from './types.js';

/** include/linux/sched.h */
const PF_WQ_WORKER = 0x20;
/** fs/proc/array.c: proc_task_name prints into a buffer of 64 bytes */
const LONGEST_NAME = 63;

interface Worker extends Struct {
  readonly id: number;
  readonly desc: string;
  readonly pool: Struct | null;
}

/**
 * A task's name as /proc/PID/stat and ps show it: comm; for a kernel thread its full name (kthread.full_name since 5.17,
 * d6986ce24fc0), for a worker of a queue with what it works on behind it: `kworker/0:1-events` (kernel/workqueue.c:
 * wq_worker_comm, since 4.18, 6b59808bfe48). Throws Absent.
 */
export function displayName(kernel: LinuxKernel, task: TaskStruct): string {
  if (!isKernelThread(task)) return task.comm;
  const thread = orElse(() => kthreadOf(kernel, task), undefined);
  if (!thread) return task.comm;
  if ((task.flags & PF_WQ_WORKER) !== 0) return orElse(() => workerName(kernel, task, thread), task.comm).slice(0, LONGEST_NAME);
  const full = thread.$has('full_name') ? orElse(() => thread.$pointer('full_name'), 0n) : 0n;
  return full === 0n ? task.comm : orElse(() => decodeText(kernel.space.readCString(full, 256)), task.comm).slice(0, LONGEST_NAME);
}

/** The struct kthread of a kernel thread: task_struct.worker_private since 5.17 (e32cf5dfbe22), in set_child_tid's place before. */
function kthreadOf(kernel: LinuxKernel, task: TaskStruct): Struct | undefined {
  if (!kernel.profile.has('kthread')) return undefined;
  const address = task.$pointer(task.$has('worker_private') ? 'worker_private' : 'set_child_tid');
  return address === 0n ? undefined : kernel.at('kthread', address);
}

function workerName(kernel: LinuxKernel, task: TaskStruct, thread: Struct): string {
  const worker = kernel.at<Worker>('worker', thread.$pointer('data'));
  const name = workerId(kernel, worker) ?? task.comm;
  const description = worker.desc;
  // A rescuer has no pool but while it helps out.
  if (!worker.pool || description === '') return name;
  return `${name}${worker.$pointer('current_work') === 0n ? '-' : '+'}${description}`;
}

/** `kworker/R-NAME` of a rescuer, whose comm has no room for it (kernel/workqueue.c: format_worker_id, since 6.11). */
function workerId(kernel: LinuxKernel, worker: Worker): string | undefined {
  if (kernel.symbol('format_worker_id') === undefined || !worker.$has('rescue_wq')) return undefined;
  const queue = worker.$get('rescue_wq') as Struct | null;
  return queue ? `kworker/R-${String(queue.$get('name'))}` : undefined;
}
