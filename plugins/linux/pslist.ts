import { filePath } from '../../src/kernel/linux/path.js';
import { isKernelThread, parentPid, stateOf } from '../../src/kernel/linux/tasks.js';
import { startTime } from '../../src/kernel/linux/times.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const pslist = definePlugin({
  name: 'pslist',
  needs: ['linux'],
  topic: 'processes',
  summary: "processes, from the kernel's list of tasks",
  notes:
    'Walks init_task.tasks (include/linux/sched.h) forward, and backward where a link is broken. The idle task (pid 0) is not on it. ' +
    'Times are start_boottime added to the moment of boot that the timekeeper gives.',
  args: processRowArgs,
  columns: {
    proc: col.struct('task_struct', 'the process; .pid .comm .mm … are its members'),
    pid: col.int('process id                       task_struct.tgid', { hidden: true }),
    name: col.string('name                         task_struct.comm', { hidden: true }),
    ppid: col.int("parent's process id             task_struct.real_parent.tgid"),
    uid: col.int('real user id                     task_struct.cred.uid'),
    gid: col.int('real group id                    task_struct.cred.gid', { minor: true }),
    state: col.string('R running, S sleeping, D waiting, T stopped, t traced, Z zombie, I idle   task_struct.__state'),
    threads: col.int('number of threads            signal_struct.nr_threads', { minor: true }),
    kernel_thread: col.bool('true for threads of the kernel   task_struct.flags & PF_KTHREAD', { hidden: true }),
    dtb: col.physical('physical address of the page tables   mm_struct.pgd', { minor: true }),
    start_time: col.time('UTC                          task_struct.start_boottime'),
    binary: col.string('path of the executable         mm_struct.exe_file'),
  },
  examples: [{ line: 'pslist' }, { line: 'pslist proc_regex=lab', doc: 'only processes whose name matches' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    for (const task of selectProcesses(context, args)) {
      yield {
        proc: task,
        pid: () => task.tgid,
        name: () => task.comm,
        ppid: () => parentPid(task),
        uid: () => task.cred?.uid.val ?? null,
        gid: () => task.cred?.gid.val ?? null,
        state: () => stateOf(task),
        threads: () => (task.signal?.$get('nr_threads') as number | undefined) ?? null,
        kernel_thread: () => isKernelThread(task),
        dtb: () => (task.mm ? kernel.dtbOf(task.mm) : null),
        start_time: () => startTime(kernel, task),
        binary: () => {
          const file = task.mm?.exe_file;
          return file ? filePath(kernel, file) : null;
        },
      };
    }
  },
});
