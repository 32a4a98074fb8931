import { Absent, orAbsent } from '../../src/memory/absent.js';
import { mmBounds, vmaFile, vmaFlags, vmaName, vmas } from '../../src/kernel/linux/vma.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { noteWithoutMemory, processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const maps = definePlugin({
  name: 'maps',
  needs: ['linux'],
  topic: 'processes',
  summary: 'memory areas of processes, as /proc/PID/maps shows them',
  notes:
    'Walks the maple tree mm_struct.mm_mt (since 6.1, d4af56c5c7c6) or the list mm_struct.mmap. Names as fs/proc/task_mmu.c makes them: path of the file, ' +
    '[heap], [stack], [vdso], [vvar], [anon:NAME]. Kernel threads have no areas.',
  args: processRowArgs,
  columns: {
    divider: col.string('the process', { divider: true }),
    task: col.struct('task_struct', 'the process', { hidden: true }),
    start: col.address('first address                   vm_area_struct.vm_start'),
    end: col.address('one past the last address       vm_area_struct.vm_end'),
    flags: col.string('read, write, execute, private or shared   vm_area_struct.vm_flags', { width: 4 }),
    pgoff: col.physical('offset in the file, bytes       vm_area_struct.vm_pgoff'),
    major: col.int("major number of the file's device   super_block.s_dev", { minor: true }),
    minor: col.int("minor number of the file's device   super_block.s_dev", { minor: true }),
    inode: col.int('inode number of the file        inode.i_ino'),
    file_path: col.string('path of the file, or what the area is for   vm_area_struct.vm_file, vm_ops, anon_name'),
    pid: col.int('process id                      task_struct.tgid', { hidden: true }),
    name: col.string("process's name                  task_struct.comm", { hidden: true }),
    vma: col.struct('vm_area_struct', 'the area', { hidden: true }),
  },
  examples: [{ line: 'maps proc_regex=labfiles' }, { line: 'maps 1', doc: 'the areas of one process' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    let withoutMemory = 0;
    for (const task of selectProcesses(context, args)) {
      const mm = orAbsent(() => task.mm);
      const pid = orAbsent(() => task.tgid);
      const name = orAbsent(() => task.comm);
      if (mm instanceof Absent) {
        context.note(`${String(name)} (${String(pid)}): mm_struct is ${mm.toString()}`);
        continue;
      }
      if (!mm) {
        withoutMemory++;
        continue;
      }
      const bounds = orAbsent(() => mmBounds(mm));
      const divider = `${String(name)} (${String(pid)})`;
      const onFault = (what: string): void => context.note(`${divider}: ${what}`);
      for (const vma of vmas(kernel, mm, { onFault })) {
        yield {
          divider,
          task,
          start: () => BigInt(vma.vm_start),
          end: () => BigInt(vma.vm_end),
          flags: () => vmaFlags(vma),
          pgoff: () => (vma.$pointer('vm_file') === 0n ? 0 : Number(vma.vm_pgoff) * 4096),
          major: () => vmaFile(kernel, vma).major,
          minor: () => vmaFile(kernel, vma).minor,
          inode: () => vmaFile(kernel, vma).inode,
          file_path: () => (bounds instanceof Absent ? bounds : vmaName(kernel, vma, bounds)),
          pid,
          name,
          vma,
        };
      }
    }
    noteWithoutMemory(context, args, withoutMemory);
  },
});
