import { areaAt, areaText } from '../../src/kernel/linux/areas.js';
import { type FrameInfo, frameInfo, type FrameUser, frameUsers } from '../../src/kernel/linux/pages.js';
import type { TaskStruct } from '../../src/kernel/linux/types.js';
import { orElse } from '../../src/memory/absent.js';
import { breathe, breathing } from '../../src/memory/breathe.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf, type PluginContext } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { contextOf } from '../../src/session/processes.js';

export const ptov = definePlugin({
  name: 'ptov',
  needs: ['linux'],
  topic: 'memory',
  aliases: ['pas2vas'],
  summary: 'who maps a physical address: processes, the kernel, a file in the page cache',
  notes:
    'The first row says whose page it is, by the page database (struct page at vmemmap_base): a page of a file in the page cache (page.mapping, page.index), shared by all who map ' +
    'the file; or an anonymous one, which belongs to a process, and to its children until one writes to it. Then every process whose page tables lead there, with what the process has ' +
    'at that address; and where the kernel sees it: in the direct map of all memory, perhaps in its own image.',
  args: { offsets: arg.addresses.required('physical addresses', { positional: true }) },
  columns: {
    physical_offset: col.physical('the physical address'),
    owner: col.string('page cache, anonymous page, process, direct map or kernel image'),
    virtual_offset: col.address('where it is mapped'),
    pid: col.int('process id                 task_struct.tgid'),
    name: col.string("process's name             task_struct.comm, or the file"),
    comment: col.string('file offset and sharers; what the process has there: area, rights, symbol'),
  },
  examples: [{ line: 'ptov 0xe5a5b0', doc: 'a page of the C library that two processes share' }, { line: 'ptov 0x1000000' }],
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
      const users: FrameUser[] = [];
      for await (const user of breathing(frameUsers(kernel, frame), context.signal)) users.push(user);
      if (info && info.use !== 'other') yield { physical_offset: physical, ...owner(info, within, users.map(({ task }) => task)) };
      if (info?.mappings !== undefined && info.mappings !== users.length) {
        context.note(`The kernel counts ${info.mappings} mappings of page 0x${frame.toString(16)}, page tables of processes on the list show ${users.length}.`);
      }
      for (const user of users) {
        const virtual = user.virtual + within;
        yield {
          physical_offset: physical,
          owner: 'process',
          virtual_offset: virtual,
          pid: () => user.task.tgid,
          name: () => user.task.comm,
          comment: await mapped(context, user.task, virtual, user.writable),
        };
        // Names of each process are read from its memory.
        await breathe(context.signal);
      }
      for (const [owner, virtual] of [['direct map', offset + pageOffset], ['kernel image', offset + imageDelta]] as const) {
        if (kernel.space.translate(virtual) !== physical) continue;
        yield { physical_offset: physical, owner, virtual_offset: virtual, comment: resolver.name(virtual) ?? null };
      }
    }
  },
});

/** Whose page it is, and how many share it. */
function owner(info: FrameInfo, within: bigint, tasks: readonly TaskStruct[]) {
  const processes = new Set(tasks.map((task) => task.$address)).size;
  const shared = processes === 0 ? 'no process maps it' : processes === 1 ? 'one process maps it' : `shared by ${processes} processes`;
  if (info.use === 'anonymous') return { owner: 'anonymous page', comment: `belongs to no file; ${shared}` };
  return { owner: 'page cache', name: info.path ?? null, comment: `file offset 0x${(BigInt(info.offset ?? 0) + within).toString(16)}; ${shared}` };
}

/** What a process has at an address: `/lib/libc.so.6 +0x26123 (r-xp), libc!printf+0x3`. */
async function mapped(context: PluginContext, task: TaskStruct, virtual: bigint, writable: boolean): Promise<string> {
  const kernel = linuxOf(context);
  const mm = orElse(() => task.mm, null);
  const area = mm ? areaAt(kernel, mm, virtual) : undefined;
  const process = orElse(() => contextOf(kernel, task), undefined);
  const resolver = process && (await context.session.resolver(process));
  const symbol = resolver?.nearest(virtual) ? resolver.name(virtual) : undefined;
  return [area && areaText(area), symbol, writable ? 'writable' : 'read-only'].filter(Boolean).join(', ');
}
