import type { ObjectMember } from '../../object-member.js';
import type { WindowsKernel } from '../kernel.js';
import { commandLine } from '../processes/peb.js';
import { isWow64, sessionId } from '../processes/processes.js';
import type { Eprocess } from '../types.js';
import { vadRange } from '../memory/vad.js';

type Member = ObjectMember<WindowsKernel>;

function ofProcess(type: Member['type'], doc: string, read: (process: Eprocess, kernel: WindowsKernel) => unknown): Member {
  return { type, doc, read: (kernel, object) => read(object as Eprocess, kernel) };
}

/** Of a region of a process, in each of its forms. */
const REGION: Readonly<Record<string, Member>> = {
  start: { type: 'address', doc: 'address of its first byte', read: (kernel, node) => vadRange(kernel, node).start },
  end: { type: 'address', doc: 'address of its last byte', read: (kernel, node) => vadRange(kernel, node).end },
};

/**
 * What objects of a Windows kernel answer beyond their members, by struct: what Rekall's overlays gave them. A member of the same name
 * comes before.
 */
export const windowsObjectMembers: Readonly<Record<string, Readonly<Record<string, Member>>>> = {
  _EPROCESS: {
    ppid: ofProcess('int', "the parent's process id", (process) => Number(process.InheritedFromUniqueProcessId)),
    create_time: ofProcess('time', 'when it was started', (process) => process.CreateTime),
    exit_time: ofProcess('time', 'when it ended', (process) => process.ExitTime),
    dtb: ofProcess('physical', 'physical address of its page tables', (process, kernel) => kernel.dtbOf(process)),
    session_id: ofProcess('int', 'the session it belongs to', (process, kernel) => sessionId(kernel, process) ?? null),
    cmdline: ofProcess('string', 'its command line, of its own memory', (process, kernel) => commandLine(kernel, process) ?? null),
    wow64: ofProcess('bool', 'whether it is a 32-bit process on a 64-bit system', (process) => isWow64(process)),
  },
  ...Object.fromEntries(['_MMVAD', '_MMVAD_LONG', '_MMVAD_SHORT'].map((name) => [name, REGION])),
};
