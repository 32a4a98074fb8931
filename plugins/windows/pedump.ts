import { loadedDrivers } from '../../src/kernel/windows/system/modules.js';
import { processImages, programBase } from '../../src/kernel/windows/processes/images.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { activeProcesses, pidOf, processAt } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { orElse } from '../../src/memory/absent.js';
import type { AddressSpace } from '../../src/memory/space.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { dumpPe, peDumpArgs, peDumpColumns } from '../../src/plugin/dump-memory.js';
import { DumpFolder } from '../../src/plugin/dump-folder.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { namedWindowsProcessArgs, namedWindowsProcesses, noteWithout, selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';
import { findSpace } from '../../src/session/spaces.js';

const NOTES =
  'The headers say where each section stands in memory and where in the file; malware may have changed them: sizes are bounded, and layout=memory needs nothing but the size. ' +
  'Pages that are not in memory are zeros in the file, and counted. Import addresses and relocated pointers stay as the loader left them. ' +
  'Names from the image are made safe; nothing is written outside of the folder.';
/** What an executable on disk is called where nothing says its name. */
const NAMELESS = 'image';
const PID = col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true });

export const procdump = definePlugin({
  name: 'procdump',
  needs: ['windows'],
  topic: 'processes',
  summary: 'writes the program of each process to a file',
  notes: `Where it is says the PEB (_PEB.ImageBaseAddress); where that is not in memory, the kernel (_EPROCESS.SectionBaseAddress). If both are known and differ, the process was perhaps hollowed: that is told. ${NOTES}`,
  args: { ...windowsProcessRowArgs, ...peDumpArgs },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process'),
    base: col.address('where the program is'),
    ...peDumpColumns,
    pid: PID,
  },
  examples: [{ line: 'procdump proc_regex=smss dump_dir=/tmp' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const folder = DumpFolder.of(context, args.dump_dir);
    let without = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      const { peb, kernel: section } = hasMemory(kernel, process) ? programBase(kernel, process) : {};
      const base = peb ?? section;
      if (base === undefined) {
        without++;
        continue;
      }
      const dumped = await dumpPe(context, kernel.spaceOf(process), base, args, () => folder.create(`executable.${nameOf(process)}_${pidOf(process) ?? 'unknown'}`, '.exe'));
      const differs = peb !== undefined && section !== undefined && peb !== section ? `the kernel mapped the program at 0x${section.toString(16)}` : undefined;
      yield { _EPROCESS: process, base, ...dumped, comment: [dumped.comment, differs].filter(Boolean).join('; ') || null, pid: pidOf(process) ?? null };
    }
    if (without > 0) context.note(`${without === 1 ? 'One process has' : `${without} processes have`} no program in memory: the kernel's own, ended, or the page tables are not known.`);
  },
});

export const dlldump = definePlugin({
  name: 'dlldump',
  needs: ['windows'],
  topic: 'processes',
  summary: 'writes the modules of each process to files: its program, its DLLs, also those that its loader does not list',
  notes: `The loader's list (_PEB.Ldr), then regions that map executables which are not on it: those of 32-bit processes on x64, and what was unlinked. ${NOTES}`,
  args: {
    ...windowsProcessRowArgs,
    ...peDumpArgs,
    regex: arg.regex('only modules whose name matches', { default: /./i, completes: 'module' }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process'),
    base: col.address('where the module is'),
    module: col.string('file name of the module', { width: 20 }),
    ...peDumpColumns,
    source: col.string('loader: on its list; region: mapped, and not on it', { hidden: true }),
    pid: PID,
  },
  examples: [{ line: 'dlldump proc_regex=smss regex=ntdll dump_dir=/tmp' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const folder = DumpFolder.of(context, args.dump_dir);
    let matches = 0;
    let modules = 0;
    const without: Eprocess[] = [];
    for (const { process } of selectWindowsProcesses(context, args)) {
      const before = modules;
      const place = kernel.space.translate(process.$address) ?? 0;
      for (const { base, name, source } of hasMemory(kernel, process) ? processImages(kernel, process, (what) => context.note(`${what}.`)) : []) {
        modules++;
        // What has no name is not left out by a pattern that fits any.
        if (!args.regex.test(name === '' ? NAMELESS : name)) continue;
        matches++;
        context.progress(undefined, name);
        const dumped = await dumpPe(context, kernel.spaceOf(process), base, args, () =>
          folder.create(`module.${pidOf(process) ?? 'unknown'}.${place.toString(16)}.${base.toString(16)}.${name === '' ? NAMELESS : name}`, ''),
        );
        yield { _EPROCESS: process, base, module: name, ...dumped, source, pid: pidOf(process) ?? null };
      }
      if (modules === before) without.push(process);
    }
    noteWithout(context, args, "modules in memory (ended, the kernel's own, or its page tables are not known)", without, 'vad shows what is mapped');
    if (matches === 0 && modules > 0) context.note(`None of ${modules} modules matches /${args.regex.source}/; dlllist shows them.`);
  },
});

export const moddump = definePlugin({
  name: 'moddump',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'writes drivers and libraries of the kernel to files',
  notes: `The modules at nt!PsLoadedModuleList; of a triage dump those of its header. Drivers of sessions (win32k.sys) are mapped in processes of a session only: they are read there, or in the processes that are named. What drivers need for their start alone (INIT) is discarded after it. ${NOTES}`,
  args: {
    regex: arg.regex('only modules whose name matches', { positional: true, default: /./i, completes: 'module' }),
    ...peDumpArgs,
    ...namedWindowsProcessArgs,
  },
  columns: {
    name: col.string('file name   _LDR_DATA_TABLE_ENTRY.BaseDllName', { title: 'Name', width: 20 }),
    base: col.address('where it is   _LDR_DATA_TABLE_ENTRY.DllBase', { title: 'Base' }),
    ...peDumpColumns,
  },
  examples: [{ line: 'moddump hal dump_dir=/tmp' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const folder = DumpFolder.of(context, args.dump_dir);
    const chosen = namedWindowsProcesses(context, args);
    const spaces = chosen ? [...chosen].map((address) => processAt(kernel, address)).filter((process) => hasMemory(kernel, process)).map((process) => kernel.spaceOf(process)) : sessionSpaces(kernel);
    let matches = 0;
    for (const { base, name } of loadedDrivers(kernel)) {
      if (base === 0n || !args.regex.test(name === '' ? NAMELESS : name)) continue;
      matches++;
      context.progress(undefined, name);
      const dumped = await dumpPe(context, spaceWith(kernel, spaces, base), base, args, () => folder.create(`driver.${base.toString(16)}.${name === '' ? NAMELESS : name}`, ''));
      yield { name, base, ...dumped };
    }
    if (matches === 0) context.note(`No module of the kernel matches ${args.regex.source}, or their list cannot be read: modules tells.`);
  },
});

export const pedump = definePlugin({
  name: 'pedump',
  needs: ['windows'],
  topic: 'memory',
  summary: 'writes an executable that is mapped anywhere to a file',
  notes: NOTES,
  args: {
    image_base: arg.address.required('where it begins: a number, a module (nt, ntdll), a symbol', { positional: true, completes: 'symbol' }),
    out_file: arg.path('file to write (default: a name by address in dump_dir)', { completes: 'path' }),
    address_space: arg.space('where it is'),
    ...peDumpArgs,
  },
  columns: {
    base: col.address('where it is'),
    ...peDumpColumns,
  },
  examples: [{ line: 'pedump nt dump_dir=/tmp' }],
  async *collect(context, args) {
    const { space } = await findSpace(context.session, args.address_space);
    const base = args.image_base;
    const begin = () => (args.out_file === undefined ? DumpFolder.of(context, args.dump_dir).create(`pe.${base.toString(16)}`, '.img') : DumpFolder.file(context, args.out_file));
    yield { base, ...(await dumpPe(context, space, base, args, begin)) };
  },
});

/** True for a process that has page tables: ended ones do not. */
function hasMemory(kernel: WindowsKernel, process: Eprocess): boolean {
  return orElse(() => kernel.dtbOf(process) !== 0, false);
}

function nameOf(process: Eprocess): string {
  return orElse(() => process.ImageFileName, 'unknown');
}

/** The space in which an address of the kernel's half can be read: the kernel's own, or the first of others (of sessions, of processes). */
function spaceWith(kernel: WindowsKernel, others: readonly AddressSpace[], address: bigint): AddressSpace {
  return [kernel.space, ...others].find((space) => space.isValid(address)) ?? kernel.space;
}

/** One space for each session. */
function sessionSpaces(kernel: WindowsKernel): readonly AddressSpace[] {
  return kernel.memo('spaces of sessions', () => {
    const spaces = new Map<bigint, AddressSpace>();
    for (const process of activeProcesses(kernel)) {
      const session = orElse(() => process.$pointer('Session'), 0n);
      if (session !== 0n && !spaces.has(session) && hasMemory(kernel, process)) spaces.set(session, kernel.spaceOf(process));
    }
    return [...spaces.values()];
  });
}
