import { type PageUse, pageUses, type PageUses, walkedPlaces } from '../../src/kernel/windows/memory/page-use.js';
import type { UpwardPlace } from '../../src/kernel/windows/memory/page-owners.js';
import { LISTS } from '../../src/kernel/windows/memory/pfn.js';
import { pidOf } from '../../src/kernel/windows/processes/processes.js';
import { kernelRegionAt } from '../../src/kernel/windows/memory/regions.js';
import type { Eprocess } from '../../src/kernel/windows/types.js';
import { areaText, type Mapper } from '../../src/kernel/windows/memory/views.js';
import { Absent, orElse } from '../../src/memory/absent.js';
import { breathe, breathing } from '../../src/memory/breathe.js';
import { addressOf, pageNumber } from '../../src/memory/page.js';
import { Struct } from '../../src/object/struct.js';
import { arg } from '../../src/plugin/args.js';
import { col, type RowOf } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { namedWindowsProcessArgs, namedWindowsProcesses, windowsOf, withoutPageTables } from '../../src/plugin/windows-select.js';
import { contextOf } from '../../src/session/processes.js';

const columns = {
  physical_offset: col.physical('the physical address'),
  owner: col.string('image file, mapped file, shared memory, process, kernel, page table, root or unused'),
  virtual_offset: col.address('where it is mapped'),
  pid: col.int('process id                 _EPROCESS.UniqueProcessId'),
  name: col.string("process's name             _EPROCESS.ImageFileName, or the file"),
  comment: col.string('file offset and sharers; what the process has there: region, rights, symbol'),
  _EPROCESS: col.struct('_EPROCESS', 'the process', { hidden: true }),
};

export const ptov = definePlugin({
  name: 'ptov',
  needs: ['windows'],
  topic: 'memory',
  aliases: ['pas2vas'],
  summary: 'who maps a physical address: processes, the kernel, a file in the file cache',
  notes:
    'By the page database (_MMPFN at MmPfnDatabase), upwards: the record of a page names the entry that leads to it. That of a private page lies in page tables, whose pages have records too, up to the root and its process; ' +
    'its place in the window where page tables see themselves tells the virtual address. That of a shared page is a prototype of a section, which leads to its part (_SUBSECTION), the file and the offset in it, and every process whose regions ' +
    '(VADs) map it. Where the database cannot be read, or does not agree with the entry, the page tables of all processes are walked.',
  args: {
    offsets: arg.addresses('physical addresses', { positional: true }),
    physical_address: arg.addresses('the same'),
    ...namedWindowsProcessArgs,
  },
  columns,
  examples: [{ line: 'ptov 0x2c4123', doc: 'a page that processes share (in the sample: of ntdll.dll)' }, { line: 'ptov 0x2c4000 0x187000' }],
  applies: withoutPageTables,
  async *collect(context, args) {
    const offsets = [...(args.offsets ?? []), ...(args.physical_address ?? [])];
    if (offsets.length === 0) throw new PluginError('Which physical address?', 'ptov 0x187000');
    const far = offsets.find((offset) => offset >= HIGHEST);
    if (far !== undefined) throw new PluginError(`0x${far.toString(16)} is no physical address: they have 52 bits at most. vtop tells that of a virtual one.`, `vtop 0x${far.toString(16)}`);
    const chosen = namedWindowsProcesses(context, args);
    // What is no process's is of all: the file, the kernel, nobody.
    for await (const row of owners(context, offsets)) {
      const process = row._EPROCESS;
      if (!chosen || !(process instanceof Struct) || chosen.has(process.$address)) yield row;
    }
  },
});

/** Physical addresses have fewer bits (Intel SDM vol. 3A, 4.1.4). */
const HIGHEST = 1n << 52n;

type Owner = RowOf<typeof columns>;

/** Who has each of the addresses. */
async function* owners(context: PluginContext, offsets: readonly bigint[]): AsyncGenerator<Owner> {
  const kernel = windowsOf(context);
  const uses = await usesOf(context);
  for (const offset of offsets) {
    const physical_offset = Number(offset);
    if (!context.session.physical().isValid(offset)) context.note(`The image does not hold physical 0x${offset.toString(16)}.`);
    const frame = Math.floor(physical_offset / 4096);
    const record = uses?.frames.at(frame);
    if (uses && !record) context.note(`The page database has no record of page 0x${frame.toString(16)}: all page tables were walked.`);
    const use = record && uses?.of(record);
    const stale = use && 'place' in use && use.place.stale;
    if (stale) context.note(`The entry that the record of page 0x${frame.toString(16)} names does not lead to it: all page tables were walked.`);
    if (!record || !use || stale) {
      let count = 0;
      for await (const place of breathing(walkedPlaces(kernel, frame), context.signal)) {
        count++;
        yield { physical_offset, ...(await seen(context, place.process, place.page, offset)) };
      }
      if (count === 0) context.note(`No page table leads to physical 0x${offset.toString(16)}.`);
      continue;
    }
    if (use.kind === 'section') yield* section(context, uses as PageUses, use, record.pte, offset);
    else yield { physical_offset, ...(await single(context, use, LISTS[record.list] ?? '', offset)) };
  }
}

/** Where the kernel has the page that it shares with all processes (`_KUSER_SHARED_DATA`, ntddk.h): its record names one of its places only. */
const SHARED_DATA = { wide: 0xfffff78000000000n, narrow: 0xffdf0000n };

/** The page database, or undefined and a note of why there is none. */
async function usesOf(context: PluginContext): Promise<PageUses | undefined> {
  try {
    let uses: PageUses | undefined;
    for await (const step of breathing(pageUses(windowsOf(context)), context.signal)) uses = step;
    return uses;
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    context.note(`The page database cannot be read (${error.reason}): all page tables were walked instead. What is on the standby list, and files that no process maps, are not found so.`);
    return undefined;
  }
}

/** A page of a section: the file first, then everybody who maps it. */
async function* section(context: PluginContext, uses: PageUses, use: PageUse & { kind: 'section' }, prototype: bigint, offset: bigint) {
  const { part, section: what } = use;
  const physical_offset = Number(offset);
  const frame = pageNumber(offset);
  if (!part || !what) {
    yield { physical_offset, owner: 'shared memory', comment: `its prototype at 0x${prototype.toString(16)} belongs to no section that a process maps` };
    return;
  }
  const mappers: (Mapper & { readonly page: number; readonly state: string })[] = [];
  const copies: Eprocess[] = [];
  for (const user of uses.sections.users(part, prototype)) {
    await breathe(context.signal);
    const state = stateOf(context, user, frame);
    if (state === undefined) copies.push(user.process);
    else mappers.push({ ...user, state });
  }
  const processes = new Set(mappers.map(({ process }) => process.$address)).size;
  const sharers = processes === 0 ? 'still in memory, but no process maps it: it is in the file cache' : processes === 1 ? 'one process maps it' : `mapped by ${processes} processes`;
  const place = `${what.backed ? 'file offset' : 'offset'} 0x${((use.offset ?? 0) + Number(offset & 0xfffn)).toString(16)}`;
  yield { physical_offset, owner: what.image ? 'image file' : what.backed ? 'mapped file' : 'shared memory', name: what.file ?? null, comment: `${place}; ${sharers}` };
  for (const { process, page, state } of mappers) {
    yield { physical_offset, ...(await seen(context, process, page, offset, state)) };
    await breathe(context.signal);
  }
  if (copies.length > 0) context.note(`Copies of their own, since they wrote to it, have instead: ${copies.map(nameOf).join(', ')} (vtop shows where).`);
}

/** How a process that maps a section has one of its pages; undefined where it has a copy of its own instead. */
function stateOf(context: PluginContext, { process, page }: Mapper & { readonly page: number }, frame: number): string | undefined {
  return orElse(() => {
    const { steps, physical } = windowsOf(context).spaceOf(process).walk(addressOf(page, 0));
    const last = steps.at(-1);
    if (physical !== undefined && Math.floor(physical / 4096) !== frame) return undefined;
    if (last?.flags.present) return last.flags.writable ? 'writable' : 'read-only';
    return last === undefined || last.value === 0n ? 'not in its page tables yet' : 'not in its working set';
  }, 'its page tables cannot be read');
}

/** A page that only one has, or nobody. */
async function single(context: PluginContext, use: PageUse, list: string, offset: bigint) {
  switch (use.kind) {
    case 'unused':
      return { owner: 'unused', comment: { Zeroed: 'on the zeroed list: its content was erased', Free: 'on the free list: its content is still that of its last owner', Bad: 'on the list of bad pages' }[list] ?? list };
    case 'root':
      return { owner: 'root', ...who(use.process), comment: 'the top page table (DTB) of the process' };
    case 'table': {
      const { place } = use;
      const way = wayOf(place);
      return { owner: 'page table', virtual_offset: addressOf(place.page, Number(offset & 0xfffn)), ...who(use.process), comment: `maps from 0x${addressOf(place.maps, 0).toString(16)} on; ${way}` };
    }
    case 'private':
    case 'kernel': {
      const process = use.kind === 'private' ? use.process : use.session;
      const row = await seen(context, process, use.place.page, offset, wayOf(use.place), use.kind === 'kernel');
      return list === 'Active' ? row : { ...row, comment: `${row.comment}, on the ${list.toLowerCase()} list` };
    }
    default:
      return { owner: 'unknown', comment: 'in use, but no page table leads to it: memory of a driver or the firmware' };
  }
}

/** `PTE 0x112eca80, PDE 0x…`: physical addresses of the entries, from the page up. */
function wayOf(place: UpwardPlace): string {
  const way = place.steps.map(({ name, address }) => `${name} 0x${address.toString(16)}`).join(' < ');
  return place.span > 1 ? `${place.span / 256} MiB page, ${way}` : way;
}

/** A place where an address is seen: of a process, or (without one, or in a session's space) of the kernel. */
async function seen(context: PluginContext, process: Eprocess | undefined, page: number, offset: bigint, state?: string, inKernel = process === undefined) {
  const kernel = windowsOf(context);
  const virtual = addressOf(page, Number(offset & 0xfffn));
  const user = process && !inKernel ? orElse(() => contextOf(kernel, process), undefined) : undefined;
  const resolver = await context.session.resolver(user ?? null);
  const symbol = resolver.nearest(virtual) ? resolver.name(virtual) : undefined;
  const area = user && process ? orElse(() => areaText(kernel, process, virtual), undefined) : kernelRegionAt(kernel, virtual);
  const everywhere = kernel.space.translate(kernel.profile.pointerSize === 8 ? SHARED_DATA.wide : SHARED_DATA.narrow) === Number(offset & ~0xfffn) ? 'KUSER_SHARED_DATA, which every process has at 0x7ffe0000' : undefined;
  return { owner: inKernel ? 'kernel' : 'process', virtual_offset: virtual, ...who(process), comment: [everywhere, area, symbol, state].filter(Boolean).join(', ') };
}

function who(process: Eprocess | undefined) {
  return process ? { pid: () => pidOf(process) ?? null, name: () => process.ImageFileName, _EPROCESS: process } : {};
}

function nameOf(process: Eprocess): string {
  return `${orElse(() => process.ImageFileName, '?')} (${pidOf(process) ?? '?'})`;
}
