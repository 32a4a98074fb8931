import { PagedSpace } from '../../src/memory/paging/paged.js';
import type { PageFlags } from '../../src/memory/paging/flags.js';
import { METHODS } from '../../src/kernel/windows/processes/processes.js';
import { Absent } from '../../src/memory/absent.js';
import type { Struct } from '../../src/object/struct.js';
import { arg, type ArgsOf } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { selectProcesses } from '../../src/plugin/linux-select.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { selectWindowsProcesses } from '../../src/plugin/windows-select.js';
import { contextOf } from '../../src/session/processes.js';
import { findSpace, type NamedSpace } from '../../src/session/spaces.js';
import { linuxArea, linuxFrame } from './linux-places.js';
import { windowsArea, windowsFrame } from './windows-places.js';

const args = {
  virtual_address: arg.address.required('the address: a number or a symbol', { positional: true, completes: 'symbol' }),
  address_space: arg.space('in which space', { positional: true }),
  pids: arg.ints('in each of these processes', { completes: 'pid' }),
  proc_regex: arg.regex('in each process whose name matches', { completes: 'process' }),
  eprocess: arg.addresses('in the processes whose objects (_EPROCESS, task_struct) are at these addresses'),
  method: arg.choices('how processes are found, as in pslist; on Windows all methods unless some are named', { choices: [...METHODS, 'InitTask'] }),
} as const;

export const vtop = definePlugin({
  name: 'vtop',
  needs: 'kernel',
  topic: 'memory',
  summary: 'how a virtual address becomes a physical one: every page-table entry on the way',
  notes:
    'Works in the process context if there is one (cc), otherwise in the kernel; pid@N names a process, pids and proc_regex several, one behind the other. Levels and bits: Intel SDM vol. 3A, chapter 4. ' +
    'The rights of the last row are those of all levels together. The first row says what is mapped there: the file and the offset in it (vm_area_struct), and the symbol; ' +
    "the last one whose page it is, by the kernel's page database (struct page). On Windows the entry that is not present is told in words — transition, prototype, page file, demand zero, or described by " +
    "the region (VAD) alone — and a row shows the prototype behind it; files and offsets are those of the section's parts (_SUBSECTION), whose page it is, is told by the page database (_MMPFN).",
  args,
  columns: {
    level: col.string("PGD, P4D … as the processor manual names them, Windows' prototype, then the result"),
    entry: col.physical('physical address of the entry'),
    value: col.address('the entry'),
    flags: col.string('what the entry says'),
    physical: col.physical('where it leads: the next table, or the byte'),
    comment: col.string('the symbol, or why translation ends here'),
    pid: col.int('process whose space it is', { hidden: true }),
  },
  examples: [
    { line: 'vtop linux!init_task', doc: 'a variable of the kernel; on Windows: vtop nt!PsActiveProcessHead' },
    { line: 'vtop libc!printf pid@156', doc: 'a function of a library in a process; on Windows: vtop ntdll!NtClose pids=484' },
    { line: 'vtop 0xffffffffff5ff000', doc: 'a page that is not mapped, perhaps' },
  ],
  async *collect(context, given) {
    const { virtual_address: address, address_space } = given;
    const named = (given.pids ?? given.proc_regex ?? given.eprocess ?? given.method) !== undefined;
    const spaces = named ? chosen(context, given) : [await findSpace(context.session, address_space)];
    for (const one of spaces) for await (const row of translation(context, one, address)) yield { ...row, pid: one.context?.pid ?? null };
  },
});

/** A space, and the process whose it is. */
type Space = Pick<NamedSpace, 'space' | 'context'>;

/** The processes that are named, as spaces; those without memory of their own are told. */
function* chosen(context: PluginContext, given: ArgsOf<typeof args>): Generator<Space> {
  const { kernel } = context;
  const { pids, proc_regex, eprocess, method } = given;
  const processes: Iterable<Struct> = kernel.os === 'windows' ? windowsProcesses(context, given) : selectProcesses(context, { pids, proc_regex, task: eprocess, method: method ?? [] });
  for (const process of processes) {
    try {
      const found = contextOf(kernel, process);
      yield { space: found.space, context: found };
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      context.note(`The process at 0x${process.$address.toString(16)} has no page tables to go through: ${error.toString()}.`);
    }
  }
}

function* windowsProcesses(context: PluginContext, given: ArgsOf<typeof args>): Generator<Struct> {
  const method = given.method?.filter((name) => name !== 'InitTask') ?? METHODS;
  for (const { process } of selectWindowsProcesses(context, { ...given, method })) yield process;
}

/** How an address is translated in one space. */
async function* translation(context: PluginContext, { space, context: process }: Space, address: bigint) {
  if (!(space instanceof PagedSpace)) throw new PluginError(`${space.name} has no page tables.`, 'vtop ADDRESS address_space=K');
  const resolver = await context.session.resolver(process ?? null);
  const result = space.walk(address);
  const area = linuxArea(context.kernel, process, address);
  // A region's name says nothing that its area does not.
  const name = resolver.nearest(address) ? resolver.name(address) : undefined;
  yield { level: 'virtual', value: address, comment: [space.name, area?.text ?? windowsArea(context.kernel, process, address), name].filter(Boolean).join(', ') };
  for (const [index, step] of result.steps.entries()) {
    const next = result.steps[index + 1];
    yield {
      level: step.name,
      entry: step.address,
      value: step.value,
      flags: flagText(step.flags),
      physical: next ? next.address - (next.address % 4096) : null,
      // pgd, pud … are Linux' names of the levels.
      // What stands behind the entry has a row of its own.
      comment: (next === undefined && result.behind ? step.reason?.replace(/: .*/, '') : step.reason) ?? (context.kernel.os === 'linux' ? step.alias : null),
    };
  }
  for (const step of result.behind ?? []) {
    yield { level: step.name, entry: step.address, value: step.value, flags: flagText(step.flags), physical: null, comment: step.reason ?? null };
  }
  if (result.physical === undefined) {
    yield { level: 'none', comment: result.reason ?? 'not mapped' };
    if (area) context.note(`The process has this area, but the page is not in memory: it was never touched, is still only in its file, or was swapped out.`);
    else if (!process && space.bits === 64 && address >> 63n === 0n) context.note('Addresses of the lower half belong to processes: choose one with cc, or say address_space=pid@PID.');
    return;
  }
  const held = context.session.physical().isValid(BigInt(result.physical));
  yield {
    level: 'physical',
    flags: result.flags ? flagText(result.flags) : null,
    physical: result.physical,
    comment: [`${sizeText(result.pageSize ?? 4096)} page`, linuxFrame(context.kernel, result.physical, area) ?? windowsFrame(context.kernel, result.physical, process, address), held ? undefined : 'the image does not hold it'].filter(Boolean).join('; '),
  };
}

function flagText(flags: PageFlags): string {
  if (!flags.present) return 'not present';
  const words = ['present', flags.writable ? 'writable' : 'read-only', flags.user ? 'user' : 'supervisor', flags.noExecute ? 'no-execute' : 'executable'];
  for (const name of ['accessed', 'dirty', 'global', 'large'] as const) if (flags[name]) words.push(name);
  return words.join(', ');
}

function sizeText(bytes: number): string {
  return bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GiB` : bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1024} KiB`;
}
