import { Absent, orAbsent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import { decodePointer } from './encoded.js';
import type { WindowsKernel } from '../kernel.js';
import { driverAt } from './modules.js';
import { inOrder } from '../trees.js';

/** Types of dispatcher objects (`_KOBJECTS`): Timer2NotificationObject, Timer2SynchronizationObject. */
const TYPES: ReadonlySet<number> = new Set([24, 25]);
/** The bits of a dispatcher object's type that tell it: above them is its lock. */
const TYPE = 0x7f;
/** Collections at most: 4, since Windows 10 2004 5. */
const MOST_COLLECTIONS = 16;
/** `_KTIMER2.CollectionIndex`: the collection in the low bits, and whether the timer is not on it (KTimer2CollectionNotInserted). */
const INDEX = 0xf;
const NOT_INSERTED = 0x10;
/** What a timer was made for, by bits of `_KTIMER2.TypeFlags`. */
const PURPOSES = ['IdleResilient', 'HighResolution', 'NoWake', 'PseudoHighRes'] as const;

/** A timer of the kind that ExAllocateTimer and NtCreateTimer2 make, since Windows 8.1. */
export interface Timer2 {
  /** number of the tree that it is in */
  readonly collection: number;
  /** `_KTIMER2` */
  readonly timer: Struct;
  /** `HighResolution, NoWake`; empty for a plain one */
  readonly purpose: string;
  /** what it calls; undefined where it only wakes whoever waits, Absent where that cannot be told */
  readonly routine: bigint | Absent | undefined;
  /** What the routine is given. Throws Absent. */
  argument(): bigint;
}

/** Whether a kernel has such timers, of which its profile does not tell the layout. */
export function hasUnknownTimers2(kernel: WindowsKernel): boolean {
  return kernel.symbol('KiTimer2Collections') !== undefined && !(kernel.profile.has('_KTIMER2', 'CollectionIndex') && kernel.profile.has('_KTIMER2_COLLECTION', 'Tree'));
}

/**
 * The timers at nt!KiTimer2Collections: trees by when they are due. A timer can be in two of them, one for when it is due and one for when it is due at the
 * latest, by its two nodes. Sources: `_KTIMER2`, `_KTIMER2_COLLECTION` and KTimer2Collection… in the symbols of Windows 10; that routine and
 * argument are encoded with the timer's address as a `_KTIMER`'s call is, from public disassemblies of nt!KiExpireTimer2.
 */
export function* timers2(kernel: WindowsKernel, onFault: (what: string) => void): Generator<Timer2> {
  const start = kernel.symbol('KiTimer2Collections');
  if (start === undefined || hasUnknownTimers2(kernel)) return;
  const type = kernel.struct('_KTIMER2_COLLECTION');
  const count = Math.min(MOST_COLLECTIONS, orElse(() => kernel.profile.enumValue('_KTIMER2_COLLECTION_INDEX', 'KTimer2CollectionMax'), 4));
  const seen = new Set<bigint>();
  for (let collection = 0; collection < count; collection++) {
    const fault = (what: string): void => onFault(`timers of collection ${collection}: ${what}`);
    const tree = type.at(kernel.space, start + BigInt(collection * (type.size ?? 0))).$addressOf('Tree');
    for (const node of nodesOf(kernel, tree, fault)) {
      const timer = timerOf(kernel, node, collection);
      if (!timer) fault(`what is at 0x${node.toString(16)} is no timer, or not in memory`);
      if (!timer || seen.has(timer.$address)) continue;
      seen.add(timer.$address);
      yield {
        collection,
        timer,
        purpose: PURPOSES.filter((name) => orElse(() => timer.$has(name) && Number(timer.$get(name)) === 1, false)).join(', '),
        routine: orAbsent(() => routineOf(kernel, timer)),
        argument: () => decodePointer(kernel, timer.$pointer('CallbackContext'), timer.$address),
      };
    }
  }
}

/** The nodes of a red-black tree. Where the lowest bit beside its root is set (`_RTL_RB_TREE.Encoded`), links are mixed with the address of what holds them. */
function* nodesOf(kernel: WindowsKernel, tree: bigint, fault: (what: string) => void): Generator<bigint> {
  const pointer = BigInt(kernel.profile.pointerSize);
  const head = orAbsent(() => ({ root: kernel.space.readPointer(tree), encoded: (kernel.space.readPointer(tree + pointer) & 1n) === 1n }));
  if (head instanceof Absent) {
    fault(`their tree cannot be read (${head.reason})`);
    return;
  }
  const link = (word: bigint, holder: bigint): bigint => (word === 0n || !head.encoded ? word : word ^ holder);
  const follow = (node: bigint, side: 'left' | 'right'): bigint => {
    const next = orElse(() => kernel.space.readPointer(node + (side === 'left' ? 0n : pointer)), undefined);
    if (next === undefined) fault(`the ${side} side of 0x${node.toString(16)} cannot be read`);
    return link(next ?? 0n, node);
  };
  for (const { address } of inOrder(link(head.root, tree), follow, fault)) yield address;
}

/** The timer whose node in a collection this is; undefined where its type or its own note of where it is says that it is none. */
function timerOf(kernel: WindowsKernel, node: bigint, collection: number): Struct | undefined {
  // What a timer is due at is in the first collections, what it is due at latest in the others.
  const which = collection < orElse(() => kernel.profile.enumValue('_KTIMER2_COLLECTION_INDEX', 'KTimer2CollectionNode1'), 2) ? 0 : 1;
  const type = kernel.struct('_KTIMER2');
  const timer = type.at(kernel.space, node - BigInt(type.offsetOf('RbNodes') + which * (kernel.struct('_RTL_BALANCED_NODE').size ?? 0)));
  const isTimer = orElse(() => TYPES.has(Number((timer.$get('Header') as Struct).$get('Type')) & TYPE), undefined);
  const isHere = orElse(() => (kernel.space.readU8(timer.$addressOf('CollectionIndex') + BigInt(which)) & (NOT_INSERTED | INDEX)) === collection, undefined);
  // A dump may have a part of it only.
  return isTimer === false || isHere === false || (isTimer ?? isHere) === undefined ? undefined : timer;
}

/** A word that decodes to no module's code and is a pointer into one as it stands is taken for that. */
function routineOf(kernel: WindowsKernel, timer: Struct): bigint | undefined {
  const word = timer.$pointer('Callback');
  const decoded = decodePointer(kernel, word, timer.$address);
  if (decoded === 0n || word === 0n) return undefined;
  return !driverAt(kernel, decoded) && driverAt(kernel, word) ? word : decoded;
}
