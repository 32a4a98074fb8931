import { type CrossView, crossView } from '../../src/kernel/windows/processes/cross-view.js';
import { CROSS_METHODS, type Method, pidOf } from '../../src/kernel/windows/processes/processes.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const psxview = definePlugin({
  name: 'psxview',
  needs: ['windows'],
  topic: 'processes',
  summary: 'processes that hide: which of six sources of the kernel know each process',
  notes:
    'The five sources of pslist, and Thrdproc: the owners of all threads in PspCidTable. A source that knows a process less than the others is where somebody took it out: malware unlinks itself from PsActiveProcessHead. ' +
    'What Windows itself leaves out is explained in remark and is not odd: ended processes; the idle process, System, the session manager and csrss. A source that could not be asked says so in its column. Pool memory is not searched ' +
    '(PSScan of the original): a process that nothing points to any more is not here.',
  args: {
    ...windowsProcessRowArgs,
    method: arg.choices('the sources to ask', { choices: CROSS_METHODS, default: CROSS_METHODS }),
    odd: arg.bool('only those that a source should know and does not', { default: false }),
  },
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process'),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
    name: col.string('name   _EPROCESS.ImageFileName', { hidden: true }),
    PsActiveProcessHead: col.bool('on the list of active processes', { title: 'Active' }),
    CSRSS: col.bool('a csrss.exe has a handle to it'),
    PspCidTable: col.bool('in the table of ids', { title: 'PspCid' }),
    Sessions: col.bool("on its session's list   _MM_SESSION_SPACE.ProcessList", { title: 'Sess' }),
    Handles: col.bool('some process has a handle to it'),
    Thrdproc: col.bool('a thread in the table of ids belongs to it   _KTHREAD.Process, _ETHREAD.ThreadsProcess', { title: 'Thrd' }),
    remark: col.string('who should know it and does not, or why they need not'),
    odd: col.bool('a source should know it and does not, or it has ended and its threads run', { hidden: true }),
    exit_time: col.time('end   _EPROCESS.ExitTime', { hidden: true }),
  },
  examples: [{ line: 'psxview' }, { line: 'psxview odd=yes' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const methods = args.method as readonly Method[];
    let count = 0;
    for (const { process } of selectWindowsProcesses(context, args)) {
      const view = crossView(kernel, process, methods);
      const odd = view.hidden.length > 0 || view.undead;
      count++;
      if (args.odd && !odd) continue;
      yield {
        _EPROCESS: process,
        pid: () => pidOf(process) ?? null,
        name: () => process.ImageFileName,
        ...Object.fromEntries(CROSS_METHODS.map((method) => [method, view.known.get(method) ?? null])),
        remark: remarkOf(view),
        odd,
        exit_time: () => process.ExitTime,
      };
    }
    context.note(`${args.odd ? `${count} processes were compared. ` : ''}Not asked: PSScan, which searches pool memory. A process that nothing points to any more is not here.`);
  },
});

function remarkOf({ known, hidden, explained, undead }: CrossView): string | null {
  const parts: string[] = [];
  if (undead) parts.push('it has a time of exit, and its threads run');
  const knowing = [...known].filter(([, answer]) => answer === true).map(([method]) => method);
  if (hidden.length > 0) parts.push(knowing.length === 0 ? 'no source knows it' : knowing.length < hidden.length ? `only ${knowing.join(', ')} ${knowing.length === 1 ? 'knows' : 'know'} it` : `hidden from ${hidden.join(', ')}`);
  for (const [why, methods] of explained) parts.push(`not in ${methods.join(', ')}: ${why}`);
  return parts.length === 0 ? null : parts.join('; ');
}
