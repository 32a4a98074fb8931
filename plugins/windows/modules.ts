import { orElse } from '../../src/memory/absent.js';
import { kernelModules } from '../../src/kernel/windows/system/modules.js';
import { unicodeText } from '../../src/kernel/windows/strings.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const modules = definePlugin({
  name: 'modules',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'drivers and libraries of the kernel, in the order in which they were loaded',
  notes: 'The list at nt!PsLoadedModuleList, forwards and, where it is broken, backwards. The kernel itself comes first, then the HAL. Of a triage dump, the list in its header.',
  args: { name_regex: arg.regex('only modules whose name matches', { positional: true, completes: 'module' }) },
  columns: {
    // Names that Rekall's artifacts use for the same.
    offset_v: col.address('address of the entry', { hidden: true }),
    file_name: col.string('file name   _LDR_DATA_TABLE_ENTRY.BaseDllName', { hidden: true }),
    module_base: col.address('where it is loaded   _LDR_DATA_TABLE_ENTRY.DllBase', { hidden: true }),
    module_size: col.int('bytes   _LDR_DATA_TABLE_ENTRY.SizeOfImage', { unit: 'bytes', hidden: true }),
    _LDR_DATA_TABLE_ENTRY: col.struct('_LDR_DATA_TABLE_ENTRY', 'the entry', { minor: true }),
    name: col.string('file name   _LDR_DATA_TABLE_ENTRY.BaseDllName', { width: 20 }),
    base: col.address('where it is loaded   _LDR_DATA_TABLE_ENTRY.DllBase'),
    size: col.int('bytes   _LDR_DATA_TABLE_ENTRY.SizeOfImage', { unit: 'bytes' }),
    path: col.string('path   _LDR_DATA_TABLE_ENTRY.FullDllName'),
  },
  examples: [{ line: 'modules' }, { line: 'modules name_regex=ntoskrnl' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    let shown = 0;
    const { triage } = kernel.physical.hints.crash ?? {};
    if (triage) {
      // The entries themselves are not in such a dump.
      for (const { path, base, size } of triage.drivers) {
        const name = path.split('\\').at(-1) ?? path;
        if (args.name_regex && !args.name_regex.test(name)) continue;
        shown++;
        yield { name, base, size, path };
      }
    }
    for (const entry of triage ? [] : kernelModules(kernel, { onFault: (what) => context.note(`${what}.`) })) {
      const name = (): string => unicodeText(entry.BaseDllName);
      if (args.name_regex && !args.name_regex.test(orElse(name, ''))) continue;
      const base = (): bigint => entry.DllBase.address;
      const size = (): number => entry.SizeOfImage;
      shown++;
      yield {
        offset_v: entry.$address,
        file_name: name,
        module_base: base,
        module_size: size,
        _LDR_DATA_TABLE_ENTRY: entry,
        name,
        base,
        size,
        path: () => unicodeText(entry.FullDllName),
      };
    }
    if (shown === 0) context.note(args.name_regex ? `No module is named /${args.name_regex.source}/: modules lists them all.` : 'The list of modules cannot be read: version_scan finds what is in memory.');
  },
});
