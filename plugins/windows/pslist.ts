import { handleCount } from '../../src/kernel/windows/objects/handles.js';
import { isWow64, knows, METHODS, parentId, processId, sessionId } from '../../src/kernel/windows/processes/processes.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses, windowsOf, windowsProcessRowArgs } from '../../src/plugin/windows-select.js';

export const pslist = definePlugin({
  name: 'pslist',
  needs: ['windows'],
  topic: 'processes',
  summary: 'processes, from up to five sources of the kernel',
  notes:
    'PsActiveProcessHead: the list of active processes, from which malware unlinks itself. CSRSS: the handles of the subsystem, which has one to each process that it serves. PspCidTable: the table of ' +
    'process and thread ids. Sessions: each session\'s list of its processes. Handles: what any process has a handle to. What the sources know is put together by address; the method columns say ' +
    'which of them knew a process; empty: it was not asked.',
  args: windowsProcessRowArgs,
  columns: {
    _EPROCESS: col.struct('_EPROCESS', 'the process object'),
    pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
    name: col.string('name   _EPROCESS.ImageFileName', { hidden: true }),
    ppid: col.int("parent's id   _EPROCESS.InheritedFromUniqueProcessId"),
    thread_count: col.int('threads   _EPROCESS.ActiveThreads', { minor: true }),
    handle_count: col.int('handles   _EPROCESS.ObjectTable.HandleCount', { minor: true }),
    session_id: col.int('session   _MM_SESSION_SPACE.SessionId', { minor: true }),
    wow64: col.bool('a 32-bit process on a 64-bit system   _EPROCESS.Wow64Process', { minor: true }),
    process_create_time: col.time('start   _EPROCESS.CreateTime'),
    process_exit_time: col.time('end   _EPROCESS.ExitTime'),
    ...Object.fromEntries(METHODS.map((method) => [method, col.bool(`known to ${method}`, { hidden: true })])),
  },
  examples: [{ line: 'pslist' }, { line: 'pslist proc_regex=svchost' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    for (const { process } of selectWindowsProcesses(context, args)) {
      yield {
        _EPROCESS: process,
        pid: () => processId(process),
        name: () => process.ImageFileName,
        ppid: () => parentId(process),
        thread_count: () => process.ActiveThreads,
        handle_count: () => handleCount(kernel, process),
        session_id: () => sessionId(kernel, process) ?? null,
        wow64: () => isWow64(process),
        process_create_time: () => process.CreateTime,
        process_exit_time: () => process.ExitTime,
        ...Object.fromEntries(METHODS.map((method) => [method, args.method.includes(method) ? knows(kernel, method, process) : null])),
      };
    }
  },
});
