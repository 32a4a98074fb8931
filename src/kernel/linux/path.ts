import { Absent, orElse } from '../../memory/absent.js';
import { decodeText } from '../../object/text.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { walkList } from './lists/list.js';
import type { Dentry, File, Inode, ListHead, Path } from './types.js';
import type { Mount, NsCommon, Vfsmount } from './types-fs.js';

/** Longer chains of parents and mounts than this are no path (PATH_MAX is 4096 bytes). */
const DEEPEST = 2048;
/** A name of a dentry has at most NAME_MAX bytes; those made from text (memfd, pipes' cousins) may have more. */
const LONGEST_NAME = 4096;
/**
 * include/linux/fs.h: FMODE_BACKING, the file stands for another one, of overlayfs (since 62d53c4a1dfe, 6.5). It was bit 25 and is
 * bit 24 since 6.14 and in stable kernels before it, while 25 came to mean FMODE_NONOTIFY: a set bit is a hint, no more.
 */
const MAYBE_BACKING = 0x3000000;
const DELETED = ' (deleted)';

/** Name of a dentry: the last component of a path. */
export function dentryName(dentry: Dentry): string {
  const { len, name } = dentry.d_name;
  if (len > LONGEST_NAME) throw new Absent('corrupt', `a name of ${len} bytes`, dentry.$address);
  return decodeText(dentry.$space.read(name.address, len));
}

/** True where a dentry was unlinked while in use: it is off its hash chain and no root (include/linux/dcache.h: d_unlinked). */
export function isUnlinked(dentry: Dentry): boolean {
  return dentry.$space.readPointer(dentry.$addressOf('d_hash') + BigInt(dentry.$space.bits / 8)) === 0n && !isRoot(dentry);
}

/**
 * The path of an open file as /proc/PID/fd shows it: across mounts up to the root of the mount namespace, ` (deleted)` behind
 * what is unlinked, `pipe:[ino]`, `socket:[ino]`, `anon_inode:[eventfd]` for what has no place in a file system.
 * Remembered per file. Throws Absent.
 */
export function filePath(kernel: LinuxKernel, file: File): string {
  const known = kernel.memo('paths of files', () => new Map<bigint, string>());
  const key = file.$address;
  let path = known.get(key);
  if (path === undefined) known.set(key, (path = pathOf(kernel, userPath(kernel, file))));
  return path;
}

/** The path under which a file was opened: a file of overlayfs that is mapped has another one below (include/linux/fs.h: file_user_path). */
export function userPath(kernel: LinuxKernel, file: File): Path {
  if ((file.f_mode & MAYBE_BACKING) !== 0 && kernel.profile.has('backing_file', 'user_path')) {
    const path = file.$as(kernel.struct('backing_file')).$get('user_path') as Path;
    if (orElse(() => isConsistent(path), false)) return path;
  }
  return file.f_path;
}

/** True where mount and dentry of a path are of one file system: what stands behind an ordinary file is no path. */
function isConsistent(path: Path): boolean {
  const superBlock = path.dentry?.$pointer('d_sb') ?? 0n;
  return superBlock !== 0n && path.mnt?.$pointer('mnt_sb') === superBlock;
}

/** The path of a struct path, as the root of its mount namespace sees it (fs/d_path.c: d_path). Throws Absent. */
export function pathOf(kernel: LinuxKernel, path: Path): string {
  const dentry = path.dentry;
  if (!dentry) throw new Absent('corrupt', 'a path without dentry', path.$address);
  const mount = path.mnt ? mountOf(kernel, path.mnt) : null;
  const special = nameWithoutPlace(kernel, dentry, mount);
  if (special !== undefined) return special;
  const text = climb(kernel, dentry, mount).text;
  return isUnlinked(dentry) ? text + DELETED : text;
}

/** Where a mount is: the path of its root as seen from another root. */
export interface MountPath {
  readonly path: string;
  /** false where the root does not lead to it: /proc/PID/mountinfo leaves such mounts out; the path is then the namespace's */
  readonly reachable: boolean;
}

/** Where a mount is, as a process with this root (fs_struct.root) sees it (fs/proc_namespace.c: show_mountinfo). Throws Absent. */
export function mountPath(kernel: LinuxKernel, mount: Mount, root: Path | null): MountPath {
  const dentry = mount.mnt.mnt_root;
  if (!dentry) throw new Absent('corrupt', 'a mount without root', mount.$address);
  if (root) {
    const seen = climb(kernel, dentry, mount, root);
    if (seen.reached) return { path: seen.text, reachable: true };
  }
  return { path: climb(kernel, dentry, mount).text, reachable: root === null };
}

/** The path of a dentry within its file system, what mountinfo calls root (fs/d_path.c: dentry_path). Throws Absent. */
export function dentryPath(kernel: LinuxKernel, dentry: Dentry): string {
  // A mounted namespace shows its name there (fs/nsfs.c: nsfs_show_path).
  if (Number(dentry.d_sb?.$get('s_magic') ?? 0) === MAGIC.namespace) return nameWithoutPlace(kernel, dentry, null) ?? '/';
  const { text } = climb(kernel, dentry, null);
  return isUnlinked(dentry) ? `${text}//deleted` : text;
}

/**
 * The path of an inode, by one of its names, below the first mount of its file system; undefined when no name is cached.
 */
export function inodePath(kernel: LinuxKernel, inode: Inode): string | undefined {
  const first = (inode.$get('i_dentry') as Struct).$pointer('first');
  if (first === 0n) return undefined;
  const type = kernel.struct<Dentry>('dentry');
  // The list's node is dentry.d_u.d_alias (since 3.19 and 946e51f2bf37; d_alias before).
  const offset = type.has('d_alias') ? type.offsetOf('d_alias') : type.offsetOf('d_u.d_alias');
  const dentry = type.at(kernel.space, first - BigInt(offset));
  const mount = orElse(() => mountOfSuper(kernel, dentry), null);
  const special = nameWithoutPlace(kernel, dentry, mount);
  if (special !== undefined) return special;
  const text = climb(kernel, dentry, mount).text;
  return isUnlinked(dentry) ? text + DELETED : text;
}

/** The struct mount around a vfsmount. */
export function mountOf(kernel: LinuxKernel, vfsmount: Struct): Mount {
  const type = kernel.struct<Mount>('mount');
  return type.atPage(vfsmount.$space, vfsmount.$page, vfsmount.$offset - type.offsetOf('mnt'));
}

/** The first mount of a whole file system: the oldest on super_block.s_mounts. Null where there is none (a bind mount of a part only). */
function mountOfSuper(kernel: LinuxKernel, dentry: Dentry): Mount | null {
  const { d_sb: superBlock } = dentry;
  const type = kernel.struct<Mount>('mount');
  if (!superBlock || !type.has('mnt_instance')) return null;
  const known = kernel.memo('mounts of superblocks', () => new Map<bigint, Mount | null>());
  const key = superBlock.$address;
  let found = known.get(key);
  if (found === undefined) {
    found = null;
    const root = superBlock.$pointer('s_root');
    for (const mount of walkList(superBlock.$get('s_mounts') as ListHead, type, 'mnt_instance', { limit: 4096 })) {
      if (mount.mnt.$pointer('mnt_root') !== root) continue;
      found = mount;
      break;
    }
    known.set(key, found);
  }
  return found;
}

interface Climbed {
  readonly text: string;
  /** false where the way up ended before it came to the root that was asked for */
  readonly reached: boolean;
}

/**
 * From a dentry up to a root, or to the top of its mount namespace (fs/d_path.c: __prepend_path). Without a mount, up to the root
 * of its file system. Throws Absent where the way does not end.
 */
function climb(kernel: LinuxKernel, start: Dentry, startMount: Mount | null, root?: Path): Climbed {
  // A dentry has one path below a mount; the mount tells bind mounts of it apart. A root of one's own gives other paths.
  const known = root ? undefined : kernel.memo('paths', () => new Map<bigint, Map<bigint, string>>());
  const rootDentry = root?.$pointer('dentry');
  const rootMount = root?.$pointer('mnt');
  const parts: string[] = [];
  const passed: { paths: Map<bigint, string>; key: bigint; depth: number }[] = [];
  let dentry = start;
  let mount = startMount;
  let vfsmount: Vfsmount | undefined = mount?.mnt;
  let mountRoot = vfsmount?.$pointer('mnt_root');
  let paths = pathsOf(known, mount);
  let prefix = '';
  let reached = root === undefined;
  for (let depth = 0; ; depth++) {
    if (depth > DEEPEST) throw new Absent('corrupt', `a path of more than ${DEEPEST} parents and mounts: they go in a circle`, start.$address);
    const key = dentry.$address;
    if (key === rootDentry && vfsmount?.$address === rootMount) {
      reached = true;
      break;
    }
    if (key === mountRoot) {
      const above = mount?.mnt_parent ?? null;
      if (!mount || !above || above.$address === mount.$address) break;
      const point = mount.mnt_mountpoint;
      if (!point) break;
      dentry = point;
      mount = above;
      vfsmount = mount.mnt;
      mountRoot = vfsmount.$pointer('mnt_root');
      paths = pathsOf(known, mount);
      continue;
    }
    const cached = paths?.get(key);
    if (cached !== undefined) {
      prefix = cached;
      break;
    }
    const parent = dentry.d_parent;
    if (!parent || parent.$address === key) break;
    if (paths) passed.push({ paths, key, depth: parts.length });
    parts.push(dentryName(dentry));
    dentry = parent;
  }
  const reversed = parts.reverse();
  for (const { paths: into, key, depth } of passed) {
    into.set(key, `${prefix}/${reversed.slice(0, reversed.length - depth).join('/')}`);
  }
  return { text: reversed.length === 0 ? prefix || '/' : `${prefix}/${reversed.join('/')}`, reached };
}

function pathsOf(known: Map<bigint, Map<bigint, string>> | undefined, mount: Mount | null): Map<bigint, string> | undefined {
  if (!known) return undefined;
  const key = mount?.$address ?? 0n;
  let paths = known.get(key);
  if (!paths) known.set(key, (paths = new Map()));
  return paths;
}

function isRoot(dentry: Dentry): boolean {
  return dentry.d_parent?.$address === dentry.$address;
}

/** include/uapi/linux/magic.h: file systems whose files have names of their own making. */
const MAGIC = {
  pipe: 0x50495045,
  socket: 0x534f434b,
  anonInode: 0x09041934,
  namespace: 0x6e736673,
  pidfd: 0x50494446,
  dmaBuffer: 0x444d4142,
} as const;

/**
 * What d_dname functions print: for a dentry that has one and is not a mounted root (fs/d_path.c: d_path). Undefined for those that
 * have a place in a tree. (fs/pipe.c, net/socket.c, fs/anon_inodes.c, fs/nsfs.c, fs/pidfs.c, drivers/dma-buf/dma-buf.c; fs/libfs.c: simple_dname.)
 */
function nameWithoutPlace(kernel: LinuxKernel, dentry: Dentry, mount: Mount | null): string | undefined {
  const operations = dentry.$pointer('d_op');
  if (operations === 0n) return undefined;
  const named = kernel.memo('d_dname', () => new Map<bigint, boolean>());
  let has = named.get(operations);
  if (has === undefined) {
    has = orElse(() => kernel.at('dentry_operations', operations).$pointer('d_dname') !== 0n, false);
    named.set(operations, has);
  }
  if (!has) return undefined;
  if (mount && isRoot(dentry) && mount.mnt.$pointer('mnt_root') === dentry.$address) return undefined;
  const inode = dentry.d_inode;
  switch (Number(dentry.d_sb?.$get('s_magic') ?? 0)) {
    case MAGIC.pipe:
      return `pipe:[${inode?.i_ino ?? 0}]`;
    case MAGIC.socket:
      return `socket:[${inode?.i_ino ?? 0}]`;
    case MAGIC.anonInode:
      return `anon_inode:${dentryName(dentry)}`;
    case MAGIC.pidfd:
      // Since 6.9 (cb12fd8e0dab); tools know them by the name they had before.
      return 'anon_inode:[pidfd]';
    case MAGIC.namespace:
      return `${inode ? namespaceKind(kernel, inode) : 'ns'}:[${inode?.i_ino ?? 0}]`;
    case MAGIC.dmaBuffer:
      return `/${dentryName(dentry)}:${dmaBufferName(kernel, dentry)}`;
    default:
      // simple_dname: shared memory, memfd, hugetlb, aio: no links, hence deleted.
      return `/${dentryName(dentry)}${DELETED}`;
  }
}

/** `mnt`, `net` …: ns_common.ops.name of the namespace behind an nsfs inode (fs/nsfs.c; include/linux/proc_ns.h). */
function namespaceKind(kernel: LinuxKernel, inode: Inode): string {
  return orElse(() => {
    const common = kernel.at<NsCommon>('ns_common', inode.$pointer('i_private'));
    const operations = kernel.at('proc_ns_operations', common.$pointer('ops'));
    return decodeText(kernel.space.readCString(operations.$pointer('name'), 64));
  }, 'ns');
}

/** dma_buf.name, which user space may give (since bb2bb9030425, 5.3). */
function dmaBufferName(kernel: LinuxKernel, dentry: Dentry): string {
  return orElse(() => {
    const name = kernel.at('dma_buf', dentry.$pointer('d_fsdata')).$pointer('name');
    return name === 0n ? '' : decodeText(kernel.space.readCString(name, 64));
  }, '');
}
