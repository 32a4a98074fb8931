import { Absent, orAbsent } from '../../src/memory/absent.js';
import { accessOf, fileFlags, inodeKind, openFiles } from '../../src/kernel/linux/files.js';
import { filePath } from '../../src/kernel/linux/path.js';
import { deviceNumbers } from '../../src/kernel/linux/vma.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { processRowArgs, selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const lsof = definePlugin({
  name: 'lsof',
  needs: ['linux'],
  topic: 'files',
  summary: 'open files of processes, as /proc/PID/fd shows them',
  notes:
    'Reads the table of file descriptors (task_struct.files.fdt). Paths go across mounts up to the root of the mount namespace; pipes, sockets, ' +
    'anonymous inodes and memfds have the names that their d_dname function makes; (deleted) stands behind what was unlinked while open.',
  args: processRowArgs,
  columns: {
    divider: col.string('the process', { divider: true }),
    proc: col.struct('task_struct', 'the process', { hidden: true }),
    file_struct: col.struct('file', 'the open file', { hidden: true }),
    name: col.string("process's name              task_struct.comm"),
    pid: col.int('process id                  task_struct.tgid'),
    user: col.int('real user id                task_struct.cred.uid'),
    fd: col.int('file descriptor             index in fdtable.fd'),
    size: col.size('size of the file            inode.i_size'),
    offset: col.int('position in the file, bytes   file.f_pos'),
    node: col.int('inode number                inode.i_ino'),
    path: col.string('path, or what stands for it   file.f_path'),
    mode: col.string('r reading, w writing, u both   file.f_mode'),
    flags: col.string('flags of open(2), octal, as /proc/PID/fdinfo has them   file.f_flags, fdtable.close_on_exec', { hidden: true }),
    type: col.string('REG, DIR, CHR, BLK, FIFO, SOCK, LNK; ANON for anonymous inodes   inode.i_mode'),
    device: col.string("file system's device, major:minor   super_block.s_dev", { hidden: true }),
  },
  examples: [{ line: 'lsof proc_regex=labfiles' }, { line: 'lsof 1', doc: 'the files of one process' }],
  *collect(context, args) {
    const kernel = linuxOf(context);
    for (const task of selectProcesses(context, args)) {
      const pid = orAbsent(() => task.tgid);
      const name = orAbsent(() => task.comm);
      const user = orAbsent(() => task.cred?.uid.val ?? null);
      const divider = `${String(name)} (${String(pid)})`;
      try {
        for (const open of openFiles(kernel, task, { onFault: (what) => context.note(`${divider}: ${what}`) })) {
          const { file } = open;
          yield {
            divider,
            proc: task,
            file_struct: file,
            name,
            pid,
            user,
            fd: open.fd,
            size: () => file.f_inode?.i_size ?? null,
            offset: () => file.f_pos,
            node: () => file.f_inode?.i_ino ?? null,
            path: () => filePath(kernel, file),
            mode: () => accessOf(file),
            flags: () => `0${fileFlags(open).toString(8)}`,
            type: () => (file.f_inode ? inodeKind(file.f_inode) : null),
            device: () => {
              const device = file.f_inode?.i_sb?.s_dev;
              if (device === undefined) return null;
              const { major, minor } = deviceNumbers(device);
              return `${major}:${minor}`;
            },
          };
        }
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        context.note(`${divider}: its table of file descriptors cannot be read: ${error.toString()}`);
      }
    }
  },
});
