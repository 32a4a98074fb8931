import { Absent } from '../../memory/absent.js';
import { decodeText } from '../../object/text.js';
import type { AddressSpace } from '../../memory/space.js';
import type { LinuxKernel } from './kernel.js';
import type { MmStruct, TaskStruct } from './types.js';

/** fs/exec.c allows three quarters of the default stack limit: 6 MiB. */
const LONGEST = 8 * 1024 * 1024;
const PAGE = 4096;

/** Texts that a process was started with, and whether all of them could be read. */
export interface ProcessTexts {
  readonly texts: readonly string[];
  /** false where a page is not in the image (swapped out): `texts` ends there */
  readonly complete: boolean;
}

/**
 * The arguments of a process, as /proc/PID/cmdline shows them: from mm_struct.arg_start to arg_end in its own memory; a process that wrote a longer
 * title over them (setproctitle) has the one text that begins there (fs/proc/base.c: get_mm_cmdline). Undefined for a
 * task without memory of its own. Throws Absent where not even the first page can be read.
 */
export function commandLine(kernel: LinuxKernel, task: TaskStruct): ProcessTexts | undefined {
  const mm = task.mm;
  if (!mm) return undefined;
  const space = kernel.spaceOf(task);
  const start = BigInt(mm.arg_start);
  const end = BigInt(mm.arg_end);
  const read = readTexts(space, start, end);
  if (read.bytes.length === 0 || !read.complete || read.bytes.at(-1) === 0) return split(read);
  // The last argument does not end where arguments end: the title goes on into the environment, up to its NUL.
  const title = space.readCString(start, end === BigInt(mm.env_start) ? PAGE : Math.min(PAGE, Number(end - start)));
  return { texts: [decodeText(title)], complete: true };
}

/** A variable of a process's environment; value null for a text without `=`. */
export interface EnvironmentVariable {
  readonly variable: string;
  readonly value: string | null;
}

/** The environment that a process was started with (mm_struct.env_start to env_end, as /proc/PID/environ shows it). As {@link commandLine}. */
export function environment(kernel: LinuxKernel, task: TaskStruct): { readonly variables: readonly EnvironmentVariable[]; readonly complete: boolean } | undefined {
  const mm: MmStruct | null = task.mm;
  if (!mm) return undefined;
  const { texts, complete } = split(readTexts(kernel.spaceOf(task), BigInt(mm.env_start), BigInt(mm.env_end)));
  const variables = texts
    // Where a title overwrote part of the environment, empty texts are left.
    .filter((text) => text !== '')
    .map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? { variable: text, value: null } : { variable: text.slice(0, equals), value: text.slice(equals + 1) };
    });
  return { variables, complete };
}

interface RawTexts {
  readonly bytes: Buffer;
  readonly complete: boolean;
}

function readTexts(space: AddressSpace, start: bigint, end: bigint): RawTexts {
  if (end < start) throw new Absent('corrupt', `texts from 0x${start.toString(16)} to 0x${end.toString(16)}`, start);
  const length = Number(end - start);
  if (length > LONGEST) throw new Absent('corrupt', `texts of ${length} bytes`, start);
  const { bytes, gaps } = space.readPartial(start, length);
  const gap = gaps[0];
  if (!gap) return { bytes, complete: true };
  if (gap.start === start) throw new Absent('unreadable', 'page not present', start);
  return { bytes: bytes.subarray(0, Number(gap.start - start)), complete: false };
}

/** Texts that end with NUL each; empty ones count, as `""` is an argument. */
function split({ bytes, complete }: RawTexts): ProcessTexts {
  if (bytes.length === 0) return { texts: [], complete };
  const texts: string[] = [];
  let from = 0;
  for (let nul = bytes.indexOf(0); nul >= 0; nul = bytes.indexOf(0, from)) {
    texts.push(decodeText(bytes.subarray(from, nul)));
    from = nul + 1;
  }
  if (from < bytes.length) texts.push(decodeText(bytes.subarray(from)));
  return { texts, complete };
}
