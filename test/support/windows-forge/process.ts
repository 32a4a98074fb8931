import { fileTime, type Forge, large } from './forge.js';
import { laidOut, type Piece } from './pe.js';
import type { Objects } from './objects.js';
import { type Region, writeRegions, type WrittenVad } from './regions.js';
import { type MappedFile, PROTECTION, type Sections } from './sections.js';
import type { ProcessSpec } from './scene.js';
import { Space } from './space.js';
import { writeToken } from './token.js';
import { type LoadedModule, moduleOf, writePeb } from './user.js';

/** A process that was made, with all that the truth says of it. */
export interface MadeProcess {
  readonly spec: ProcessSpec;
  readonly address: bigint;
  readonly space: Space;
  readonly token: bigint;
  readonly threads: readonly MadeThread[];
  readonly vads: readonly WrittenVad[];
  readonly modules: readonly LoadedModule[];
  readonly marks: Record<string, unknown>;
}

export interface MadeThread {
  readonly address: bigint;
  readonly tid: number;
  readonly start: bigint;
  readonly win32Start: bigint;
  readonly teb: bigint;
}

/** What all processes map. */
export interface Shared {
  readonly ntdll: MappedFile;
  readonly kernel32: MappedFile;
  readonly locale: MappedFile;
  readonly programs: ReadonlyMap<string, MappedFile>;
  /** memory that the processes of session 1 share */
  readonly section: MappedFile;
  readonly sharedFrame: number;
  readonly pieces: ReadonlyMap<string, Piece>;
}

const HEAP = 0x200000n;
const STACKS = 0x300000n;
const LOCALE = 0x400000n;
const SECTION = 0x500000n;
const STATES = 0x600000n;
const INJECTED = 0x1f20000n;
const USER_SHARED = 0x7ffe0000n;
const PAGE = 4096n;

/** Makes a process: its tables, regions, PEB, token, object and threads. Lists, handles and sessions come later. */
export function makeProcess(forge: Forge, objects: Objects, sections: Sections, shared: Shared, spec: ProcessSpec, nextTid: () => number): MadeProcess {
  const user = spec.program !== undefined && spec.exited === undefined;
  const space = spec.program === undefined ? forge.system : new Space(forge.machine, forge.system);
  const regions: Region[] = [];
  const marks: Record<string, unknown> = {};
  const modules: LoadedModule[] = [];
  const token = writeToken(forge, objects, spec.user, spec.session ?? 0, spec.pid);
  const program = spec.program === undefined ? undefined : shared.programs.get(`${spec.program} ${spec.path ?? ''}`);
  const address = objects.create('Process', '_EPROCESS', {
    Pcb: { Header: { Type: 3, Size: forge.size('_KPROCESS') / 4 }, DirectoryTableBase: BigInt(space.root) << 12n, BasePriority: 8 },
    CreateTime: large(fileTime(spec.created)),
    ExitTime: large(spec.exited === undefined ? 0n : fileTime(spec.exited)),
    UniqueProcessId: spec.pid,
    InheritedFromUniqueProcessId: spec.parent,
    ImageFileName: spec.name.slice(0, 14),
    PriorityClass: 2,
    ActiveThreads: spec.threads,
    ExitStatus: spec.exited === undefined ? 0x103 : 0,
    Token: { Value: token | (forge.pointer === 8 ? 15n : 7n) },
    Peb: user ? forge.plan.peb : 0,
    SectionBaseAddress: program?.image?.base ?? 0,
    Flags: spec.exited === undefined ? 0x144d0841 : 0x144d084d,
    'HighestUserAddress?': forge.plan.highestUser,
  });
  const pcb = address;
  forge.link(pcb + BigInt(forge.offset('_KPROCESS', 'Header.WaitListHead')), []);
  if (program) {
    const auditName = forge.paged.allocate(forge.size('_OBJECT_NAME_INFORMATION') + 0x200, 'SeNm');
    forge.put('_OBJECT_NAME_INFORMATION', auditName, { Name: forge.text(`\\Device\\HarddiskVolume1${program.path}`) });
    forge.put('_EPROCESS', address, { SeAuditProcessCreationInfo: { ImageFileName: auditName } });
  }
  if (user && program) {
    for (const file of [program, shared.ntdll, shared.kernel32]) {
      if (file.path.endsWith('kernel32.dll') && spec.name === 'smss.exe') continue;
      mapImage(sections, space, file, spec.pid);
      regions.push({ start: file.image?.base ?? 0n, end: (file.image?.base ?? 0n) + BigInt(file.pages) * PAGE - 1n, protection: PROTECTION.executeWriteCopy, commit: 1, file });
      modules.push(moduleOf(file, file === program ? (spec.path ?? '') : `C:\\Windows\\SYSTEM32\\${file.path.slice(file.path.lastIndexOf('\\') + 1)}`));
    }
    for (let page = 0n; page < 2n; page++) space.fresh(HEAP + page * PAGE, { user: true, write: true });
    space.demandZero(HEAP + 2n * PAGE, PROTECTION.readWrite);
    regions.push({ start: HEAP, end: HEAP + 0xffffn, protection: PROTECTION.readWrite, commit: 16 });
    const pebFrame = space.fresh(forge.plan.peb, { user: true, write: true });
    regions.push({ start: forge.plan.peb, end: forge.plan.peb + PAGE - 1n, protection: PROTECTION.readWrite, commit: 1 });
    writePeb(forge, space, spec, modules, HEAP);
    if (spec.pagedOut === true) {
      space.pages.delete(Number(forge.plan.peb >> 12n));
      space.inPageFile(forge.plan.peb, PROTECTION.readWrite, 0, 0x1234);
      forge.machine.uses.delete(pebFrame);
      forge.machine.bytes(pebFrame).fill(0);
      marks['peb in page file'] = { file: 0, offset: '0x1234000' };
    }
    for (let page = 0; page < shared.locale.pages; page++) sections.mapPage(space, LOCALE + BigInt(page) * PAGE, shared.locale, page, page === 1 ? 'prototype' : 'valid');
    regions.push({ start: LOCALE, end: LOCALE + BigInt(shared.locale.pages) * PAGE - 1n, protection: PROTECTION.readOnly, commit: 0, file: shared.locale });
    space.map(USER_SHARED, shared.sharedFrame, { user: true }, false);
    regions.push({ start: USER_SHARED, end: USER_SHARED + 0xffffn, protection: PROTECTION.readOnly, commit: 1 });
    if (spec.session === 1) {
      sections.mapPage(space, SECTION, shared.section, 0, 'valid');
      regions.push({ start: SECTION, end: SECTION + PAGE - 1n, protection: PROTECTION.readWrite, commit: 0, file: shared.section });
    }
    if (spec.states === true) marks['page states'] = pageStates(forge, space, regions);
    if (spec.injected === true) marks['injected'] = inject(forge, space, regions, shared.pieces.get('agent.exe'));
  }
  const threads: MadeThread[] = [];
  for (let index = 0; index < spec.threads; index++) threads.push(makeThread(forge, objects, shared, { spec, address, space, regions, program, index, tid: nextTid() }));
  const link = (head: string, member: string): void => {
    const [type, own] = head.startsWith('Pcb') ? ['_ETHREAD', `Tcb.${member}`] : ['_ETHREAD', member];
    forge.link(address + BigInt(forge.offset('_EPROCESS', head)), threads.map((thread) => thread.address + BigInt(forge.offset(type, own))));
  };
  link('ThreadListHead', 'ThreadListEntry');
  link('Pcb.ThreadListHead', 'ThreadListEntry');
  const vads = writeRegions(forge, address, regions);
  return { spec, address, space, token, threads, vads, modules, marks };
}

/** An executable: headers, code and constants shared, data copied when it was written to; some pages only through their prototypes. */
function mapImage(sections: Sections, space: Space, file: MappedFile, pid: number): void {
  for (let page = 0; page < file.pages; page++) {
    const section = file.sectionOf(page);
    const at = (file.image?.base ?? 0n) + BigInt(page) * PAGE;
    if (section?.name === '.reloc') continue;
    if (section?.write === true) sections.mapPage(space, at, file, page, file.path.endsWith('.exe') ? 'private' : 'vad');
    else sections.mapPage(space, at, file, page, section?.name === '.rdata' && pid % 8 === 4 ? 'prototype' : 'valid');
  }
}

function pageStates(forge: Forge, space: Space, regions: Region[]): Record<string, unknown> {
  const at = (page: bigint): bigint => STATES + page * PAGE;
  const mark = (page: bigint, text: string): number => {
    const frame = space.fresh(at(page), { user: true, write: true });
    space.write(at(page), Buffer.from(text));
    return frame;
  };
  const valid = mark(0n, 'FORGED PAGE: valid');
  const transition = mark(1n, 'FORGED PAGE: in transition, still in memory');
  space.transition(at(1n), transition, PROTECTION.readWrite);
  space.inPageFile(at(2n), PROTECTION.readWrite, 0, 0x2a5);
  space.demandZero(at(3n), PROTECTION.readWrite);
  regions.push({ start: STATES, end: at(5n) - 1n, protection: PROTECTION.readWrite, commit: 5 });
  const hex = (value: number): string => `0x${(value * 4096).toString(16)}`;
  void forge;
  return {
    [`0x${at(0n).toString(16)}`]: { state: 'valid', physical: hex(valid) },
    [`0x${at(1n).toString(16)}`]: { state: 'transition', physical: hex(transition) },
    [`0x${at(2n).toString(16)}`]: { state: 'page file', file: 0, offset: '0x2a5000' },
    [`0x${at(3n).toString(16)}`]: { state: 'demand zero' },
    [`0x${at(4n).toString(16)}`]: { state: 'never touched' },
  };
}

function inject(forge: Forge, space: Space, regions: Region[], piece: Piece | undefined): Record<string, unknown> {
  if (!piece) throw new Error('no agent');
  const bytes = laidOut(piece).subarray(0, 2 * 4096);
  for (let page = 0n; page < 2n; page++) space.fresh(INJECTED + page * PAGE, { user: true, write: true, execute: true });
  space.write(INJECTED, bytes);
  void forge;
  regions.push({ start: INJECTED, end: INJECTED + 2n * PAGE - 1n, protection: PROTECTION.executeReadWrite, commit: 2 });
  return { start: `0x${INJECTED.toString(16)}`, end: `0x${(INJECTED + 2n * PAGE - 1n).toString(16)}` };
}

interface ThreadPlace {
  readonly spec: ProcessSpec;
  readonly address: bigint;
  readonly space: Space;
  readonly regions: Region[];
  readonly program: MappedFile | undefined;
  readonly index: number;
  readonly tid: number;
}

const SYSTEM_THREADS = ['Phase1Initialization', 'ExpWorkerThread', 'ExpWorkerThread', 'MiModifiedPageWriter', 'ExpWorkerThread'];

function makeThread(forge: Forge, objects: Objects, shared: Shared, { spec, address, space, regions, program, index, tid }: ThreadPlace): MadeThread {
  const user = program !== undefined;
  const tebSize = forge.has('_TEB', 'NtTib') ? 0x2000n : 0x1000n;
  const teb = user ? forge.plan.peb - tebSize * BigInt(index + 1) : 0n;
  const export_ = shared.ntdll.image?.exports.get('RtlUserThreadStart');
  const start = user ? (shared.ntdll.image?.base ?? 0n) + BigInt(typeof export_ === 'number' ? export_ : 0) : forge.symbol(SYSTEM_THREADS[index] ?? 'ExpWorkerThread');
  const win32Start = user ? (program.image?.base ?? 0n) + BigInt(program.image?.entry ?? 0) : start;
  const stack = STACKS + BigInt(index) * 0x10000n;
  if (user) {
    space.fresh(stack + 0xf000n, { user: true, write: true });
    space.entry(stack + 0xe000n, BigInt(PROTECTION.guard) << 5n);
    regions.push({ start: stack, end: stack + 0xffffn, protection: PROTECTION.readWrite, commit: 2 });
    space.fresh(teb, { user: true, write: true });
    if (tebSize > 0x1000n) space.fresh(teb + PAGE, { user: true, write: true });
    regions.push({ start: teb, end: teb + tebSize - 1n, protection: PROTECTION.readWrite, commit: Number(tebSize / PAGE) });
    if (forge.has('_TEB', 'NtTib')) {
      forge.put('_TEB', teb, { NtTib: { StackBase: stack + 0x10000n, StackLimit: stack + 0xf000n, Self: teb }, ClientId: { UniqueProcess: spec.pid, UniqueThread: tid }, ProcessEnvironmentBlock: forge.plan.peb }, space);
    }
  }
  const thread = objects.create('Thread', '_ETHREAD', {
    Tcb: {
      Header: { Type: 6, Size: forge.size('_KTHREAD') / 4 },
      Teb: teb,
      Process: address,
      ApcState: { Process: address },
      State: 5,
      WaitReason: 6,
      Priority: 9,
      BasePriority: 8,
      PreviousMode: user ? 1 : 0,
      InitialStack: forge.plan.stacks + BigInt(tid) * 0x2000n,
      StackLimit: forge.plan.stacks + BigInt(tid) * 0x2000n - 0x6000n,
      KernelStack: forge.plan.stacks + BigInt(tid) * 0x2000n - 0x500n,
    },
    CreateTime: large(fileTime(spec.created) + BigInt(index) * 10000n),
    StartAddress: start,
    Win32StartAddress: win32Start,
    Cid: { UniqueProcess: spec.pid, UniqueThread: tid },
    CrossThreadFlags: user ? 2 : 0x12,
  });
  return { address: thread, tid, start, win32Start, teb };
}
