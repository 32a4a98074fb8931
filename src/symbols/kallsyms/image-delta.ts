import type { PhysicalSpace } from '../../memory/physical.js';
import { readPhysical } from '../window.js';
import { placeDistance } from './addresses.js';

/** Kernel images are placed, physically and virtually, at multiples of this (x86: 2 MiB; arm64: MIN_KIMG_ALIGN). */
const PLACEMENT = 0x200000;
/** Bytes that functions are aligned to, in most kernels. */
const ENTRY = 16;
/** Bytes of the image before its tables that are searched for pointers: constant structures full of functions. */
const SEARCHED = 8 * 1024 * 1024;
/** Pointers that must agree. */
const FEWEST = 200;

/**
 * Virtual minus physical address of a kernel image whose symbols are known relative to each other only. A pointer to a function
 * agrees with the function's physical address up to a multiple of 2 MiB: each pointer in the image votes for the differences
 * that would make it one, and the true one is far ahead.
 * @param offsets kallsyms_offsets, each relative to where it stands
 * @param at physical address of the first
 */
export function imageDelta(
  physical: PhysicalSpace,
  offsets: Int32Array,
  at: number,
): { delta: bigint; bits: 32 | 64 } | undefined {
  const functions = symbolsByPlacement(offsets, at);
  const lowest = at + placeDistance(offsets, 0);
  const from = Math.max(Math.ceil(lowest / 4096) * 4096, Math.floor((at - SEARCHED) / 4096) * 4096);
  if (lowest < 0 || from >= at) return undefined;
  const bytes = readPhysical(physical, from, Math.floor((at - from) / 8) * 8);
  if (!bytes) return undefined;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const [wide, narrow] = ([64, 32] as const).map((bits) => winner(vote(words, bits, functions), bits));
  return wide ?? narrow;
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

/** How many pointers there are for each difference, in multiples of the placement. */
function vote(words: Uint32Array, bits: 32 | 64, { heads, next, addresses }: ByPlacement): Map<number, number> {
  const votes = new Map<number, number>();
  const step = bits / 32;
  for (let i = 0; i < words.length; i += step) {
    const low = words[i] as number;
    const high = bits === 64 ? (words[i + 1] as number) : 0;
    if (low % ENTRY !== 0 || (bits === 64 ? high < 0xff000000 : low < 0x40000000)) continue;
    // Exact: 64-bit addresses are counted down from the end of the address space, in pages.
    const value = bits === 64 ? (high - 2 ** 32) * 2 ** 32 + low : low;
    for (let k = heads[(low % PLACEMENT) / ENTRY] as number; k >= 0; k = next[k] as number) {
      const difference = (value - (addresses[k] as number)) / PLACEMENT;
      votes.set(difference, (votes.get(difference) ?? 0) + 1);
    }
  }
  return votes;
}

/** The difference with most votes, when it is clearly ahead of the second. */
function winner(votes: Map<number, number>, bits: 32 | 64): { delta: bigint; bits: 32 | 64 } | undefined {
  let [best, most, second] = [0, 0, 0];
  for (const [difference, count] of votes) {
    if (count > most) [best, most, second] = [difference, count, most];
    else if (count > second) second = count;
  }
  if (most < FEWEST || most < 2 * second || !Number.isInteger(best)) return undefined;
  return { delta: BigInt.asUintN(bits, BigInt(best) * BigInt(PLACEMENT)), bits };
}
