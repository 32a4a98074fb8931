import { Absent, orElse } from '../../src/memory/absent.js';
import { driverAt } from '../../src/kernel/windows/system/modules.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import { pidOf, sessionId } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { findSessions, sessionImages } from '../../src/kernel/windows/processes/sessions.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessArgs } from '../../src/plugin/windows-select.js';

export const sessions = definePlugin({
  name: 'sessions',
  needs: ['windows'],
  topic: 'processes',
  summary: 'logon sessions, with the processes in them and the drivers that each has a copy of',
  notes:
    'Each _MM_SESSION_SPACE that a process names (_EPROCESS.Session), read in the address space of one of its processes, and what is on nt!MiSessionWsList besides. Its ProcessList is one more list that processes are on: ' +
    'one that names the session and is not there was unlinked, or has ended (listed is false). Images are what win32k and display drivers are: a list, since Windows 10 a tree.',
  args: windowsProcessArgs,
  columns: {
    divider: col.string('the session', { divider: true }),
    session_id: col.int('number   _MM_SESSION_SPACE.SessionId', { hidden: true }),
    _MM_SESSION_SPACE: col.struct('_MM_SESSION_SPACE', 'the session space', { hidden: true }),
    process: col.struct('_EPROCESS', 'a process in it   _MM_SESSION_SPACE.ProcessList'),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
    listed: col.bool("on the session's own list of processes"),
    image: col.string('a driver in it, by name   _MM_SESSION_SPACE.ImageList'),
    base: col.address('where the driver is loaded   _IMAGE_ENTRY_IN_SESSION.Address'),
    end: col.address('one past its last byte', { hidden: true }),
  },
  examples: [{ line: 'sessions' }, { line: 'sessions proc_regex=explorer' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const note = (what: string): void => context.note(`${what}.`);
    const processes = [...selectWindowsProcesses(context, args)].map(({ process }) => process);
    const narrowed = args.pids !== undefined || args.eprocess !== undefined || args.proc_regex !== undefined;
    if (!kernel.profile.has('_MM_SESSION_SPACE')) {
      // Since Windows 11 24H2 the space is another (_PSP_SESSION_SPACE), without lists.
      for (const [id, members] of byNumber(kernel, processes)) {
        const divider = `Session ${id}: ${members.length} process${members.length === 1 ? '' : 'es'}`;
        for (const process of members) yield { divider, session_id: id, process, pid: () => pidOf(process) ?? null };
      }
      context.note('The profile of this kernel has no _MM_SESSION_SPACE: sessions are told by what processes say (pslist), without their lists and images.');
      return;
    }
    const found = findSessions(kernel, processes, !narrowed, note);
    const unknown = processes.filter((process) => orElse(() => process.$pointer('Session'), undefined) === undefined).length;
    if (unknown > 0) context.note(`Of ${unknown === 1 ? 'one process' : `${unknown} processes`} the session is not known: _EPROCESS.Session is not in memory.`);
    const known = processes.length - unknown;
    if (found.length === 0 && known > 0) context.note(`${known === 1 ? 'This process is in no session' : `None of ${known} processes is in a session`}: System and smss.exe are in none; sessions without arguments shows all.`);
    let images = 0;
    for (const { session, processes: members } of found) {
      const id = orElse(() => Number(session.$get('SessionId')), undefined);
      const row = {
        divider: `Session ${id ?? '?'} at 0x${session.$address.toString(16)}: ${members.length} process${members.length === 1 ? '' : 'es'}`,
        session_id: id ?? null,
        _MM_SESSION_SPACE: session,
      };
      for (const { process, listed } of members) yield { ...row, process, pid: () => pidOf(process) ?? null, listed };
      try {
        for (const { base } of sessionImages(kernel, session, note)) {
          images++;
          const module = driverAt(kernel, base);
          yield { ...row, image: module?.name ?? null, base, end: module ? base + BigInt(module.size) : null };
        }
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        context.note(`The images of session ${id ?? '?'} cannot be read: ${error.reason}.`);
      }
    }
    if (found.length > 0 && images === 0) context.note(found.length === 1 ? 'This session has no list of images.' : 'None of these sessions has a list of images.');
  },
});

/** Processes by the number of the session that each says it is in. */
function byNumber(kernel: WindowsKernel, processes: readonly Eprocess[]): [number, Eprocess[]][] {
  const sessions = new Map<number, Eprocess[]>();
  for (const process of processes) {
    const id = orElse(() => sessionId(kernel, process), undefined);
    if (id !== undefined) sessions.set(id, [...(sessions.get(id) ?? []), process]);
  }
  return [...sessions].sort(([one], [other]) => one - other);
}
