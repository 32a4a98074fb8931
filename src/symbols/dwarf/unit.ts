import type { Abbreviation } from './abbrev.js';
import { At, Form, Op } from './constants.js';
import { Die, NameIn } from './die.js';
import type { EntryUnit } from './entries.js';
import { damaged } from './error.js';
import { FormReader, type UnitHeader } from './forms.js';
import type { DebugSections } from './sections.js';

/** A unit in memory. Decodes entries at positions in it. */
export class Unit extends FormReader implements EntryUnit {
  private readonly root: Die;

  constructor(
    header: UnitHeader,
    bytes: Buffer,
    private readonly abbreviations: ReadonlyMap<number, Abbreviation>,
    private readonly sections: DebugSections,
    bySignature: (signature: bigint) => number,
  ) {
    super(header, bytes, bySignature);
    this.root = new Die();
    this.decode(header.headerLength, this.root);
  }

  get end(): number {
    return this.bytes.length;
  }

  /** Decodes the entry at a position of the unit. @throws ProfileError */
  decode(position: number, die: Die): void {
    die.clear();
    this.at = position;
    const code = this.uleb();
    if (code === 0) {
      die.next = this.at;
      return;
    }
    const abbreviation = this.abbreviations.get(code);
    if (!abbreviation) throw damaged(`abbreviation ${code} is not in the unit's table`);
    die.tag = abbreviation.tag;
    die.children = abbreviation.children;
    const { specs, implicit } = abbreviation;
    for (let i = 0; i < specs.length; i += 2) this.attribute(die, specs[i] as number, specs[i + 1] as number, implicit?.get(i + 1) ?? 0);
    if (this.at > this.bytes.length) throw damaged('an entry runs beyond its unit');
    die.next = this.at;
  }

  /** Position behind an entry and all below it. @throws ProfileError */
  behind(die: Die): number {
    if (!die.children) return die.next;
    if (die.sibling >= die.next) return die.sibling;
    const below = new Die();
    let depth = 1;
    let at = die.next;
    while (depth > 0) {
      if (at >= this.bytes.length) throw damaged('entries run beyond their unit');
      this.decode(at, below);
      at = below.next;
      if (below.tag === 0) depth--;
      else if (below.children) {
        if (below.sibling >= below.next) at = below.sibling;
        else depth++;
      }
    }
    return at;
  }

  /** The name of an entry, empty where it has none. */
  name(die: Die): string {
    switch (die.nameIn) {
      case NameIn.Str:
        return text(this.sections.str, die.nameAt);
      case NameIn.LineStr:
        return text(this.sections.lineStr, die.nameAt);
      case NameIn.Unit:
        return text(this.bytes, die.nameAt);
      default:
        return '';
    }
  }

  /** DW_AT_const_value of an entry; undefined where it is no number. */
  constant(die: Die): bigint | undefined {
    this.at = die.constAt;
    switch (die.constForm) {
      case Form.ImplicitConst:
        return BigInt(die.constImplicit);
      case Form.Sdata:
        return this.bigLeb(true);
      case Form.Udata:
        return this.bigLeb(false);
      case Form.Data1:
        return BigInt(this.bytes.readUInt8(this.at));
      case Form.Data2:
        return BigInt(this.bytes.readUInt16LE(this.at));
      case Form.Data4:
        return BigInt(this.bytes.readUInt32LE(this.at));
      case Form.Data8:
        return this.bytes.readBigUInt64LE(this.at);
      default:
        return undefined;
    }
  }

  /** The address that a location expression names, where it is one fixed address. */
  address(die: Die): bigint | undefined {
    if (die.locationAt < 0 || die.locationLength < 2) return undefined;
    const { addressSize } = this.header;
    const operation = this.bytes[die.locationAt];
    if (operation === Op.Addr && die.locationLength === 1 + addressSize) return readAddress(this.bytes, die.locationAt + 1, addressSize);
    if (operation !== Op.Addrx && operation !== Op.GnuAddrIndex) return undefined;
    this.at = die.locationAt + 1;
    const offset = Math.max(this.root.addrBase, 0) + this.uleb() * addressSize;
    return offset + addressSize <= this.sections.addr.length ? readAddress(this.sections.addr, offset, addressSize) : undefined;
  }

  private attribute(die: Die, attribute: number, form: number, implicit: number): void {
    switch (attribute) {
      case At.Name:
        return this.readName(die, form);
      case At.Type:
      case At.Signature:
        die.type = this.reference(form);
        return;
      case At.Specification:
        die.specification = this.reference(form);
        return;
      case At.Sibling:
        die.sibling = this.reference(form) - this.header.start;
        return;
      case At.ByteSize:
        die.byteSize = this.number(form, implicit);
        return;
      case At.Declaration:
        die.declaration = this.flag(form);
        return;
      case At.External:
        die.external = this.flag(form);
        return;
      case At.DataMemberLocation:
        die.memberLocation = this.memberLocation(form, implicit);
        return;
      case At.BitSize:
        die.bitSize = this.number(form, implicit);
        return;
      case At.BitOffset:
        die.hasBitOffset = true;
        die.bitOffset = this.number(form, implicit);
        return;
      case At.DataBitOffset:
        die.dataBitOffset = this.number(form, implicit);
        return;
      case At.UpperBound:
        die.upperBound = this.number(form, implicit);
        return;
      case At.Count:
        die.count = this.number(form, implicit);
        return;
      case At.Encoding:
        die.encoding = this.number(form, implicit);
        return;
      case At.ConstValue:
        die.constForm = form;
        die.constAt = this.at;
        die.constImplicit = implicit;
        return this.skip(form);
      case At.Location:
        return this.readLocation(die, form);
      case At.StrOffsetsBase:
        die.strOffsetsBase = this.number(form, implicit);
        return;
      case At.AddrBase:
      case At.GnuAddrBase:
        die.addrBase = this.number(form, implicit);
        return;
      default:
        return this.skip(form);
    }
  }

  private readName(die: Die, form: number): void {
    switch (form) {
      case Form.Strp:
        die.nameIn = NameIn.Str;
        die.nameAt = this.offset();
        return;
      case Form.LineStrp:
        die.nameIn = NameIn.LineStr;
        die.nameAt = this.offset();
        return;
      case Form.String:
        die.nameIn = NameIn.Unit;
        die.nameAt = this.at;
        return this.skip(form);
      case Form.Strx:
      case Form.GnuStrIndex:
        return this.indexedName(die, this.uleb());
      case Form.Strx1:
        return this.indexedName(die, this.unsigned(1));
      case Form.Strx2:
        return this.indexedName(die, this.unsigned(2));
      case Form.Strx3:
        return this.indexedName(die, this.unsigned(3));
      case Form.Strx4:
        return this.indexedName(die, this.unsigned(4));
      default:
        // A name in a supplementary file (dwz) is not at hand: the entry counts as unnamed.
        return this.skip(form);
    }
  }

  private indexedName(die: Die, index: number): void {
    const { offsetSize } = this.header;
    // The root entry names the base, and may have its own name before it.
    const base = this.root.strOffsetsBase >= 0 ? this.root.strOffsetsBase : this.header.version >= 5 ? 2 * offsetSize : 0;
    const at = base + index * offsetSize;
    if (at + offsetSize > this.sections.strOffsets.length) return;
    die.nameIn = NameIn.Str;
    die.nameAt = offsetSize === 8 ? Number(this.sections.strOffsets.readBigUInt64LE(at)) : this.sections.strOffsets.readUInt32LE(at);
  }

  private readLocation(die: Die, form: number): void {
    const length = this.blockLength(form);
    if (length < 0) return this.skip(form);
    die.locationAt = this.at;
    die.locationLength = length;
    this.at += length;
  }

  /** A constant, or the expression `DW_OP_plus_uconst N` of DWARF 2. */
  private memberLocation(form: number, implicit: number): number {
    const length = this.blockLength(form);
    if (length < 0) return this.number(form, implicit);
    const end = this.at + length;
    const operation = this.bytes[this.at++];
    const location = length > 1 && (operation === Op.PlusUconst || operation === Op.Constu) ? this.uleb() : -1;
    this.at = end;
    return location;
  }
}

function readAddress(bytes: Buffer, at: number, size: number): bigint | undefined {
  if (size === 8) return bytes.readBigUInt64LE(at);
  return size === 4 ? BigInt(bytes.readUInt32LE(at)) : undefined;
}

function text(bytes: Buffer, at: number): string {
  if (at >= bytes.length) return '';
  const end = bytes.indexOf(0, at);
  return bytes.toString('latin1', at, end < 0 ? bytes.length : end);
}
