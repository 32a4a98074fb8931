import { orElse } from '../../memory/absent.js';
import type { ObjectMember } from '../object-member.js';
import { commandLine, environment } from './arguments.js';
import type { LinuxKernel } from './kernel.js';
import { dentryName, dentryPath, filePath, inodePath } from './path.js';
import { isKernelThread, parentPid } from './tasks.js';
import { startTime } from './times.js';
import type { Dentry, File, Inode, TaskStruct, VmAreaStruct } from './types.js';
import { mmBounds, vmaFlags, vmaName } from './vma.js';

type Member = ObjectMember<LinuxKernel>;

function ofTask(
  type: Member['type'],
  doc: string,
  read: (kernel: LinuxKernel, task: TaskStruct) => unknown,
): Member {
  return { type, doc, read: (kernel, object) => read(kernel, object as TaskStruct) };
}

function executable(kernel: LinuxKernel, task: TaskStruct): string | null {
  const file = task.mm?.exe_file;
  return file ? filePath(kernel, file) : null;
}

function text(kernel: LinuxKernel, task: TaskStruct): string | null {
  return commandLine(kernel, task)?.texts.join(' ') ?? null;
}

function variables(kernel: LinuxKernel, task: TaskStruct): Readonly<Record<string, string | null>> | null {
  const known = environment(kernel, task)?.variables;
  return known ? Object.fromEntries(known.map(({ variable, value }) => [variable, value])) : null;
}

const task = {
  name: ofTask('string', 'name (comm)', (_kernel, one) => one.comm),
  ppid: ofTask('int', "the parent's process id", (_kernel, one) => parentPid(one)),
  uid: ofTask('int', 'real user id', (_kernel, one) => one.cred?.uid.val ?? null),
  gid: ofTask('int', 'real group id', (_kernel, one) => one.cred?.gid.val ?? null),
  kernel_thread: ofTask('bool', 'whether it is a thread of the kernel', (_kernel, one) => isKernelThread(one)),
  create_time: ofTask('time', 'when it was started', startTime),
  binary: ofTask('string', 'path of its executable', executable),
  dtb: ofTask('physical', 'physical address of its page tables', (kernel, one) =>
    one.mm ? kernel.dtbOf(one.mm) : null,
  ),
  argv: ofTask('strings', 'its arguments', (kernel, one) => commandLine(kernel, one)?.texts ?? null),
  cmdline: ofTask('string', 'its arguments, in one text', text),
  environ: ofTask('row', 'its environment, by variable', (kernel, one) => variables(kernel, one)),
} as const;

/**
 * What objects of a Linux kernel answer beyond their C members, by struct: what Rekall's overlays gave them, under the names that they had
 * there or that our tables have. A C member of the same name comes before.
 */
export const linuxObjectMembers: Readonly<Record<string, Readonly<Record<string, Member>>>> = {
  task_struct: { ...task, exe: task.binary, commandline: task.cmdline },
  file: {
    path: {
      type: 'string',
      doc: 'path, as /proc/PID/fd shows it',
      read: (kernel, one) => filePath(kernel, one as File),
    },
    filename: {
      type: 'string',
      doc: 'path, as /proc/PID/fd shows it',
      read: (kernel, one) => filePath(kernel, one as File),
    },
  },
  dentry: {
    name: { type: 'string', doc: 'the last part of its path', read: (_kernel, one) => dentryName(one as Dentry) },
    path: {
      type: 'string',
      doc: 'path within its file system',
      read: (kernel, one) => dentryPath(kernel, one as Dentry),
    },
  },
  inode: {
    path: {
      type: 'string',
      doc: 'a path of it within its file system',
      read: (kernel, one) => inodePath(kernel, one as Inode) ?? null,
    },
  },
  vm_area_struct: {
    flags_text: {
      type: 'string',
      doc: 'rwxp, as /proc/PID/maps shows it',
      read: (_kernel, one) => vmaFlags(one as VmAreaStruct),
    },
    name: {
      type: 'string',
      doc: 'what /proc/PID/maps shows at the end of its line',
      read: (kernel, one) => {
        const { vm_mm: mm } = one as VmAreaStruct;
        return orElse(() => (mm ? vmaName(kernel, one as VmAreaStruct, mmBounds(mm)) : null), null);
      },
    },
  },
};
