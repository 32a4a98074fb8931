import { setImmediate as immediate } from 'node:timers/promises';
import { Absent, orAbsent } from '../../src/memory/absent.js';
import { addressOf, PAGE_SIZE } from '../../src/memory/page.js';
import type { PhysicalSpace } from '../../src/memory/physical.js';
import { type MappedRun, mappedRuns, processSpace } from '../../src/kernel/linux/memory-map.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { type DumpFile, dumpArgs, DumpFolder } from '../../src/plugin/dump-folder.js';
import { noteWithoutMemory, processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

/** Bytes that are copied between two looks at the analyst's Ctrl-C. */
const PORTION = 4 * 1024 * 1024;

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
    all: arg.bool("the kernel's half of the address space, too", { default: false }),
  },
  columns: {
    divider: col.string('the process', { divider: true }),
    file_addr: col.physical('position in the file', { title: 'File Address' }),
    length: col.size('how much', { unit: 'bytes' }),
    virtual: col.address('address that it had', { title: 'Virtual Addr' }),
    filename: col.string('the file'),
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
      const pid = orAbsent(() => task.tgid);
      const name = orAbsent(() => task.comm);
      const divider = `${String(name)} (${String(pid)})`;
      const space = orAbsent(() => processSpace(kernel, task));
      if (space instanceof Absent) context.note(`The page tables of ${divider} cannot be found: ${space.toString()}`);
      if (space === undefined) withoutMemory++;
      if (space === undefined || space instanceof Absent) continue;
      const file = folder.create(`${String(name)}_${String(pid)}`, '.dmp');
      const missing = { pages: 0 };
      try {
        for (const run of mappedRuns(kernel, space, { ...args, onFault: (what) => context.note(`${divider}: ${what}`) })) {
          for await (const piece of copied(kernel.physical, run, file, missing, context.signal)) {
            yield { divider, ...piece, filename: file.path, pid, name, proc: task };
          }
          context.progress(undefined, `${file.path}: ${Math.round(file.size / 2 ** 20)} MiB`);
          if (!context.signal.aborted) continue;
          context.note(`Stopped: ${file.path} is not complete.`);
          return;
        }
      } finally {
        file.close();
      }
      if (missing.pages > 0) context.note(`${missing.pages} pages of ${divider} are not in the image; its file is without them.`);
    }
    noteWithoutMemory(context, args, withoutMemory);
  },
});

interface Piece {
  readonly file_addr: number;
  readonly length: number;
  readonly virtual: bigint;
}

/** Copies a run of pages to a file; gives a piece for each part between holes of the image. */
async function* copied(physical: PhysicalSpace, run: MappedRun, file: DumpFile, missing: { pages: number }, signal: AbortSignal): AsyncGenerator<Piece> {
  const end = run.pages * PAGE_SIZE;
  const buffer = Buffer.allocUnsafe(Math.min(PORTION, end));
  let start = 0;
  let begin = file.size;
  const piece = (): Piece => ({ file_addr: begin, length: file.size - begin, virtual: addressOf(run.page, start) });
  for (let at = 0; at < end && !signal.aborted; ) {
    const wanted = Math.min(buffer.length, end - at);
    const got = physical.readInto(run.frame * PAGE_SIZE + at, buffer, 0, wanted);
    // The tail of a truncated image is no page.
    const whole = got - (got % PAGE_SIZE);
    if (whole > 0) file.append(buffer.subarray(0, whole));
    at += whole;
    if (whole < wanted) {
      if (file.size > begin) yield piece();
      missing.pages++;
      at += PAGE_SIZE;
      start = at;
      begin = file.size;
    }
    if (at % PORTION === 0) await immediate();
  }
  if (file.size > begin) yield piece();
}
