import { commandLine, environment } from '../../src/kernel/windows/processes/peb.js';
import { pidOf, processTitle } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { Absent } from '../../src/memory/absent.js';
import { noteWithout, selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

const process = col.struct('_EPROCESS', 'the process');
const pid = col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true });

export const cmdline = definePlugin({
  name: 'cmdline',
  needs: ['windows'],
  topic: 'processes',
  summary: 'the command line of each process',
  notes: '_PEB.ProcessParameters.CommandLine, in the process\'s own memory. Processes without a PEB (System, ended ones) have none.',
  args: windowsProcessRowArgs,
  columns: { _EPROCESS: process, command_line: col.string('as the process was started   _RTL_USER_PROCESS_PARAMETERS.CommandLine'), pid },
  examples: [{ line: 'cmdline' }, { line: 'cmdline proc_regex=svchost' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    for (const { process: one } of selectWindowsProcesses(context, args)) yield { _EPROCESS: one, command_line: () => commandLine(kernel, one) ?? null, pid: () => pidOf(one) ?? null };
  },
});

export const envars = definePlugin({
  name: 'envars',
  needs: ['windows'],
  topic: 'processes',
  summary: 'the environment variables of each process',
  notes: 'The block at _PEB.ProcessParameters.Environment. A process may change it while it runs; variables that begin with = are the command processor\'s current folders.',
  args: windowsProcessRowArgs,
  columns: {
    _EPROCESS: process,
    variable: col.string('name'),
    value: col.string('value'),
    pid,
  },
  examples: [{ line: 'envars 208' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const missing: string[] = [];
    const without: Eprocess[] = [];
    for (const { process: one } of selectWindowsProcesses(context, args)) {
      let count = 0;
      try {
        for (const [variable, value] of environment(kernel, one)) {
          count++;
          yield { _EPROCESS: one, variable, value, pid: () => pidOf(one) ?? null };
        }
        if (count === 0) without.push(one);
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        missing.push(processTitle(one));
      }
    }
    if (missing.length > 0) context.note(`The environment could not be read in ${missing.join(', ')}: its pages are not in memory.`);
    noteWithout(context, args, "an environment (ended, not begun, or the kernel's own)", without, 'procinfo shows what is known');
  },
});
