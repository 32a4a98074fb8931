import { type Absent, orElse, unreadable } from '../../../memory/absent.js';
import type { AddressSpace } from '../../../memory/space.js';
import type { WindowsKernel } from '../kernel.js';
import { driverAt, OUTSIDE } from './modules.js';
import { activeProcesses, sessionId } from '../processes/processes.js';
import { threadsOf } from '../processes/threads.js';

/** A service number has 12 bits for the entry, and two for the table (ntosp.h: SERVICE_NUMBER_MASK, NUMBER_SERVICE_TABLES). */
const MOST_SERVICES = 4096;
/** Entries of the table by which its reading is told; hooks among them are few. */
const SAMPLE = 200;
/** Threads of a process that are looked at. */
const MOST_THREADS = 1 << 14;
/** Variables with descriptors of tables: all threads' own, those of threads that draw, and since Windows 10 of those that may draw little. */
const DESCRIPTORS = ['KeServiceDescriptorTable', 'KeServiceDescriptorTableShadow', 'KeServiceDescriptorTableFilter'] as const;

/** A table of system services, as a `KSERVICE_TABLE_DESCRIPTOR` (ke.h) states it. */
export interface ServiceTable {
  /** 0 the kernel's, 1 win32k's, 2 and 3 (XP and Server 2003) other drivers' */
  readonly index: number;
  /** the variable or thread that has the descriptor: `nt!KeServiceDescriptorTable` */
  readonly source: string;
  readonly base: bigint;
  readonly limit: number;
  /** a byte for each service: how many bytes of arguments it takes (x86) */
  readonly argumentTable: bigint;
  /** where its bytes are read: the kernel's space, or that of a process of a session, in which alone win32k is */
  readonly space: AddressSpace;
  /** of win32k's: the session */
  readonly session: number | undefined;
}

/** An entry of such a table. */
export interface Service {
  readonly index: number;
  /** address of the entry */
  readonly entry: bigint;
  readonly target: bigint | Absent;
  /** x86: arguments; x64: those of them that are on the stack */
  readonly args: number | undefined;
  /** why it is not as the system makes it; undefined where nothing speaks against it */
  readonly problem: string | undefined;
}

interface Descriptor {
  readonly index: number;
  readonly source: string;
  readonly base: bigint;
  readonly limit: number;
  readonly argumentTable: bigint;
}

type Fault = ((what: string) => void) | undefined;

/**
 * The tables of system services, each once: those of the kernel's variables, then such as only a thread has (`_KTHREAD.ServiceTable`, on
 * x86 until Windows 7), which the system never makes. win32k's is given for each session in which it reads differently.
 */
export function* serviceTables(kernel: WindowsKernel, onFault?: Fault): Generator<ServiceTable> {
  const seen = new Set<string>();
  const known = new Set<bigint>();
  const own = kernel.symbol('KiServiceTable');
  for (const name of DESCRIPTORS) {
    const at = kernel.symbol(name);
    if (at === undefined) continue;
    known.add(at);
    for (const one of descriptorsAt(kernel, at, `nt!${name}`, onFault)) {
      if (one.index === 0 && own !== undefined && one.base !== own) onFault?.(`nt!${name} names 0x${one.base.toString(16)} as the kernel's table, which is at 0x${own.toString(16)}: it was replaced`);
      yield* placed(kernel, one, seen, onFault);
    }
  }
  // Without descriptors, where the kernel has its table before it makes them.
  const limit = kernel.symbol('KiServiceLimit');
  if (seen.size === 0 && own !== undefined && limit !== undefined) {
    const count = orElse(() => Math.min(kernel.space.readU32(limit), MOST_SERVICES), 0);
    yield* placed(kernel, { index: 0, source: 'nt!KiServiceTable', base: own, limit: count, argumentTable: kernel.symbol('KiArgumentTable') ?? 0n }, seen, onFault);
  }
  for (const [at, source] of tablesOfThreads(kernel, known)) {
    onFault?.(`${source} has service tables of its own at 0x${at.toString(16)}`);
    for (const one of descriptorsAt(kernel, at, source, onFault)) yield* placed(kernel, one, seen, onFault);
  }
}

/** Base, a pointer to counters, limit, argument table: four words. */
function* descriptorsAt(kernel: WindowsKernel, at: bigint, source: string, onFault: Fault): Generator<Descriptor> {
  const word = BigInt(kernel.profile.pointerSize);
  const count = kernel.version.major < 6 ? 4 : 2;
  let missing = 0;
  for (let index = 0; index < count; index++) {
    const start = at + BigInt(index) * 4n * word;
    const found = orElse(() => {
      const limit = kernel.space.readU32(start + 2n * word);
      return { index, source, base: kernel.space.readPointer(start), limit, argumentTable: kernel.space.readPointer(start + 3n * word) };
    }, undefined);
    if (!found) missing++;
    if (!found || found.base === 0n) continue;
    if (found.limit > MOST_SERVICES) onFault?.(`${source} states ${found.limit} services of table ${index}: the first ${MOST_SERVICES} are shown`);
    yield { ...found, limit: Math.min(found.limit, MOST_SERVICES) };
  }
  if (missing > 0) onFault?.(missing === count ? `${source} is not in memory` : `${missing} of ${count} descriptors of ${source} are not in memory`);
}

/** A table in the spaces in which it is. */
function* placed(kernel: WindowsKernel, one: Descriptor, seen: Set<string>, onFault: Fault): Generator<ServiceTable> {
  const key = `${one.index} ${one.base}`;
  if (seen.has(key) || one.limit === 0) return;
  seen.add(key);
  if (one.index !== 1 || kernel.space.isValid(one.base)) {
    yield { ...one, space: kernel.space, session: undefined };
    return;
  }
  const contents = new Set<string>();
  for (const { space, session } of sessionSpaces(kernel)) {
    const { bytes, gaps } = space.readPartial(one.base, one.limit * 4);
    if (gaps.length > 0 && gaps[0]?.start === one.base) continue;
    const content = bytes.toString('latin1');
    if (contents.has(content)) continue;
    contents.add(content);
    yield { ...one, space, session };
  }
  if (contents.size === 0) onFault?.(`win32k's table at 0x${one.base.toString(16)} (${one.source}) is in the memory of no session`);
}

/** A process's space for each session: session space is mapped in the processes of the session only. */
function* sessionSpaces(kernel: WindowsKernel): Generator<{ space: AddressSpace; session: number }> {
  const seen = new Set<number>();
  for (const process of activeProcesses(kernel)) {
    const session = orElse(() => sessionId(kernel, process), undefined);
    if (session === undefined || seen.has(session)) continue;
    const space = orElse(() => kernel.spaceOf(process), undefined);
    if (!space) continue;
    seen.add(session);
    yield { space, session };
  }
}

/** Descriptors that threads use and no variable of the kernel has, each with the first thread that uses it. */
function tablesOfThreads(kernel: WindowsKernel, known: ReadonlySet<bigint>): Map<bigint, string> {
  const found = new Map<bigint, string>();
  if (!kernel.profile.has('_KTHREAD', 'ServiceTable')) return found;
  for (const process of activeProcesses(kernel)) {
    for (const thread of threadsOf(kernel, process, { limit: MOST_THREADS })) {
      const table = orElse(() => thread.Tcb.$pointer('ServiceTable'), 0n);
      if (table === 0n || known.has(table) || found.has(table)) continue;
      found.set(table, orElse(() => `thread ${String(thread.Cid.$get('UniqueThread'))} of ${process.ImageFileName}`, 'a thread'));
    }
  }
  return found;
}

/** The entries of a table: addresses on x86, on x64 distances from the table's start, in a word that also counts arguments. */
export function* services(kernel: WindowsKernel, table: ServiceTable): Generator<Service> {
  const { base, limit, space } = table;
  const { bytes, gaps } = space.readPartial(base, limit * 4);
  const wide = kernel.profile.pointerSize === 8;
  const counts = wide ? undefined : orElse(() => space.read(table.argumentTable, limit), undefined);
  const shifted = wide && areShifted(kernel);
  for (let index = 0; index < limit; index++) {
    const entry = base + BigInt(index * 4);
    if (gaps.some(({ start, end }) => entry + 4n > start && entry < end)) {
      yield { index, entry, target: unreadable(entry), args: undefined, problem: undefined };
      continue;
    }
    const word = bytes.readInt32LE(index * 4);
    const target = wide ? base + BigInt(shifted ? word >> 4 : word & ~15) : BigInt(word >>> 0);
    const args = wide ? bytes.readUInt8(index * 4) & 15 : counts && counts.readUInt8(index) / 4;
    yield { index, entry, target, args, problem: problemOf(kernel, table, target) };
  }
}

/**
 * Whether an entry's upper 28 bits are shifted to the right by the four that count arguments (since Vista), or stand in their place, as on
 * XP and Server 2003, where services are aligned to 16 bytes. The kernel's own table tells: its entries lead to symbols in one reading.
 */
function areShifted(kernel: WindowsKernel): boolean {
  return kernel.memo('service entries are shifted', () => {
    const base = kernel.symbol('KiServiceTable');
    const isSymbol = (target: bigint): boolean => kernel.profile.symbols.nearest(target)?.distance === 0n;
    let more = 0;
    for (let index = 0; base !== undefined && index < SAMPLE; index++) {
      const word = orElse(() => kernel.space.readU32(base + BigInt(index * 4)) | 0, 0);
      if (word !== 0) more += Number(isSymbol(base + BigInt(word >> 4))) - Number(isSymbol(base + BigInt(word & ~15)));
    }
    return more === 0 ? kernel.version.major >= 6 : more > 0;
  });
}

/** The kernel's services are in the kernel, win32k's in win32k.sys, or since Windows 10 also in win32kbase.sys and win32kfull.sys. */
function problemOf(kernel: WindowsKernel, { index }: ServiceTable, target: bigint): string | undefined {
  const owner = driverAt(kernel, target);
  if (!owner) return OUTSIDE;
  if (index === 0) return owner.base === kernel.location.base ? undefined : `in ${owner.name} instead of the kernel`;
  return index !== 1 || /^win32k/i.test(owner.name) ? undefined : `in ${owner.name} instead of win32k`;
}
