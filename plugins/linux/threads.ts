import { isKernelThread, stateOf, threads as threadsOf } from '../../src/kernel/linux/tasks.js';
import { startTime } from '../../src/kernel/linux/times.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { processArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const threads = definePlugin({
  name: 'threads',
  needs: ['linux'],
  topic: 'processes',
  summary: 'threads of processes, and of the kernel',
  notes: 'For each process, signal_struct.thread_head (before 3.13: task_struct.thread_group).',
  args: { ...processArgs, pids: { ...processArgs.pids, narrows: { by: 'equality', columns: ['pid', 'thread.tgid'] } } },
  columns: {
    thread: col.struct('task_struct', 'the thread'),
    pid: col.int('process id                 task_struct.tgid'),
    tid: col.int('thread id                  task_struct.pid'),
    name: col.string("thread's name           task_struct.comm"),
    state: col.string('state, as in pslist'),
    cpu: col.int('processor it last ran on   task_struct.cpu, or thread_info.cpu', { minor: true }),
    kernel_thread: col.bool('true for threads of the kernel   task_struct.flags & PF_KTHREAD', { minor: true }),
    start_time: col.time('UTC                    task_struct.start_boottime'),
    stack: col.address('kernel stack           task_struct.stack', { hidden: true }),
  },
  examples: [{ line: 'threads proc_regex=labthreads' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    for (const leader of selectProcesses(context, args)) {
      for (const task of threadsOf(kernel, leader, { onFault: context.note })) {
        yield {
          thread: task,
          pid: () => task.tgid,
          tid: () => task.pid,
          name: () => task.comm,
          state: () => stateOf(task),
          // With CONFIG_THREAD_INFO_IN_TASK the processor moved about: task_struct.cpu until 5.16, then thread_info.cpu (bcf9033e5449).
          cpu: () => (task.$has('cpu') ? (task.$get('cpu') as number) : task.$has('thread_info') ? threadInfoCpu(task.$get('thread_info')) : null),
          kernel_thread: () => isKernelThread(task),
          start_time: () => startTime(kernel, task),
          stack: () => task.$pointer('stack'),
        };
      }
    }
  },
});

function threadInfoCpu(info: unknown): number | null {
  const view = info as { $has(name: string): boolean; $get(name: string): unknown };
  return view.$has('cpu') ? (view.$get('cpu') as number) : null;
}
