import { Absent, orAbsent, orElse } from '../../memory/absent.js';
import { decodeText } from '../../object/text.js';
import type { LinuxKernel } from './kernel.js';
import { walkBuckets } from './lists/hlist.js';
import { walkList, type WalkOptions } from './lists/list.js';
import { walkRbTree } from './lists/rbtree.js';
import { isKernelThread, processes } from './tasks.js';
import type { Path, SuperBlock, TaskStruct } from './types.js';
import type { FsStruct, MntNamespace, Mount, Nsproxy } from './types-fs.js';

/** fs.mount-max is 100000; a namespace with many times that is a lie. */
const MOST_MOUNTS = 1 << 22;

/** include/linux/mount.h, by bit of vfsmount.mnt_flags, in the order in which fs/proc_namespace.c prints them */
const MOUNT_FLAGS: readonly (readonly [number, string])[] = [
  [0x01, 'nosuid'],
  [0x02, 'nodev'],
  [0x04, 'noexec'],
  [0x08, 'noatime'],
  [0x10, 'nodiratime'],
  [0x20, 'relatime'],
  [0x80, 'nosymfollow'],
];
const MNT_READONLY = 0x40;
const MNT_SHARED = 0x1000;
const MNT_UNBINDABLE = 0x2000;

/** include/linux/fs.h, by bit of super_block.s_flags */
const SUPER_FLAGS: readonly (readonly [number, string])[] = [
  [1 << 4, 'sync'],
  [1 << 7, 'dirsync'],
  [1 << 6, 'mand'],
  [1 << 25, 'lazytime'],
];
const SB_RDONLY = 1;

/** A mount namespace, and who lives in it. */
export interface NamespaceOfMounts {
  readonly namespace: MntNamespace;
  /** a process in it, by whose root the paths of mounts are told: a program if there is one, a kernel thread otherwise; null for a namespace kept otherwise */
  readonly process: TaskStruct | null;
}

/**
 * All mount namespaces: those of processes (task_struct.nsproxy.mnt_ns), in the order of the process list, then those that only
 * the table of all mounts knows (mount_hashtable, fs/namespace.c): kept by an open file or a bind mount.
 */
export function mountNamespaces(kernel: LinuxKernel, options: WalkOptions = {}): NamespaceOfMounts[] {
  const found = new Map<bigint, { namespace: MntNamespace; process: TaskStruct | null }>();
  for (const task of processes(kernel, options)) {
    const namespace = orElse(() => (task.nsproxy as Nsproxy | null)?.mnt_ns ?? null, null);
    if (!namespace) continue;
    const known = found.get(namespace.$address);
    if (!known) found.set(namespace.$address, { namespace, process: task });
    else if (known.process && isThread(known.process) && !isThread(task)) known.process = task;
  }
  for (const mount of hashedMounts(kernel, options)) {
    const namespace = orElse(() => mount.mnt_ns, null);
    if (!namespace || found.has(namespace.$address)) continue;
    // Mounts of the kernel's own have an error number for a namespace (MNT_NS_INTERNAL), detached ones a namespace without number.
    if (orElse(() => namespace.ns.inum !== 0, false)) found.set(namespace.$address, { namespace, process: null });
  }
  return [...found.values()];
}

function isThread(task: TaskStruct): boolean {
  return orElse(() => isKernelThread(task), true);
}

/** All mounts that have a parent: mount_hashtable, by mount.mnt_hash (a hlist_node since 3.14, 38129a13e6e7). */
function* hashedMounts(kernel: LinuxKernel, options: WalkOptions): Generator<Mount> {
  const table = kernel.symbol('mount_hashtable');
  const mask = kernel.symbol('m_hash_mask');
  if (table === undefined || mask === undefined) return;
  const width = kernel.profile.pointerSize;
  const where = orAbsent(() => ({ address: kernel.space.readPointer(table), count: kernel.space.readU32(mask) + 1 }));
  if (where instanceof Absent) {
    options.onFault?.(`the table of mounts cannot be read: ${where.toString()}`);
    return;
  }
  yield* walkBuckets({ space: kernel.space, stride: width, ...where }, kernel.struct<Mount>('mount'), 'mnt_hash', options);
}

/**
 * The mounts of a namespace, in the order of /proc/PID/mountinfo: mnt_namespace.mounts, a tree by number, since 6.8
 * (2eea9ce4310d); the list mnt_namespace.list before.
 */
export function* mountsOf(kernel: LinuxKernel, namespace: MntNamespace, options: WalkOptions = {}): Generator<Mount> {
  const type = kernel.struct<Mount>('mount');
  const bounded = { limit: MOST_MOUNTS, ...options };
  if (namespace.$has('mounts') && type.has('mnt_node')) yield* walkRbTree(namespace.mounts, type, 'mnt_node', bounded);
  else yield* walkList(namespace.list, type, 'mnt_list', bounded);
}

/** The root that a process sees: fs_struct.root. Null for one that has given up its file systems (a zombie). */
export function rootOf(task: TaskStruct): Path | null {
  return (task.fs as FsStruct | null)?.root ?? null;
}

/** `rw,nosuid,relatime`: the flags of a mount as mountinfo shows them. */
export function mountFlags(mount: Mount): string {
  const flags = mount.mnt.mnt_flags;
  const words = [(flags & MNT_READONLY) !== 0 ? 'ro' : 'rw', ...MOUNT_FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, word]) => word)];
  return words.join(',');
}

/** `shared:3 master:1`: how mounts and unmounts spread, as mountinfo's optional fields show it; empty for a private mount. */
export function propagation(mount: Mount): string {
  const flags = mount.mnt.mnt_flags;
  const words: string[] = [];
  if ((flags & MNT_SHARED) !== 0) words.push(`shared:${mount.mnt_group_id}`);
  const master = mount.mnt_master;
  if (master) words.push(`master:${master.mnt_group_id}`);
  if ((flags & MNT_UNBINDABLE) !== 0) words.push('unbindable');
  return words.join(' ');
}

/** `rw,lazytime`: the flags of a file system, without what it adds itself. */
export function superFlags(superBlock: SuperBlock): string {
  const flags = Number(superBlock.s_flags);
  const words = [(flags & SB_RDONLY) !== 0 ? 'ro' : 'rw', ...SUPER_FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, word]) => word)];
  return words.join(',');
}

/** `tmpfs`, `fuse.sshfs`: file_system_type.name and super_block.s_subtype. */
export function fileSystemName(superBlock: SuperBlock): string {
  const name = superBlock.s_type?.name.string(256) ?? '';
  const subtype = superBlock.$has('s_subtype') ? superBlock.$pointer('s_subtype') : 0n;
  return subtype === 0n ? name : `${name}.${decodeText(superBlock.$space.readCString(subtype, 256))}`;
}

/** What was mounted, as mount(8) was told: mount.mnt_devname, `none` where it was told nothing. */
export function deviceName(mount: Mount): string {
  return mount.mnt_devname.isNull ? 'none' : mount.mnt_devname.string();
}

/** The super_block of a mount. Throws Absent. */
export function superBlockOf(mount: Mount): SuperBlock {
  const superBlock = mount.mnt.mnt_sb;
  if (!superBlock) throw new Absent('corrupt', 'a mount without super_block', mount.$address);
  return superBlock;
}
