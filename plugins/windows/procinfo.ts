import { programBase } from '../../src/kernel/windows/processes/images.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { environment, pebOf, startText } from '../../src/kernel/windows/processes/peb.js';
import { auditName, isWow64, parentId, pidOf, processTitle, sessionId } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';
import { contextOf } from '../../src/session/processes.js';
import { LoadedPe } from '../../src/symbols/pe/loaded.js';
import { PE_PARTS, peColumns, type PeRow, peRows } from './pe-rows.js';

const PARTS = ['process', 'environment', ...PE_PARTS] as const;

export const procinfo = definePlugin({
  name: 'procinfo',
  needs: ['windows'],
  topic: 'processes',
  summary: 'what is known of a process: its facts, its environment, and what its program says of itself',
  notes:
    'Facts from _EPROCESS, _PEB and _RTL_USER_PROCESS_PARAMETERS; the latter two are memory of the process, which it may change. The program is read where it is mapped (see peinfo); parts=imports,exports,code lists more of it.',
  args: {
    ...windowsProcessRowArgs,
    parts: arg.choices('only these parts', { choices: PARTS, default: ['process', 'environment', 'header', 'sections', 'version'] }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process', { divider: true }),
    part: col.string('which part', { width: 11 }),
    ...peColumns,
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
  },
  examples: [{ line: 'procinfo proc_regex=smss' }, { line: 'procinfo proc_regex=csrss parts=process,imports' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    for (const { process } of selectWindowsProcesses(context, args)) {
      const common = { _EPROCESS: process, pid: pidOf(process) ?? null };
      const say = (what: string): void => context.note(`${processTitle(process)}: ${what}`);
      if (args.parts.includes('process')) for (const row of facts(kernel, process)) yield { ...common, part: 'Process', ...row };
      const ended = orElse(() => kernel.dtbOf(process) === 0, true);
      if (ended) {
        say('it has no memory any more, or is the kernel\'s own.');
        continue;
      }
      if (args.parts.includes('environment')) {
        const variables = orAbsent(() => [...environment(kernel, process)]);
        if (variables instanceof Absent) say('its environment is not in memory.');
        else for (const [name, value] of variables) yield { ...common, part: 'Environment', name, value };
      }
      const { peb, kernel: section } = programBase(kernel, process);
      const base = peb ?? section;
      const pe = base === undefined ? undefined : LoadedPe.at(kernel.spaceOf(process), base);
      if (!PE_PARTS.some((part) => args.parts.includes(part))) continue;
      if (!pe) {
        say(base === undefined ? 'it has no program of its own.' : "its program's header is not in memory.");
        continue;
      }
      const names = await context.session.resolver(contextOf(kernel, process));
      for await (const [part, row] of peRows({ pe, names, loaded: true, note: say }, args.parts)) yield { ...common, part, ...row };
    }
  },
});

/** What the kernel and the process itself say of it; what cannot be read costs its row's value alone. */
function* facts(kernel: WindowsKernel, process: Eprocess): Generator<PeRow> {
  yield { name: 'name', value: () => process.ImageFileName };
  yield { name: 'pid', value: () => String(pidOf(process) ?? '') || null };
  yield { name: 'parent', value: () => String(parentId(process)) };
  yield { name: 'created', value: () => process.CreateTime?.toString() ?? null };
  yield { name: 'exited', value: () => process.ExitTime?.toString() ?? null };
  yield { name: 'session', value: () => sessionId(kernel, process)?.toString() ?? null };
  yield { name: 'threads', value: () => String(process.ActiveThreads) };
  if (kernel.profile.pointerSize === 8) yield { name: '32-bit on x64', value: () => (isWow64(process) ? 'yes' : 'no') };
  yield { name: 'page tables', value: () => `0x${kernel.dtbOf(process).toString(16)}` };
  yield { name: 'image (kernel)', value: () => auditName(process), vma: () => programBase(kernel, process).kernel ?? null };
  if (orElse(() => process.$pointer('Peb') === 0n, false)) return;
  yield { name: 'PEB', vma: () => process.$pointer('Peb') };
  yield { name: 'image (PEB)', value: () => startText(kernel, process, 'ImagePathName'), vma: () => pebOf(kernel, process)?.$pointer('ImageBaseAddress') ?? null };
  yield { name: 'command line', value: () => startText(kernel, process, 'CommandLine') };
  yield { name: 'current directory', value: () => startText(kernel, process, 'CurrentDirectory') };
  yield { name: 'window title', value: () => startText(kernel, process, 'WindowTitle') };
  yield { name: 'desktop', value: () => startText(kernel, process, 'DesktopInfo') };
}
