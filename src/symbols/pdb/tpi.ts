import { ProfileError } from '../error.js';
import { Leaf, Numeric } from './leaves.js';
import { PdbReader } from './reader.js';

/** First index of a record: what is below is a type without one. */
export const FIRST_RECORD = 0x1000;
const MAX_RECORDS = 1 << 22;
/** Property bit of a class, union or enumeration that is only announced (`fwdref`). */
const FORWARD = 0x80;
/** Versions of the stream before Visual C++ 5 number types with 16 bits: their records are others. */
const OLDEST_VERSION = 19960307;

export interface ClassRecord {
  readonly kind: 'class';
  readonly union: boolean;
  readonly name: string;
  readonly size: number;
  readonly fields: number;
  readonly forward: boolean;
}
export interface EnumRecord {
  readonly kind: 'enum';
  readonly name: string;
  readonly base: number;
  readonly fields: number;
  readonly forward: boolean;
}
export type TypeRecord =
  | ClassRecord
  | EnumRecord
  | { readonly kind: 'modifier'; readonly target: number }
  /** `size` in bytes, 0 where the record does not say; `reference` pointers (C++) are pointers to us */
  | { readonly kind: 'pointer'; readonly target: number; readonly size: number }
  /** `size` in bytes of all elements together */
  | { readonly kind: 'array'; readonly element: number; readonly size: number; readonly stride?: number }
  | { readonly kind: 'bitfield'; readonly base: number; readonly bits: number; readonly start: number }
  | { readonly kind: 'function' }
  | { readonly kind: 'alias'; readonly target: number; readonly name: string }
  /** a record that describes no data, or a kind that is not known here */
  | { readonly kind: 'other'; readonly leaf: number };

/** A member with its place, or a base class (`name` undefined), in bytes from the start. */
export interface FieldMember {
  readonly name: string | undefined;
  readonly type: number;
  readonly offset: number;
}

/**
 * The type stream (2, `TPI`): records of all types, numbered from the header's first index. Records are found at once and read when
 * they are asked for. microsoft-pdb, PDB/dbi/tpi.h (HDR), include/cvinfo.h (records); LLVM docs/PDB/TpiStream.rst.
 */
export class TypeStream {
  readonly first: number;
  readonly end: number;
  private readonly offsets: Uint32Array;

  constructor(private readonly bytes: Uint8Array) {
    const header = new PdbReader(bytes, 'type stream');
    const version = header.u32();
    if (version < OLDEST_VERSION) throw new ProfileError(`The PDB's types are of version ${version}, before Visual C++ 5: these cannot be read.`, 'convert_profile FILE');
    const size = header.u32();
    this.first = header.u32();
    this.end = header.u32();
    const length = header.u32();
    const count = this.end - this.first;
    if (this.first < FIRST_RECORD || count < 0 || count > MAX_RECORDS) throw new ProfileError(`The PDB states types from ${this.first} to ${this.end}.`, 'Fetch the PDB again: fetch_pdb NAME GUID');
    const records = new PdbReader(bytes, 'type stream', size, Math.min(bytes.length, size + length));
    this.offsets = new Uint32Array(count);
    for (let index = 0; index < count; index++) {
      this.offsets[index] = records.at;
      records.skip(records.u16());
    }
  }

  /** The record of an index; undefined for indices that have none. Throws ProfileError for one that is cut off. */
  record(index: number): TypeRecord | undefined {
    const reader = this.reader(index);
    if (!reader) return undefined;
    const leaf = reader.u16();
    switch (leaf) {
      case Leaf.Modifier:
        return { kind: 'modifier', target: reader.u32() };
      case Leaf.Pointer: {
        const target = reader.u32();
        const attributes = reader.u32();
        // Bits 13 to 18 are the pointer's size; before 2003 they were not set, and the kind (bits 0 to 4: near 32, 64) says it.
        const size = (attributes >>> 13) & 0x3f;
        return { kind: 'pointer', target, size: size !== 0 ? size : ({ 0xa: 4, 0xc: 8 }[attributes & 0x1f] ?? 0) };
      }
      case Leaf.Array:
      case Leaf.ArraySt: {
        const element = reader.u32();
        reader.skip(4); // the type of the index
        return { kind: 'array', element, size: numberOf(reader) };
      }
      case Leaf.Vector: {
        const element = reader.u32();
        reader.skip(4);
        return { kind: 'array', element, size: numberOf(reader) };
      }
      case Leaf.Class:
      case Leaf.Structure:
      case Leaf.Interface:
      case Leaf.ClassSt:
      case Leaf.StructureSt: {
        reader.skip(2); // count of members
        const property = reader.u16();
        const fields = reader.u32();
        reader.skip(8); // derivation list, shape of the virtual function table
        return this.aggregate(reader, leaf, false, property, fields);
      }
      case Leaf.Union:
      case Leaf.UnionSt: {
        reader.skip(2);
        const property = reader.u16();
        return this.aggregate(reader, leaf, true, property, reader.u32());
      }
      case Leaf.Class2:
      case Leaf.Structure2:
      case Leaf.Interface2: {
        const property = reader.u32();
        const fields = reader.u32();
        reader.skip(8);
        numberOf(reader); // count of members, as a number of any width
        return this.aggregate(reader, leaf, false, property, fields);
      }
      case Leaf.Union2: {
        const property = reader.u32();
        const fields = reader.u32();
        numberOf(reader);
        return this.aggregate(reader, leaf, true, property, fields);
      }
      case Leaf.Enum:
      case Leaf.EnumSt: {
        reader.skip(2);
        const property = reader.u16();
        const base = reader.u32();
        const fields = reader.u32();
        return { kind: 'enum', base, fields, name: nameOf(reader, leaf), forward: (property & FORWARD) !== 0 };
      }
      case Leaf.BitField: {
        const base = reader.u32();
        return { kind: 'bitfield', base, bits: reader.u8(), start: reader.u8() };
      }
      case Leaf.Procedure:
      case Leaf.MemberFunction:
        return { kind: 'function' };
      case Leaf.Alias:
      case Leaf.AliasSt: {
        const target = reader.u32();
        return { kind: 'alias', target, name: nameOf(reader, leaf) };
      }
      default:
        return { kind: 'other', leaf };
    }
  }

  /**
   * The data members of a field list, in order, and what continues it. Static members, methods and nested types are no data.
   * @param most members after which it stops
   */
  members(list: number, most = Infinity): FieldMember[] {
    const found: FieldMember[] = [];
    this.fields(list, (reader, leaf) => {
      if (found.length >= most) return false;
      switch (leaf) {
        case Leaf.Member:
        case Leaf.MemberSt: {
          reader.skip(2); // access
          const type = reader.u32();
          const offset = numberOf(reader);
          found.push({ type, offset, name: nameOf(reader, leaf) });
          return true;
        }
        case Leaf.BaseClass: {
          reader.skip(2);
          const type = reader.u32();
          found.push({ type, offset: numberOf(reader), name: undefined });
          return true;
        }
        case Leaf.VirtualFunctionTable:
          reader.skip(2);
          found.push({ type: reader.u32(), offset: 0, name: '__vfptr' });
          return true;
        default:
          return skipField(reader, leaf);
      }
    });
    return found;
  }

  /** Value (in decimal) and label of an enumeration's constants; of equal values the first stands. */
  enumerators(list: number, most = Infinity): Map<string, string> {
    const found = new Map<string, string>();
    this.fields(list, (reader, leaf) => {
      if (found.size >= most) return false;
      if (leaf !== Leaf.Enumerate && leaf !== Leaf.EnumerateSt) return skipField(reader, leaf);
      reader.skip(2);
      const value = numeric(reader).toString();
      const label = nameOf(reader, leaf);
      if (!found.has(value)) found.set(value, label);
      return true;
    });
    return found;
  }

  /** Calls `field` for each field of a list and of those that continue it, until it says that it cannot go on. */
  private fields(list: number, field: (reader: PdbReader, leaf: number) => boolean): void {
    const seen = new Set<number>();
    let next: number | undefined = list;
    while (next !== undefined && next !== 0 && !seen.has(next)) {
      seen.add(next);
      const reader = this.reader(next);
      next = undefined;
      if (!reader || reader.u16() !== Leaf.FieldList) return;
      while (reader.left >= 2) {
        // Between fields stand bytes F1, F2, F3: so many to the next multiple of 4.
        const leaf = reader.u16();
        if ((leaf & 0xff) > 0xf0) {
          reader.at += (leaf & 0xf) - 2;
          if (reader.at > reader.end || (leaf & 0xf) === 0) return;
          continue;
        }
        if (leaf === Leaf.Index) {
          reader.skip(2);
          next = reader.u32();
          continue;
        }
        if (!field(reader, leaf)) return;
      }
    }
  }

  private aggregate(reader: PdbReader, leaf: number, union: boolean, property: number, fields: number): ClassRecord {
    const size = numberOf(reader);
    return { kind: 'class', union, size, fields, name: nameOf(reader, leaf), forward: (property & FORWARD) !== 0 };
  }

  /** The record's bytes behind its length. */
  private reader(index: number): PdbReader | undefined {
    const offset = index >= this.first ? this.offsets[index - this.first] : undefined;
    if (offset === undefined) return undefined;
    const start = new PdbReader(this.bytes, 'type stream', offset);
    return start.part(start.u16());
  }
}

/** Steps over a field that is no data; false where its kind, and so its length, is not known. */
function skipField(reader: PdbReader, leaf: number): boolean {
  switch (leaf) {
    case Leaf.Member:
    case Leaf.MemberSt:
    case Leaf.BaseClass:
      reader.skip(6);
      numeric(reader);
      if (leaf !== Leaf.BaseClass) nameOf(reader, leaf);
      return true;
    case Leaf.Enumerate:
    case Leaf.EnumerateSt:
      reader.skip(2);
      numeric(reader);
      nameOf(reader, leaf);
      return true;
    case Leaf.VirtualBaseClass:
    case Leaf.IndirectVirtualBaseClass:
      reader.skip(10);
      numeric(reader);
      numeric(reader);
      return true;
    case Leaf.StaticMember:
    case Leaf.StaticMemberSt:
    case Leaf.NestedType:
    case Leaf.NestedTypeSt:
    case Leaf.NestedTypeEx:
    case Leaf.MemberModify:
    case Leaf.Method:
    case Leaf.MethodSt:
    case Leaf.FriendFunction:
    case Leaf.FriendFunctionSt:
      reader.skip(6);
      nameOf(reader, leaf);
      return true;
    case Leaf.OneMethod:
    case Leaf.OneMethodSt: {
      const attributes = reader.u16();
      reader.skip(4);
      // Introducing virtual functions (4, 6) state their place in the table.
      const property = (attributes >>> 2) & 7;
      if (property === 4 || property === 6) reader.skip(4);
      nameOf(reader, leaf);
      return true;
    }
    case Leaf.FriendClass:
    case Leaf.VirtualFunctionTable:
      reader.skip(6);
      return true;
    case Leaf.VirtualFunctionOffset:
      reader.skip(10);
      return true;
    default:
      return false;
  }
}

const OLD_NAMES: ReadonlySet<number> = new Set([
  ...[Leaf.ArraySt, Leaf.ClassSt, Leaf.StructureSt, Leaf.UnionSt, Leaf.EnumSt, Leaf.AliasSt, Leaf.EnumerateSt],
  ...[Leaf.MemberSt, Leaf.StaticMemberSt, Leaf.MethodSt, Leaf.NestedTypeSt, Leaf.OneMethodSt, Leaf.FriendFunctionSt],
]);

function nameOf(reader: PdbReader, leaf: number): string {
  return OLD_NAMES.has(leaf) ? reader.pascalString() : reader.cString();
}

/** A number of any of the forms that records have. Throws ProfileError for a form that is none. */
function numeric(reader: PdbReader): bigint {
  const leaf = reader.u16();
  if (leaf < Numeric.Char) return BigInt(leaf);
  switch (leaf) {
    case Numeric.Char:
      return BigInt.asIntN(8, BigInt(reader.u8()));
    case Numeric.Short:
      return BigInt(reader.i16());
    case Numeric.UShort:
      return BigInt(reader.u16());
    case Numeric.Long:
      return BigInt(reader.i32());
    case Numeric.ULong:
      return BigInt(reader.u32());
    case Numeric.QuadWord:
      return reader.i64();
    case Numeric.UQuadWord:
      return reader.u64();
    case Numeric.OctWord:
    case Numeric.UOctWord: {
      const low = reader.u64();
      return low | (reader.u64() << 64n);
    }
    default:
      throw new ProfileError(`The PDB's ${reader.what} has a number of unknown form 0x${leaf.toString(16)}.`, 'Fetch the PDB again: fetch_pdb NAME GUID');
  }
}

/** A size or offset; one that no memory has is damaged. */
function numberOf(reader: PdbReader): number {
  const value = numeric(reader);
  if (value < 0n || value > 0xffffffffffn) throw new ProfileError(`The PDB's ${reader.what} states a size of ${value} bytes.`, 'Fetch the PDB again: fetch_pdb NAME GUID');
  return Number(value);
}
