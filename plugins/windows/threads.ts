import { Absent, orAbsent, orElse } from '../../src/memory/absent.js';
import { threadsOf } from '../../src/kernel/windows/processes/threads.js';
import { type Impersonation, impersonationOf, tokenUser } from '../../src/kernel/windows/processes/tokens.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { contextOf } from '../../src/session/processes.js';
import { noteWithout, selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const threads = definePlugin({
  name: 'threads',
  needs: ['windows'],
  topic: 'processes',
  summary: 'the threads of each process, with where they started',
  notes: 'The list at _EPROCESS.ThreadListHead. StartAddress is where the kernel let the thread begin (in user mode a stub of ntdll), Win32StartAddress the function that the program asked for. A thread that serves others may act as them (impersonation): tokens threads=yes shows all that its token says.',
  args: {
    ...windowsProcessRowArgs,
    impersonating: arg.bool('only threads that act as somebody else than their process', { default: false }),
  },
  columns: {
    _ETHREAD: col.struct('_ETHREAD', 'the thread'),
    pid: col.int('process id   _EPROCESS.UniqueProcessId'),
    tid: col.int('thread id   _ETHREAD.Cid.UniqueThread'),
    start: col.address('where the kernel let it begin   _ETHREAD.StartAddress'),
    start_symbol: col.string('the symbol there'),
    Process: col.struct('_EPROCESS', 'the process'),
    win32_start: col.address('the function that was asked for   _ETHREAD.Win32StartAddress'),
    win32_start_symb: col.string('the symbol there'),
    impersonates: col.string("whom it acts as: the user of the token that it has instead of its process's   _ETHREAD.ClientSecurity"),
    level: col.string('how far: Anonymous, Identification, Impersonation, Delegation   SECURITY_IMPERSONATION_LEVEL', { hidden: true }),
    _TOKEN: col.struct('_TOKEN', 'that token', { hidden: true }),
    state: col.int('0 initialized, 1 ready, 2 running, 3 standby, 4 terminated, 5 waiting, 6 transition, 7 deferred ready, 8 gate wait   _KTHREAD.State', { hidden: true }),
  },
  examples: [{ line: 'threads 208' }, { line: 'threads impersonating=yes', doc: 'threads that act as another user' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const without: Eprocess[] = [];
    let [count, shown] = [0, 0];
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
        count++;
        const stated = orElse(() => Number(thread.Cid.$get('UniqueProcess')), pid);
        if (stated !== pid) context.note(`The thread at 0x${thread.$address.toString(16)} is on the list of process ${pid ?? '?'}, and says that it is of ${stated ?? '?'} (_ETHREAD.Cid).`);
        const impersonation = orAbsent(() => impersonationOf(kernel, thread));
        if (args.impersonating && (impersonation === undefined || impersonation instanceof Absent)) continue;
        shown++;
        // Absent flies out of a cell that needs it.
        const other = (): Impersonation | undefined => {
          if (impersonation instanceof Absent) throw impersonation;
          return impersonation;
        };
        yield {
          _ETHREAD: thread,
          pid,
          tid: () => Number(thread.Cid.$get('UniqueThread')),
          start: () => thread.$pointer('StartAddress'),
          start_symbol: () => name(thread.$pointer('StartAddress')),
          Process: process,
          win32_start: () => thread.$pointer('Win32StartAddress'),
          win32_start_symb: () => name(thread.$pointer('Win32StartAddress')),
          impersonates: () => {
            const { token } = other() ?? {};
            return token ? tokenUser(kernel, token) : null;
          },
          level: () => other()?.level ?? null,
          _TOKEN: () => other()?.token ?? null,
          state: () => Number(thread.Tcb.$get('State')),
        };
      }
      if (!found) without.push(process);
    }
    if (args.impersonating && shown === 0 && count > 0) context.note(`None of ${count} threads impersonates anybody: they act as their processes, whose tokens the command tokens shows.`);
    noteWithout(context, args, 'threads (ended)', without, 'pslist says when');
  },
});
