import type { Forge } from './forge.js';
import { type Handle, writeHandles } from './handles.js';
import type { Directory, Objects } from './objects.js';
import type { MadeProcess } from './process.js';
import type { Sections } from './sections.js';

/** Registry keys: control blocks that lead to their parents, with names in one byte a character. */
export class Keys {
  private readonly blocks = new Map<string, bigint>();

  constructor(
    private readonly forge: Forge,
    private readonly objects: Objects,
  ) {}

  /** A key object of a path `REGISTRY\MACHINE\SYSTEM`. */
  open(path: string): bigint {
    return this.objects.create('Key', '_CM_KEY_BODY', { Type: 0x6b793032, KeyControlBlock: this.block(path) });
  }

  private block(path: string): bigint {
    const known = this.blocks.get(path);
    if (known !== undefined) return known;
    const { forge } = this;
    const cut = path.lastIndexOf('\\');
    const name = path.slice(cut + 1);
    const parent = cut < 0 ? 0n : this.block(path.slice(0, cut));
    const nameBlock = forge.paged.allocate(forge.size('_CM_NAME_CONTROL_BLOCK') + name.length, 'CMNb');
    forge.put('_CM_NAME_CONTROL_BLOCK', nameBlock, { Compressed: 1, RefCount: 1, NameLength: name.length });
    forge.system.write(nameBlock + BigInt(forge.offset('_CM_NAME_CONTROL_BLOCK', 'Name')), Buffer.from(name, 'latin1'));
    const block = forge.paged.allocate(forge.size('_CM_KEY_CONTROL_BLOCK'), 'CM25');
    forge.put('_CM_KEY_CONTROL_BLOCK', block, { RefCount: 1, ParentKcb: parent, NameBlock: nameBlock, TotalLevels: path.split('\\').length });
    this.blocks.set(path, block);
    return block;
  }
}

/** A handle as the truth states it. */
export interface TrueHandle {
  readonly pid: number;
  readonly handle: number;
  readonly type: string;
  readonly name: string;
  readonly object: bigint;
  readonly access: number;
}

const CONFIG = 'REGISTRY\\MACHINE\\SYSTEM\\ControlSet001';
const PROCESS_ACCESS = 0x1fffff;

/** Gives every process its handles, and writes their tables. */
export function writeAllHandles(forge: Forge, objects: Objects, sections: Sections, processes: readonly MadeProcess[], { known, named }: { known: Directory; named: Directory }): TrueHandle[] {
  const truth: TrueHandle[] = [];
  const full = forge.has('_CM_KEY_BODY', 'KeyControlBlock');
  const keys = full ? new Keys(forge, objects) : undefined;
  const tables: bigint[] = [];
  for (const { spec, address, threads, token } of processes) {
    if (spec.exited !== undefined) continue;
    const list: { object: bigint; type: string; name: string; access: number }[] = [];
    const add = (type: string, object: bigint, name: string, access: number): unknown => list.push({ type, object, name, access });
    if (full && sections.device !== 0n) {
      add('Directory', known.address, known.path.slice(1), 3);
      const path = spec.pid === 1388 ? '\\Users\\analyst\\notes.txt' : spec.pid === 1512 ? '\\ProgramData\\stolen.dat' : '\\Windows\\System32';
      add('File', sections.file(path), `\\Device\\HarddiskVolume1${path}`, 0x100020);
      if (keys) {
        const key = spec.pid === 1512 ? 'REGISTRY\\MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run' : `${CONFIG}\\Control\\Session Manager`;
        add('Key', keys.open(key), `\\${key}`, 0x20019);
      }
      const event = objects.create('Event', '_KEVENT', { Header: { Type: 0, Size: 6 } });
      add('Event', event, '', 0x1f0003);
      const mutant = `Forge${spec.pid}`;
      if (spec.session !== undefined) add('Mutant', objects.create('Mutant', '_KMUTANT', { Header: { Type: 2, Size: 14, SignalState: 1 } }, { name: mutant, directory: named, quota: true }), mutant, 0x1f0001);
      if (spec.name === 'lsass.exe' || spec.name === 'services.exe') add('Token', token, '', 0xf01ff);
    }
    for (const pid of spec.opens ?? []) {
      const target = processes.find((one) => one.spec.pid === pid);
      if (target) add('Process', target.address, `${target.spec.name}(${pid})`, PROCESS_ACCESS);
    }
    const [thread] = threads;
    if (thread) add('Thread', thread.address, `TID ${thread.tid} PID ${spec.pid}`, PROCESS_ACCESS);
    // Every fourth is left free, as closed handles leave it.
    const handles: Handle[] = list.map(({ object, access }, index) => ({ value: 4 * (index + 1 + Math.floor(index / 3)), object, access }));
    for (const [index, { type, name, object, access }] of list.entries()) truth.push({ pid: spec.pid, handle: handles[index]?.value ?? 0, type, name, object, access });
    const table = writeHandles(forge, objects, handles, { process: address, id: spec.pid });
    tables.push(table);
    forge.put('_EPROCESS', address, { ObjectTable: table });
    if (spec.pid === 4) forge.word(forge.symbol('ObpKernelHandleTable'), table);
  }
  forge.link(forge.symbol('HandleTableListHead'), tables.map((table) => table + BigInt(forge.offset('_HANDLE_TABLE', 'HandleTableList'))));
  return truth;
}

/** The table of ids: processes and threads by their numbers. */
export function writeCidTable(forge: Forge, objects: Objects, processes: readonly MadeProcess[]): void {
  const handles: Handle[] = [];
  for (const { spec, address, threads } of processes) {
    if (spec.exited === undefined) handles.push({ value: spec.pid, object: address, access: 0 });
    for (const { tid, address: thread } of threads) handles.push({ value: tid, object: thread, access: 0 });
  }
  const table = writeHandles(forge, objects, handles, undefined, true);
  forge.word(forge.symbol('PspCidTable'), table);
}
