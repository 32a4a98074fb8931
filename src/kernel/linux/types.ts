/**
 * The members of kernel structs that this code reads, as TypeScript sees the views (include/linux/*.h). A member marked
 * optional exists in some kernels only: ask `$has` before reading it.
 */
import type { Pointer } from '../../object/pointer.js';
import type { Struct } from '../../object/struct.js';

/** include/linux/types.h */
export interface ListHead extends Struct {
  readonly next: ListHead | null;
  readonly prev: ListHead | null;
}

/** include/linux/uidgid.h; kuid_t and kgid_t */
export interface KernelId extends Struct {
  readonly val: number;
}

/** include/linux/cred.h */
export interface Cred extends Struct {
  readonly uid: KernelId;
  readonly gid: KernelId;
  readonly euid: KernelId;
  readonly egid: KernelId;
}

/** include/linux/mm_types.h */
export interface MmStruct extends Struct {
  readonly pgd: Struct | Pointer | null;
  readonly start_code: bigint | number;
  readonly arg_start: bigint | number;
  readonly arg_end: bigint | number;
  readonly env_start: bigint | number;
  readonly env_end: bigint | number;
  readonly start_brk: bigint | number;
  readonly brk: bigint | number;
  readonly start_stack: bigint | number;
  readonly total_vm: bigint | number;
  readonly map_count: number;
  readonly exe_file: File | null;
  readonly mm_mt: Struct;
  readonly mmap: VmAreaStruct | null;
}

/** include/linux/mm_types.h */
export interface VmAreaStruct extends Struct {
  readonly vm_start: bigint | number;
  readonly vm_end: bigint | number;
  readonly vm_flags: bigint | number;
  readonly vm_pgoff: bigint | number;
  readonly vm_file: File | null;
  readonly vm_mm: MmStruct | null;
  readonly vm_next: VmAreaStruct | null;
}

/** include/linux/fs.h */
export interface File extends Struct {
  readonly f_path: Path;
  readonly f_pos: bigint;
  readonly f_flags: number;
  readonly f_mode: number;
  readonly f_inode: Inode | null;
  readonly private_data: Pointer;
}

/** include/linux/path.h */
export interface Path extends Struct {
  readonly mnt: Struct | null;
  readonly dentry: Dentry | null;
}

/** include/linux/dcache.h */
export interface Dentry extends Struct {
  readonly d_name: Qstr;
  readonly d_parent: Dentry | null;
  readonly d_inode: Inode | null;
  readonly d_sb: SuperBlock | null;
  readonly d_flags: number;
}

/** include/linux/dcache.h */
export interface Qstr extends Struct {
  readonly len: number;
  readonly name: Pointer;
}

/** include/linux/fs.h */
export interface Inode extends Struct {
  readonly i_ino: bigint | number;
  readonly i_mode: number;
  readonly i_size: bigint;
  readonly i_rdev: number;
  readonly i_sb: SuperBlock | null;
  readonly i_uid: KernelId;
  readonly i_gid: KernelId;
}

/** include/linux/fs.h */
export interface SuperBlock extends Struct {
  readonly s_dev: number;
  readonly s_flags: bigint | number;
  readonly s_id: string;
  readonly s_root: Dentry | null;
  readonly s_type: FileSystemType | null;
}

/** include/linux/fs.h */
export interface FileSystemType extends Struct {
  readonly name: Pointer;
}

/** include/linux/sched.h */
export interface TaskStruct extends Struct {
  readonly pid: number;
  readonly tgid: number;
  readonly comm: string;
  readonly flags: number;
  readonly exit_state: number;
  readonly mm: MmStruct | null;
  readonly active_mm: MmStruct | null;
  readonly tasks: ListHead;
  readonly children: ListHead;
  readonly sibling: ListHead;
  readonly thread_group: ListHead;
  readonly thread_node: ListHead;
  readonly group_leader: TaskStruct | null;
  readonly parent: TaskStruct | null;
  readonly real_parent: TaskStruct | null;
  readonly cred: Cred | null;
  readonly real_cred: Cred | null;
  readonly files: Struct | null;
  readonly fs: Struct | null;
  readonly nsproxy: Struct | null;
  readonly signal: Struct | null;
}
