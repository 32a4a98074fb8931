import type { PhysicalSpace } from '../../memory/physical.js';
import { readPhysical } from '../window.js';
import { placeDistance } from './addresses.js';

/** Kernel images are placed, physically and virtually, at multiples of this (x86: 2 MiB; arm64: MIN_KIMG_ALIGN). */
const PLACEMENT = 0x200000;
/** Bytes that functions are aligned to, in most kernels. */
const ENTRY = 16;
/** Bytes of the image before its tables that are searched for pointers: constant structures full of functions. */
const SEARCHED = 8 * 1024 * 1024;
/** Pointers that must agree, and how far ahead of those that agree on something else. */
const FEWEST = 200;
const LEAD = 3;
/** Bytes whose votes are counted at a time. */
const BALLOT = 0x8000;

/**
 * Virtual minus physical address of a kernel image whose symbols are known relative to each other only. A pointer to a function
 * agrees with the function's physical address up to a multiple of 2 MiB: each pointer in the image votes for the differences
 * that would make it one, and the true one is far ahead after a few hundred KiB of constant structures.
 * @param offsets kallsyms_offsets, each relative to where it stands
 * @param at physical address of the first
 * @param before physical address of the first table, before which constant structures lie (the tables are linked last)
 */
export function imageDelta(
  physical: PhysicalSpace,
  offsets: Int32Array,
  at: number,
  before: number,
): { delta: bigint; bits: 32 | 64 } | undefined {
  const lowest = Math.max(0, at + placeDistance(offsets, 0), before - SEARCHED);
  const functions = symbolsByPlacement(offsets, at);
  const votes = { 64: new Map<number, number>(), 32: new Map<number, number>() };
  for (let end = Math.floor(before / 8) * 8; end - BALLOT >= lowest; end -= BALLOT) {
    const bytes = readPhysical(physical, end - BALLOT, BALLOT);
    if (!bytes) continue;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, BALLOT / 4);
    for (const bits of [64, 32] as const) {
      vote(words, bits, functions, votes[bits]);
      const best = winner(votes[bits]);
      if (best !== undefined) return { delta: BigInt.asUintN(bits, BigInt(best) * BigInt(PLACEMENT)), bits };
    }
  }
  return undefined;
}

/** Symbols in a table of chains by where they lie between two multiples of the placement. */
interface ByPlacement {
  readonly heads: Int32Array;
  readonly next: Int32Array;
  readonly addresses: Float64Array;
}

function symbolsByPlacement(offsets: Int32Array, at: number): ByPlacement {
  const heads = new Int32Array(PLACEMENT / ENTRY).fill(-1);
  const next = new Int32Array(offsets.length).fill(-1);
  const addresses = new Float64Array(offsets.length);
  let last = -1;
  for (let i = 0; i < offsets.length; i++) {
    const address = at + placeDistance(offsets, i);
    addresses[i] = address;
    // Further names of one address would vote twice.
    if (address === last || address < 0 || address % ENTRY !== 0) continue;
    last = address;
    const slot = (address % PLACEMENT) / ENTRY;
    next[i] = heads[slot] as number;
    heads[slot] = i;
  }
  return { heads, next, addresses };
}

/** Adds the votes of some pointers: how many there are for each difference, in multiples of the placement. */
function vote(
  words: Uint32Array,
  bits: 32 | 64,
  { heads, next, addresses }: ByPlacement,
  votes: Map<number, number>,
): void {
  const step = bits / 32;
  for (let i = 0; i < words.length; i += step) {
    const low = words[i] as number;
    const high = bits === 64 ? (words[i + 1] as number) : 0;
    if (low % ENTRY !== 0 || (bits === 64 ? high < 0xff000000 : low < 0x40000000)) continue;
    // Exact: 64-bit addresses are counted down from the end of the address space.
    const value = bits === 64 ? (high - 2 ** 32) * 2 ** 32 + low : low;
    for (let k = heads[(low % PLACEMENT) / ENTRY] as number; k >= 0; k = next[k] as number) {
      const difference = (value - (addresses[k] as number)) / PLACEMENT;
      votes.set(difference, (votes.get(difference) ?? 0) + 1);
    }
  }
}

/** The difference with most votes, when it is clearly ahead of the second. */
function winner(votes: ReadonlyMap<number, number>): number | undefined {
  let [best, most, second] = [0, 0, 0];
  for (const [difference, count] of votes) {
    if (count > most) [best, most, second] = [difference, count, most];
    else if (count > second) second = count;
  }
  return most >= FEWEST && most >= LEAD * second && Number.isInteger(best) ? best : undefined;
}
