import { orElse } from '../../src/memory/absent.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { processSpace, userPages } from '../../src/kernel/windows/memory/memory-map.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { dumpArgs, DumpFolder } from '../../src/plugin/dump-folder.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { mapArgs, memdumpColumns, memdumpRows, memmapColumns, memmapRows, type ProcessPages } from '../../src/plugin/process-pages.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs, withoutPageTables } from '../../src/plugin/windows-select.js';

const NOTES =
  'Reads the page tables (_KPROCESS.DirectoryTableBase) through. Pages in transition and those behind prototypes are there if memory has them; what is in the page file, in its file, or was never touched is not. ' +
  'Pages of shared sections that this process has not touched yet have no entry: vadmap and vaddump know them by their regions.';

const OF_PROCESS = {
  pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  name: col.string("process's name   _EPROCESS.ImageFileName", { hidden: true }),
  _EPROCESS: col.struct('_EPROCESS', 'the process', { hidden: true }),
} as const;

export const memmap = definePlugin({
  name: 'memmap',
  needs: ['windows'],
  topic: 'memory',
  summary: 'pages that a process has in memory, and where they are',
  notes: NOTES,
  args: {
    ...windowsProcessRowArgs,
    coalesce: arg.bool('join pages that lie together, virtually and physically', { default: false }),
    ...mapArgs,
  },
  columns: { ...memmapColumns, ...OF_PROCESS },
  examples: [{ line: 'memmap proc_regex=smss coalesce=true' }],
  applies: withoutPageTables,
  *collect(context, args) {
    const kernel = windowsOf(context);
    let without = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      const pages = processPages(kernel, process);
      let count = 0;
      for (const row of memmapRows(context, pages, args)) {
        count++;
        yield { ...row, pid: pages.pid, name: pages.name, _EPROCESS: process };
      }
      if (count === 0) without++;
    }
    noteWithout(context, args.pids ?? args.eprocess, without);
  },
});

export const memdump = definePlugin({
  name: 'memdump',
  needs: ['windows'],
  topic: 'memory',
  summary: 'writes all pages of a process to a file, with an index of what is where',
  notes:
    `One file NAME_PID.dmp for each process, pages in order of address without the gaps between; each row says which part of the file holds which addresses. ${NOTES} ` +
    'Pages that the image does not hold are left out and counted. Names from the image are made safe; nothing is written outside of the folder.',
  args: {
    ...windowsProcessRowArgs,
    ...dumpArgs,
    coalesce: arg.bool('join neighbouring pages to one row', { default: true }),
    ...mapArgs,
  },
  columns: { ...memdumpColumns, ...OF_PROCESS },
  examples: [{ line: 'memdump proc_regex=smss dump_dir=/tmp' }],
  applies: withoutPageTables,
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const folder = DumpFolder.of(context, args.dump_dir);
    let without = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      const pages = processPages(kernel, process);
      let count = 0;
      for await (const row of memdumpRows(context, folder, pages, args)) {
        count++;
        yield { ...row, pid: pages.pid, name: pages.name, _EPROCESS: process };
      }
      if (context.signal.aborted) return;
      if (count === 0) without++;
    }
    noteWithout(context, args.pids ?? args.eprocess, without);
  },
});

function processPages(kernel: WindowsKernel, process: Eprocess): ProcessPages {
  return { pid: pidOf(process) ?? null, name: orElse(() => process.ImageFileName, '?'), space: () => processSpace(kernel, process), user: userPages(kernel) };
}

/** Says why processes that were asked for gave no rows; of those among all it says nothing. */
function noteWithout(context: PluginContext, asked: unknown, count: number): void {
  if (asked === undefined || count === 0) return;
  context.note(`${count === 1 ? 'One of these has' : `${count} of these have`} no pages of their own in memory: ended, or the kernel's (all=true shows its half).`);
}
