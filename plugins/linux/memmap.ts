import { Absent, orAbsent } from '../../src/memory/absent.js';
import { addressOf, PAGE_SIZE } from '../../src/memory/page.js';
import { mappedRuns, processSpace, rights } from '../../src/kernel/linux/memory-map.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { noteWithoutMemory, processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

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
    all: arg.bool("the kernel's half of the address space, too", { default: false }),
  },
  columns: {
    divider: col.string('the process', { divider: true }),
    offset_v: col.address('virtual address', { title: 'Virtual' }),
    offset_p: col.physical('physical address', { title: 'Physical' }),
    process_size: col.size('how much', { title: 'Size', unit: 'bytes' }),
    rights: col.string('rwx as the page tables allow it; --- for PROT_NONE'),
    in_image: col.bool('true where the image holds the (first) page', { hidden: true }),
    pid: col.int('process id                 task_struct.tgid', { hidden: true }),
    name: col.string("process's name             task_struct.comm", { hidden: true }),
    proc: col.struct('task_struct', 'the process', { hidden: true }),
  },
  examples: [{ line: 'memmap 1 coalesce=true' }, { line: 'memmap proc_regex=labmarker' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    let withoutMemory = 0;
    for (const task of selectProcesses(context, args)) {
      const pid = orAbsent(() => task.tgid);
      const name = orAbsent(() => task.comm);
      const divider = `${String(name)} (${String(pid)})`;
      const space = orAbsent(() => processSpace(kernel, task));
      if (space instanceof Absent) context.note(`The page tables of ${divider} cannot be found: ${space.toString()}`);
      if (space === undefined) withoutMemory++;
      if (space === undefined || space instanceof Absent) continue;
      for (const run of mappedRuns(kernel, space, { ...args, onFault: (what) => context.note(`${divider}: ${what}`) })) {
        yield {
          divider,
          offset_v: addressOf(run.page, 0),
          offset_p: run.frame * PAGE_SIZE,
          process_size: run.pages * PAGE_SIZE,
          rights: rights(run.bits),
          in_image: () => kernel.physical.pageAt(run.frame) !== undefined,
          pid,
          name,
          proc: task,
        };
      }
    }
    noteWithoutMemory(context, args, withoutMemory);
  },
});
