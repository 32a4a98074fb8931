import { orElse } from '../../src/memory/absent.js';
import { threadsOf } from '../../src/kernel/windows/processes/threads.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { contextOf } from '../../src/session/processes.js';
import { noteWithout, selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const threads = definePlugin({
  name: 'threads',
  needs: ['windows'],
  topic: 'processes',
  summary: 'the threads of each process, with where they started',
  notes: 'The list at _EPROCESS.ThreadListHead. StartAddress is where the kernel let the thread begin (in user mode a stub of ntdll), Win32StartAddress the function that the program asked for.',
  args: windowsProcessRowArgs,
  columns: {
    _ETHREAD: col.struct('_ETHREAD', 'the thread'),
    pid: col.int('process id   _EPROCESS.UniqueProcessId'),
    tid: col.int('thread id   _ETHREAD.Cid.UniqueThread'),
    start: col.address('where the kernel let it begin   _ETHREAD.StartAddress'),
    start_symbol: col.string('the symbol there'),
    Process: col.struct('_EPROCESS', 'the process'),
    win32_start: col.address('the function that was asked for   _ETHREAD.Win32StartAddress'),
    win32_start_symb: col.string('the symbol there'),
    state: col.int('0 initialized, 1 ready, 2 running, 3 standby, 4 terminated, 5 waiting, 6 transition, 7 deferred ready, 8 gate wait   _KTHREAD.State', { hidden: true }),
  },
  examples: [{ line: 'threads 208' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const without: Eprocess[] = [];
    for (const { process } of selectWindowsProcesses(context, args)) {
      // Names hold in the process that the thread runs in; of one without memory those of the kernel.
      const own = orElse(() => contextOf(kernel, process), undefined);
      const wanted = context.wants('start_symbol') || context.wants('win32_start_symb');
      const resolver = wanted ? await context.session.resolver(own ?? null) : undefined;
      const pid = pidOf(process) ?? null;
      const name = (address: bigint): string | null => resolver?.name(address) ?? null;
      let found = false;
      const onFault = (what: string): void => {
        found = true;
        context.note(`${what}.`);
      };
      for (const thread of threadsOf(kernel, process, { onFault })) {
        found = true;
        const stated = orElse(() => Number(thread.Cid.$get('UniqueProcess')), pid);
        if (stated !== pid) context.note(`The thread at 0x${thread.$address.toString(16)} is on the list of process ${pid ?? '?'}, and says that it is of ${stated ?? '?'} (_ETHREAD.Cid).`);
        yield {
          _ETHREAD: thread,
          pid,
          tid: () => Number(thread.Cid.$get('UniqueThread')),
          start: () => thread.$pointer('StartAddress'),
          start_symbol: () => name(thread.$pointer('StartAddress')),
          Process: process,
          win32_start: () => thread.$pointer('Win32StartAddress'),
          win32_start_symb: () => name(thread.$pointer('Win32StartAddress')),
          state: () => Number(thread.Tcb.$get('State')),
        };
      }
      if (!found) without.push(process);
    }
    noteWithout(context, args, 'threads (ended)', without, 'pslist says when');
  },
});
