import { orElse } from '../../../memory/absent.js';
import type { PagedSpace } from '../../../memory/paging/paged.js';
import { TypeCompiler } from '../../../object/compiler.js';
import type { Struct } from '../../../object/struct.js';
import { dataModel } from '../../../symbols/native.js';
import { VtypeSource } from '../../../symbols/rekall/vtypes.js';
import type { WindowsKernel } from '../kernel.js';
import { walkListEntry, type WalkOptions } from '../lists.js';
import { LOADER_LISTS } from './peb.js';
import type { Eprocess, LdrDataTableEntry } from '../types.js';

/**
 * The loader's structures of 32-bit processes, of which a 64-bit kernel's symbols have none: as the public symbols of the 32-bit ntoskrnl have them from
 * XP SP3 (2600.5512) to Windows 8.1 (9600), unchanged.
 */
const LINKS = ['_LIST_ENTRY'] as const;
const TEXT = ['_UNICODE_STRING'] as const;
const LONG = ['unsigned long'] as const;
const SHORT = ['unsigned short'] as const;
const ADDRESS = ['Pointer', { target: 'Void' }] as const;
const TYPES = {
  _LIST_ENTRY: [8, { Flink: [0, ['Pointer', { target: '_LIST_ENTRY' }]], Blink: [4, ['Pointer', { target: '_LIST_ENTRY' }]] }],
  _UNICODE_STRING: [8, { Length: [0, SHORT], MaximumLength: [2, SHORT], Buffer: [4, ADDRESS] }],
  _PEB_LDR_DATA: [0x28, { InLoadOrderModuleList: [0xc, LINKS], InMemoryOrderModuleList: [0x14, LINKS], InInitializationOrderModuleList: [0x1c, LINKS] }],
  _LDR_DATA_TABLE_ENTRY: [
    0x50,
    {
      InLoadOrderLinks: [0, LINKS],
      InMemoryOrderLinks: [8, LINKS],
      InInitializationOrderLinks: [0x10, LINKS],
      DllBase: [0x18, ADDRESS],
      EntryPoint: [0x1c, ADDRESS],
      SizeOfImage: [0x20, LONG],
      FullDllName: [0x24, TEXT],
      BaseDllName: [0x2c, TEXT],
      Flags: [0x34, LONG],
      LoadCount: [0x38, SHORT],
    },
  ],
};
let compiled: TypeCompiler | undefined;
const types = (): TypeCompiler => (compiled ??= new TypeCompiler(new VtypeSource(TYPES as never, {}, dataModel('windows', 'I386')), 4));

/**
 * Address of the 32-bit PEB of a process on a 64-bit system, or undefined. `_EPROCESS.Wow64Process` is it, or leads to a struct of the kernel that begins
 * with it: `_WOW64_PROCESS.Wow64` (symbols of Server 2003), since Windows 10 `_EWOW64PROCESS.Peb`. In between no symbols say which; the
 * PEB lies below 4 GiB and the kernel's memory does not. Throws Absent.
 */
export function peb32Of(kernel: WindowsKernel, process: Eprocess): bigint | undefined {
  if (kernel.profile.pointerSize === 4) return undefined;
  const member = ['Wow64Process', 'WoW64Process'].find((name) => process.$has(name));
  const value = member === undefined ? 0n : process.$pointer(member);
  if (value === 0n) return undefined;
  const peb = value < FOUR_GIB ? value : kernel.space.readPointer(value);
  return peb < FOUR_GIB ? peb : undefined;
}

const FOUR_GIB = 1n << 32n;

/** The modules that the 32-bit loader of a process knows, by one of its lists; none where it has no such loader. Throws Absent where its PEB is not in memory. */
export function* loadedModules32(kernel: WindowsKernel, process: Eprocess, list: keyof typeof LOADER_LISTS = 'load', options: WalkOptions = {}): Generator<LdrDataTableEntry> {
  const peb = peb32Of(kernel, process);
  if (peb === undefined || !kernel.profile.has('_PEB32', 'Ldr')) return;
  const space: PagedSpace = kernel.spaceOf(process);
  const ldr = BigInt(kernel.struct('_PEB32').at(space, peb).$get('Ldr') as number);
  if (ldr === 0n) return;
  const [head, link] = LOADER_LISTS[list];
  const view = types().struct('_PEB_LDR_DATA').at(space, ldr);
  yield* walkListEntry(view.$get(head) as Struct, types().struct<LdrDataTableEntry>('_LDR_DATA_TABLE_ENTRY'), link, options);
}

/** True where a process has a 32-bit loader whose lists {@link loadedModules32} gives. */
export function hasLoader32(kernel: WindowsKernel, process: Eprocess): boolean {
  return orElse(() => peb32Of(kernel, process) !== undefined, false);
}
