import { Timestamp } from '../../object/time.js';
import { clockOf } from './clock.js';
import type { LinuxKernel } from './kernel.js';
import type { TaskStruct } from './types.js';

/** Moment a task was started. task_struct.start_boottime was called real_start_time until 5.5 (kernel commit cf25e24db61c). */
export function startTime(kernel: LinuxKernel, task: TaskStruct): Timestamp {
  const member = task.$has('start_boottime') ? 'start_boottime' : 'real_start_time';
  return new Timestamp(clockOf(kernel).boot.ns + BigInt(task.$get(member) as bigint));
}
