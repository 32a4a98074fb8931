import { Absent, orElse } from '../../memory/absent.js';
import { decodeText } from '../../object/text.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import type { Dentry, File, Inode, Path } from './types.js';

/** Longer chains of parents than this are no path (PATH_MAX is 4096 bytes). */
const DEEPEST = 512;

/** fs/mount.h; `mnt` is the vfsmount in it */
interface Mount extends Struct {
  readonly mnt_parent: Mount | null;
  readonly mnt_mountpoint: Dentry | null;
}

/** Name of a dentry: the last component of a path. */
export function dentryName(dentry: Dentry): string {
  const { len, name } = dentry.d_name;
  if (len > 4096) throw new Absent('corrupt', `a name of ${len} bytes`, dentry.$address);
  return decodeText(dentry.$space.read(name.address, len));
}

/** True where a dentry was unlinked while in use: it is off its hash chain (include/linux/dcache.h: d_unlinked). */
export function isUnlinked(dentry: Dentry): boolean {
  return (dentry.$get('d_hash') as Struct).$pointer('pprev') === 0n && dentry.d_parent?.$address !== dentry.$address;
}

/**
 * The path of an open file as /proc/PID/fd shows it: across mounts up to the root of the mount namespace, ` (deleted)` behind
 * what is unlinked, `pipe:[ino]`, `socket:[ino]`, `anon_inode:[eventfd]` for what has no place in a file system.
 */
export function filePath(kernel: LinuxKernel, file: File): string {
  return pathOf(kernel, file.f_path);
}

/** The path of a struct path (fs/d_path.c: d_path). */
export function pathOf(kernel: LinuxKernel, path: Path): string {
  const dentry = path.dentry;
  if (!dentry) throw new Absent('corrupt', 'a path without dentry', path.$address);
  const special = nameWithoutPlace(kernel, dentry);
  if (special !== undefined) return special;
  const mount = path.mnt ? mountOf(kernel, path.mnt) : null;
  const text = walkUp(kernel, dentry, mount);
  return isUnlinked(dentry) ? `${text} (deleted)` : text;
}

/** The path within its file system of an inode, by one of its dentries; undefined when none is cached. */
export function inodePath(kernel: LinuxKernel, inode: Inode): string | undefined {
  const first = (inode.$get('i_dentry') as Struct).$pointer('first');
  if (first === 0n) return undefined;
  const type = kernel.struct<Dentry>('dentry');
  // i_dentry links d_u.d_alias (b3d9b7a3c752 moved it into the union; the member is lifted where the profile knows it).
  const offset = type.has('d_alias') ? type.offsetOf('d_alias') : type.offsetOf('d_u.d_alias');
  const dentry = type.at(kernel.space, first - BigInt(offset));
  return nameWithoutPlace(kernel, dentry) ?? walkUp(kernel, dentry, null);
}

/** The struct mount around a vfsmount. */
export function mountOf(kernel: LinuxKernel, vfsmount: Struct): Struct {
  const type = kernel.struct('mount');
  return type.atPage(vfsmount.$space, vfsmount.$page, vfsmount.$offset - type.offsetOf('mnt'));
}

function walkUp(kernel: LinuxKernel, start: Dentry, startMount: Struct | null): string {
  const known = kernel.memo('paths', () => new Map<bigint, string>());
  const parts: string[] = [];
  const passed: { key: bigint; depth: number }[] = [];
  let dentry = start;
  let mount = startMount as Mount | null;
  let prefix = '';
  for (let depth = 0; depth < DEEPEST; depth++) {
    const parent = dentry.d_parent;
    if (!parent) break;
    if (parent.$address === dentry.$address || isMountRoot(mount, dentry)) {
      const above = mount?.mnt_parent ?? null;
      const point = mount?.mnt_mountpoint ?? null;
      if (!mount || !above || !point || above.$address === mount.$address) break;
      dentry = point;
      mount = above;
      continue;
    }
    // A directory of a mount has one path; the mount's address tells bind mounts of it apart.
    const key = (dentry.$address << 64n) | (mount?.$address ?? 0n);
    const cached = known.get(key);
    if (cached !== undefined) {
      prefix = cached;
      break;
    }
    passed.push({ key, depth: parts.length });
    parts.push(dentryName(dentry));
    dentry = parent;
  }
  const reversed = parts.reverse();
  const total = reversed.length;
  for (const { key, depth } of passed) {
    const path = `${prefix}/${reversed.slice(0, total - depth).join('/')}`;
    known.set(key, path);
  }
  return total === 0 ? prefix || '/' : `${prefix}/${reversed.join('/')}`;
}

function isMountRoot(mount: Mount | null, dentry: Dentry): boolean {
  if (!mount) return false;
  return (mount.$get('mnt') as Struct).$pointer('mnt_root') === dentry.$address;
}

/** What d_dname functions print (fs/pipe.c, net/socket.c, fs/anon_inodes.c, fs/nsfs.c, fs/libfs.c: simple_dname). */
function nameWithoutPlace(kernel: LinuxKernel, dentry: Dentry): string | undefined {
  const operations = dentry.$pointer('d_op');
  if (operations === 0n) return undefined;
  const makers = kernel.memo('d_dname', () => new Map<bigint, string | undefined>());
  let maker = makers.get(operations);
  if (!makers.has(operations)) {
    const address = orElse(() => kernel.at('dentry_operations', operations).$pointer('d_dname'), 0n);
    const found = address === 0n ? undefined : kernel.profile.symbols.nearest(address);
    maker = found?.distance === 0n ? found.symbol.name : address === 0n ? undefined : 'simple_dname';
    makers.set(operations, maker);
  }
  if (maker === undefined) return undefined;
  const inode = (): bigint | number => dentry.d_inode?.i_ino ?? 0;
  switch (maker) {
    case 'pipefs_dname':
      return `pipe:[${inode()}]`;
    case 'sockfs_dname':
      return `socket:[${inode()}]`;
    case 'anon_inodefs_dname':
      return `anon_inode:${dentryName(dentry)}`;
    case 'ns_dname':
      return `${namespaceName(dentry)}:[${inode()}]`;
    case 'dmabuffs_dname':
      return `/dmabuf:${dentryName(dentry)}`;
    default:
      // simple_dname: shared memory, memfd, hugetlb, aio: no links, so deleted.
      return `/${dentryName(dentry)} (deleted)`;
  }
}

/** `mnt`, `net` …: the proc_ns_operations in d_fsdata (fs/nsfs.c). */
function namespaceName(dentry: Dentry): string {
  return orElse(() => {
    const operations = dentry.$pointer('d_fsdata');
    return decodeText(dentry.$space.readCString(dentry.$space.readPointer(operations), 16));
  }, 'ns');
}
