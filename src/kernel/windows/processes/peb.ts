import type { AddressSpace } from '../../../memory/space.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { walkListEntry, type WalkOptions } from '../lists.js';
import { unicodeText } from '../strings.js';
import type { Eprocess, LdrDataTableEntry } from '../types.js';

/** A process's block of user-mode facts, in its own address space; undefined for System and what has exited. */
export function pebOf(kernel: WindowsKernel, process: Eprocess): Struct | undefined {
  const address = process.$pointer('Peb');
  return address === 0n ? undefined : kernel.struct('_PEB').at(kernel.spaceOf(process), address);
}

/** The loader's three lists of the modules of a process, each with its own link in the entries. */
export const LOADER_LISTS = {
  load: ['InLoadOrderModuleList', 'InLoadOrderLinks'],
  memory: ['InMemoryOrderModuleList', 'InMemoryOrderLinks'],
  init: ['InInitializationOrderModuleList', 'InInitializationOrderLinks'],
} as const;

/** The modules that a process's loader knows, by one of its lists. Throws Absent where the PEB is not in memory. */
export function* loadedModules(kernel: WindowsKernel, process: Eprocess, list: keyof typeof LOADER_LISTS = 'load', options: WalkOptions = {}): Generator<LdrDataTableEntry> {
  const ldr = pebOf(kernel, process)?.$get('Ldr') as Struct | null | undefined;
  if (!ldr) return;
  const [head, link] = LOADER_LISTS[list];
  yield* walkListEntry(ldr.$get(head) as Struct, kernel.struct<LdrDataTableEntry>('_LDR_DATA_TABLE_ENTRY'), link, options);
}

/** What a process was started with (`_RTL_USER_PROCESS_PARAMETERS`). */
export function processParameters(kernel: WindowsKernel, process: Eprocess): Struct | undefined {
  return (pebOf(kernel, process)?.$get('ProcessParameters') as Struct | null | undefined) ?? undefined;
}

/** The command line. Throws Absent where it is not in memory; undefined for a process without one. */
export function commandLine(kernel: WindowsKernel, process: Eprocess): string | undefined {
  const parameters = processParameters(kernel, process);
  return parameters && unicodeText(parameters.$get('CommandLine') as Struct);
}

/** Another text that the process was started with; the current directory is a struct with its path in it (_CURDIR.DosPath). Null where there is none. Throws Absent. */
export function startText(kernel: WindowsKernel, process: Eprocess, member: string): string | null {
  const parameters = processParameters(kernel, process);
  if (!parameters || !parameters.$has(member)) return null;
  const value = parameters.$get(member) as Struct;
  return unicodeText(value.$has('DosPath') ? (value.$get('DosPath') as Struct) : value);
}

/** Characters of an environment that are read: Windows allows 32767 a variable, and no total is documented. */
const MOST = 1 << 19;

/** The environment: name and value of each variable, in the order of the block. Throws Absent where its first page is not in memory. */
export function* environment(kernel: WindowsKernel, process: Eprocess): Generator<readonly [name: string, value: string]> {
  const parameters = processParameters(kernel, process);
  const start = parameters?.$pointer('Environment') ?? 0n;
  if (!parameters || start === 0n) return;
  for (const line of texts(parameters.$space, start)) {
    // Variables of the command processor begin with an equals sign: `=C:=C:\Windows`.
    const at = line.indexOf('=', 1);
    yield at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  }
}

/** Texts of UTF-16 with a null behind each, until an empty one, or memory ends. */
function* texts(space: AddressSpace, start: bigint): Generator<string> {
  let line = '';
  for (let done = 0; done < MOST; ) {
    const at = start + BigInt(done * 2);
    const count = Math.min(2048, (4096 - Number(at & 0xfffn)) / 2);
    // The first page must be there; where a later one is missing, what was read stands.
    if (done > 0 && !space.isValid(at)) return;
    const text = space.read(at, Math.floor(count) * 2).toString('utf16le');
    for (let from = 0; ; ) {
      const end = text.indexOf('\0', from);
      if (end < 0) {
        line += text.slice(from);
        break;
      }
      line += text.slice(from, end);
      if (line === '') return;
      yield line;
      line = '';
      from = end + 1;
    }
    done += Math.max(1, Math.floor(count));
  }
}
