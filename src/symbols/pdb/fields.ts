import { ProfileError } from '../error.js';
import { Leaf, Numeric } from './leaves.js';
import type { PdbReader } from './reader.js';

/** Steps over a field that is no data; false where its kind, and so its length, is not known. */
export function skipField(reader: PdbReader, leaf: number): boolean {
  switch (leaf) {
    case Leaf.Member:
    case Leaf.MemberSt:
    case Leaf.BaseClass:
    case Leaf.BaseInterface:
      reader.skip(6);
      numeric(reader);
      if (leaf === Leaf.Member || leaf === Leaf.MemberSt) nameOf(reader, leaf);
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
    case Leaf.NestedTypeExSt:
    case Leaf.MemberModify:
    case Leaf.MemberModifySt:
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
  ...[Leaf.MemberSt, Leaf.StaticMemberSt, Leaf.MethodSt, Leaf.NestedTypeSt, Leaf.NestedTypeExSt, Leaf.MemberModifySt, Leaf.OneMethodSt, Leaf.FriendFunctionSt],
]);

/** The name at the end of a record of this kind. */
export function nameOf(reader: PdbReader, leaf: number): string {
  return OLD_NAMES.has(leaf) ? reader.pascalString() : reader.cString();
}

/** A number of any of the forms that records have. Throws ProfileError for a form that is none. */
export function numeric(reader: PdbReader): bigint {
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
export function numberOf(reader: PdbReader): number {
  const value = numeric(reader);
  if (value < 0n || value > 0xffffffffffn) throw new ProfileError(`The PDB's ${reader.what} states a size of ${value} bytes.`, 'Fetch the PDB again: fetch_pdb NAME GUID');
  return Number(value);
}
