import { orElse } from '../../src/memory/absent.js';
import { commandLine, startText } from '../../src/kernel/windows/processes/peb.js';
import { auditName, parentId, pidOf, processId } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { handleCount } from '../../src/kernel/windows/objects/handles.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessArgs } from '../../src/plugin/windows-select.js';

export const pstree = definePlugin({
  name: 'pstree',
  needs: ['windows'],
  topic: 'processes',
  summary: 'processes as a tree of parents and children',
  notes:
    'A parent is told by its id alone (InheritedFromUniqueProcessId), which Windows gives anew after a process has ended: a parent that started after its child is none, and its child stands at the root.',
  args: windowsProcessArgs,
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { tree: true }),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
    ppid: col.int("parent's id   _EPROCESS.InheritedFromUniqueProcessId"),
    thd_count: col.int('threads   _EPROCESS.ActiveThreads', { minor: true }),
    hnd_count: col.int('handles   _EPROCESS.ObjectTable.HandleCount', { minor: true }),
    create_time: col.time('start   _EPROCESS.CreateTime'),
    cmd: col.string('command line   _PEB.ProcessParameters.CommandLine', { hidden: true }),
    path: col.string('its program, as the process says   _PEB.ProcessParameters.ImagePathName', { hidden: true }),
    audit: col.string('its program, as the kernel noted it for audits: the process cannot change it   _EPROCESS.SeAuditProcessCreationInfo', { hidden: true }),
  },
  examples: [{ line: 'pstree' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const all = [...selectWindowsProcesses(context, args)].map(({ process }) => process);
    const byPid = new Map<number, Eprocess>();
    for (const process of all) {
      const pid = pidOf(process);
      if (pid !== undefined && !byPid.has(pid)) byPid.set(pid, process);
    }
    const children = new Map<Eprocess | undefined, Eprocess[]>();
    for (const process of all) {
      const parent = parentOf(process, byPid);
      children.set(parent, [...(children.get(parent) ?? []), process]);
    }
    const seen = new Set<Eprocess>();
    function* walk(parent: Eprocess | undefined, depth: number): Generator<{ process: Eprocess; depth: number }> {
      for (const process of children.get(parent) ?? []) {
        if (seen.has(process)) continue;
        seen.add(process);
        yield { process, depth };
        yield* walk(process, depth + 1);
      }
    }
    // Processes whose parents go in circles hang below no root.
    const roots = [...walk(undefined, 0)];
    const circles = all.filter((process) => !seen.has(process)).map((process) => ({ process, depth: 0 }));
    if (circles.length > 0) context.note(`${circles.length} processes name each other as parents.`);
    for (const { process, depth } of [...roots, ...circles]) {
      yield {
        $depth: depth,
        _EPROCESS: process,
        pid: () => processId(process),
        ppid: () => parentId(process),
        thd_count: () => process.ActiveThreads,
        hnd_count: () => handleCount(kernel, process),
        create_time: () => process.CreateTime,
        cmd: () => commandLine(kernel, process) ?? null,
        path: () => startText(kernel, process, 'ImagePathName'),
        audit: () => auditName(process),
      };
    }
  },
});

function parentOf(process: Eprocess, byPid: ReadonlyMap<number, Eprocess>): Eprocess | undefined {
  return orElse(() => {
    const parent = byPid.get(parentId(process));
    if (!parent || parent === process) return undefined;
    const [born, older] = [process.CreateTime, parent.CreateTime];
    return born !== null && older !== null && older.ns > born.ns ? undefined : parent;
  }, undefined);
}
