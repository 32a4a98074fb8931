import { breathing } from '../../src/memory/breathe.js';
import { orElse } from '../../src/memory/absent.js';
import { addressOf, PAGE_SIZE, pageNumber } from '../../src/memory/page.js';
import { processSpace } from '../../src/kernel/windows/memory/memory-map.js';
import { joinedStates, type PageState, pageStates } from '../../src/kernel/windows/memory/page-states.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import { viewsOf } from '../../src/kernel/windows/memory/views.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const vadmap = definePlugin({
  name: 'vadmap',
  needs: ['windows'],
  topic: 'memory',
  summary: 'where the pages of each region are: in memory, in a page file, in their file, or nowhere yet',
  notes:
    'Valid: the processor uses the page. Transition: on the standby or modified list, still in memory. Pagefile, File Mapping: it has to be read from there. Demand Zero: never touched, it will be zeros. ' +
    'Invalid: what describes it is not in the image. (P): by a prototype, which all processes share that map the section. Pages that follow each other and of which the same is true are one row. ' +
    'Source: page tables, _MMPTE, _SUBSECTION and _MMVAD.',
  args: {
    ...windowsProcessRowArgs,
    start: arg.address('only from this address on'),
    end: arg.address('only up to this address'),
    coalesce: arg.bool('join pages of which the same is true', { default: true }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { hidden: true }),
    divider: col.string('the process', { divider: true }),
    VAddr: col.address('address of the first byte'),
    PAddr: col.physical('where the first page is in memory', { hidden: true }),
    length: col.size('how much', { unit: 'bytes' }),
    type: col.string('Valid, Transition, Pagefile, File Mapping, Demand Zero, Invalid', { width: 12 }),
    comment: col.string('where it is: physical address, page file, file and offset'),
    prototype: col.bool('described by a prototype   _MMPTE_PROTOTYPE', { hidden: true }),
    filename: col.string('the file that the region maps', { hidden: true }),
    file_offset: col.physical('position of the first byte in it', { hidden: true }),
    page_file: col.int('number of the page file', { hidden: true }),
    page_file_offset: col.int('position of the first byte in it', { unit: 'bytes', hidden: true, hex: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'vadmap proc_regex=smss' }, { line: 'vadmap proc_regex=smss start=0x100000 end=0x400000 coalesce=no', doc: 'each page of a part' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    if (args.start !== undefined && args.end !== undefined && args.end < args.start) throw new PluginError(`end 0x${args.end.toString(16)} lies before start 0x${args.start.toString(16)}.`, 'vad');
    const from = args.start === undefined ? 0 : pageNumber(args.start);
    const to = args.end === undefined ? Infinity : pageNumber(args.end + 0xfffn);
    let empty = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      const pid = pidOf(process) ?? null;
      const divider = `Pid: ${pid ?? '?'} ${orElse(() => process.ImageFileName, '?')}`;
      const space = orElse(() => processSpace(kernel, process), undefined);
      const views = space && viewsOf(kernel, process);
      let count = 0;
      for (const view of views?.views ?? []) {
        if (!space || !views || view.last < from || view.first >= to) continue;
        const states = pageStates(kernel, space, views, view, from, to);
        for await (const state of breathing(args.coalesce ? joinedStates(states) : states, context.signal)) {
          count++;
          yield {
            _EPROCESS: process,
            divider,
            VAddr: addressOf(state.page, 0),
            PAddr: state.physical ?? null,
            length: state.pages * PAGE_SIZE,
            type: state.type,
            comment: commentOf(state),
            prototype: state.prototype,
            filename: state.file?.name ?? null,
            file_offset: state.file?.offset ?? null,
            page_file: state.pageFile?.number ?? null,
            page_file_offset: state.pageFile?.offset ?? null,
            pid,
          };
        }
      }
      if (count === 0) empty++;
    }
    if (empty > 0) context.note(`${empty === 1 ? 'One process has' : `${empty} processes have`} no region ${from > 0 || to !== Infinity ? 'there' : ''}: ended, the kernel's own, or its tree is not in memory; vad shows them.`.replace(' :', ':'));
  },
});

/** Where the pages are, in words. */
function commentOf({ pages, physical, file, pageFile, prototype, reason }: PageState): string | null {
  const parts: string[] = [];
  // Of several pages only the first has the address.
  if (physical !== undefined) parts.push(pages === 1 ? `PhysAS @ 0x${physical.toString(16)}` : 'PhysAS');
  if (pageFile) parts.push(`PF ${pageFile.number} @ 0x${pageFile.offset.toString(16)}`);
  if (file) parts.push(`${file.name ?? 'a file whose name is not in memory'} @ 0x${file.offset.toString(16)}`);
  if (reason !== undefined) parts.push(reason);
  if (prototype) parts.push('(P)');
  return parts.length > 0 ? parts.join(' ') : null;
}
