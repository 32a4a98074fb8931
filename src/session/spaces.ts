import type { Kernel } from '../kernel/kernel.js';
import type { LinuxKernel } from '../kernel/linux/kernel.js';
import { processes } from '../kernel/linux/tasks.js';
import type { WindowsKernel } from '../kernel/windows/kernel.js';
import type { Eprocess } from '../kernel/windows/types.js';
import { Absent, orElse } from '../memory/absent.js';
import { createPagedSpace, type PagingKind } from '../memory/paging/create.js';
import type { AddressSpace } from '../memory/space.js';
import { parseNumber } from '../plugin/convert.js';
import { PluginError } from '../plugin/error.js';
import { didYouMean } from '../plugin/similar.js';
import { contextOf, knownProcesses, processWithId } from './processes.js';
import type { Resolver } from './resolver/resolver.js';
import type { ProcessContext, Session } from './session.js';

/** A space that an argument named. */
export interface NamedSpace {
  readonly kind: 'kernel' | 'physical' | 'process' | 'tables';
  readonly space: AddressSpace;
  /** the process that the space is of; names of its programs hold in it */
  readonly context: ProcessContext | undefined;
}

/** Page tables by name: those of this code, and the classes of Rekall (`AMD64PagedMemory@0x1234000`). */
const TABLES: Readonly<Record<string, PagingKind>> = {
  amd64: 'amd64',
  'amd64-la57': 'amd64-la57',
  i386: 'i386',
  'i386-pae': 'i386-pae',
  arm64: 'arm64',
  amd64pagedmemory: 'amd64',
  linuxamd64pagedmemory: 'amd64',
  windowsamd64pagedmemory: 'amd64',
  ia32pagedmemory: 'i386',
  ia32pagedmemorypae: 'i386-pae',
};

const NEXT = 'dump OFFSET P';
const EXPECTED = 'K (kernel), P (physical), pid@N (a process), amd64@0xDTB (any page tables)';
/** Page-table roots have 52 bits at most. */
const HIGHEST_DTB = 1n << 52n;

/**
 * The space that an argument names: `K` or `Kernel`, `P` or `Physical`, `pid@N`, `amd64@DTB` and its like, `dtb@DTB` (page tables of the
 * kernel's own kind); without one, the session's own (the process context's, or the kernel's). Throws PluginError that says what there is.
 */
export async function findSpace(session: Session, name: string | undefined): Promise<NamedSpace> {
  if (name === undefined || name.trim() === '') {
    const { context } = session;
    return context ? { kind: 'process', space: context.space, context } : kernelSpace(await session.kernel());
  }
  const text = name.trim();
  const lower = text.toLowerCase();
  if (lower === 'p' || lower === 'physical') return { kind: 'physical', space: session.physical(), context: undefined };
  if (lower === 'k' || lower === 'kernel') return kernelSpace(await session.kernel());
  const at = text.indexOf('@');
  if (at < 0) throw new PluginError(`No address space ${text}: there are ${EXPECTED}.${didYouMean(text, ['kernel', 'physical'])}`, NEXT);
  const kind = lower.slice(0, at);
  const number = parseNumber(text.slice(at + 1));
  if (number === undefined || number < 0n) throw new PluginError(`${text} is no address space: a number is missing behind the @.`, 'dump OFFSET pid@1');
  if (kind === 'pid') {
    const context = processContext(await session.kernel(), number);
    return { kind: 'process', space: context.space, context };
  }
  return { kind: 'tables', space: await tables(session, kind, number, text), context: undefined };
}

/** {@link findSpace} for whoever needs nothing but the space. */
export async function spaceNamed(session: Session, name: string | undefined): Promise<AddressSpace> {
  return (await findSpace(session, name)).space;
}

/** The resolver for addresses in the space that an argument names: of a process's space it knows the process's programs. */
export async function resolverIn(session: Session, name: string | undefined): Promise<Resolver> {
  // Physical addresses and page tables have no names of their own: what is typed for one is a name of the kernel.
  const { context } = await findSpace(session, name);
  return session.resolver(context ?? null);
}

/** A process as a context, by its id. Throws PluginError where there is none. */
export function processContext(kernel: Kernel, pid: bigint | number): ProcessContext {
  try {
    return contextOf(kernel, processWithId(kernel, Number(pid)));
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    if (error.kind === 'not-applicable') throw new PluginError(`There is no process ${pid}.`, 'pslist');
    throw new PluginError(`The memory of process ${pid} cannot be found: ${error.reason}.`, `pslist ${pid}`);
  }
}

/** Names that a space argument may have: for completion. */
export function spaceNames(kernel: Kernel | undefined): string[] {
  const names = ['K', 'P'];
  if (kernel?.os === 'linux') {
    for (const task of processes(kernel as LinuxKernel)) {
      const pid = orElse(() => (task.mm ? task.tgid : undefined), undefined);
      if (pid !== undefined) names.push(`pid@${pid}`);
    }
  } else if (kernel) for (const { pid } of knownProcesses(kernel)) names.push(`pid@${pid}`);
  return [...names, ...Object.values(TABLES).filter((name, index, all) => all.indexOf(name) === index).map((name) => `${name}@`)];
}

function kernelSpace(kernel: Kernel): NamedSpace {
  return { kind: 'kernel', space: kernel.space, context: undefined };
}

async function tables(session: Session, kind: string, dtb: bigint, text: string): Promise<AddressSpace> {
  const kernel = session.detected ?? (kind === 'dtb' ? await session.kernel() : undefined);
  const own = (kernel as LinuxKernel | WindowsKernel | undefined)?.location.paging;
  const named = kind === 'dtb' ? own : TABLES[kind];
  if (named === undefined) throw new PluginError(`No kind of page tables is called ${text.slice(0, text.indexOf('@'))}.${didYouMean(kind, ['pid', 'dtb', ...Object.keys(TABLES)])} There are ${EXPECTED}.`, NEXT);
  // Rekall's AMD64PagedMemory says nothing of the number of levels: the kernel's own is meant.
  const paging = named === 'amd64' && own === 'amd64-la57' ? own : named;
  const physical = session.physical();
  if (dtb >= HIGHEST_DTB || !physical.isValid(dtb)) throw new PluginError(`${text}: the image does not hold physical 0x${dtb.toString(16)}, where these page tables would begin.`, 'pslist');
  if (kernel?.os === 'windows' && paging === own) {
    // With what the kernel says of its entries; and of a process's tables with its regions, which describe pages that the tables do not.
    const windows = kernel as WindowsKernel;
    const process = knownProcesses(windows).find((known) => orElse(() => windows.dtbOf(known.process as Eprocess) === Number(dtb), false))?.process;
    return windows.spaceAt(Number(dtb), text, process as Eprocess | undefined);
  }
  return createPagedSpace(paging, physical, Number(dtb), { name: text, ...(kernel?.os === 'linux' || kernel?.os === 'windows' ? { os: kernel.os } : {}) });
}
