import { loadedDrivers } from '../../src/kernel/windows/system/modules.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';
import { type DebugState, debugState } from '../../src/symbols/pe/debug-state.js';

export const versionModules = definePlugin({
  name: 'version_modules',
  needs: ['windows'],
  topic: 'profile',
  summary: 'GUID, age and PDB of each driver and library of the kernel, by which their symbols are chosen',
  notes:
    'The record that the debug directory of a module leads to (CV_INFO_PDB70; of old ones CV_INFO_PDB20, whose time stamp stands for a GUID). Where the header, the directory or the record is paged out, comment says so: ' +
    'version_scan looks for records wherever they are in physical memory.',
  args: { name_regex: arg.regex('only modules whose name matches', { positional: true, completes: 'module', narrows: { by: 'match', columns: ['name'] } }) },
  columns: {
    offset_v: col.address('address of the record', { minor: true }),
    name: col.string('file name of the module   _LDR_DATA_TABLE_ENTRY.BaseDllName', { width: 20 }),
    guid: col.string('GUID and age, as symbol servers and profile repositories write them', { width: 33, whole: true }),
    pdb: col.string('name of the PDB'),
    base: col.address('where the module is loaded', { hidden: true }),
    path: col.string("the same with the path on the builder's machine", { hidden: true }),
    comment: col.string('why there is no record'),
  },
  examples: [{ line: 'version_modules' }, { line: 'version_modules name_regex=ntoskrnl', doc: 'the kernel' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    let shown = 0;
    let without = 0;
    for (const { name, base } of loadedDrivers(kernel)) {
      if (args.name_regex && !args.name_regex.test(name)) continue;
      shown++;
      const state = debugState(kernel.space, base);
      if (!state.record) without++;
      yield { ...shownState(state), name, base };
    }
    if (shown === 0) context.note(args.name_regex ? `No module is named /${args.name_regex.source}/.` : 'The list of modules cannot be read.');
    else if (without > 0) context.note(`Of ${without} of ${shown} modules the record is not to be had: it is paged out, or there is none.`);
  },
});

function shownState({ record, missing }: DebugState) {
  if (!record) return { comment: missing ?? null };
  return { offset_v: record.address, guid: `${record.guid}${record.age.toString(16).toUpperCase()}`, pdb: record.pdb, path: record.path ?? null };
}
