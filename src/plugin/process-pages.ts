import { due, turn } from '../memory/breathe.js';
import { type MapOptions, type MappedRun, mappedRuns, rights } from '../kernel/memory-map.js';
import { Absent, orAbsent } from '../memory/absent.js';
import { addressOf, PAGE_SIZE } from '../memory/page.js';
import type { PagedSpace } from '../memory/paging/paged.js';
import type { PhysicalSpace } from '../memory/physical.js';
import { arg } from './args.js';
import { col } from './columns.js';
import type { PluginContext } from './context.js';
import type { DumpFile, DumpFolder } from './dump-folder.js';

/** What memmap and memdump of every system need to know of a process. */
export interface ProcessPages {
  readonly pid: number | null | Absent;
  readonly name: string | Absent;
  /** undefined for one without memory of its own. Throws Absent */
  space(): PagedSpace | undefined;
  /** number of the first page that is the kernel's */
  readonly user: number;
}

export const mapArgs = { all: arg.bool("the kernel's half of the address space, too", { default: false }) } as const;

export const memmapColumns = {
  divider: col.string('the process', { divider: true }),
  offset_v: col.address('virtual address', { title: 'Virtual' }),
  offset_p: col.physical('physical address', { title: 'Physical' }),
  process_size: col.size('how much', { title: 'Size', unit: 'bytes' }),
  rights: col.string('rwx as the page tables allow it; --- for what the processor does not reach'),
  in_image: col.bool('true where the image holds the (first) page', { hidden: true }),
} as const;

export const memdumpColumns = {
  divider: col.string('the process', { divider: true }),
  file_addr: col.physical('position in the file', { title: 'File Address' }),
  length: col.size('how much', { unit: 'bytes' }),
  virtual: col.address('address that it had', { title: 'Virtual Addr' }),
  filename: col.string('the file'),
} as const;

/** Bytes that are copied between two looks at the analyst's Ctrl-C. */
const PORTION = 4 * 1024 * 1024;

/** The space of a process; undefined, and a note where it should have one. */
function spaceOf(context: PluginContext, process: ProcessPages, divider: string): PagedSpace | undefined {
  const space = orAbsent(() => process.space());
  if (!(space instanceof Absent)) return space;
  context.note(`The page tables of ${divider} cannot be found: ${space.toString()}`);
  return undefined;
}

const label = ({ name, pid }: ProcessPages): string => `${String(name)} (${String(pid)})`;

/**
 * Rows of memmap for one process.
 * @returns false where it has no memory of its own
 */
export function* memmapRows(context: PluginContext, process: ProcessPages, options: MapOptions) {
  const divider = label(process);
  const space = spaceOf(context, process, divider);
  if (!space) return false;
  const physical = context.session.physical();
  for (const run of mappedRuns(space, process.user, physical, { ...options, onFault: (what) => context.note(`${divider}: ${what}`) })) {
    yield {
      divider,
      offset_v: addressOf(run.page, 0),
      offset_p: run.frame * PAGE_SIZE,
      process_size: run.pages * PAGE_SIZE,
      rights: rights(run.bits),
      in_image: () => physical.pageAt(run.frame) !== undefined,
    };
  }
  return true;
}

/**
 * Writes all pages of one process to a file; a row for each part of it.
 * @returns false where it has no memory of its own
 */
export async function* memdumpRows(context: PluginContext, folder: DumpFolder, process: ProcessPages, options: MapOptions) {
  const divider = label(process);
  const space = spaceOf(context, process, divider);
  if (!space) return false;
  const physical = context.session.physical();
  const file = folder.create(`${String(process.name)}_${String(process.pid)}`, '.dmp');
  const missing = { pages: 0 };
  try {
    for (const run of mappedRuns(space, process.user, physical, { ...options, onFault: (what) => context.note(`${divider}: ${what}`) })) {
      for await (const piece of copied(physical, run, file, missing, context.signal)) yield { divider, ...piece, filename: file.path };
      context.progress(undefined, `${file.path}: ${Math.round(file.size / 2 ** 20)} MiB`);
      if (!context.signal.aborted) continue;
      context.note(`Stopped: ${file.path} is not complete.`);
      return true;
    }
  } finally {
    file.close();
  }
  if (missing.pages > 0) context.note(`${missing.pages} pages of ${divider} are not in the image; its file is without them.`);
  return true;
}

interface Piece {
  readonly file_addr: number;
  readonly length: number;
  readonly virtual: bigint;
}

/** Copies a run of pages to a file; gives a piece for each part between holes of the image. */
async function* copied(physical: PhysicalSpace, run: MappedRun, file: DumpFile, missing: { pages: number }, signal: AbortSignal): AsyncGenerator<Piece> {
  const end = run.pages * PAGE_SIZE;
  const buffer = Buffer.allocUnsafe(Math.min(PORTION, end));
  let start = 0;
  let begin = file.size;
  const piece = (): Piece => ({ file_addr: begin, length: file.size - begin, virtual: addressOf(run.page, start) });
  for (let at = 0; at < end && !signal.aborted; ) {
    const wanted = Math.min(buffer.length, end - at);
    const got = physical.readInto(run.frame * PAGE_SIZE + at, buffer, 0, wanted);
    // The tail of a truncated image is no page.
    const whole = got - (got % PAGE_SIZE);
    if (whole > 0) file.append(buffer.subarray(0, whole));
    at += whole;
    if (whole < wanted) {
      if (file.size > begin) yield piece();
      missing.pages++;
      at += PAGE_SIZE;
      start = at;
      begin = file.size;
    }
    if (due()) await turn();
  }
  if (file.size > begin) yield piece();
}
