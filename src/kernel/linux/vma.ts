import { Absent, orAbsent, orElse } from '../../memory/absent.js';
import { decodeText } from '../../object/text.js';
import type { Struct } from '../../object/struct.js';
import type { LinuxKernel } from './kernel.js';
import type { WalkOptions } from './lists/list.js';
import { walkMapleOf } from './lists/maple.js';
import { filePath, userPath } from './path.js';
import type { File, MmStruct, VmAreaStruct } from './types.js';
import { inodeOf, type VmSpecialMapping } from './types-fs.js';

/** include/linux/mm.h */
const VM_READ = 1;
const VM_WRITE = 2;
const VM_EXEC = 4;
const VM_MAYSHARE = 0x80;
/** More areas than this no process has (vm.max_map_count is 65530, and a signed int at most). */
const MOST_AREAS = 1 << 22;
/** arch/x86/include/asm/mmu.h: MM_CONTEXT_HAS_VSYSCALL, a bit of mm_context_t.flags (since 5.14) */
const HAS_VSYSCALL = 2;
/** arch/x86/entry/vsyscall/vsyscall_64.c: enum { EMULATE, XONLY, NONE } vsyscall_mode */
const VSYSCALL_NONE = 2;
/** include/linux/anon_vma_name: ANON_VMA_NAME_MAX_LEN */
const LONGEST_NAME = 80;

/**
 * The memory areas of a process in order of address, the gate area (`[vsyscall]`) last, as /proc/PID/maps lists them:
 * mm_struct.mm_mt since 6.1 (d4af56c5c7c6), the list from mm_struct.mmap before (763ecb035029 removed it).
 */
export function* vmas(kernel: LinuxKernel, mm: MmStruct, options: WalkOptions = {}): Generator<VmAreaStruct> {
  const type = kernel.struct<VmAreaStruct>('vm_area_struct');
  if (mm.$has('mm_mt')) yield* walkMapleOf(kernel, mm.mm_mt, type, { limit: MOST_AREAS, ...options });
  else yield* listed(mm, options);
  const gate = gateArea(kernel);
  if (gate && hasGate(mm)) yield gate;
}

function* listed(mm: MmStruct, options: WalkOptions): Generator<VmAreaStruct> {
  const seen = new Set<bigint>();
  const limit = options.limit ?? MOST_AREAS;
  const step = (read: () => VmAreaStruct | null): VmAreaStruct | null => {
    const next = orAbsent(read);
    if (!(next instanceof Absent)) return next;
    options.onFault?.(`list of vm_area_struct.vm_next is broken: ${next.toString()}`);
    return null;
  };
  for (let area = step(() => mm.mmap); area && seen.size < limit; ) {
    const address = area.$address;
    if (seen.has(address)) {
      options.onFault?.(`list of vm_area_struct.vm_next loops at 0x${address.toString(16)}`);
      return;
    }
    seen.add(address);
    if (!area.$valid) {
      options.onFault?.(`list of vm_area_struct.vm_next is broken: nothing at 0x${address.toString(16)}`);
      return;
    }
    yield area;
    const here = area;
    area = step(() => here.vm_next);
  }
}

/** The area of the vsyscall page, which stands outside of every process's list (arch/x86: gate_vma, get_gate_vma). */
function gateArea(kernel: LinuxKernel): VmAreaStruct | undefined {
  return kernel.memo('gate_vma', () => {
    const gate = kernel.symbol('gate_vma');
    const mode = kernel.symbol('vsyscall_mode');
    if (gate === undefined || mode === undefined) return undefined;
    if (orElse(() => kernel.space.readU32(mode), VSYSCALL_NONE) === VSYSCALL_NONE) return undefined;
    return kernel.at<VmAreaStruct>('vm_area_struct', gate);
  });
}

function hasGate(mm: MmStruct): boolean {
  return orElse(() => {
    const context = mm.$get('context') as Struct;
    if (context.$has('flags')) return (Number(context.$get('flags')) & HAS_VSYSCALL) !== 0;
    // Until 5.14 only 32-bit processes were told apart: mm_context_t.ia32_compat.
    return !context.$has('ia32_compat') || Number(context.$get('ia32_compat')) === 0;
  }, false);
}

/** `rwxp` as /proc/PID/maps has it (fs/proc/task_mmu.c: show_vma_header_prefix). */
export function vmaFlags(vma: VmAreaStruct): string {
  const flags = Number(vma.vm_flags);
  return (
    ((flags & VM_READ) !== 0 ? 'r' : '-') +
    ((flags & VM_WRITE) !== 0 ? 'w' : '-') +
    ((flags & VM_EXEC) !== 0 ? 'x' : '-') +
    ((flags & VM_MAYSHARE) !== 0 ? 's' : 'p')
  );
}

/** The file behind an area: its file system's device and its inode number. */
export interface VmaFile {
  readonly major: number;
  readonly minor: number;
  readonly inode: bigint | number;
}

/** Major and minor number of a dev_t (include/linux/kdev_t.h: 12 and 20 bits). */
export function deviceNumbers(device: number): { readonly major: number; readonly minor: number } {
  return { major: device >>> 20, minor: device & 0xfffff };
}

const NO_FILE: VmaFile = { major: 0, minor: 0, inode: 0 };

/** Device and inode of an area's file; zeros where it has none. Throws Absent. */
export function vmaFile(kernel: LinuxKernel, vma: VmAreaStruct): VmaFile {
  const file = vma.vm_file;
  if (!file) return NO_FILE;
  const known = kernel.memo('files of areas', () => new Map<bigint, VmaFile>());
  const key = file.$address;
  let found = known.get(key);
  if (!found) {
    // What overlayfs opens below itself is shown as the file above (file_user_inode, since 6.8).
    const inode = inodeOf(userPath(kernel, file)) ?? file.f_inode;
    if (!inode) throw new Absent('corrupt', 'a mapped file without inode', key);
    found = { ...deviceNumbers(inode.i_sb?.s_dev ?? 0), inode: inode.i_ino };
    known.set(key, found);
  }
  return found;
}

/** Where a process keeps what has no file: mm_struct.start_brk, brk, start_stack. */
export interface MmBounds {
  readonly heapStart: bigint;
  readonly heapEnd: bigint;
  readonly stack: bigint;
}

/** The bounds of a process's heap and stack. Throws Absent. */
export function mmBounds(mm: MmStruct): MmBounds {
  return { heapStart: BigInt(mm.start_brk), heapEnd: BigInt(mm.brk), stack: BigInt(mm.start_stack) };
}

/**
 * What /proc/PID/maps shows at the end of an area's line, or null for an area without name: the file's path, `[heap]`,
 * `[stack]`, the kernel's name for it (`[vdso]`, `[vvar]`), the name that prctl(PR_SET_VMA_ANON_NAME) gave
 * (fs/proc/task_mmu.c: show_map_vma, get_vma_name). Throws Absent.
 */
export function vmaName(kernel: LinuxKernel, vma: VmAreaStruct, bounds: MmBounds): string | null {
  const file = vma.vm_file;
  if (file) return fileName(kernel, vma, file);
  const special = operationsName(kernel, vma);
  if (special !== null) return special;
  const start = BigInt(vma.vm_start);
  const end = BigInt(vma.vm_end);
  // The address of the gate area's name is its operations' affair (gate_vma_name), but it has no vm_mm.
  if (!vma.vm_mm) return '[vdso]';
  if (start < bounds.heapEnd && end > bounds.heapStart) return '[heap]';
  if (start <= bounds.stack && end >= bounds.stack) return '[stack]';
  const given = givenName(kernel, vma);
  return given === null ? null : `[anon:${given}]`;
}

function fileName(kernel: LinuxKernel, vma: VmAreaStruct, file: File): string {
  // Until 6.2 (d09e8ca6cb93) the name shares its place with the links of a file's areas.
  const given = vma.$has('anon_name') && !sharesPlace(kernel) ? givenName(kernel, vma) : null;
  return given === null ? filePath(kernel, file) : `[anon_shmem:${given}]`;
}

function sharesPlace(kernel: LinuxKernel): boolean {
  return kernel.memo('anon_name shares', () => {
    const type = kernel.struct('vm_area_struct');
    return type.has('shared') && type.offsetOf('shared') === type.offsetOf('anon_name');
  });
}

/** anon_vma_name.name (since 9a10064f5625, 5.17). */
function givenName(kernel: LinuxKernel, vma: VmAreaStruct): string | null {
  if (!vma.$has('anon_name')) return null;
  const name = vma.$pointer('anon_name');
  if (name === 0n) return null;
  const offset = BigInt(kernel.struct('anon_vma_name').offsetOf('name'));
  return decodeText(kernel.space.readCString(name + offset, LONGEST_NAME));
}

/** What vm_operations_struct.name gives: special mappings have their name in vm_private_data (mm/mmap.c: special_mapping_name). */
function operationsName(kernel: LinuxKernel, vma: VmAreaStruct): string | null {
  const operations = vma.$pointer('vm_ops');
  if (operations === 0n) return null;
  const makers = kernel.memo('vm_operations_struct.name', () => new Map<bigint, string | null>());
  let maker = makers.get(operations);
  if (maker === undefined) {
    const address = orElse(() => kernel.at('vm_operations_struct', operations).$pointer('name'), 0n);
    const found = address === 0n ? undefined : kernel.profile.symbols.nearest(address);
    maker = found?.distance === 0n ? found.symbol.name : null;
    makers.set(operations, maker);
  }
  if (maker === 'gate_vma_name') return '[vsyscall]';
  return maker === 'special_mapping_name' ? mappingName(kernel, vma.$pointer('vm_private_data')) : null;
}

/** vm_special_mapping.name: every process has the same few. */
function mappingName(kernel: LinuxKernel, mapping: bigint): string {
  const known = kernel.memo('special mappings', () => new Map<bigint, string>());
  let name = known.get(mapping);
  if (name === undefined) known.set(mapping, (name = kernel.at<VmSpecialMapping>('vm_special_mapping', mapping).name.string(LONGEST_NAME)));
  return name;
}
