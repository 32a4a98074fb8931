import { Absent, orElse } from '../../memory/absent.js';
import type { LinuxKernel } from './kernel.js';
import { walkList, type WalkOptions } from './lists/list.js';
import type { ListHead, TaskStruct } from './types.js';

/** include/linux/sched.h: PF_KTHREAD */
const PF_KTHREAD = 0x00200000;

/** The type of a task, compiled once. */
export function taskType(kernel: LinuxKernel): ReturnType<typeof kernel.struct<TaskStruct>> {
  return kernel.struct<TaskStruct>('task_struct');
}

/**
 * The processes (thread group leaders) on the list that starts at init_task, without the idle task itself
 * (kernel/fork.c: copy_process adds leaders to init_task.tasks).
 */
export function* processes(kernel: LinuxKernel, options: WalkOptions = {}): Generator<TaskStruct> {
  const type = taskType(kernel);
  const init = type.at(kernel.space, kernel.profile.address('init_task'));
  yield* walkList(init.tasks, type, 'tasks', options);
}

/**
 * The threads of a process, its leader among them: signal_struct.thread_head (since 3.13, kernel commit 0c740d0afc3b), or
 * task_struct.thread_group (until 6.7, kernel commit 8e1f385104ac).
 */
export function* threads(kernel: LinuxKernel, leader: TaskStruct, options: WalkOptions = {}): Generator<TaskStruct> {
  const type = taskType(kernel);
  const signal = leader.signal;
  if (signal?.$has('thread_head') === true && leader.$has('thread_node')) {
    yield* walkList(signal.$get('thread_head') as ListHead, type, 'thread_node', options);
    return;
  }
  yield leader;
  if (leader.$has('thread_group')) yield* walkList(leader.thread_group, type, 'thread_group', options);
}

/** True for kernel threads, which have no memory of their own. */
export function isKernelThread(task: TaskStruct): boolean {
  return (task.flags & PF_KTHREAD) !== 0;
}

/** Letters of fs/proc/array.c's task_state_array by bit of `__state | exit_state`. */
const STATES = 'RSDTtXZPI';
/** TASK_NOLOAD | TASK_UNINTERRUPTIBLE is idle (include/linux/sched.h). */
const TASK_UNINTERRUPTIBLE = 0x2;
const TASK_NOLOAD = 0x400;
const TASK_REPORT = 0x7f;

/** The state as ps shows it: R, S, D, T, t, X, Z, P, I. */
export function stateOf(task: TaskStruct): string {
  // task_struct.state became __state in 5.14 (kernel commit 2f064a59a11f).
  const raw = Number(task.$has('__state') ? task.$get('__state') : task.$get('state')) >>> 0;
  if ((raw & TASK_NOLOAD) !== 0 && (raw & TASK_UNINTERRUPTIBLE) !== 0) return 'I';
  const reported = (raw | task.exit_state) & TASK_REPORT;
  const bit = reported === 0 ? 0 : 32 - Math.clz32(reported);
  return STATES[bit] ?? '?';
}

/** The parent's process id as /proc shows it; 0 where there is none. */
export function parentPid(task: TaskStruct): number {
  return orElse(() => task.real_parent?.tgid ?? 0, 0);
}

/** A process by its id. Throws Absent when there is none. */
export function processByPid(kernel: LinuxKernel, pid: number): TaskStruct {
  for (const task of processes(kernel)) if (orElse(() => task.tgid === pid, false)) return task;
  throw new Absent('not-applicable', `no process ${pid}`);
}
