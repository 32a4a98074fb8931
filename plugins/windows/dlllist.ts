import { Absent, orElse } from '../../src/memory/absent.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { loadedModules } from '../../src/kernel/windows/processes/peb.js';
import { pidOf, processTitle } from '../../src/kernel/windows/processes/processes.js';
import { unicodeText } from '../../src/kernel/windows/strings.js';
import type { Eprocess, LdrDataTableEntry } from '../../src/kernel/windows/types.js';
import { loadedModules32 } from '../../src/kernel/windows/processes/wow64.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { noteWithout, selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const dlllist = definePlugin({
  name: 'dlllist',
  needs: ['windows'],
  topic: 'processes',
  summary: 'the modules that the loader of each process knows',
  notes: 'The list in load order at _PEB.Ldr, in the process\'s own memory: a process may change it (ldrmodules compares it with what is mapped), and it may be paged out. A 32-bit process on a 64-bit system has two ' +
    'loaders: first come those of the 64-bit one (the program, ntdll and wow64*.dll), then those that only the other has.',
  args: windowsProcessRowArgs,
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { divider: true }),
    base: col.address('where it is loaded   _LDR_DATA_TABLE_ENTRY.DllBase'),
    size: col.int('bytes   _LDR_DATA_TABLE_ENTRY.SizeOfImage', { unit: 'bytes' }),
    reason: col.int('times it was loaded; 65535: with the program   _LDR_DATA_TABLE_ENTRY.LoadCount'),
    dll_path: col.string('path   _LDR_DATA_TABLE_ENTRY.FullDllName'),
    wow64: col.bool('from the list of the 32-bit loader   _PEB32.Ldr', { hidden: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'dlllist 208' }, { line: 'dlllist proc_regex=lsass' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const missing: string[] = [];
    const without: Eprocess[] = [];
    for (const { process } of selectWindowsProcesses(context, args)) {
      let count = 0;
      try {
        for (const { entry, wow64 } of bothLoaders(kernel, process, (what) => context.note(`${what}.`))) {
          count++;
          yield {
            _EPROCESS: process,
            base: () => entry.DllBase.address,
            size: () => entry.SizeOfImage,
            // Since Windows 8 the count is of 16 bits and obsolete.
            reason: () => Number(entry.$get(entry.$has('LoadCount') ? 'LoadCount' : 'ObsoleteLoadCount')),
            dll_path: () => unicodeText(entry.FullDllName),
            wow64,
            pid: () => pidOf(process) ?? null,
          };
        }
        if (count === 0) without.push(process);
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        missing.push(processTitle(process));
      }
    }
    noteWithout(context, args, "a loader (ended, not begun, or the kernel's own)", without, 'vad shows what is mapped');
    if (missing.length > 0) context.note(`The loader's list could not be read in ${missing.join(', ')}: its pages are not in memory. ldrmodules shows what is mapped there.`);
  },
});

/** The modules of the loader, and behind them those that the 32-bit loader of a WoW64 process has more. */
function* bothLoaders(kernel: WindowsKernel, process: Eprocess, onFault: (what: string) => void): Generator<{ readonly entry: LdrDataTableEntry; readonly wow64: boolean }> {
  const seen = new Set<bigint>();
  const base = (entry: LdrDataTableEntry): bigint => orElse(() => entry.DllBase.address, entry.$address);
  for (const entry of loadedModules(kernel, process, 'load', { onFault })) {
    seen.add(base(entry));
    yield { entry, wow64: false };
  }
  for (const entry of loadedModules32(kernel, process, 'load', { onFault })) if (!seen.has(base(entry))) yield { entry, wow64: true };
}
