import type { EnumType, IntegerType, TypeDescriptor } from '../types.js';
import { BtfError, kindFlagOf, kindOf, lengthOf } from './format.js';
import type { BtfBlob } from './blob.js';

/** btf.h: BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL */
const INT_SIGNED = 1;
const INT_CHAR = 2;
const INT_BOOL = 4;
const INT_SIZES = [1, 2, 4, 8, 16];

/** An integer, and the bits it takes of its storage (before kind_flag, bit fields were integers of odd widths). */
export interface BtfInteger {
  readonly type: IntegerType;
  readonly startBit: number;
  readonly bits: number;
}

/** Decodes BTF_KIND_INT: size, then a word of encoding (bits 24-27), offset (16-23) and bits (0-7). @throws {BtfError} */
export function decodeInteger(blob: BtfBlob, id: number): BtfInteger {
  const size = blob.word(id, 2);
  if (!INT_SIZES.includes(size)) throw new BtfError(`BTF integer ${id} has ${size} bytes`);
  const word = blob.word(id, 3);
  const encoding = (word >>> 24) & 0xf;
  const name = blob.text(blob.word(id, 0));
  // Compilers leave BTF_INT_CHAR out; plain `char` is text all the same, `signed char` and `unsigned char` are numbers.
  const meant =
    (encoding & INT_BOOL) !== 0
      ? 'bool'
      : (encoding & INT_CHAR) !== 0 || (name === 'char' && size === 1)
        ? 'char'
        : undefined;
  return {
    type: {
      kind: 'int',
      size,
      signed: (encoding & INT_SIGNED) !== 0,
      ...(meant && { encoding: meant }),
      ...(name !== '' && { name }),
    },
    startBit: (word >>> 16) & 0xff,
    bits: word & 0xff,
  };
}

/**
 * Decodes BTF_KIND_ENUM and BTF_KIND_ENUM64.
 *
 * kind_flag says that values are signed, since Linux 6.0 (6089fb325cf7). Encoders before that never set it and had
 * signed values only.
 * @param name of the typedef, when the enumeration has none of its own
 * @param signs whether the blob's encoder knew of signedness
 * @throws {BtfError} when its size is impossible
 */
export function decodeEnum(blob: BtfBlob, id: number, wide: boolean, name: string, signs: boolean): EnumType {
  const info = blob.word(id, 1);
  const size = blob.word(id, 2);
  if (!INT_SIZES.includes(size) || size > 8) throw new BtfError(`BTF enumeration ${id} has ${size} bytes`);
  const choices = new Map<string, string>();
  const count = lengthOf(info);
  let signed = kindFlagOf(info);
  if (!signs) for (let i = 0; i < count && !signed; i++) signed = (blob.word(id, 4 + 2 * i) | 0) < 0;
  for (let i = 0; i < count; i++) {
    const at = 3 + (wide ? 3 : 2) * i;
    const low = blob.word(id, at + 1);
    let value: string;
    if (wide) {
      const whole = (BigInt(blob.word(id, at + 2)) << 32n) | BigInt(low);
      value = String(signed ? BigInt.asIntN(64, whole) : whole);
    } else value = String(signed ? low | 0 : low);
    if (!choices.has(value)) choices.set(value, blob.text(blob.word(id, at)));
  }
  return { kind: 'enum', ...(name !== '' && { name }), size, signed, choices };
}

/** True when any enumeration of the blob says that it is signed, or is a 64-bit one: its encoder states signedness. */
export function statesSignedness(blob: BtfBlob): boolean {
  for (let id = blob.firstId; id < blob.endId; id++) {
    const info = blob.word(id, 1);
    const kind = kindOf(info);
    if (kind === 19 || (kind === 6 && kindFlagOf(info))) return true;
  }
  return false;
}

/**
 * Where a bit field lies: the storage unit of its declared type that holds it, as a compiler for x86 or arm64 lays it out, or the
 * smallest one from its first byte on where it does not fit (packed structs).
 * @param bitOffset from the start of the struct, in bits
 * @param structSize bytes: no unit reaches beyond the struct
 * @throws {BtfError} when no unit can hold it
 */
export function placeBitfield(
  base: IntegerType | EnumType,
  bitOffset: number,
  bits: number,
  structSize: number,
): { offset: number; type: TypeDescriptor } {
  const unit = base.size * 8;
  const offset = Math.floor(bitOffset / unit) * base.size;
  const startBit = bitOffset - offset * 8;
  if (startBit + bits <= unit && offset + base.size <= structSize)
    return { offset, type: { kind: 'bitfield', base, startBit, bits } };
  const first = Math.floor(bitOffset / 8);
  const start = bitOffset - first * 8;
  const size = INT_SIZES.find((bytes) => start + bits <= bytes * 8);
  if (size === undefined) throw new BtfError(`a bit field of ${bits} bits`);
  return { offset: first, type: { kind: 'bitfield', base: { ...base, size }, startBit: start, bits } };
}
