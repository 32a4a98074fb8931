/**
 * Members of the kernel's structs about files, mounts and mappings that this code reads; see types.ts for how to read these
 * interfaces. A member marked "since" or "until" is asked for with `$has` first.
 */
import type { ArrayView } from '../../object/array.js';
import type { Pointer } from '../../object/pointer.js';
import type { Struct } from '../../object/struct.js';
import type { Dentry, Inode, ListHead, Path, SuperBlock } from './types.js';

/** include/linux/mount.h */
export interface Vfsmount extends Struct {
  readonly mnt_root: Dentry | null;
  readonly mnt_sb: SuperBlock | null;
  readonly mnt_flags: number;
}

/** fs/mount.h (private to the file system layer; it is in BTF all the same) */
export interface Mount extends Struct {
  readonly mnt_parent: Mount | null;
  readonly mnt_mountpoint: Dentry | null;
  readonly mnt: Vfsmount;
  readonly mnt_id: number;
  readonly mnt_group_id: number;
  readonly mnt_master: Mount | null;
  readonly mnt_ns: MntNamespace | null;
  readonly mnt_devname: Pointer;
}

/** fs/mount.h */
export interface MntNamespace extends Struct {
  readonly ns: NsCommon;
  readonly root: Mount | null;
  /** until 6.8 (2eea9ce4310d): head of mount.mnt_list */
  readonly list: ListHead;
  /** since 6.8: rb_root of mount.mnt_node */
  readonly mounts: Struct;
}

/** include/linux/ns_common.h */
export interface NsCommon extends Struct {
  readonly ops: Struct | null;
  readonly inum: number;
}

/** include/linux/nsproxy.h */
export interface Nsproxy extends Struct {
  readonly mnt_ns: MntNamespace | null;
}

/** include/linux/fs_struct.h */
export interface FsStruct extends Struct {
  readonly root: Path;
  readonly pwd: Path;
  readonly umask: number;
}

/** include/linux/fdtable.h */
export interface FilesStruct extends Struct {
  readonly fdt: Fdtable | null;
}

/** include/linux/fdtable.h */
export interface Fdtable extends Struct {
  readonly max_fds: number;
  /** struct file ** */
  readonly fd: Pointer;
  readonly close_on_exec: Pointer;
  readonly open_fds: Pointer;
}

/** include/linux/mm_types.h: what vm_private_data of a special mapping points to */
export interface VmSpecialMapping extends Struct {
  readonly name: Pointer;
}

/** include/linux/moduleparam.h */
export interface KernelParam extends Struct {
  readonly name: Pointer;
  readonly ops: Struct | null;
  readonly perm: number;
  readonly arg: Pointer;
}

/** include/linux/moduleparam.h */
export interface KparamString extends Struct {
  readonly maxlen: number;
  readonly string: Pointer;
}

/** include/linux/moduleparam.h */
export interface KparamArray extends Struct {
  readonly max: number;
  readonly elemsize: number;
  readonly num: Pointer;
  readonly ops: Struct | null;
  readonly elem: Pointer;
}

/** kernel/module/sysfs.c */
export interface ModuleSectAttrs extends Struct {
  readonly grp: Struct;
  /** until 6.14 (d8959b947a8d) */
  readonly nsections: number;
  readonly attrs: ArrayView<Struct>;
}

/** The inode of a path's dentry, or null for a negative dentry. */
export function inodeOf(path: Path): Inode | null {
  return path.dentry?.d_inode ?? null;
}
