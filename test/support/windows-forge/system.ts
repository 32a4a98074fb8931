import { fileTime, type Forge, large } from './forge.js';
import type { Piece } from './pe.js';
import { TIMES } from './scene.js';

/** Number of the build, and what the lab called it. */
export const BUILD = 7600;
/** 100 ns of the clock's interrupt. */
const TICK = 156250;

/** `_KUSER_SHARED_DATA`: what user mode sees of the system, at the same address in all processes. Returns its frame. */
export function writeSharedData(forge: Forge): number {
  const frame = forge.system.fresh(forge.plan.shared, { write: true });
  const time = (value: bigint): Record<string, number> => ({ LowPart: Number(value & 0xffffffffn), High1Time: Number((value >> 32n) & 0x7fffffffn), High2Time: Number((value >> 32n) & 0x7fffffffn) });
  forge.put('_KUSER_SHARED_DATA', forge.plan.shared, {
    TickCount: time((fileTime(TIMES.taken) - fileTime(TIMES.boot)) / BigInt(TICK)),
    TickCountMultiplier: 0xfa00000,
    InterruptTime: time(fileTime(TIMES.taken) - fileTime(TIMES.boot)),
    SystemTime: time(fileTime(TIMES.taken)),
    TimeZoneBias: time(0n),
    ImageNumberLow: forge.pointer === 8 ? 0x8664 : 0x14c,
    ImageNumberHigh: forge.pointer === 8 ? 0x8664 : 0x14c,
    NtSystemRoot: Array.from('C:\\Windows', (character) => character.charCodeAt(0)),
    NtProductType: 1,
    ProductTypeIsValid: 1,
    NtMajorVersion: 6,
    NtMinorVersion: 1,
    SuiteMask: 0x110,
    NumberOfPhysicalPages: forge.machine.pages - 0x62,
    ActiveConsoleId: 1,
  });
  return frame;
}

/** Versions, ranges, physical memory: numbers that other tools start from. */
export function writeGlobals(forge: Forge): void {
  const { plan, machine } = forge;
  const word = (name: string, value: bigint): void => forge.word(forge.symbol(name), value);
  forge.system.write(forge.symbol('NtBuildNumber'), Uint8Array.of(BUILD & 0xff, BUILD >> 8));
  forge.system.write(forge.symbol('KeNumberProcessors'), Uint8Array.of(1));
  word('MmSystemRangeStart', forge.pointer === 8 ? 0xffff080000000000n : 0x80000000n);
  word('MmHighestUserAddress', plan.highestUser);
  word('MmUserProbeAddress', plan.highestUser - 0xffffn);
  word('MmNonPagedPoolStart', forge.nonPaged.base);
  word('MmNonPagedPoolEnd', forge.nonPaged.end);
  word('MmPagedPoolStart', forge.paged.base);
  word('MmPagedPoolEnd', forge.paged.end);
  word('MmPfnDatabase', plan.pfn);
  word('MmLowestPhysicalPage', 1n);
  word('MmHighestPhysicalPage', BigInt(machine.pages - 1));
  word('MmNumberOfPhysicalPages', machine.runs.reduce((sum, [, count]) => sum + BigInt(count), 0n));
  forge.u32(forge.symbol('MmNumberOfPagingFiles'), 1);
  for (const name of ['KeTimeIncrement', 'KeMaximumIncrement']) forge.u32(forge.symbol(name), TICK);
  const boot = Buffer.alloc(8);
  boot.writeBigUInt64LE(fileTime(TIMES.boot));
  forge.system.write(forge.symbol('KeBootTime'), boot);
  if (forge.has('_MMPAGING_FILE', 'PageFileName')) {
    const file = forge.nonPaged.allocate(forge.size('_MMPAGING_FILE'), 'MmPg');
    forge.put('_MMPAGING_FILE', file, { Size: 0x4000, MaximumSize: 0xc000, MinimumSize: 0x4000, FreeSpace: 0x3ffd, PageFileName: forge.text('\\??\\C:\\pagefile.sys') });
    word('MmPagingFile', file);
  }
  const runs = machine.runs;
  const block = forge.nonPaged.allocate(forge.size('_PHYSICAL_MEMORY_DESCRIPTOR') + runs.length * forge.size('_PHYSICAL_MEMORY_RUN'), 'MmPh');
  forge.put('_PHYSICAL_MEMORY_DESCRIPTOR', block, { NumberOfRuns: runs.length, NumberOfPages: runs.reduce((sum, [, count]) => sum + count, 0) });
  for (const [index, [first, count]] of runs.entries()) {
    forge.put('_PHYSICAL_MEMORY_RUN', block + BigInt(forge.offset('_PHYSICAL_MEMORY_DESCRIPTOR', 'Run') + index * forge.size('_PHYSICAL_MEMORY_RUN')), { BasePage: first, PageCount: count });
  }
  word('MmPhysicalMemoryBlock', block);
  for (const name of ['CmpHiveListHead', 'ExpSystemResourcesList', 'MmSessionList']) forge.link(forge.symbol(name), []);
  forge.put('_DBGKD_GET_VERSION64', forge.symbol('KdVersionBlock'), {
    MajorVersion: 15,
    MinorVersion: BUILD,
    ProtocolVersion: 6,
    Flags: forge.pointer === 8 ? 7 : 3,
    MachineType: forge.pointer === 8 ? 0x8664 : 0x14c,
    KernBase: BigInt.asUintN(64, plan.kernelBase),
    PsLoadedModuleList: forge.symbol('PsLoadedModuleList'),
  });
}

/** The debugger's block, x64: lists what the kernel's globals are. Its tag is KDBG, its size that of Windows 7's. */
export function writeDebuggerBlock(forge: Forge): void {
  if (forge.pointer !== 8) return;
  const at = (name: string): bigint => forge.symbol(name);
  forge.put('_KDDEBUGGER_DATA64', at('KdDebuggerDataBlock'), {
    Header: { List: { Flink: at('KdDebuggerDataBlock'), Blink: at('KdDebuggerDataBlock') }, OwnerTag: 0x4742444b, Size: forge.size('_KDDEBUGGER_DATA64') },
    KernBase: forge.plan.kernelBase,
    PsLoadedModuleList: at('PsLoadedModuleList'),
    PsActiveProcessHead: at('PsActiveProcessHead'),
    PspCidTable: at('PspCidTable'),
    ObpRootDirectoryObject: at('ObpRootDirectoryObject'),
    ObpTypeObjectType: at('ObpTypeObjectType'),
    MmPfnDatabase: at('MmPfnDatabase'),
    KeBugCheckCallbackListHead: at('KeBugCheckCallbackListHead'),
    MmNonPagedPoolStart: at('MmNonPagedPoolStart'),
    MmNonPagedPoolEnd: at('MmNonPagedPoolEnd'),
    MmPagedPoolStart: at('MmPagedPoolStart'),
    MmPagedPoolEnd: at('MmPagedPoolEnd'),
    MmPhysicalMemoryBlock: at('MmPhysicalMemoryBlock'),
    MmHighestPhysicalPage: at('MmHighestPhysicalPage'),
    MmLowestPhysicalPage: at('MmLowestPhysicalPage'),
    MmNumberOfPhysicalPages: at('MmNumberOfPhysicalPages'),
    MmPageSize: 4096,
    KiProcessorBlock: at('KiProcessorBlock'),
    MmUnloadedDrivers: at('MmUnloadedDrivers'),
    MmLastUnloadedDriver: at('MmLastUnloadedDriver'),
    KdPrintCircularBuffer: 0,
    NtBuildLab: at('NtBuildLab'),
    CmNtCSDVersion: at('CmNtCSDVersion'),
    KeTimeIncrement: at('KeTimeIncrement'),
    SizePrcb: forge.size('_KPRCB'),
    SizeEProcess: forge.size('_EPROCESS'),
    SizeEThread: forge.size('_ETHREAD'),
    OffsetEprocessPeb: forge.offset('_EPROCESS', 'Peb'),
    OffsetEprocessParentCID: forge.offset('_EPROCESS', 'InheritedFromUniqueProcessId'),
    OffsetEprocessDirectoryTableBase: forge.offset('_EPROCESS', 'Pcb.DirectoryTableBase'),
  });
}

const TRAPS: Readonly<Record<number, string>> = {
  0: 'KiDivideErrorFault', 1: 'KiDebugTrapOrFault', 2: 'KiNmiInterruptStart', 3: 'KiBreakpointTrap', 4: 'KiOverflowTrap', 5: 'KiBoundFault', 6: 'KiInvalidOpcodeFault',
  7: 'KiNpxNotAvailableFault', 8: 'KiDoubleFaultAbort', 13: 'KiGeneralProtectionFault', 14: 'KiPageFault',
};
/** Descriptors of 64-bit Windows (AMD64 manual, volume 2, 4.7): null, null, kernel code, kernel data, user code 32, user data, user code 64. */
const DESCRIPTORS = [0n, 0n, 0x00209b0000000000n, 0x00cf93000000ffffn, 0x00cffb000000ffffn, 0x00cff3000000ffffn, 0x0020fb0000000000n];

/** The processor: its control region, descriptor tables, and what it runs. */
export function writeProcessor(forge: Forge, thread: bigint, idle: bigint): void {
  const pcr = forge.symbol('KiInitialPCR');
  const wide = forge.pointer === 8;
  const prcb = pcr + BigInt(wide ? forge.offset('_KPCR', 'Prcb') : forge.offset('_KPCR', 'PrcbData'));
  if (wide) forge.put('_KPCR', pcr, { Self: pcr, CurrentPrcb: prcb, IdtBase: forge.symbol('KiIdt'), GdtBase: forge.symbol('KiGdt'), TssBase: forge.symbol('KiTss'), KdVersionBlock: forge.symbol('KdVersionBlock'), Irql: 0, MajorVersion: 1, MinorVersion: 1 });
  else forge.put('_KPCR', pcr, { SelfPcr: pcr, Prcb: prcb, MajorVersion: 1, MinorVersion: 1 });
  forge.put('_KPRCB', prcb, { MajorVersion: 1, MinorVersion: 1, CurrentThread: thread, IdleThread: idle, Number: 0, CpuType: 6, MHz: 2400, VendorString: Array.from(Buffer.from('GenuineIntel')) });
  forge.word(forge.symbol('KiProcessorBlock'), prcb);
  if (!wide) return;
  forge.put('_KPRCB', prcb, { ProcessorState: { SpecialRegisters: { Cr0: 0x80050031n, Cr3: BigInt(forge.system.root) << 12n, Cr4: 0x6f8n, Idtr: { Limit: 0xfff, Base: forge.symbol('KiIdt') }, Gdtr: { Limit: 0x7f, Base: forge.symbol('KiGdt') }, Tr: 0x40 } } });
  for (let vector = 0; vector < 256; vector++) {
    const handler = forge.symbol(TRAPS[vector] ?? 'KiUnexpectedInterrupt');
    forge.put('_KIDTENTRY64', forge.symbol('KiIdt') + BigInt(vector * 16), {
      OffsetLow: Number(handler & 0xffffn), OffsetMiddle: Number((handler >> 16n) & 0xffffn), OffsetHigh: Number((handler >> 32n) & 0xffffffffn), Selector: 0x10, Type: 14, Dpl: vector === 3 ? 3 : 0, Present: 1,
    });
  }
  for (const [index, descriptor] of DESCRIPTORS.entries()) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(descriptor);
    forge.system.write(forge.symbol('KiGdt') + BigInt(index * 8), bytes);
  }
}

export interface MadeService {
  readonly index: number;
  readonly name: string;
  readonly address: bigint;
  readonly hooked: boolean;
}

/** System services: on x64 distances from the table, shifted by 4, with the number of arguments on the stack. One leads into another module. */
export function writeServices(forge: Forge, kernel: Piece, hook: { readonly name: string; readonly address: bigint }): MadeService[] {
  const names = [...kernel.exports].filter(([name, target]) => name.startsWith('Nt') && typeof target === 'number' && name !== 'NtBuildNumber');
  const byAddress = new Map(names.map(([name, target]) => [kernel.base + BigInt(target as number), name]));
  const count = forge.system.read(forge.symbol('KiServiceLimit'), 4).readUInt32LE();
  const table = forge.symbol('KiServiceTable');
  const services: MadeService[] = [];
  for (let index = 0; index < count; index++) {
    const own = forge.readWord(forge.symbol('ForgeServices') + BigInt(index * forge.pointer));
    const name = byAddress.get(own) ?? '';
    const hooked = name === hook.name;
    const address = hooked ? hook.address : own;
    const argumentBytes = forge.system.read(forge.symbol('KiArgumentTable') + BigInt(index), 1)[0] ?? 0;
    if (forge.pointer === 8) forge.u32(table + BigInt(index * 4), Number(BigInt.asIntN(32, ((address - table) << 4n) | BigInt(argumentBytes / 4))));
    else forge.word(table + BigInt(index * 4), address);
    services.push({ index, name, address, hooked });
  }
  for (const name of ['KeServiceDescriptorTable', 'KeServiceDescriptorTableShadow']) {
    const at = forge.symbol(name);
    forge.word(at, table);
    forge.u32(at + BigInt(2 * forge.pointer), count);
    forge.word(at + BigInt(3 * forge.pointer), forge.symbol('KiArgumentTable'));
  }
  return services;
}

/** One driver that was unloaded (its ring has 50 places). */
export function writeUnloaded(forge: Forge): { readonly name: string; readonly start: bigint; readonly end: bigint; readonly time: string } {
  const gone = { name: 'dump_dumpfve.sys', start: 0xfffff88001800000n & (forge.pointer === 8 ? ~0n : 0x8fffffffn), end: 0xfffff88001813000n & (forge.pointer === 8 ? ~0n : 0x8fffffffn), time: '2026-01-05T08:01:15Z' };
  const size = forge.pointer === 8 ? 0x28 : 0x18;
  const array = forge.nonPaged.allocate(50 * size, 'MmUn');
  const name = forge.text(gone.name, forge.nonPaged, 'MmDN');
  const bytes = Buffer.alloc(size);
  bytes.writeUInt16LE(Number(name['Length']), 0);
  bytes.writeUInt16LE(Number(name['MaximumLength']), 2);
  const word = (value: bigint, at: number): unknown => (forge.pointer === 8 ? bytes.writeBigUInt64LE(value, at) : bytes.writeUInt32LE(Number(value), at));
  word(name['Buffer'] as bigint, forge.pointer);
  word(gone.start, forge.pointer * 2);
  word(gone.end, forge.pointer * 3);
  bytes.writeBigUInt64LE(fileTime(gone.time), forge.pointer * 4);
  forge.system.write(array, bytes);
  forge.word(forge.symbol('MmUnloadedDrivers'), array);
  forge.u32(forge.symbol('MmLastUnloadedDriver'), 1);
  return gone;
}

export { large };
