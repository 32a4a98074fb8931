import { commandLine } from '../../src/kernel/linux/arguments.js';
import { displayName } from '../../src/kernel/linux/kthread.js';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import type { TaskStruct } from '../../src/kernel/linux/types.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** include/linux/sched.h: EXIT_DEAD | EXIT_ZOMBIE */
const EXIT_STATES = 0x30;

export const psaux = definePlugin({
  name: 'psaux',
  needs: ['linux'],
  topic: 'processes',
  summary: 'processes with their command lines, as ps shows them',
  notes:
    'Arguments are read from the memory of the process (mm_struct.arg_start to arg_end). What has none is shown by name in brackets: kernel threads, with what ' +
    'a worker works on behind its name, and zombies. " …" at the end says that the rest is not in the image.',
  args: processRowArgs,
  columns: {
    pid: col.int('process id                 task_struct.tgid'),
    uid: col.int('real user id               task_struct.cred.uid'),
    gid: col.int('real group id              task_struct.cred.gid'),
    command: col.string('arguments with spaces between, or the name in brackets   mm_struct.arg_start'),
    arguments: col.list('the arguments, one by one  mm_struct.arg_start', { hidden: true }),
    name: col.string('name                       task_struct.comm', { hidden: true }),
    proc: col.struct('task_struct', 'the process', { hidden: true }),
  },
  examples: [{ line: 'psaux' }, { line: 'psaux proc_regex=labsleep' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    for (const task of selectProcesses(context, args)) {
      yield {
        pid: () => task.tgid,
        uid: () => task.cred?.uid.val ?? null,
        gid: () => task.cred?.gid.val ?? null,
        command: () => command(kernel, task),
        arguments: () => commandLine(kernel, task)?.texts ?? null,
        name: () => task.comm,
        proc: task,
      };
    }
  },
});

function command(kernel: LinuxKernel, task: TaskStruct): string {
  const line = commandLine(kernel, task);
  const text = line?.texts.join(' ').trimEnd() ?? '';
  if (text !== '') return line?.complete === false ? `${text} …` : text;
  const dead = (task.exit_state & EXIT_STATES) !== 0;
  return `[${displayName(kernel, task)}]${dead ? ' <defunct>' : ''}`;
}
