import { Absent } from '../../src/memory/absent.js';
import { loadedModules } from '../../src/kernel/windows/peb.js';
import { pidOf } from '../../src/kernel/windows/processes.js';
import { unicodeText } from '../../src/kernel/windows/strings.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { describeStruct } from '../../src/object/describe.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const dlllist = definePlugin({
  name: 'dlllist',
  needs: ['windows'],
  topic: 'processes',
  summary: 'the modules that the loader of each process knows',
  notes: 'The list in load order at _PEB.Ldr, in the process\'s own memory: a process may change it (ldrmodules compares it with what is mapped), and it may be paged out.',
  args: windowsProcessRowArgs,
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { divider: true }),
    base: col.address('where it is loaded   _LDR_DATA_TABLE_ENTRY.DllBase'),
    size: col.int('bytes   _LDR_DATA_TABLE_ENTRY.SizeOfImage', { unit: 'bytes' }),
    reason: col.int('times it was loaded; 65535: with the program   _LDR_DATA_TABLE_ENTRY.LoadCount'),
    dll_path: col.string('path   _LDR_DATA_TABLE_ENTRY.FullDllName'),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'dlllist 208' }, { line: 'dlllist proc_regex=lsass' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const missing: string[] = [];
    for (const { process } of selectWindowsProcesses(context, args)) {
      try {
        for (const entry of loadedModules(kernel, process, 'load', { onFault: (what) => context.note(`${what}.`) })) {
          yield {
            _EPROCESS: process,
            base: () => entry.DllBase.address,
            size: () => entry.SizeOfImage,
            // Since Windows 8 the count is of 16 bits and obsolete.
            reason: () => Number(entry.$get(entry.$has('LoadCount') ? 'LoadCount' : 'ObsoleteLoadCount')),
            dll_path: () => unicodeText(entry.FullDllName),
            pid: () => pidOf(process) ?? null,
          };
        }
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        const { name, pid } = describeStruct(process);
        missing.push(`${name ?? '?'} (${pid ?? '?'})`);
      }
    }
    if (missing.length > 0) context.note(`The loader's list could not be read in ${missing.join(', ')}: its pages are not in memory. ldrmodules shows what is mapped there.`);
  },
});
