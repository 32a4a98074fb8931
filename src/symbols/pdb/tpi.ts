import type { Convention } from '../types.js';
import { nameOf, numberOf, numeric, skipField } from './fields.js';
import { Leaf } from './leaves.js';
import type { PdbReader } from './reader.js';
import { RecordStream } from './records.js';

/** Property bit of a class, union or enumeration that is only announced (`fwdref`). */
const FORWARD = 0x80;
/** Calling conventions that are told, of those of CV_call_t: what they name is where the arguments are. */
const CONVENTIONS: Readonly<Record<number, Convention>> = { 0x04: 'fastcall', 0x07: 'stdcall', 0x0b: 'thiscall', 0x18: 'vectorcall' };

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
  /** `argumentList` and `self` (the type of `this`, 0 where there is none) are indices */
  | { readonly kind: 'function'; readonly returns: number; readonly argumentList: number; readonly self: number; readonly convention: Convention | undefined }
  | { readonly kind: 'alias'; readonly target: number; readonly name: string }
  /** a record that describes no data, or a kind that is not known here */
  | { readonly kind: 'other'; readonly leaf: number };

/** A member with its place, or a base class (`name` undefined), in bytes from the start. */
export interface FieldMember {
  readonly name: string | undefined;
  readonly type: number;
  readonly offset: number;
}

/** The type stream (2, `TPI`): records of all types. microsoft-pdb, include/cvinfo.h; LLVM docs/PDB/TpiStream.rst. */
export class TypeStream extends RecordStream {
  /** kinds of records and fields that were met and are not read here, with how often */
  readonly unread = new Map<number, number>();

  constructor(bytes: Uint8Array) {
    super(bytes, 'type stream');
  }

  /** The record of an index; undefined for indices that have none. Throws ProfileError for one that is cut off. */
  record(index: number): TypeRecord | undefined {
    const reader = this.reader(index);
    if (!reader) return undefined;
    const leaf = reader.u16();
    switch (leaf) {
      case Leaf.Modifier:
      case Leaf.ModifierEx:
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
      case Leaf.Procedure: {
        const returns = reader.u32();
        const convention = CONVENTIONS[reader.u8()];
        reader.skip(3); // attributes, number of parameters: the list has it too
        return { kind: 'function', returns, convention, self: 0, argumentList: reader.u32() };
      }
      case Leaf.MemberFunction: {
        const returns = reader.u32();
        reader.skip(4); // the class
        const self = reader.u32();
        const convention = CONVENTIONS[reader.u8()];
        reader.skip(3);
        return { kind: 'function', returns, convention, self, argumentList: reader.u32() };
      }
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
        case Leaf.BaseClass:
        case Leaf.BaseInterface: {
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
          return this.skip(reader, leaf);
      }
    });
    return found;
  }

  /** Value (in decimal) and label of an enumeration's constants; of equal values the first stands. */
  enumerators(list: number, most = Infinity): Map<string, string> {
    const found = new Map<string, string>();
    this.fields(list, (reader, leaf) => {
      if (found.size >= most) return false;
      if (leaf !== Leaf.Enumerate && leaf !== Leaf.EnumerateSt) return this.skip(reader, leaf);
      reader.skip(2);
      const value = numeric(reader).toString();
      const label = nameOf(reader, leaf);
      if (!found.has(value)) found.set(value, label);
      return true;
    });
    return found;
  }

  /** The types of a function's parameters; a 0 at the end stands for `...`. @param most parameters after which it stops */
  parameters(list: number, most = Infinity): number[] {
    const reader = this.reader(list);
    if (!reader || reader.u16() !== Leaf.ArgumentList) return [];
    return Array.from({ length: Math.min(reader.u32(), most, Math.floor(reader.left / 4)) }, () => reader.u32());
  }

  /** Calls `field` for each field of a list and of those that continue it, until it says that it has enough or cannot go on. */
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

  /** Notes that a record or field is not read. */
  passOver(leaf: number): void {
    this.unread.set(leaf, (this.unread.get(leaf) ?? 0) + 1);
  }

  private skip(reader: PdbReader, leaf: number): boolean {
    const known = skipField(reader, leaf);
    if (!known) this.passOver(leaf);
    return known;
  }

  private aggregate(reader: PdbReader, leaf: number, union: boolean, property: number, fields: number): ClassRecord {
    const size = numberOf(reader);
    return { kind: 'class', union, size, fields, name: nameOf(reader, leaf), forward: (property & FORWARD) !== 0 };
  }
}
