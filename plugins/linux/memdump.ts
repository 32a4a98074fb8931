import { orAbsent } from '../../src/memory/absent.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { dumpArgs, DumpFolder } from '../../src/plugin/dump-folder.js';
import { noteWithoutMemory, processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { mapArgs, memdumpColumns, memdumpRows } from '../../src/plugin/process-pages.js';
import { taskPages } from './memmap.js';

export const memdump = definePlugin({
  name: 'memdump',
  needs: ['linux'],
  topic: 'memory',
  summary: 'writes all pages of a process to a file, with an index of what is where',
  notes:
    'One file NAME_PID.dmp for each process, pages in order of address without the gaps between; each row says which part of the file holds which addresses. ' +
    'Pages that the image does not hold are left out and counted. Names from the image are made safe; nothing is written outside of the folder.',
  args: {
    ...processRowArgs,
    ...dumpArgs,
    coalesce: arg.bool('join neighbouring pages to one row', { default: true }),
    ...mapArgs,
  },
  columns: {
    ...memdumpColumns,
    pid: col.int('process id                 task_struct.tgid', { hidden: true }),
    name: col.string("process's name             task_struct.comm", { hidden: true }),
    proc: col.struct('task_struct', 'the process', { hidden: true }),
  },
  examples: [{ line: 'memdump 1 dump_dir=/tmp' }],
  async *collect(context, args) {
    const kernel = linuxOf(context);
    const folder = DumpFolder.of(context, args.dump_dir);
    let withoutMemory = 0;
    for (const task of selectProcesses(context, args)) {
      const pages = taskPages(kernel, task);
      for await (const row of memdumpRows(context, folder, pages, args)) yield { ...row, pid: pages.pid, name: pages.name, proc: task };
      if (context.signal.aborted) return;
      if (orAbsent(() => pages.space()) === undefined) withoutMemory++;
    }
    noteWithoutMemory(context, args, withoutMemory);
  },
});
