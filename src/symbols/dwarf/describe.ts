import { placeBitfield } from '../btf/members.js';
import type { EnumType, IntegerType, MemberLayout, TypeDescriptor } from '../types.js';
import { Encoding } from './constants.js';
import type { Die } from './die.js';

const INTEGER_SIZES = [1, 2, 4, 8, 16];

/** A base type (DW_TAG_base_type); undefined for one that memory of kernels does not have (complex numbers, odd sizes). */
export function describeInteger(name: string, { encoding, byteSize }: Die): TypeDescriptor | undefined {
  if (encoding === Encoding.Float) return byteSize > 0 && byteSize <= 16 ? { kind: 'float', size: byteSize, name } : undefined;
  if (!INTEGER_SIZES.includes(byteSize) || encoding === Encoding.ComplexFloat) return undefined;
  const meant = encoding === Encoding.Boolean ? 'bool' : name === 'char' && byteSize === 1 ? 'char' : undefined;
  return {
    kind: 'int',
    size: byteSize,
    signed: encoding === Encoding.Signed || encoding === Encoding.SignedChar,
    ...(meant && { encoding: meant }),
    ...(name !== '' && { name }),
  };
}

/** An enumeration. GCC before 8 does not state the integer type: then a negative value says that it is signed. */
export function describeEnum(name: string, stated: number, base: IntegerType | undefined, labels: readonly [string, bigint][]): EnumType {
  const size = [1, 2, 4, 8].includes(stated) ? stated : (base?.size ?? 4);
  const signed = base?.signed ?? labels.some(([, value]) => value < 0n);
  const choices = new Map<string, string>();
  for (const [label, value] of labels) {
    // The forms of fixed size do not say whether they are signed.
    const exact = String(signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value));
    if (!choices.has(exact)) choices.set(exact, label);
  }
  return { kind: 'enum', ...(name !== '' && { name }), size, signed, choices };
}

/**
 * Where a member lies (DWARF 5, section 5.7.6): bit fields by DW_AT_data_bit_offset, in DWARF 2 and 3 by DW_AT_bit_offset,
 * which counts from the most significant bit of a storage unit.
 */
export function placeMember(die: Die, type: TypeDescriptor, structSize: number): MemberLayout {
  const location = Math.max(die.memberLocation, 0);
  if (die.bitSize < 0) return { offset: location, type };
  if (type.kind !== 'int' && type.kind !== 'enum') return { offset: location, type: unreadable() };
  let first = location * 8;
  if (die.dataBitOffset >= 0) first += die.dataBitOffset;
  else if (die.hasBitOffset) first += (die.byteSize > 0 ? die.byteSize : type.size) * 8 - die.bitOffset - die.bitSize;
  if (first < 0 || die.bitSize < 1 || die.bitSize > 64) return { offset: location, type: unreadable() };
  return placeBitfield(type, first, die.bitSize, structSize < 0 ? Infinity : structSize);
}

function unreadable(): TypeDescriptor {
  return { kind: 'named', name: 'BitField', args: {} };
}
