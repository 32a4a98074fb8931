import { heldBytes, physicalMemory } from '../../src/kernel/windows/memory/physical-memory.js';
import { virtualMap } from '../../src/kernel/windows/memory/virtual-map.js';
import { Absent, orAbsent } from '../../src/memory/absent.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const physMap = definePlugin({
  name: 'phys_map',
  needs: ['windows'],
  topic: 'memory',
  summary: 'ranges of physical memory that the machine has, and how much of each the image holds',
  notes: 'nt!MmPhysicalMemoryBlock (_PHYSICAL_MEMORY_DESCRIPTOR), as the firmware gave it to the kernel. Between the ranges are devices and what the firmware keeps for itself. phys_end is the first address behind a range.',
  args: {},
  columns: {
    phys_start: col.physical('first address   _PHYSICAL_MEMORY_RUN.BasePage'),
    phys_end: col.physical('first address behind it'),
    pages: col.int('pages   _PHYSICAL_MEMORY_RUN.PageCount'),
    held: col.size('how much of it the image holds', { unit: 'bytes' }),
    comment: col.string('what the image lacks'),
  },
  examples: [{ line: 'phys_map' }],
  *collect(context) {
    const kernel = windowsOf(context);
    const memory = orAbsent(() => physicalMemory(kernel));
    if (memory instanceof Absent) {
      context.note(`The ranges cannot be read: ${memory.toString()}.`);
      return;
    }
    let sum = 0;
    let total = 0;
    for (const run of memory.runs) {
      const held = heldBytes(kernel.physical, run);
      sum += run.pages;
      total += held;
      const lacks = run.end - run.start - held;
      yield { phys_start: run.start, phys_end: run.end, pages: run.pages, held, comment: lacks > 0 ? `${lacks} bytes are not in the image` : null };
    }
    if (sum !== memory.pages) context.note(`The ranges have ${sum} pages; the descriptor at 0x${memory.descriptor.toString(16)} counts ${memory.pages}.`);
    const image = kernel.physical.runs.reduce((bytes, { start, end }) => bytes + end - start, 0);
    if (image > total) context.note(`The image holds ${image - total} bytes more, which the kernel does not count as memory.`);
  },
});

export const virtMap = definePlugin({
  name: 'virt_map',
  needs: ['windows'],
  topic: 'memory',
  summary: "what each part of the kernel's address space is used for",
  notes:
    'x64 since Windows 10 1607: the table of assigned regions in nt!MiVisibleState, whose places are chosen at each start. x86 since Vista: nt!MiSystemVaType, a byte for each entry of the page directory. ' +
    'Otherwise the layout that the version always has (Windows Internals), with what variables of the kernel say of the pools. virt_end is the first address behind a region; where there is none the last of all.',
  args: {},
  columns: {
    region: col.struct('_MI_SYSTEM_VA_ASSIGNMENT', "the kernel's record of it, since Windows 10 1607", { hidden: true }),
    type: col.string('what it is used for   _MI_ASSIGNED_REGION_TYPES, _MI_SYSTEM_VA_TYPE', { width: 22 }),
    virt_start: col.address('first address'),
    length: col.address('bytes', { unit: 'bytes' }),
    virt_end: col.address('first address behind it'),
    source: col.string('what says so', { minor: true }),
  },
  examples: [{ line: 'virt_map' }],
  *collect(context) {
    const kernel = windowsOf(context);
    let count = 0;
    for (const { type, start, end, source, region } of virtualMap(kernel)) {
      count++;
      // The end of the last region has one bit more than addresses have.
      const last = (1n << BigInt(kernel.space.bits)) - 1n;
      yield { region: region ?? null, type, virt_start: start, length: end - start, virt_end: end > last ? last : end, source };
    }
    if (count === 0) context.note(`Where this kernel (build ${kernel.build}) keeps its regions is not in memory, and it has no fixed layout.`);
  },
});
