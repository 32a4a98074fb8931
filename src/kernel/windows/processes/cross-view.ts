import { type Absent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { knows, type Method } from './processes.js';
import type { Eprocess } from '../types.js';

/** What the sources of processes say of one, put together. */
export interface CrossView {
  /** by method: known, not known, or Absent where the method could not be asked */
  readonly known: ReadonlyMap<Method, boolean | Absent>;
  /** methods that should know it and do not */
  readonly hidden: readonly Method[];
  /** methods that do not know it, by the reason why they need not */
  readonly explained: ReadonlyMap<string, readonly Method[]>;
  /** it has a time of exit, and threads that run */
  readonly undead: boolean;
}

/**
 * Which methods know a process, and why others need not: an ended one is taken off all lists; the idle process is on none; System and the session manager are in no session and
 * have no csrss, which serves all but itself. (The rules that Volatility 2's psxview applies, made narrower: a name alone excuses
 * nobody, and no time of exit one whose threads run.)
 */
export function crossView(kernel: WindowsKernel, process: Eprocess, methods: readonly Method[]): CrossView {
  const known = new Map(methods.map((method) => [method, knows(kernel, method, process)]));
  const exited = orElse(() => process.ExitTime !== null, false);
  const threads = orElse(() => process.ActiveThreads, 0);
  const excuses = excusesOf(kernel, process, exited && threads === 0);
  const hidden: Method[] = [];
  const explained = new Map<string, Method[]>();
  for (const [method, answer] of known) {
    if (answer !== false) continue;
    const why = excuses.find(({ of }) => of === undefined || of.includes(method))?.why;
    if (why === undefined) hidden.push(method);
    else explained.set(why, [...(explained.get(why) ?? []), method]);
  }
  return { known, hidden, explained, undead: exited && threads > 0 };
}

interface Excuse {
  readonly why: string;
  /** methods; all where it is left out */
  readonly of?: readonly Method[];
}

function excusesOf(kernel: WindowsKernel, process: Eprocess, ended: boolean): Excuse[] {
  if (ended) return [{ why: 'it has ended' }];
  if (process.$address === orElse(() => kernel.variable('PsIdleProcess'), 0n)) return [{ why: 'it is the idle process' }];
  const system = orElse(() => kernel.variable('PsInitialSystemProcess'), 0n);
  if (process.$address === system) return [{ why: 'it is System', of: ['CSRSS', 'Sessions', 'Handles'] }];
  if (isMinimal(process)) return [{ why: 'it is a process of the kernel, without user mode', of: ['CSRSS', 'Sessions', 'Handles'] }];
  const name = orElse(() => process.ImageFileName.toLowerCase(), '');
  const ofSystem = orElse(() => process.InheritedFromUniqueProcessId === kernel.at<Eprocess>('_EPROCESS', system).UniqueProcessId, false);
  if (name === 'smss.exe' && ofSystem) return [{ why: 'it is the session manager', of: ['CSRSS', 'Sessions'] }];
  // Each session has one, which other processes open, but not it itself.
  if (name === 'csrss.exe' && orElse(() => process.$pointer('Session') !== 0n, false)) return [{ why: 'it is csrss', of: ['CSRSS'] }];
  return [];
}

/** A process without user mode (since Windows 10: Registry, Memory Compression, Secure System): `_EPROCESS.Minimal`, `Flags3`. */
function isMinimal(process: Eprocess): boolean {
  const holder: Struct = process;
  return holder.$has('Minimal') && orElse(() => Number(holder.$get('Minimal')) === 1, false);
}
