import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import { handleEntries, handleTable } from '../../src/kernel/windows/objects/handles.js';
import { describeHandle } from '../../src/kernel/windows/objects/object-details.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { objectAt, objectTypes } from '../../src/kernel/windows/objects/objects.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { noteWithout, selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const handles = definePlugin({
  name: 'handles',
  needs: ['windows'],
  topic: 'files',
  summary: 'the open handles of each process: files, keys, processes, sections …',
  notes: 'The table at _EPROCESS.ObjectTable, of one to three levels; each used entry leads to an object\'s header. The access mask is what was granted when the handle was opened.',
  args: {
    ...windowsProcessRowArgs,
    object_types: arg.strings('only objects of these types: File, Key, Process …', { completes: 'object_type', narrows: { by: 'equality', columns: ['obj_type'] } }),
    named_only: arg.bool('only objects with a name', { default: false }),
  },
  columns: {
    _OBJECT_HEADER: col.struct('_OBJECT_HEADER', "the object's header", { minor: true }),
    _EPROCESS: col.struct('_EPROCESS', 'the process that has the handle'),
    handle: col.physical('the handle, as the process sees it'),
    access: col.physical('rights that were granted   _HANDLE_TABLE_ENTRY.GrantedAccess'),
    obj_type: col.string('type of the object   _OBJECT_TYPE.Name'),
    details: col.string('its name, or what it is'),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'handles 208' }, { line: 'handles object_types=File proc_regex=lsass' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const strange = args.object_types?.filter((type) => !known(kernel, type)) ?? [];
    if (strange.length > 0) context.note(`This system has no objects of the type ${strange.join(', ')}; object_types lists those it has.`);
    const wanted = args.object_types && new Set(args.object_types.map((type) => type.toLowerCase()));
    let unknown = 0;
    let count = 0;
    let shown = 0;
    const without: Eprocess[] = [];
    for (const { process } of selectWindowsProcesses(context, args)) {
      const table = handleTable(kernel, process);
      if (!table) {
        if (orAbsent(() => process.$pointer('ObjectTable')) instanceof Absent) unknown++;
        else without.push(process);
        continue;
      }
      const pid = pidOf(process) ?? null;
      for (const entry of guarded(() => handleEntries(kernel, table, (what) => context.note(`${what}.`)), (what) => context.note(what))) {
        count++;
        const object = orElse(() => objectAt(kernel, entry.object), undefined);
        if (wanted && !wanted.has(object?.type?.toLowerCase() ?? '')) continue;
        const details = (): string | null => (object ? describeHandle(kernel, object) : null);
        if (args.named_only && (orElse(details, null) ?? '') === '') continue;
        shown++;
        yield {
          _OBJECT_HEADER: object?.header ?? kernel.at('_OBJECT_HEADER', entry.object),
          _EPROCESS: process,
          handle: entry.handle,
          access: entry.access,
          obj_type: object?.type ?? new Absent('corrupt', 'its header names no type of this system', entry.object),
          details,
          pid,
        };
      }
    }
    if (count > 0 && shown === 0 && strange.length < (wanted?.size ?? 1)) {
      const what = [wanted && `of the type ${args.object_types?.join(' or ')}`, args.named_only && 'of an object with a name'].filter(Boolean).join(' and ');
      context.note(`None of ${count} handles is ${what}; object_types lists the types.`);
    }
    noteWithout(context, args, 'a table of handles (ended)', without, 'pslist says when');
    if (unknown > 0) context.note(`Of ${unknown === 1 ? 'one process' : `${unknown} processes`} it is not known where the table is: _EPROCESS is not in memory.`);
  },
});

/** Whether objects can be of a type; any, where the types cannot be read. */
function known(kernel: WindowsKernel, type: string): boolean {
  const names = [...objectTypes(kernel).values()].map(({ name }) => name.toLowerCase());
  return names.length === 0 || names.includes(type.toLowerCase());
}

/** A table that cannot be read at all is told; the next process goes on. */
function* guarded<T>(walk: () => Iterable<T>, note: (what: string) => void): Generator<T> {
  try {
    yield* walk();
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    note(`A handle table could not be read: ${error.reason}.`);
  }
}
