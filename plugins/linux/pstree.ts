import { orElse } from '../../src/memory/absent.js';
import { parentPid } from '../../src/kernel/linux/tasks.js';
import type { TaskStruct } from '../../src/kernel/linux/types.js';
import { col } from '../../src/plugin/columns.js';
import { processArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const pstree = definePlugin({
  name: 'pstree',
  needs: ['linux'],
  topic: 'processes',
  summary: 'processes as a tree of parents and children',
  notes: 'Parents are task_struct.real_parent. A process whose parent is not selected, or which would be its own ancestor, is a root.',
  args: processArgs,
  columns: {
    name: col.string('name                   task_struct.comm', { tree: true, width: 24 }),
    pid: col.int('process id                 task_struct.tgid'),
    ppid: col.int("parent's process id       task_struct.real_parent.tgid"),
    uid: col.int('effective user id          task_struct.cred.euid'),
    depth: col.int('distance from the root'),
    proc: col.struct('task_struct', 'the process', { hidden: true }),
  },
  examples: [{ line: 'pstree' }],
  *collect(context, args) {
    const tasks = [...selectProcesses(context, args)];
    const pidOf = (task: TaskStruct): number => orElse(() => task.tgid, -1);
    const known = new Set(tasks.map(pidOf));
    const children = new Map<number, TaskStruct[]>();
    const roots: TaskStruct[] = [];
    for (const task of tasks) {
      const parent = parentPid(task);
      if (!known.has(parent) || parent === pidOf(task)) roots.push(task);
      else children.set(parent, [...(children.get(parent) ?? []), task]);
    }
    const shown = new Set<TaskStruct>();
    function* below(task: TaskStruct, depth: number): Generator<{ task: TaskStruct; depth: number }> {
      if (shown.has(task)) return;
      shown.add(task);
      yield { task, depth };
      // A chain of parents as long as the process table is legal; deeper than this is a display problem only.
      if (depth < 200) for (const child of children.get(pidOf(task)) ?? []) yield* below(child, depth + 1);
    }
    function* all(): Generator<{ task: TaskStruct; depth: number }> {
      for (const root of roots) yield* below(root, 0);
      // Parents in a circle have no root: a smeared or forged image.
      for (const task of tasks) {
        if (shown.has(task)) continue;
        context.note(`The parents of ${pidOf(task)} go round in a circle.`);
        yield* below(task, 0);
      }
    }
    for (const { task, depth } of all()) {
      yield {
        $depth: depth,
        name: () => task.comm,
        pid: () => task.tgid,
        ppid: () => parentPid(task),
        uid: () => task.cred?.euid.val ?? null,
        depth,
        proc: task,
      };
    }
  },
});
