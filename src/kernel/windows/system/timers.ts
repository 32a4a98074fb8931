import { type Absent, orAbsent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { TypeDescriptor } from '../../../symbols/types.js';
import { decodePointer } from './encoded.js';
import type { WindowsKernel } from '../kernel.js';
import { processors } from './kpcr.js';
import { walkListEntry } from '../lists.js';

/** Timers at most: more is no table of a kernel's, but a lie. */
const MOST_TIMERS = 1 << 20;
/** Lists of a processor's table at most: 256, twice since Windows 10 1903. */
const MOST_LISTS = 4096;
/** What is no timer, in one list: more of it says that the list leads elsewhere. */
const MOST_STRANGERS = 16;
/** Types of dispatcher objects (`_KOBJECTS`): timers, and deferred calls, whose threaded kind was moved twice. */
const TIMER_TYPES: ReadonlySet<number> = new Set([8, 9]);
const DPC_TYPES: ReadonlySet<number> = new Set([19, 24, 26]);

/** A timer that is set. */
export interface KernelTimer {
  /** number of its list */
  readonly table: number;
  /** the processor whose table it is in; undefined until Vista, which had one table for all */
  readonly cpu: number | undefined;
  readonly timer: Struct;
  /** the deferred call that runs when it is due; undefined where it only wakes whoever waits, Absent where that cannot be told */
  readonly dpc: Struct | Absent | undefined;
}

type Fault = ((what: string) => void) | undefined;

interface TimerList {
  readonly table: number;
  readonly cpu: number | undefined;
  readonly head: bigint;
}

/** All timers that are set, list by list. */
export function* kernelTimers(kernel: WindowsKernel, onFault?: Fault): Generator<KernelTimer> {
  const entry = kernel.struct('_LIST_ENTRY');
  const type = kernel.struct('_KTIMER');
  const seen = new Set<bigint>();
  for (const { table, cpu, head } of timerLists(kernel, onFault)) {
    let strangers = 0;
    const at = `timers of list ${table}${cpu === undefined ? '' : ` of processor ${cpu}`}`;
    for (const timer of walkListEntry(entry.at(kernel.space, head), type, 'TimerListEntry', { onFault: (what) => onFault?.(`${at}: ${what}`), limit: MOST_TIMERS })) {
      if (seen.has(timer.$address)) continue;
      seen.add(timer.$address);
      if (seen.size > MOST_TIMERS) {
        onFault?.(`there are more than ${MOST_TIMERS} timers`);
        return;
      }
      const kind = orElse(() => Number((timer.$get('Header') as Struct).$get('Type')), undefined);
      if (kind === undefined || !TIMER_TYPES.has(kind)) {
        onFault?.(`${at}: what is at 0x${timer.$address.toString(16)} is ${kind === undefined ? 'not in memory' : 'no timer'}`);
        if (++strangers >= MOST_STRANGERS) break;
        continue;
      }
      yield { table, cpu, timer, dpc: orAbsent(() => deferredCall(kernel, timer)) };
    }
  }
}

/** The heads of the lists: one table of the kernel's until Vista, since Windows 7 one of each processor. */
function* timerLists(kernel: WindowsKernel, onFault: Fault): Generator<TimerList> {
  const shared = kernel.symbol('KiTimerTableListHead');
  if (shared !== undefined) {
    yield* listsAt(kernel, shared);
    return;
  }
  for (const { number, prcb } of processors(kernel, onFault)) {
    if (!prcb.$has('TimerTable')) continue;
    const lists = orElse(() => prcb.$get('TimerTable') as Struct, undefined);
    if (!lists) continue;
    const size = kernel.struct('_KTIMER_TABLE_ENTRY').size ?? 0;
    const within = kernel.struct('_KTIMER_TABLE_ENTRY').offsetOf('Entry');
    const count = Math.min(MOST_LISTS, elements(lists.$struct.member('TimerEntries').type));
    const start = lists.$addressOf('TimerEntries') + BigInt(within);
    for (let table = 0; table < count; table++) yield { table, cpu: number, head: start + BigInt(table * size) };
  }
}

/** Number of lists, in one dimension or (since Windows 10 1903) two. */
function elements(type: TypeDescriptor): number {
  return type.kind === 'array' ? type.count * elements(type.target) : 1;
}

/**
 * The lists at nt!KiTimerTableListHead: 256 bare heads on XP x86 and Server 2003 without a service pack; later, and on x64, 512 with a
 * time behind each, also where the profile has no `_KTIMER_TABLE_ENTRY`: there the room up to the next symbol tells.
 */
function* listsAt(kernel: WindowsKernel, start: bigint): Generator<TimerList> {
  const pointers = 2 * kernel.profile.pointerSize;
  const stated = kernel.profile.has('_KTIMER_TABLE_ENTRY') ? kernel.struct('_KTIMER_TABLE_ENTRY') : undefined;
  const timed = pointers + 8;
  const size = stated?.size ?? (roomAt(kernel, start) >= BigInt(512 * timed) ? timed : pointers);
  const within = BigInt(stated?.offsetOf('Entry') ?? 0);
  const count = size === pointers ? 256 : 512;
  for (let table = 0; table < count; table++) yield { table, cpu: undefined, head: start + within + BigInt(table * size) };
}

/** Bytes from a symbol to the next one. */
function roomAt(kernel: WindowsKernel, address: bigint): bigint {
  let next = address + 0x10000n;
  for (const symbol of kernel.profile.symbols.symbols()) if (symbol.address > address && symbol.address < next) next = symbol.address;
  return next - address;
}

/**
 * The `_KDPC` of a timer. On x64 the pointer is encoded (PatchGuard hides its own timers so); a word that decodes to nothing and is a
 * pointer as it stands is taken for one.
 */
function deferredCall(kernel: WindowsKernel, timer: Struct): Struct | undefined {
  const word = timer.$pointer('Dpc');
  const decoded = decodePointer(kernel, word, timer.$address);
  if (decoded === 0n || word === 0n) return undefined;
  const plausible = (address: bigint): Struct | undefined =>
    orElse(() => {
      const dpc = kernel.at('_KDPC', address);
      return DPC_TYPES.has(Number(dpc.$get('Type'))) ? dpc : undefined;
    }, undefined);
  return plausible(decoded) ?? plausible(word) ?? kernel.at('_KDPC', decoded);
}
