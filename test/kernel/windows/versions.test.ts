import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { detectKernel } from '../../../src/kernel/detect.js';
import { Trace } from '../../../src/kernel/trace.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { windowsOverlay } from '../../../src/kernel/windows/overlays.js';
import type { PagingKind } from '../../../src/memory/paging/create.js';
import { BasedSymbols } from '../../../src/symbols/based.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { OverlayTypes } from '../../../src/symbols/overlay.js';
import { Profile } from '../../../src/symbols/profile.js';
import { openRepository } from '../../../src/symbols/repository/open.js';
import { ProfileRepository } from '../../../src/symbols/repository/repository.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import { bootableWindows, type BootOptions } from '../../support/bootable-windows.js';
import { sharedData } from '../../support/shared.js';

const official = sharedData('profiles', 'v1.0', 'nt', 'GUID');
const newer = sharedData('profiles-newer', 'v1.0', 'nt', 'GUID');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb');
const skip = official.skip || newer.skip || isf.skip;
/** A kernel without types and names, as the repository has it. */
const EMPTY = 'A6DC2BA9B3B4450489F134D5906D20832';
/** XP shortly before its release (July 2001): its symbols have no types of regions and tokens. */
const FEWER = { kernel: '7428295BD37B4F589D61A56C7129BA9D1', structs: ['_MMVAD', '_TOKEN'] };

interface Known {
  readonly name: string;
  readonly path: string;
  readonly guid: string;
  readonly age: number;
}

function known(): Known[] {
  return [official, newer, isf].flatMap(({ path }) =>
    readdirSync(path).map((name) => {
      const [, guid = '', age = ''] = /^([0-9A-F]{32})-?(\d+)\./.exec(name) ?? [];
      return { name, path: join(path, name), guid, age: parseInt(age, 16) };
    }),
  );
}

/** What a build is: told by what its structures have, as the profiles state no version. */
interface Build {
  readonly narrow: boolean;
  /** Vista or later; 8 or later; 10 or later */
  readonly vista: boolean;
  readonly eight: boolean;
}

type Condition = (build: Build) => boolean;
const always: Condition = () => true;
const beforeVista: Condition = ({ vista }) => !vista;
const vistaOn: Condition = ({ vista }) => vista;
const beforeEight: Condition = ({ eight }) => !eight;
const eightOn: Condition = ({ eight }) => eight;

/** Members that our walkers read, and of which builds. Alternatives stand side by side: one must be there. */
const MEMBERS: readonly (readonly [Condition, ...string[]])[] = [
  [always, '_LIST_ENTRY.Flink'],
  [always, '_LIST_ENTRY.Blink'],
  [always, '_UNICODE_STRING.Length'],
  [always, '_UNICODE_STRING.Buffer'],
  [always, '_KPROCESS.DirectoryTableBase'],
  ...['Pcb', 'ActiveProcessLinks', 'UniqueProcessId', 'InheritedFromUniqueProcessId', 'ImageFileName', 'CreateTime', 'ExitTime', 'ThreadListHead', 'ActiveThreads', 'ObjectTable', 'Peb', 'Session', 'SectionBaseAddress', 'SessionProcessLinks', 'Token', 'VadRoot'].map((member): [Condition, string] => [always, `_EPROCESS.${member}`]),
  ...['Tcb', 'Cid', 'ThreadListEntry', 'StartAddress', 'Win32StartAddress', 'CreateTime', 'ActiveImpersonationInfo'].map((member): [Condition, string] => [always, `_ETHREAD.${member}`]),
  [always, '_ETHREAD.ClientSecurity', '_ETHREAD.ImpersonationInfo'],
  ...['Token', 'ImpersonationLevel', 'EffectiveOnly'].map((member): [Condition, string] => [beforeVista, `_PS_IMPERSONATION_INFORMATION.${member}`]),
  [vistaOn, '_KTHREAD.Process'],
  [beforeVista, '_ETHREAD.ThreadsProcess', '_KTHREAD.Process'],
  [always, '_KTHREAD.ApcState'],
  [always, '_KAPC_STATE.Process'],
  [always, '_KTHREAD.State'],
  [({ narrow, eight }) => narrow && !eight, '_KTHREAD.ServiceTable'],
  [always, '_HANDLE_TABLE.TableCode'],
  [always, '_HANDLE_TABLE.NextHandleNeedingPool'],
  [beforeEight, '_HANDLE_TABLE_ENTRY.Object'],
  [eightOn, '_HANDLE_TABLE_ENTRY.ObjectPointerBits'],
  [always, '_OBJECT_HEADER.Body'],
  [beforeVista, '_OBJECT_HEADER.Type'],
  [always, '_OBJECT_HEADER.Type', '_OBJECT_HEADER.TypeIndex'],
  [always, '_OBJECT_HEADER.NameInfoOffset', '_OBJECT_HEADER.InfoMask'],
  [always, '_OBJECT_TYPE.Name'],
  [always, '_OBJECT_TYPE.Index'],
  [always, '_OBJECT_DIRECTORY.HashBuckets'],
  [always, '_OBJECT_DIRECTORY_ENTRY.ChainLink'],
  [always, '_OBJECT_HEADER_NAME_INFO.Name'],
  [always, '_DRIVER_OBJECT.DriverName'],
  [always, '_DRIVER_OBJECT.DriverStart'],
  [always, '_DRIVER_OBJECT.MajorFunction'],
  [always, '_DEVICE_OBJECT.DeviceType'],
  [always, '_FILE_OBJECT.FileName'],
  [always, '_FILE_OBJECT.DeviceObject'],
  [always, '_CONTROL_AREA.FilePointer'],
  [always, '_CM_KEY_BODY.KeyControlBlock'],
  [always, '_CM_KEY_CONTROL_BLOCK.NameBlock'],
  [always, '_LDR_DATA_TABLE_ENTRY.InLoadOrderLinks'],
  [always, '_LDR_DATA_TABLE_ENTRY.DllBase'],
  [always, '_LDR_DATA_TABLE_ENTRY.FullDllName'],
  [always, '_PEB.Ldr'],
  [always, '_PEB.ProcessParameters'],
  [always, '_PEB.ImageBaseAddress'],
  [always, '_PEB_LDR_DATA.InLoadOrderModuleList'],
  [always, '_RTL_USER_PROCESS_PARAMETERS.CommandLine'],
  [always, '_RTL_USER_PROCESS_PARAMETERS.Environment'],
  [beforeEight, '_MMVAD.StartingVpn'],
  [eightOn, '_MMVAD.Core'],
  [eightOn, '_MMVAD_SHORT.StartingVpn'],
  [beforeVista, '_MMVAD.ControlArea'],
  [vistaOn, '_MMVAD.Subsection', '_MMVAD.ControlArea'],
  [always, '_MMVAD.FirstPrototypePte'],
  [always, '_MMVAD.LastContiguousPte'],
  ...['PteAddress', 'OriginalPte', 'u1', 'u2', 'u3', 'u4'].map((member): [Condition, string] => [always, `_MMPFN.${member}`]),
  ...['ControlArea', 'SubsectionBase', 'PtesInSubsection', 'StartingSector', 'NextSubsection'].map((member): [Condition, string] => [always, `_SUBSECTION.${member}`]),
  ...['Size', 'FreeSpace', 'PeakUsage', 'MaximumSize', 'PageFileNumber', 'PageFileName'].map((member): [Condition, string] => [always, `_MMPAGING_FILE.${member}`]),
  [always, '_MMPTE_SOFTWARE.PageFileLow'],
  [always, '_MMPTE_SOFTWARE.PageFileHigh'],
  [always, '_MM_SESSION_SPACE.ProcessList'],
  [always, '_MM_SESSION_SPACE.SessionId'],
  [always, '_KPCR.Self', '_KPCR.SelfPcr'],
  [always, '_KPRCB.ProcessorState'],
  [always, '_KPRCB.CurrentThread'],
  [always, '_TOKEN.UserAndGroups'],
  [always, '_TOKEN.UserAndGroupCount'],
];

/** Symbols that our walkers start from. */
const SYMBOLS: readonly (readonly [Condition, ...string[]])[] = [
  ...['PsActiveProcessHead', 'PsInitialSystemProcess', 'PsLoadedModuleList', 'PspCidTable', 'ObpRootDirectoryObject', 'ObpTypeDirectoryObject', 'KiServiceTable', 'KiServiceLimit', 'KiProcessorBlock', 'KeNumberProcessors', 'MmUnloadedDrivers', 'NtBuildLab', 'MmPfnDatabase', 'MmPhysicalMemoryBlock'].map((name): [Condition, string] => [always, name]),
  [always, 'MmPagingFile', 'MiSystemPartition'],
];

function profileOf(source: ProfileSource): Profile {
  const pointer = source.metadata.arch === 'I386' ? 4 : 8;
  return new Profile(new OverlayTypes(source.types, windowsOverlay(pointer)), new BasedSymbols(source.constants, 0n), { ...source.metadata, os: 'windows' });
}

function buildOf(profile: Profile): Build {
  return { narrow: profile.pointerSize === 4, vista: profile.has('_KPROCESS', 'ThreadListHead') && profile.has('_EPROCESS', 'Cookie') && profile.has('_MMVAD_FLAGS', 'VadType'), eight: profile.has('_MMVAD', 'Core') };
}

/** What a profile lacks of what our code reads. */
function lacking(name: string, source: ProfileSource): string[] {
  const profile = profileOf(source);
  const build = buildOf(profile);
  const absent = (alternatives: readonly string[]): string => `${name} ${JSON.stringify(build)}: ${alternatives.join(' or ')}`;
  const members = MEMBERS.filter(([applies, ...alternatives]) => {
    const fewer = name.startsWith(FEWER.kernel) && FEWER.structs.some((struct) => alternatives[0]?.startsWith(`${struct}.`));
    return applies(build) && !fewer && !alternatives.some((member) => profile.has(...(member.split('.') as [string, string])));
  });
  const symbols = SYMBOLS.filter(([applies, ...alternatives]) => applies(build) && !alternatives.some((symbol) => source.constants.get(symbol) !== undefined));
  return [...members, ...symbols].map(([, ...alternatives]) => absent(alternatives));
}

const everything = openRepository([sharedData('profiles').path, sharedData('profiles-newer').path, sharedData('windows', 'isf').path], { cache: undefined });

/** A forged kernel of a profile, found by detection in its physical memory alone. */
async function found(source: ProfileSource, options: BootOptions, repository = everything): Promise<{ kernel: WindowsKernel; base: bigint; dtb: number; trace: string }> {
  const forged = bootableWindows(source, options);
  const trace = new Trace();
  const text = (): string => trace.steps.map(({ tried, found: what, outcome }) => `${tried}: ${what} (${outcome})`).join('\n');
  const kernel = (await detectKernel(forged.image.physical(), { trace, cache: { get: () => undefined, set: () => undefined }, repository: () => Promise.resolve(repository) }).catch((error: unknown) => assert.fail(`${String(error)}\n${text()}`))) as WindowsKernel;
  return { kernel, base: forged.base, dtb: forged.image.dtb, trace: text() };
}

test('every profile at hand has the symbols and members that our code reads, all its structs compile with the overlay, and its kernel is found in physical memory', { skip }, async () => {
  const faults: string[] = [];
  let structs = 0;
  for (const { name, path, guid, age } of known()) {
    if (name.startsWith(EMPTY)) continue;
    const source = await openProfileFile(path);
    faults.push(...lacking(name, source));
    const profile = profileOf(source);
    for (const struct of source.types.structNames()) {
      profile.struct(struct);
      structs++;
    }
    const build = buildOf(profile);
    const key = `${guid}${age.toString(16).toUpperCase()}`;
    // It is read once: the repository has what was read.
    const repository = Object.assign(new ProfileRepository([]), { load: (asked: string) => Promise.resolve(asked.includes(key) ? source : undefined) });
    const pagings: PagingKind[] = build.narrow ? ['i386-pae', 'i386'] : ['amd64'];
    const version = build.eight ? { major: 10, minor: 0 } : build.vista ? { major: 6, minor: 1 } : { major: 5, minor: 1 };
    for (const paging of pagings) {
      const { kernel, base, dtb, trace } = await found(source, { paging, version, banner: '2600.forged.050301-1521', guid, age, pdb: 'ntkrnlmp.pdb' }, repository);
      assert.deepEqual([kernel.location.base, kernel.location.dtb, kernel.location.paging, kernel.location.guid], [base, dtb, paging, key], `${name}\n${trace}`);
      // Record, page tables, base: all verified.
      assert.match(trace, /build string, list of processes, System's threads, processor's block, list of modules right \(verified\)/, name);
      assert.equal(kernel.profile.pointerSize, build.narrow ? 4 : 8);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(structs > 20_000, `${structs}`);
});

test('page tables are found without names of processes: by the processor, then by themselves, on all kinds of x86', { skip }, async () => {
  const kinds: readonly (readonly [guid: string, age: number, paging: PagingKind])[] = [
    ['30B5FB31AE7E4ACAABA750AA241FF331', 1, 'i386-pae'],
    ['30B5FB31AE7E4ACAABA750AA241FF331', 1, 'i386'],
    ['05D170AAEF7F496F9D40BA710C3D90A2', 2, 'i386-pae'],
    ['ABD176D2C7AE41B88BBF2837A09A462C', 2, 'amd64'],
  ];
  for (const [guid, age, paging] of kinds) {
    const source = await openProfileFile(join(official.path, `${guid}${age}.gz`));
    const options: BootOptions = { paging, version: { major: 6, minor: 1 }, banner: '7600.forged.090713-1255', guid, age, pdb: 'ntkrpamp.pdb', process: 'nobody' };
    const self = await found(source, { ...options, headless: true, selfMap: true });
    assert.match(self.trace, paging === 'i386-pae' ? /the directory that names all four, i386-pae: .*verified/ : /names its own table, .*verified/, `${guid} ${paging}`);
    assert.equal(self.kernel.location.dtb, self.dtb);
    const processor = await found(source, options);
    assert.match(processor.trace, /processor block at 0x[0-9a-f]+000, .*verified/, `${guid} ${paging}`);
    assert.equal(processor.kernel.location.dtb, processor.dtb);
  }
});

test("a kernel whose image lies scattered in physical memory is found by its header in page tables, whatever its PDB is called", { skip }, async () => {
  for (const [guid, age, paging] of [['30B5FB31AE7E4ACAABA750AA241FF331', 1, 'i386-pae'], ['ABD176D2C7AE41B88BBF2837A09A462C', 2, 'amd64']] as const) {
    const source = await openProfileFile(join(official.path, `${guid}${age}.gz`));
    const { kernel, base, trace } = await found(source, { paging, version: { major: 6, minor: 1 }, banner: '7600.forged.090713-1255', guid, age, pdb: 'other.pdb', scattered: true, selfMap: true });
    assert.equal(kernel.location.base, base);
    assert.match(trace, new RegExp(`the kernel's file: ntoskrnl.exe at 0x${base.toString(16)}: other.pdb ${guid}${age}`), trace);
  }
});
