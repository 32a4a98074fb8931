import { orElse } from '../../src/memory/absent.js';
import { superOptions } from '../../src/kernel/linux/mount-options.js';
import { deviceName, fileSystemName, mountFlags, mountNamespaces, mountsOf, propagation, rootOf, superBlockOf } from '../../src/kernel/linux/mounts.js';
import { dentryPath, mountPath } from '../../src/kernel/linux/path.js';
import { deviceNumbers } from '../../src/kernel/linux/vma.js';
import { col } from '../../src/plugin/columns.js';
import { linuxOf } from '../../src/plugin/context.js';
import { definePlugin } from '../../src/plugin/plugin.js';

export const mount = definePlugin({
  name: 'mount',
  needs: ['linux'],
  topic: 'files',
  summary: 'mounted file systems of all mount namespaces, as /proc/PID/mountinfo shows them',
  notes:
    'Namespaces are those of processes (task_struct.nsproxy.mnt_ns) and those that only the table of all mounts knows (mount_hashtable). Their mounts stand in a tree ' +
    'since 6.8 (2eea9ce4310d), on a list before. Paths are as the first process of the namespace sees them; mounts that its root does not lead to are listed all the same, ' +
    'with reachable false. Of what file systems add to their options, that of tmpfs, devpts and proc is decoded.',
  args: {},
  columns: {
    divider: col.string('the namespace', { divider: true }),
    Device: col.string('what was mounted            mount.mnt_devname'),
    Path: col.string('where                       mount.mnt_mountpoint, mnt_parent'),
    Type: col.string('file system                 file_system_type.name, super_block.s_subtype'),
    flags: col.string('flags of the mount          vfsmount.mnt_flags'),
    options: col.string('flags and options of the file system   super_block.s_flags, s_fs_info'),
    root: col.string("what part of the file system is mounted   vfsmount.mnt_root", { minor: true }),
    id: col.int('number of the mount         mount.mnt_id', { minor: true }),
    parent: col.int('number of the mount it is on   mount.mnt_parent', { minor: true }),
    major: col.int("major number of the file system's device   super_block.s_dev", { hidden: true }),
    minor: col.int("minor number of the file system's device   super_block.s_dev", { hidden: true }),
    propagation: col.string('shared:GROUP, master:GROUP, unbindable; empty when private   mount.mnt_group_id, mnt_master', { hidden: true }),
    namespace: col.int("the namespace's inode, as /proc/PID/ns/mnt shows it   mnt_namespace.ns.inum", { hidden: true }),
    reachable: col.bool('false where the root of the process does not lead to it', { hidden: true }),
    pid: col.int('the process by whose root paths are told   task_struct.tgid', { hidden: true }),
    mount: col.struct('mount', 'the mount', { hidden: true }),
  },
  examples: [{ line: 'mount' }],
  *collect(context) {
    const kernel = linuxOf(context);
    const onFault = (what: string): void => context.note(what);
    for (const { namespace, process } of mountNamespaces(kernel, { onFault })) {
      const number = orElse(() => namespace.ns.inum, null);
      const root = process ? orElse(() => rootOf(process), null) : null;
      const whose = process ? `${orElse(() => process.comm, '?')} (${orElse(() => process.tgid, '?')})` : 'no process';
      const divider = `mnt:[${number ?? '?'}] ${whose}`;
      for (const one of mountsOf(kernel, namespace, { onFault })) {
        const device = (): { major: number; minor: number } => deviceNumbers(superBlockOf(one).s_dev);
        yield {
          divider,
          Device: () => deviceName(one),
          Path: () => mountPath(kernel, one, root).path,
          Type: () => fileSystemName(superBlockOf(one)),
          flags: () => mountFlags(one),
          options: () => superOptions(kernel, superBlockOf(one)),
          root: () => (one.mnt.mnt_root ? dentryPath(kernel, one.mnt.mnt_root) : null),
          id: () => one.mnt_id,
          parent: () => one.mnt_parent?.mnt_id ?? null,
          major: () => device().major,
          minor: () => device().minor,
          propagation: () => propagation(one),
          namespace: number,
          reachable: () => mountPath(kernel, one, root).reachable,
          pid: () => process?.tgid ?? null,
          mount: one,
        };
      }
    }
  },
});
