import { Absent } from '../memory/absent.js';
import { breathe, due } from '../memory/breathe.js';
import { PAGE_SIZE, pageNumber, pageOffset } from '../memory/page.js';
import type { AddressSpace } from '../memory/space.js';
import { fileLayout } from '../symbols/pe/layout.js';
import { LoadedPe } from '../symbols/pe/loaded.js';
import { arg, type ArgsOf } from './args.js';
import { col } from './columns.js';
import type { PluginContext } from './context.js';
import { type DumpFile, dumpArgs } from './dump-folder.js';

const MiB = 1024 * 1024;

/**
 * Appends memory to a file; zeros where a page is missing.
 * @returns pages that were missing
 * @throws the signal's reason once it is aborted
 */
export async function appendMemory(file: DumpFile, space: AddressSpace, address: bigint, length: number, signal: AbortSignal): Promise<number> {
  let missing = 0;
  let number = pageNumber(address);
  let offset = pageOffset(address);
  for (let done = 0; done < length; number++, offset = 0) {
    const count = Math.min(PAGE_SIZE - offset, length - done);
    const page = space.pageAt(number);
    if (page) file.append(page.bytes.subarray(offset, offset + count));
    else {
      file.skip(count);
      missing++;
    }
    done += count;
    if (due()) await breathe(signal);
  }
  return missing;
}

/** Arguments of every command that writes executables. */
export const peDumpArgs = {
  ...dumpArgs,
  layout: arg.choice('file: sections at their places in the file; memory: all pages as they lie in memory, with headers that say so', { choices: ['file', 'memory'], default: 'file' }),
  fix_base: arg.bool('put the address where the image is into its header: what is in memory was relocated to it', { default: true }),
  max_size: arg.int('bytes of a file at most', { default: 256 * MiB, least: 4096 }),
} as const;

/** Columns of every command that writes executables, behind its own. */
export const peDumpColumns = {
  size: col.size('bytes of the file', { unit: 'bytes' }),
  missing: col.int('pages that are not in memory, zeros in the file', { unit: 'pages' }),
  filename: col.string('the file'),
  comment: col.string('what is odd about it, or why there is no file'),
} as const;

/** What became of an executable. */
export interface DumpedPe {
  readonly filename: string | null;
  readonly size: number | null;
  readonly missing: number | null;
  readonly comment: string | null;
}

/**
 * Writes an executable that is mapped back to a file. Nothing is written where no header stands; then the comment says why.
 * @param begin makes the file, once it is known that there is something to write
 */
export async function dumpPe(context: PluginContext, space: AddressSpace, base: bigint, args: Omit<ArgsOf<typeof peDumpArgs>, 'dump_dir'>, begin: () => DumpFile): Promise<DumpedPe> {
  const pe = executableAt(space, base);
  if (pe instanceof Absent) return { filename: null, size: null, missing: null, comment: `no file: ${pe.kind === 'unreadable' ? 'its header is not in memory' : pe.reason}` };
  const layout = fileLayout(pe.header, base, { layout: args.layout as 'file' | 'memory', fixBase: args.fix_base, most: args.max_size });
  const file = begin();
  let missing = 0;
  try {
    for (const part of layout.parts) {
      file.skip(part.at - file.size);
      missing += await appendMemory(file, space, base + BigInt(part.rva), part.length, context.signal);
    }
    for (const { at, bytes } of layout.patches) if (at + bytes.length <= file.size) file.overwrite(at, bytes);
  } finally {
    closeFile(context, file);
  }
  return { filename: file.path, size: file.size, missing, comment: layout.remarks.length > 0 ? layout.remarks.join('; ') : null };
}

/** Closes a file; one that the analyst stopped is said not to be complete. */
export function closeFile(context: PluginContext, file: DumpFile): void {
  file.close();
  if (context.signal.aborted) context.note(`Stopped: ${file.path} is not complete.`);
}

function executableAt(space: AddressSpace, base: bigint): LoadedPe | Absent {
  try {
    return LoadedPe.read(space, base);
  } catch (error) {
    if (error instanceof Absent) return error;
    throw error;
  }
}
