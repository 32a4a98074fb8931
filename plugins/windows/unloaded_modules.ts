import { Absent } from '../../src/memory/absent.js';
import type { Struct } from '../../src/object/struct.js';
import type { Timestamp } from '../../src/object/time.js';
import { unicodeText } from '../../src/kernel/windows/strings.js';
import { unloadedDrivers } from '../../src/kernel/windows/system/unloaded.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const unloadedModules = definePlugin({
  name: 'unloaded_modules',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'drivers that were unloaded, with where they had been and when',
  notes:
    'The ring of 50 records at nt!MmUnloadedDrivers, the oldest first; nt!MmLastUnloadedDriver says where it goes on, so that none is missed once it is full. ' +
    "Of a triage dump, the list in its header. The code of such a driver may still be in memory: rootkits load, do their work and unload.",
  args: {},
  columns: {
    name: col.string('name of the driver   _UNLOADED_DRIVERS.Name', { width: 20 }),
    start: col.address('where it began   _UNLOADED_DRIVERS.StartAddress'),
    end: col.address('one past its last byte   _UNLOADED_DRIVERS.EndAddress'),
    time: col.time('when it was unloaded   _UNLOADED_DRIVERS.CurrentTime'),
    offset: col.address('address of the record', { hidden: true }),
  },
  examples: [{ line: 'unloaded_modules' }],
  *collect(context) {
    const kernel = windowsOf(context);
    const { triage } = kernel.physical.hints.crash ?? {};
    if (triage) {
      // The ring is not in such a dump; its header has a copy, without times.
      for (const { name, start, end } of triage.unloaded) yield { name, start, end };
      context.note(triage.unloaded.length > 0 ? 'Of the header of the triage dump, which keeps no times and at most twelve characters of a name.' : 'The header of the triage dump names no unloaded driver.');
      return;
    }
    try {
      const entries = unloadedDrivers(kernel);
      if (!entries?.length) context.note(entries ? 'The ring at nt!MmUnloadedDrivers has no record.' : 'No driver was unloaded since the system started: nt!MmUnloadedDrivers is null.');
      for (const entry of entries ?? []) {
        yield {
          name: () => unicodeText(entry.$get('Name') as Struct),
          start: () => entry.$pointer('StartAddress'),
          end: () => entry.$pointer('EndAddress'),
          time: () => entry.$get('CurrentTime') as Timestamp,
          offset: entry.$address,
        };
      }
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      context.note(`Unloaded drivers cannot be read: ${error.reason}.`);
    }
  },
});
