import { orElse } from '../../memory/absent.js';
import { PAGE_MASK, PAGE_SIZE, pageNumber, pageOffset } from '../../memory/page.js';
import type { LinuxKernel } from './kernel.js';
import type { WalkOptions } from './lists/list.js';
import type { File, Inode, TaskStruct } from './types.js';
import type { FilesStruct } from './types-fs.js';

/** fs.nr_open where the kernel's own value cannot be read: its default. */
const NR_OPEN = 1 << 20;
/** include/uapi/asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** include/linux/fs.h */
const FMODE_READ = 1;
const FMODE_WRITE = 2;

/** An open file of a process. */
export interface OpenFile {
  readonly fd: number;
  readonly file: File;
  /** closed by execve: a bit of fdtable.close_on_exec, shown as O_CLOEXEC */
  readonly closeOnExec: boolean;
}

/**
 * The open files of a process in order of descriptor: task_struct.files.fdt (include/linux/fdtable.h). Unreadable pages of the
 * table are passed over and told to `onFault`. A process that has closed its files for good has none (task_struct.files is null).
 * Throws Absent where the table itself is not there.
 */
export function* openFiles(kernel: LinuxKernel, task: TaskStruct, options: WalkOptions = {}): Generator<OpenFile> {
  const table = (task.files as FilesStruct | null)?.fdt;
  if (!table) return;
  let count = table.max_fds;
  const width = kernel.profile.pointerSize;
  const least = width * 8;
  if (!isTableSize(count, least, mostDescriptors(kernel))) {
    options.onFault?.(`a table of ${count} file descriptors at 0x${table.$address.toString(16)} cannot be; only its first ${least} are shown`);
    count = least;
  }
  const type = kernel.struct<File>('file');
  const array = table.$pointer('fd');
  const flags = table.$pointer('close_on_exec');
  const first = pageNumber(array);
  const start = pageOffset(array);
  const perPage = PAGE_SIZE / width;
  // Below this, the upper half of a word is no address of the kernel's.
  const lowest = width === 8 ? 0xff000000 : 0;
  let missing = 0;
  let rubbish = 0;
  for (let fd = 0; fd < count; ) {
    const at = start + fd * width;
    const page = kernel.space.pageAt(first + Math.floor(at / PAGE_SIZE));
    const left = Math.min(count - fd, perPage - (at & PAGE_MASK) / width);
    if (!page) {
      missing++;
      fd += left;
      continue;
    }
    for (let offset = at & PAGE_MASK, end = fd + left; fd < end; fd++, offset += width) {
      const low = page.view.getUint32(offset, true);
      const high = width === 8 ? page.view.getUint32(offset + 4, true) : 0;
      if (low === 0 && high === 0) continue;
      if ((low & 7) !== 0 || high < lowest) {
        rubbish++;
        continue;
      }
      // A pointer to a page number and an offset, without going through a bigint.
      const file = type.atPage(kernel.space, high * 0x100000 + (low >>> 12), low & PAGE_MASK);
      yield { fd, file, closeOnExec: bit(kernel, flags, fd) };
    }
  }
  if (rubbish > 0) options.onFault?.(`${rubbish} entries of the file descriptor table at 0x${array.toString(16)} are no pointers`);
  if (missing > 0) options.onFault?.(`${missing} pages of the file descriptor table at 0x${array.toString(16)} are not in the image`);
}

/**
 * Tables have BITS_PER_LONG places, or a power of two, or, where that would be more than fs.nr_open allows, this rounded up
 * (fs/file.c: alloc_fdtable).
 */
function isTableSize(count: number, least: number, most: number): boolean {
  if (count > most) return false;
  return count === Math.ceil(most / least) * least || (count >= least && Number.isInteger(Math.log2(count)));
}

/** fs.nr_open: sysctl_nr_open (fs/file.c). */
function mostDescriptors(kernel: LinuxKernel): number {
  const symbol = kernel.symbol('sysctl_nr_open');
  return kernel.memo('nr_open', () => (symbol === undefined ? NR_OPEN : orElse(() => kernel.space.readU32(symbol), NR_OPEN)));
}

function bit(kernel: LinuxKernel, bitmap: bigint, index: number): boolean {
  const page = kernel.space.pageAt(pageNumber(bitmap + BigInt(index >> 3)));
  if (!page) return false;
  const byte = page.bytes[pageOffset(bitmap + BigInt(index >> 3))] ?? 0;
  return ((byte >> (index & 7)) & 1) !== 0;
}

/** Flags of an open file as /proc/PID/fdinfo shows them, a number to be read in octal (fs/proc/fd.c: seq_show). */
export function fileFlags({ file, closeOnExec }: OpenFile): number {
  return (file.f_flags & ~O_CLOEXEC) | (closeOnExec ? O_CLOEXEC : 0);
}

/** `r`, `w`, `u` (both) or `-`, as lsof marks descriptors: file.f_mode. */
export function accessOf(file: File): string {
  switch (file.f_mode & (FMODE_READ | FMODE_WRITE)) {
    case FMODE_READ:
      return 'r';
    case FMODE_WRITE:
      return 'w';
    case FMODE_READ | FMODE_WRITE:
      return 'u';
    default:
      return '-';
  }
}

/** Kinds of file by the highest bits of inode.i_mode (include/uapi/linux/stat.h). */
const KINDS: Readonly<Record<number, string>> = { 1: 'FIFO', 2: 'CHR', 4: 'DIR', 6: 'BLK', 8: 'REG', 10: 'LNK', 12: 'SOCK' };

/** `REG`, `DIR`, `CHR`, `BLK`, `FIFO`, `SOCK`, `LNK`, as lsof names them; `ANON` for anonymous inodes, which have no kind. */
export function inodeKind(inode: Inode): string {
  return KINDS[inode.i_mode >> 12] ?? 'ANON';
}
