import { unreadable } from './absent.js';
import type { AddressSpace } from './space.js';

/**
 * Bytes of which some could not be read: those are no bytes at all, and a dump shows `??` for them. As text: pairs of hex digits, `??` where there is none.
 */
export class PartialBytes {
  constructor(
    /** zeros where nothing was read */
    readonly bytes: Buffer,
    /** 1 where a byte is missing */
    readonly missing: Uint8Array,
  ) {}

  toString(): string {
    let text = '';
    for (let at = 0; at < this.bytes.length; at++) text += this.missing[at] === 1 ? '??' : (this.bytes[at] as number).toString(16).padStart(2, '0');
    return text;
  }
}

/** What can be read of a range, for a cell: the bytes, or those with holes. Throws Absent where nothing can. The end of the address space ends it. */
export function readForCell(space: AddressSpace, address: bigint, length: number): Buffer | PartialBytes {
  const room = (1n << 64n) - address;
  const { bytes, gaps } = space.readPartial(address, room < BigInt(length) ? Number(room) : length);
  if (gaps.length === 0) return bytes;
  const missing = new Uint8Array(bytes.length);
  for (const { start, end } of gaps) missing.fill(1, Number(start - address), Number(end - address));
  if (!missing.includes(0)) throw unreadable(address);
  return new PartialBytes(bytes, missing);
}

const widths = new WeakMap<object, number>();

/** Says that a cell's bytes are a row of a dump that has `width` bytes a row: it is laid out on one line, aligned with the others. */
export function asRow<T extends Buffer | PartialBytes>(bytes: T, width: number): T {
  widths.set(bytes, width);
  return bytes;
}

/** Bytes a line that {@link asRow} gave a cell. */
export function rowWidth(bytes: object): number | undefined {
  return widths.get(bytes);
}
