import { fileTime, type Forge, large } from './forge.js';
import type { Directory, Objects } from './objects.js';
import { bind, laidOut, type Piece } from './pe.js';
import { DRIVERS, TIMES } from './scene.js';

/** A module of the kernel, as PsLoadedModuleList has it. */
export interface KernelModule {
  readonly name: string;
  readonly path: string;
  readonly piece: Piece;
  readonly entry: bigint;
}

export interface MadeDriver {
  readonly name: string;
  readonly object: bigint;
  readonly device: bigint;
  readonly deviceName: string;
  readonly module: KernelModule;
  /** IRP_MJ_* number → address */
  readonly major: readonly bigint[];
}

const PAGE = 4096;

/** Lays a module of the kernel out in its own pages. */
export function mapKernelImage(forge: Forge, piece: Piece, pieces: ReadonlyMap<string, Piece>): void {
  const out = laidOut(piece);
  bind(piece, out, pieces, forge.pointer);
  for (let at = 0; at < out.length; at += PAGE) {
    const section = piece.sections.find(({ rva, size }) => at >= rva && at < rva + Math.max(size, 1));
    forge.system.fresh(piece.base + BigInt(at), { write: section?.write === true, execute: section?.execute === true });
  }
  forge.system.write(piece.base, out);
}

/** The list of modules, in the order in which they were loaded. */
export function writeModules(forge: Forge, modules: readonly Omit<KernelModule, 'entry'>[]): KernelModule[] {
  const made = modules.map(({ name, path, piece }) => {
    const entry = forge.nonPaged.allocate(forge.size('_LDR_DATA_TABLE_ENTRY'), 'MmLd');
    forge.put('_LDR_DATA_TABLE_ENTRY', entry, {
      DllBase: piece.base,
      EntryPoint: piece.base + BigInt(piece.entry),
      SizeOfImage: piece.size,
      FullDllName: forge.text(path, forge.nonPaged, 'MmDN'),
      BaseDllName: forge.text(name, forge.nonPaged, 'MmDN'),
      Flags: 0x09104000,
      LoadCount: 1,
      CheckSum: piece.checksum,
      TimeDateStamp: piece.timestamp,
      'LoadTime?': large(fileTime(TIMES.boot)),
    });
    return { name, path, piece, entry };
  });
  forge.link(forge.symbol('PsLoadedModuleList'), made.map(({ entry }) => entry));
  return made;
}

const IRP_MJ_COUNT = 28;
/** FILE_DEVICE_* (wdm.h) */
const DEVICE_TYPES: Readonly<Record<string, number>> = { 'atapi.sys': 4, 'volmgr.sys': 7, 'Ntfs.sys': 8, 'tcpip.sys': 0x12 };
const [CREATE, READ, DEVICE_CONTROL] = [0, 3, 14];

/** Driver and device objects. Requests that a driver does not handle lead to nt!IopInvalidDeviceRequest; one driver's entry leads elsewhere. */
export function writeDrivers(forge: Forge, objects: Objects, modules: readonly KernelModule[], invalid: bigint, entries: (piece: Piece) => readonly bigint[]): MadeDriver[] {
  const folders = new Map<string, Directory>([['Driver', objects.directory('Driver')], ['FileSystem', objects.directory('FileSystem')]]);
  const devices = objects.directory('Device');
  const watch = modules.find(({ name }) => name === 'watch.sys');
  return DRIVERS.map(({ file, name, device: deviceName }) => {
    const module = modules.find((one) => one.name === file) as KernelModule;
    const [, folder = '', short = ''] = name.split('\\');
    const [create = 0n, read = 0n, control = 0n, , , , , , unload = 0n] = entries(module.piece);
    const major = Array.from({ length: IRP_MJ_COUNT }, () => invalid);
    major[CREATE] = create;
    major[READ] = read;
    major[DEVICE_CONTROL] = control;
    // The hook: reads of the disk's port go by way of watch.sys.
    if (file === 'atapi.sys' && watch) major[READ] = entries(watch.piece)[1] ?? 0n;
    const size = forge.size('_DRIVER_OBJECT');
    const object = objects.create('Driver', '_DRIVER_OBJECT', {
      Type: 4,
      Size: size,
      Flags: 0x12,
      DriverStart: module.piece.base,
      DriverSize: module.piece.size,
      DriverSection: module.entry,
      DriverName: forge.text(name, forge.paged, 'Driv'),
      DriverInit: module.piece.base + BigInt(module.piece.entry),
      DriverUnload: unload,
      MajorFunction: major,
    }, { name: short, directory: folders.get(folder) as Directory, size: size + forge.size('_DRIVER_EXTENSION') });
    const extension = object + BigInt(size);
    forge.put('_DRIVER_EXTENSION', extension, { DriverObject: object, ServiceKeyName: forge.text(short) });
    const deviceSize = forge.size('_DEVICE_OBJECT');
    const device = objects.create('Device', '_DEVICE_OBJECT', {
      Type: 3,
      Size: deviceSize,
      ReferenceCount: 1,
      DriverObject: object,
      DeviceType: DEVICE_TYPES[file] ?? 0x22,
      StackSize: 1,
      Flags: 0x40,
    }, { name: deviceName, directory: devices, size: deviceSize + forge.size('_DEVOBJ_EXTENSION') });
    forge.put('_DEVOBJ_EXTENSION', device + BigInt(deviceSize), { Type: 13, DeviceObject: device });
    forge.put('_DEVICE_OBJECT', device, { DeviceObjectExtension: device + BigInt(deviceSize) });
    forge.put('_DRIVER_OBJECT', object, { DriverExtension: extension, DeviceObject: device });
    return { name, object, device, deviceName, module, major };
  });
}
