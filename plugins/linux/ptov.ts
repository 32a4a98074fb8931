import { frameInfo, frameUsers } from '../../src/kernel/linux/pages.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const ptov = definePlugin({
  name: 'ptov',
  needs: ['linux'],
  topic: 'memory',
  aliases: ['pas2vas'],
  summary: 'who maps a physical address: processes, the kernel, a file in the page cache',
  notes:
    'Reads the page tables of every process, the direct map, and the page database (struct page at vmemmap_base), which tells the file and offset of pages in the page cache.',
  args: { offsets: arg.addresses.required('physical addresses', { positional: true }) },
  columns: {
    physical_offset: col.physical('the physical address'),
    owner: col.string('process, direct map, kernel image or page cache'),
    virtual_offset: col.address('where it is mapped'),
    pid: col.int('process id                 task_struct.tgid'),
    name: col.string("process's name          task_struct.comm, or the file"),
    comment: col.string('rights, file offset, symbol'),
  },
  examples: [{ line: 'ptov 0x1000000' }],
  async *collect(context, args) {
    const kernel = linuxOf(context);
    const { pageOffset, imageDelta } = kernel.location;
    const resolver = await context.session.resolver();
    for (const offset of args.offsets) {
      const physical = Number(offset);
      const frame = Math.floor(physical / 4096);
      const within = offset & 0xfffn;
      if (!context.session.physical().isValid(offset)) context.note(`The image does not hold physical 0x${offset.toString(16)}.`);
      const info = frameInfo(kernel, frame);
      if (info?.use === 'file') {
        yield { physical_offset: physical, owner: 'page cache', name: info.path ?? null, comment: `file offset 0x${((info.offset ?? 0) + Number(within)).toString(16)}` };
      }
      for (const user of frameUsers(kernel, frame)) {
        yield {
          physical_offset: physical,
          owner: 'process',
          virtual_offset: user.virtual + within,
          pid: () => user.task.tgid,
          name: () => user.task.comm,
          comment: [info?.use, user.writable ? 'writable' : 'read-only'].filter(Boolean).join(', '),
        };
      }
      for (const [owner, virtual] of [['direct map', offset + pageOffset], ['kernel image', offset + imageDelta]] as const) {
        if (kernel.space.translate(virtual) !== physical) continue;
        yield { physical_offset: physical, owner, virtual_offset: virtual, comment: resolver.name(virtual) ?? null };
      }
    }
  },
});
