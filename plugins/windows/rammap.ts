import { type PageUse, pageUses, type PageUses } from '../../src/kernel/windows/memory/page-use.js';
import { LISTS } from '../../src/kernel/windows/memory/pfn.js';
import { physicalMemory } from '../../src/kernel/windows/memory/physical-memory.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { Absent, orElse } from '../../src/memory/absent.js';
import { breathe, breathing } from '../../src/memory/breathe.js';
import { addressOf } from '../../src/memory/page.js';
import { arg } from '../../src/plugin/args.js';
import { col, type RowOf } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf, withoutPageDatabase } from '../../src/plugin/windows-select.js';

/** Pages between two looks at the clock, and at what to tell of progress. */
const STEP = 512;

const columns = {
  phys_offset: col.physical('physical address of the page', { tree: true }),
  List: col.string('the list that it is on   _MMPFN.u3.e1.PageLocation'),
  Use: col.string('Private, Mapped File, Shared Memory, Page Table, Unused, or the part of the kernel: NonPagedPool, PagedPool, SystemPtes …'),
  Pr: col.int('priority, 0 to 7: the higher, the longer it is kept   _MMPFN.u3.e1.Priority', { minor: true }),
  Process: col.struct('_EPROCESS', 'the process that has it, the first one of several'),
  VA: col.address('where it is mapped there'),
  Offset: col.physical('offset in the file', { minor: true }),
  Filename: col.string('the file   _SUBSECTION.ControlArea.FilePointer'),
  pid: col.int('process id   _EPROCESS.UniqueProcessId', { hidden: true }),
};

export const rammap = definePlugin({
  name: 'rammap',
  needs: ['windows'],
  topic: 'memory',
  summary: 'what every page of physical memory is used for, and by whom',
  notes:
    'Goes through the page database (_MMPFN at MmPfnDatabase) and asks of each page what ptov asks of one. A page of a file is shown with the first process that maps it, with all=true every one has a row below it; ' +
    'one without a process is in the file cache only. A summary by use is a query: select Use, count() as pages, count() * 4096 as bytes from rammap() group by Use order by pages desc.',
  args: {
    start: arg.int('physical address to begin at', { positional: true, default: 0, least: 0 }),
    end: arg.int('physical address to end at; by default the end of memory', { positional: true, least: 0 }),
    all: arg.bool('every process that maps a page of a file, not only the first one', { default: false }),
  },
  columns,
  examples: [
    { line: 'rammap 0x180000 0x1c0000', doc: 'the pages of 256 KiB' },
    { line: 'rammap 0x2c4000 0x2c5000 all=true', doc: 'everybody who maps one page' },
  ],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    if (args.end !== undefined && args.end < args.start) {
      throw new PluginError(`The end, 0x${args.end.toString(16)}, lies before the start, 0x${args.start.toString(16)}.`, `rammap 0x${args.end.toString(16)} 0x${args.start.toString(16)}`);
    }
    let found: PageUses | undefined;
    try {
      for await (const step of breathing(pageUses(kernel), context.signal)) found = step;
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      context.note(`The page database cannot be read: ${error.reason}. ${withoutPageDatabase(context)}`);
      return;
    }
    const uses = found as PageUses;
    const first = Math.floor(args.start / 4096);
    const end = Math.ceil((args.end ?? Infinity) / 4096);
    const total = Math.min(end, context.session.physical().end / 4096);
    let missing = 0;
    let count = 0;
    // What the machine has; a raw image holds more, for what lies between.
    const memory = orElse(() => physicalMemory(kernel).runs, context.session.physical().runs);
    for (const run of memory) {
      const last = Math.min(end, Math.ceil(run.end / 4096));
      for (let frame = Math.max(first, Math.floor(run.start / 4096)); frame < last; frame++) {
        if (++count % STEP === 0) {
          context.progress((frame - first) / (total - first), 'pages');
          await breathe(context.signal);
        }
        const list = uses.frames.get(frame, 'list');
        const record = list === undefined || list < 2 ? undefined : uses.frames.at(frame);
        if (!record) {
          // Most of memory may be free: such rows cost nothing.
          if (list === undefined) {
            const next = uses.frames.nextHeld(frame, last);
            missing += next - frame;
            frame = next - 1;
          } else yield { phys_offset: frame * 4096, List: LISTS[list] ?? null, Use: 'Unused', Pr: uses.frames.get(frame, 'priority') ?? null };
          continue;
        }
        let use: PageUse | undefined;
        const known = (): PageUse => (use ??= uses.of(record));
        const own: RowOf<typeof columns> = {
          phys_offset: frame * 4096,
          List: LISTS[record.list] ?? null,
          Use: () => useOf(known()),
          Pr: () => uses.frames.get(frame, 'priority') ?? null,
        };
        if (!record.prototype) yield { ...own, ...placed(() => placeOf(known())) };
        else yield* shared(uses, own, known, record.pte, args.all);
      }
    }
    if (count === 0) context.note('The machine has no memory in this range: phys_map shows what it has.');
    if (missing > 0) context.note(`${missing === 1 ? 'One page is' : `${missing} pages are`} left out: the image does not hold their records.`);
  },
});

type Rammap = RowOf<typeof columns>;

/** A page of a section: with the first process that maps it, or a row for each. */
function* shared(uses: PageUses, own: Rammap, use: () => PageUse, prototype: bigint, all: boolean): Generator<Rammap> {
  const section = (): PageUse & { kind: 'section' } => use() as PageUse & { kind: 'section' };
  const file: Rammap = { ...own, Offset: () => section().offset ?? null, Filename: () => section().section?.file ?? null };
  const users = () => {
    const { part } = section();
    return part ? uses.sections.users(part, prototype) : [][Symbol.iterator]();
  };
  if (!all) {
    let first: Place | null | undefined;
    yield { ...file, ...placed(() => (first === undefined ? (first = users().next().value ?? null) : first)) };
    return;
  }
  let depth = 0;
  for (const user of users()) {
    yield { ...file, ...placed(() => user), $depth: depth };
    depth = 1;
  }
  if (depth === 0) yield file;
}

interface Place {
  readonly process: Eprocess | undefined;
  readonly page: number;
}

function placed(place: () => Place | null): Rammap {
  return {
    Process: () => place()?.process ?? null,
    VA: () => {
      const at = place();
      return at && at.page >= 0 ? addressOf(at.page, 0) : null;
    },
    pid: () => {
      const process = place()?.process;
      return process ? (pidOf(process) ?? null) : null;
    },
  };
}

/** Where a page of one owner is seen; a root has no address. */
function placeOf(use: PageUse): Place | null {
  switch (use.kind) {
    case 'private':
    case 'table':
      return { process: use.process, page: use.place.page };
    case 'kernel':
      return { process: use.session, page: use.place.page };
    case 'root':
      return { process: use.process, page: -1 };
    default:
      return null;
  }
}

function useOf(use: PageUse): string {
  switch (use.kind) {
    case 'unused':
      return 'Unused';
    case 'section':
      return use.section && !use.section.backed ? 'Shared Memory' : 'Mapped File';
    case 'private':
      return 'Private';
    case 'kernel':
      return use.region ?? 'Kernel';
    case 'table':
    case 'root':
      return 'Page Table';
    case 'unknown':
      return 'Unknown';
  }
}
