import type { VirtualBlock } from './crash.js';

/**
 * Blocks sorted by address, without what the file has not and what an earlier one covers.
 * @returns with the blocks how many bytes are missing of how many
 */
export function layBlocks(all: readonly VirtualBlock[], fileSize: number): { blocks: VirtualBlock[]; missing: number; total: number } {
  const sorted = [...all].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const blocks: VirtualBlock[] = [];
  let end = 0n;
  let missing = 0;
  let total = 0;
  for (const { address, offset, length } of sorted) {
    const there = Math.max(0, Math.min(length, fileSize - offset));
    missing += length - there;
    total += length;
    const skip = end > address ? Number(end - address) : 0;
    const last = address + BigInt(there);
    if (skip >= there || last > 1n << 64n) continue;
    blocks.push({ address: address + BigInt(skip), offset: offset + skip, length: there - skip });
    end = last;
  }
  return { blocks, missing, total };
}
