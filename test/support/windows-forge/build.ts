import { writeCallbacks, writeTimers } from './callbacks.js';
import { writeAllHandles, writeCidTable } from './contents.js';
import { mapKernelImage, writeDrivers, writeModules } from './drivers.js';
import { Forge, large, fileTime } from './forge.js';
import { Objects } from './objects.js';
import { type Piece, readPiece } from './pe.js';
import { writePfnDatabase } from './pfn.js';
import { makeProcess, type MadeProcess, type Shared } from './process.js';
import { DRIVERS, manyProcesses, PROCESSES, TIMES } from './scene.js';
import { type MappedFile, Sections } from './sections.js';
import { writeSessions } from './sessions.js';
import { writeDebuggerBlock, writeGlobals, writeProcessor, writeServices, writeSharedData, writeUnloaded } from './system.js';
import { makeTruth, type Truth } from './truth.js';

export interface BuildOptions {
  /** x64 (default), x86, x86-pae */
  readonly variant?: string;
  /** folder of the compiled pieces */
  readonly pieces: string;
  /** bytes of memory; default 8 MiB */
  readonly memory?: number;
  /** processes at least; default: those of the scene */
  readonly processes?: number;
}

export interface Built {
  readonly forge: Forge;
  readonly truth: Truth;
}

/** The frame of ntdll's code: examples and the workshop name it. */
const NTDLL_CODE = new Map([[1, 0x2c4]]);
const PROGRAMS = ['smss', 'csrss', 'wininit', 'services', 'lsass', 'winlogon', 'explorer', 'svchost', 'notepad', 'agent'];

/** Builds the memory of a machine, and tells what was put where. */
export function build({ variant = 'x64', pieces: folder, memory = 8 * 1024 * 1024, processes: count = 0 }: BuildOptions): Built {
  const specs = count > PROCESSES.length ? manyProcesses(count) : PROCESSES;
  const forge = new Forge(variant, folder, memory / 4096, specs.length > PROCESSES.length ? 8 : 1);
  const files = ['ntoskrnl.exe', 'hal.dll', ...DRIVERS.map(({ file }) => file), 'ntdll.dll', 'kernel32.dll', ...PROGRAMS.map((name) => `${name}.exe`)];
  const pieces = new Map<string, Piece>(files.map((name) => [name.toLowerCase(), readPiece(forge.piece(name))]));
  const piece = (name: string): Piece => pieces.get(name.toLowerCase()) as Piece;
  for (const name of files.slice(0, 2 + DRIVERS.length)) mapKernelImage(forge, piece(name), pieces);
  const sharedFrame = writeSharedData(forge);
  const objects = new Objects(forge);
  const modules = writeModules(forge, [
    { name: 'ntoskrnl.exe', path: '\\SystemRoot\\system32\\ntoskrnl.exe', piece: piece('ntoskrnl.exe') },
    { name: 'hal.dll', path: '\\SystemRoot\\system32\\hal.dll', piece: piece('hal.dll') },
    ...DRIVERS.map(({ file, folder: place }) => ({ name: file, path: `${place}${file}`, piece: piece(file) })),
  ]);
  const full = forge.has('_DRIVER_OBJECT', 'DriverName');
  const entriesOf = (image: Piece): bigint[] => entries(forge, image);
  const drivers = full ? writeDrivers(forge, objects, modules, forge.symbol('IopInvalidDeviceRequest'), entriesOf) : [];
  const disk = drivers.find(({ name }) => name === '\\Driver\\volmgr')?.device ?? 0n;
  const known = objects.directory('KnownDlls');
  const named = objects.directory('BaseNamedObjects');
  const sections = new Sections(forge, objects, pieces, disk);
  if (full) {
    const links = objects.directory('GLOBAL??');
    objects.link('C:', '\\Device\\HarddiskVolume1', links);
    objects.link('SystemRoot', '\\Device\\HarddiskVolume1\\Windows', objects.root);
    objects.directory('Sessions');
    objects.directory('RPC Control');
  }
  const shared = makeShared(sections, specs, piece, pieces, sharedFrame);
  // Ids of processes and threads come out of one table: none is given twice, nor the first place of a page, which is not used.
  let tid = specs.length > PROCESSES.length ? 100000 : 3000;
  const processes: MadeProcess[] = specs.map((spec) => makeProcess(forge, objects, sections, shared, spec, () => (tid += tid % 1024 === 1020 ? 8 : 4)));
  if (full) {
    for (const file of [shared.ntdll, shared.kernel32]) objects.create('Section', '_SECTION_OBJECT', { Segment: file.segment }, { name: file.path.slice(file.path.lastIndexOf('\\') + 1), directory: known });
  }
  const active = processes.filter(({ spec }) => spec.unlinked !== true);
  const links = BigInt(forge.offset('_EPROCESS', 'ActiveProcessLinks'));
  forge.link(forge.symbol('PsActiveProcessHead'), active.map(({ address }) => address + links));
  // What unlinks itself leaves its own links as they were.
  for (const { spec, address } of processes) if (spec.unlinked === true) forge.link(address + links, []);
  const [system] = processes;
  forge.word(forge.symbol('PsInitialSystemProcess'), system?.address ?? 0n);
  writeIdle(forge);
  const handles = writeAllHandles(forge, objects, sections, processes, { known, named });
  writeCidTable(forge, objects, processes);
  const sessions = writeSessions(forge, processes);
  writeGlobals(forge);
  writeDebuggerBlock(forge);
  writeProcessor(forge, processes.find(({ spec }) => spec.name === 'explorer.exe')?.threads[0]?.address ?? 0n, forge.symbol('KiInitialThread'));
  const services = writeServices(forge, piece('ntoskrnl.exe'), { name: 'NtOpenProcess', address: entriesOf(piece('hal.dll'))[7] ?? 0n });
  const unloaded = writeUnloaded(forge);
  const stray = forge.nonPaged.allocate(64, 'None');
  forge.system.write(stray, Uint8Array.of(0x48, 0x31, 0xc0, 0xc3));
  const callbacks = full
    ? writeCallbacks(forge, { watch: entriesOf(piece('watch.sys')), tcpip: entriesOf(piece('tcpip.sys')), hal: entriesOf(piece('hal.dll')), device: disk, stray })
    : [];
  const timers = full
    ? writeTimers(forge, [
        { routine: entriesOf(piece('tcpip.sys'))[5] ?? 0n, due: 0x29465a200n, period: 0 },
        { routine: entriesOf(piece('watch.sys'))[5] ?? 0n, due: 0x2963d2580n, period: 5000 },
        { routine: stray, due: 0x297fee900n, period: 1000 },
      ])
    : [];
  writeBigPools(forge);
  objects.finish();
  sections.finish();
  for (const pool of [forge.nonPaged, forge.paged]) pool.finish();
  const pfn = writePfnDatabase(forge);
  for (const { space, spec } of processes) if (space !== forge.system) space.share(spec.session === undefined ? undefined : sessions.get(spec.session));
  return { forge, truth: makeTruth({ forge, modules, drivers, objects, processes, handles, services, callbacks, timers, unloaded, shared, pfn, stray }) };
}

/** Addresses that a driver lists of its functions: create, read, control, on process, on image, on timer, on shutdown, read ahead, unload. */
function entries(forge: Forge, image: Piece): bigint[] {
  const found: bigint[] = [];
  const inside = (value: bigint): boolean => value >= image.base && value < image.base + BigInt(image.size);
  const constants = image.sections.find(({ name }) => name === '.rdata');
  if (!constants) return found;
  // The table is the only run of nine addresses of code.
  for (let at = image.base + BigInt(constants.rva); at < image.base + BigInt(constants.rva + constants.size); at += BigInt(forge.pointer)) {
    const value = forge.readWord(at);
    if (inside(value)) found.push(value);
    else if (found.length >= 9) break;
    else found.length = 0;
  }
  return found.slice(0, 9);
}

function makeShared(sections: Sections, specs: readonly (typeof PROCESSES)[number][], piece: (name: string) => Piece, pieces: ReadonlyMap<string, Piece>, sharedFrame: number): Shared {
  const programs = new Map<string, MappedFile>();
  const ntdll = sections.image('\\Windows\\System32\\ntdll.dll', piece('ntdll.dll'), [], NTDLL_CODE);
  // A page of kernel32 was cut from everybody's working set and waits on the standby list.
  const kernel32 = sections.image('\\Windows\\System32\\kernel32.dll', piece('kernel32.dll'), [2]);
  for (const { program, path, exited } of specs) {
    if (program === undefined || exited !== undefined) continue;
    const key = `${program} ${path ?? ''}`;
    if (!programs.has(key)) programs.set(key, sections.image((path ?? '').replace(/^C:/, '').replace(/^\\SystemRoot/, '\\Windows'), piece(program)));
  }
  const locale = sections.data('\\Windows\\System32\\locale.nls', Buffer.concat([Buffer.from('FORGED locale.nls\0'.repeat(400)), Buffer.alloc(1000)]));
  const section = sections.shared(Buffer.from('FORGED PAGE: shared by the processes of session 1\0'));
  return { ntdll, kernel32, locale, programs, section, sharedFrame, pieces };
}

/** The Idle process and its thread stand in the kernel's image, and have no object headers. */
function writeIdle(forge: Forge): void {
  const process = forge.symbol('KiInitialProcess');
  const thread = forge.symbol('KiInitialThread');
  forge.put('_EPROCESS', process, {
    Pcb: { Header: { Type: 3, Size: forge.size('_KPROCESS') / 4 }, DirectoryTableBase: BigInt(forge.system.root) << 12n },
    ImageFileName: 'Idle',
    ActiveThreads: 1,
    CreateTime: large(0n),
  });
  forge.put('_ETHREAD', thread, { Tcb: { Header: { Type: 6, Size: forge.size('_KTHREAD') / 4 }, Process: process, ApcState: { Process: process }, State: 2 }, StartAddress: forge.symbol('KiIdleLoop'), CrossThreadFlags: 0x10, CreateTime: large(fileTime(TIMES.boot)) });
  forge.link(process + BigInt(forge.offset('_EPROCESS', 'ThreadListHead')), [thread + BigInt(forge.offset('_ETHREAD', 'ThreadListEntry'))]);
  forge.link(process + BigInt(forge.offset('_EPROCESS', 'Pcb.ThreadListHead')), [thread + BigInt(forge.offset('_ETHREAD', 'Tcb.ThreadListEntry'))]);
  forge.link(process + BigInt(forge.offset('_EPROCESS', 'ActiveProcessLinks')), []);
  forge.word(forge.symbol('PsIdleProcess'), process);
}

/** Allocations of whole pages, by their address (PoolBigPageTable). */
function writeBigPools(forge: Forge): void {
  if (!forge.has('_POOL_TRACKER_BIG_PAGES', 'Va')) return;
  const all = [...forge.nonPaged.big.map((one) => ({ ...one, type: 0 })), ...forge.paged.big.map((one) => ({ ...one, type: 1 }))];
  const size = forge.size('_POOL_TRACKER_BIG_PAGES');
  const count = 2 ** Math.ceil(Math.log2(all.length + 2));
  const table = forge.nonPaged.whole(count * size, 'Pool');
  const step = BigInt(size);
  for (let index = 0; index < count; index++) {
    const one = all[index];
    forge.put('_POOL_TRACKER_BIG_PAGES', table + BigInt(index) * step, one ? { Va: one.address, Key: Buffer.from(one.tag.padEnd(4), 'latin1').readUInt32LE(), PoolType: one.type, NumberOfBytes: one.bytes } : { Va: 1 });
  }
  forge.word(forge.symbol('PoolBigPageTable'), table);
  forge.word(forge.symbol('PoolBigPageTableSize'), BigInt(count));
}
