import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import { superFlags } from './mounts.js';
import type { KernelId, SuperBlock } from './types.js';

/** include/uapi/linux/magic.h */
const TMPFS = 0x01021994;
const DEVPTS = 0x1cd1;
const PROC = 0x9fa0;

/** include/linux/devpts_fs.h: NR_UNIX98_PTY_MAX (1 << MINORBITS), the default */
const MOST_TERMINALS = 1 << 20;
/** 01777: the mode of a tmpfs unless it is told another */
const TMPFS_MODE = 0o1777;

/**
 * The last field of /proc/PID/mountinfo: the flags of the file system and what it adds itself (super_operations.show_options).
 * The latter for tmpfs (devtmpfs, a rootfs in memory), devpts and proc; other file systems keep theirs to themselves.
 * Throws Absent.
 */
export function superOptions(kernel: LinuxKernel, superBlock: SuperBlock): string {
  return [superFlags(superBlock), ...ownOptions(kernel, superBlock)].join(',');
}

function ownOptions(kernel: LinuxKernel, superBlock: SuperBlock): string[] {
  const info = superBlock.$pointer('s_fs_info');
  if (info === 0n) return [];
  switch (Number(superBlock.$get('s_magic'))) {
    case TMPFS:
      return tmpfsOptions(kernel, kernel.at('shmem_sb_info', info));
    case DEVPTS:
      return devptsOptions(kernel.at('pts_fs_info', info).$get('mount_opts') as Struct);
    case PROC:
      return kernel.profile.has('proc_fs_info') ? procOptions(kernel.at('proc_fs_info', info)) : [];
    default:
      return [];
  }
}

/** mm/shmem.c: shmem_show_options */
function tmpfsOptions(kernel: LinuxKernel, info: Struct): string[] {
  const words: string[] = [];
  const { pages, high } = memoryPages(kernel);
  const half = Math.floor(pages / 2);
  const maxBlocks = Number(info.$get('max_blocks'));
  if (maxBlocks !== half) words.push(`size=${maxBlocks * 4}k`);
  const maxInodes = Number(info.$get('max_inodes'));
  if (maxInodes !== Math.min(pages - high, half)) words.push(`nr_inodes=${maxInodes}`);
  const mode = Number(info.$get('mode'));
  if (mode !== TMPFS_MODE) words.push(`mode=${octal(mode)}`);
  const uid = (info.$get('uid') as KernelId).val;
  if (uid !== 0) words.push(`uid=${uid}`);
  const gid = (info.$get('gid') as KernelId).val;
  if (gid !== 0) words.push(`gid=${gid}`);
  // Since 5.9 (ea3271f7196c). Without it, only the kernel's configuration says whether inode32 is shown.
  if (info.$has('full_inums') && Boolean(info.$get('full_inums'))) words.push('inode64');
  if (info.$has('noswap') && Boolean(info.$get('noswap'))) words.push('noswap');
  return words;
}

/** Pages of memory in all and of high memory: totalram_pages(), totalhigh_pages() (variables until 5.0, atomic ones since: ca79b0c211af). */
function memoryPages(kernel: LinuxKernel): { readonly pages: number; readonly high: number } {
  return kernel.memo('memory pages', () => {
    const value = (name: string): number => {
      const symbol = kernel.symbol(`_${name}`) ?? kernel.symbol(name);
      return symbol === undefined ? 0 : Number(kernel.space.readPointer(symbol));
    };
    return { pages: value('totalram_pages'), high: value('totalhigh_pages') };
  });
}

/** fs/devpts/inode.c: devpts_show_options */
function devptsOptions(options: Struct): string[] {
  const words: string[] = [];
  if (Number(options.$get('setuid')) !== 0) words.push(`uid=${(options.$get('uid') as KernelId).val}`);
  if (Number(options.$get('setgid')) !== 0) words.push(`gid=${(options.$get('gid') as KernelId).val}`);
  words.push(`mode=${octal(Number(options.$get('mode')))}`, `ptmxmode=${octal(Number(options.$get('ptmxmode')))}`);
  const most = Number(options.$get('max'));
  if (most < MOST_TERMINALS) words.push(`max=${most}`);
  return words;
}

/** enum proc_hidepid (include/linux/proc_fs.h, since 1c6c4d112e81, 5.8) */
const HIDEPID: Readonly<Record<number, string>> = { 1: 'noaccess', 2: 'invisible', 4: 'ptraceable' };

/** fs/proc/root.c: proc_show_options (proc_fs_info since fa10fed30f25, 5.8) */
function procOptions(info: Struct): string[] {
  const words: string[] = [];
  const gid = (info.$get('pid_gid') as KernelId).val;
  if (gid !== 0) words.push(`gid=${gid}`);
  const hide = Number(info.$get('hide_pid'));
  if (hide !== 0) words.push(`hidepid=${HIDEPID[hide] ?? hide}`);
  if (Number(info.$get('pidonly')) !== 0) words.push('subset=pid');
  return words;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}
