import { orAbsent } from '../../src/memory/absent.js';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { processSpace, userPages } from '../../src/kernel/linux/memory-map.js';
import type { TaskStruct } from '../../src/kernel/linux/types.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { noteWithoutMemory, processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { mapArgs, memmapColumns, memmapRows, type ProcessPages } from '../../src/plugin/process-pages.js';

export const memmap = definePlugin({
  name: 'memmap',
  needs: ['linux'],
  topic: 'memory',
  summary: 'pages that a process has in memory, and where they are',
  notes:
    'Reads the page tables (mm_struct.pgd) through. Pages that are not mapped, swapped out or never touched are not there. ' +
    'PROT_NONE pages are: the kernel keeps their frames in entries that the processor calls not present.',
  args: {
    ...processRowArgs,
    coalesce: arg.bool('join pages that lie together, virtually and physically', { default: false }),
    ...mapArgs,
  },
  columns: {
    ...memmapColumns,
    pid: col.int('process id                 task_struct.tgid', { hidden: true }),
    name: col.string("process's name             task_struct.comm", { hidden: true }),
    proc: col.struct('task_struct', 'the process', { hidden: true }),
  },
  examples: [{ line: 'memmap 1 coalesce=true' }, { line: 'memmap proc_regex=labmarker' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    let withoutMemory = 0;
    for (const task of selectProcesses(context, args)) {
      const pages = taskPages(kernel, task);
      for (const row of memmapRows(context, pages, args)) yield { ...row, pid: pages.pid, name: pages.name, proc: task };
      if (orAbsent(() => pages.space()) === undefined) withoutMemory++;
    }
    noteWithoutMemory(context, args, withoutMemory);
  },
});

/** What the two commands of pages need to know of a task. */
export function taskPages(kernel: LinuxKernel, task: TaskStruct): ProcessPages {
  return { pid: orAbsent(() => task.tgid), name: orAbsent(() => task.comm), space: () => processSpace(kernel, task), user: userPages(kernel) };
}
