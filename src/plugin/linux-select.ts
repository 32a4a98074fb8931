import { orElse } from '../memory/absent.js';
import { taskType, processes } from '../kernel/linux/tasks.js';
import type { TaskStruct } from '../kernel/linux/types.js';
import { arg, type ArgsOf } from './args.js';
import { linuxOf, type PluginContext } from './context.js';

/** Arguments of every Linux command that works on processes. */
export const processArgs = {
  pids: arg.ints('only these process ids', { positional: true, completes: 'pid' }),
  proc_regex: arg.regex('only processes whose name (comm) matches', { completes: 'process' }),
  task: arg.addresses('task_structs at these addresses, on the list or not'),
  method: arg.choices('how processes are found', { choices: ['InitTask'], default: ['InitTask'] }),
} as const;

/**
 * The same for commands whose rows are of one process each, do not depend on other rows, and have its id in `pid` and its name in
 * `name`: their queries reach the selection (`where pid == 4`).
 */
export const processRowArgs = {
  ...processArgs,
  pids: { ...processArgs.pids, narrows: { by: 'equality', columns: ['pid', 'proc.pid', 'proc.tgid', 'task.pid', 'task.tgid'] } },
  proc_regex: { ...processArgs.proc_regex, narrows: { by: 'match', columns: ['name', 'proc.name', 'proc.comm', 'task.name', 'task.comm'] } },
} as const;

/** The processes (thread group leaders) that a command's arguments select, in the order of the kernel's list. */
export function* selectProcesses(context: PluginContext, args: ArgsOf<typeof processArgs>): Generator<TaskStruct> {
  const kernel = linuxOf(context);
  if (args.task) {
    for (const address of args.task) yield taskType(kernel).at(kernel.space, address);
    return;
  }
  const wanted = new Set(args.pids);
  const missing = new Set(args.pids);
  let count = 0;
  for (const task of processes(kernel, { onFault: context.note })) {
    count++;
    const pid = orElse(() => task.pid, -1);
    if (args.pids && !wanted.has(pid)) continue;
    // No end when all were found: on a list that was tampered with, two processes may have one id.
    missing.delete(pid);
    if (args.proc_regex && !args.proc_regex.test(orElse(() => task.comm, ''))) continue;
    yield task;
  }
  if (missing.size > 0) context.note(`No process ${[...missing].join(', ')} on the list of ${count}; pslist shows them all.`);
}

/**
 * Says why processes that were asked for by number gave no rows: kernel threads and zombies have no memory of their own. Of those
 * among all processes it says nothing: they are expected there.
 */
export function noteWithoutMemory(context: PluginContext, args: ArgsOf<typeof processArgs>, count: number): void {
  if (!args.pids || count === 0) return;
  context.note(count === 1 ? 'One of these has no memory of its own: it is a kernel thread or a zombie.' : `${count} of these have no memory of their own: they are kernel threads or zombies.`);
}
