import { pfnFacts } from '../../src/kernel/windows/memory/pfn-facts.js';
import { pageFrames } from '../../src/kernel/windows/memory/pfn.js';
import { Absent, orAbsent } from '../../src/memory/absent.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf, withoutPageDatabase } from '../../src/plugin/windows-select.js';

/** Frames of 52-bit physical addresses. */
const HIGHEST = 2 ** 40;

export const pfn = definePlugin({
  name: 'pfn',
  needs: ['windows'],
  topic: 'memory',
  summary: 'what the page database says of a page of physical memory',
  notes:
    'The record of a page, _MMPFN in the array at MmPfnDatabase: the list that it is on, how often it is used, the entry that leads to it (a hardware PTE, or the prototype of a section) and what that entry becomes when the page is ' +
    'thrown out. The page is named by its number, which is the physical address divided by 4096. ptov tells who has it, rammap does so for all of memory.',
  args: { pfn: arg.int.required('page frame number: the physical address divided by 4096', { positional: true, least: 0 }) },
  columns: {
    fact: col.string('what is told', { width: 20 }),
    Address: col.address('an address, or an entry as it stands in memory'),
    Value: col.any('a number, words, or the process'),
  },
  examples: [{ line: 'pfn 0x2c4', doc: 'in the sample a page of ntdll.dll' }, { line: 'pfn 0x187', doc: 'a root of page tables' }],
  *collect(context, { pfn: frame }) {
    const kernel = windowsOf(context);
    if (frame < 0 || frame >= HIGHEST) throw new PluginError(`No page has the number ${frame < 0 ? frame : `0x${frame.toString(16)}`}.`, 'pfn 0x1000');
    const frames = orAbsent(() => pageFrames(kernel));
    if (frames instanceof Absent) {
      context.note(`The page database cannot be read: ${frames.reason}. ${withoutPageDatabase(context)}`);
      return;
    }
    const record = frames.at(frame);
    if (!record) {
      const held = context.session.physical().isValid(BigInt(frame) * 4096n);
      context.note(`There is no record of page 0x${frame.toString(16)}${held ? '' : ', nor the page, in the image'}: ${held ? `perhaps a physical address is meant, whose page is 0x${Math.floor(frame / 4096).toString(16)}` : 'the argument is a physical address divided by 4096'}.`);
      return;
    }
    for (const { fact, address, value } of pfnFacts(kernel, frames, record)) yield { fact, Address: address ?? null, Value: value ?? null };
  },
});
