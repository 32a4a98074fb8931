import { PAGE_SIZE, pageNumber, pageOffset } from '../../memory/page.js';
import type { AddressSpace } from '../../memory/space.js';
import type { StructType } from '../../object/struct-type.js';
import type { TypeDescriptor } from '../../symbols/types.js';
import type { WindowsKernel } from './kernel.js';

/** A member of a struct, down to its bits: for walks that read the same few members of very many structs, straight from pages. */
export interface Field {
  /** byte of the struct that the 32-bit word begins at which has the first bit */
  readonly offset: number;
  readonly shift: number;
  readonly bits: number;
}

/** Where a member is, of a member …: `u4.PrototypePte`; undefined where this build has none, or it is no number. */
export function fieldAt(kernel: WindowsKernel, type: StructType, path: string): Field | undefined {
  let offset = 0;
  let current: StructType | undefined = type;
  let found: TypeDescriptor | undefined;
  for (const name of path.split('.')) {
    const member = current?.members.get(name);
    if (!current || !member) return undefined;
    offset += member.offset;
    found = member.type;
    current = kernel.profile.structBehind(member.type, current.name);
  }
  const [start, bits] = found?.kind === 'bitfield' ? [found.startBit, found.bits] : found?.kind === 'int' ? [0, found.size * 8] : [0, 0];
  if (bits === 0) return undefined;
  const bit = (offset % 4) * 8 + start;
  return { offset: offset - (offset % 4) + Math.floor(bit / 32) * 4, shift: bit % 32, bits };
}

/** Bits of a 64-bit value in two halves; exact up to 53. */
export function extract(low: number, high: number, shift: number, bits: number): number {
  if (shift + bits <= 32) return bits === 32 ? low : (low >>> shift) & (2 ** bits - 1);
  const above = shift + bits - 32;
  return (above >= 32 ? high : high & (2 ** above - 1)) * 2 ** (32 - shift) + (low >>> shift);
}

/** Bytes of a struct, wherever they stand: most lie on one page, and are read there. */
export interface Bytes {
  readonly view: DataView;
  /** place of the struct in the view */
  readonly at: number;
}

/** The bytes of a struct. Throws Absent where one is missing. */
export function bytesAt(space: AddressSpace, address: bigint, size: number): Bytes {
  const offset = pageOffset(address);
  if (offset + size <= PAGE_SIZE) {
    const page = space.pageAt(pageNumber(address));
    if (page) return { view: page.view, at: offset };
  }
  const copy = space.read(address, size);
  return { view: new DataView(copy.buffer, copy.byteOffset, copy.length), at: 0 };
}

/** The value of a member; exact up to 53 bits. */
export function readField({ view, at }: Bytes, { offset, shift, bits }: Field): number {
  const low = view.getUint32(at + offset, true);
  return extract(low, shift + bits > 32 ? view.getUint32(at + offset + 4, true) : 0, shift, bits);
}
