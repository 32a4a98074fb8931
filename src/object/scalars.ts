import { Absent } from '../memory/absent.js';
import { pageNumber, pageOffset } from '../memory/page.js';
import type { EnumType, IntegerType } from '../symbols/types.js';
import { readBytes, type ValueType } from './compiler.js';

/** A value type from its size, its name and a function that reads it. */
export function reader(size: number, name: string, read: ValueType['read']): ValueType {
  return { size, name, read, readAt: (space, address) => read(space, pageNumber(address), pageOffset(address)) };
}

/** A value type that decodes a fixed number of bytes. */
export function scalar(size: number, name: string, decode: (bytes: Buffer) => unknown): ValueType {
  return reader(size, name, (space, page, offset) => decode(readBytes(space, page, offset, size)));
}

/** An integer, or a bool. 64 bits and more read as bigint. */
export function integer(type: IntegerType, label = type.name): ValueType {
  const name = label ?? `${type.signed ? 'int' : 'uint'}${type.size * 8}`;
  if (type.encoding === 'bool') return scalar(type.size, name, (bytes) => bytes[0] !== 0);
  switch (type.size) {
    case 1:
      return scalar(1, name, type.signed ? (bytes) => bytes.readInt8(0) : (bytes) => bytes[0]);
    case 2:
      return scalar(2, name, type.signed ? (bytes) => bytes.readInt16LE(0) : (bytes) => bytes.readUInt16LE(0));
    case 4:
      return scalar(4, name, type.signed ? (bytes) => bytes.readInt32LE(0) : (bytes) => bytes.readUInt32LE(0));
    case 8:
      return scalar(8, name, type.signed ? (bytes) => bytes.readBigInt64LE(0) : (bytes) => bytes.readBigUInt64LE(0));
    case 16:
      return scalar(16, name, (bytes) => bytes.readBigUInt64LE(0) | (bytes.readBigUInt64LE(8) << 64n));
    default:
      return reader(type.size, name, () => {
        throw new Absent('corrupt', `an integer of ${type.size} bytes`);
      });
  }
}

/** Bits of an integer, counted from its least significant one. Up to 32 bits read as number, more as bigint. */
export function bitfield(base: IntegerType | EnumType, startBit: number, bits: number): ValueType {
  const name = `${base.name ?? 'int'}:${bits}`;
  // A field may be described with a base narrower than its last bit; read as many bytes as it needs.
  const width = Math.ceil((startBit + bits) / 8);
  const isBool = base.kind === 'int' && base.encoding === 'bool';
  const signed = base.signed && base.kind === 'int' && !isBool;
  return reader(base.size, name, (space, page, offset) => {
    const bytes = readBytes(space, page, offset, width);
    if (width <= 6) {
      const value = Math.floor(bytes.readUIntLE(0, width) / 2 ** startBit) % 2 ** bits;
      if (isBool) return value !== 0;
      return signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
    }
    let raw = 0n;
    for (let i = width - 1; i >= 0; i--) raw = (raw << 8n) | BigInt(bytes[i] as number);
    const value = BigInt.asUintN(bits, raw >> BigInt(startBit));
    const meant = signed ? BigInt.asIntN(bits, value) : value;
    return bits <= 32 ? Number(meant) : meant;
  });
}
