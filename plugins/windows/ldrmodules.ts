import { orElse } from '../../src/memory/absent.js';
import { mappedImages } from '../../src/kernel/windows/processes/loader-view.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const ldrmodules = definePlugin({
  name: 'ldrmodules',
  needs: ['windows'],
  topic: 'processes',
  summary: "executables in the memory of processes, by the kernel's regions against the lists of each process's loader",
  notes:
    'Regions that are mapped as images, and private or executable ones that begin with MZ, against the three lists at _PEB.Ldr, which the process itself can change; of a 32-bit process on a 64-bit system also those of ' +
    'its 32-bit loader. A module that is mapped and in no list was unlinked, or was never loaded by the loader; the program itself is not in initialization order, and apisetschema.dll and resources (.mui) are in no list. ' +
    'remark says what is odd, also where the mapped file is not the one that the loader names. Where a list is not in memory, its column says that instead of no.',
  args: {
    ...windowsProcessRowArgs,
    odd: arg.bool('only those of which something is odd', { default: false }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { divider: true }),
    base: col.address('where it is mapped   _MMVAD.StartingVpn, _LDR_DATA_TABLE_ENTRY.DllBase'),
    in_load: col.bool('in load order   _PEB_LDR_DATA.InLoadOrderModuleList'),
    in_load_path: col.string('the path there   _LDR_DATA_TABLE_ENTRY.FullDllName', { hidden: true }),
    in_init: col.bool('in initialization order   _PEB_LDR_DATA.InInitializationOrderModuleList'),
    in_init_path: col.string('the path there', { hidden: true }),
    in_mem: col.bool('in memory order   _PEB_LDR_DATA.InMemoryOrderModuleList'),
    in_mem_path: col.string('the path there', { hidden: true }),
    mapped: col.string('the file that is mapped   _FILE_OBJECT.FileName'),
    remark: col.string('what is odd about it, or why it is not'),
    odd: col.bool('what the loader and the kernel say does not agree', { hidden: true }),
    kind: col.string('Image, File (mapped as data), Private, Nothing', { hidden: true }),
    wow64: col.bool('the lists of the 32-bit loader have it', { hidden: true }),
    VAD: col.struct('_MMVAD', 'the region', { hidden: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'ldrmodules 208' }, { line: 'ldrmodules odd=yes' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    let count = 0;
    let processes = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      const pid = pidOf(process) ?? null;
      processes++;
      for (const image of mappedImages(kernel, process, (what) => context.note(`${what}.`))) {
        count++;
        if (args.odd && orElse(() => image.remark(), null)?.odd !== true) continue;
        yield {
          _EPROCESS: process,
          base: image.base,
          in_load: () => image.in('load'),
          in_load_path: () => image.path('load'),
          in_init: () => image.in('init'),
          in_init_path: () => image.path('init'),
          in_mem: () => image.in('memory'),
          in_mem_path: () => image.path('memory'),
          mapped: () => image.file(),
          remark: () => image.remark()?.text ?? null,
          odd: () => image.remark()?.odd ?? false,
          kind: image.kind,
          wow64: image.wow64,
          VAD: image.region?.node ?? null,
          pid,
        };
      }
    }
    if (count === 0 && processes > 0) context.note(`Nothing is mapped there: ${processes === 1 ? 'the process has' : 'the processes have'} ended, or ${processes === 1 ? 'is' : 'are'} the kernel's own, or the tree of regions is not in memory: vad tells.`);
    else if (args.odd) context.note(`${count} executables in ${processes === 1 ? 'one process' : `${processes} processes`} were compared.`);
  },
});
