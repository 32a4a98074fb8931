import { Form } from './constants.js';
import { damaged } from './error.js';

/** What a unit's header says (DWARF 5, section 7.5.1). Offsets count over .debug_info and .debug_types one behind the other. */
export interface UnitHeader {
  /** offset of the header */
  readonly start: number;
  /** bytes of the unit with its header */
  readonly length: number;
  /** bytes of the header: the position of the first entry */
  readonly headerLength: number;
  readonly version: number;
  /** 8 in 64-bit DWARF */
  readonly offsetSize: 4 | 8;
  readonly addressSize: number;
  readonly abbrevOffset: number;
  /** offset of the type and its signature, of type units */
  readonly signature?: bigint;
  readonly typeOffset?: number;
}

/** Reads the forms of attributes (DWARF 5, section 7.5.5) at a position of a unit. */
export abstract class FormReader {
  /** position in {@link bytes} */
  protected at = 0;

  constructor(
    readonly header: UnitHeader,
    readonly bytes: Buffer,
    /** the offset of the entry that a type signature stands for */
    private readonly bySignature: (signature: bigint) => number,
  ) {}

  /** Offset of the entry that is referred to; -1 for one in another file. */
  protected reference(form: number): number {
    const { start, offsetSize, version, addressSize } = this.header;
    switch (form) {
      case Form.Ref4:
        return start + this.unsigned(4);
      case Form.RefUdata:
        return start + this.uleb();
      case Form.Ref1:
        return start + this.unsigned(1);
      case Form.Ref2:
        return start + this.unsigned(2);
      case Form.Ref8:
        return start + this.unsigned(8);
      case Form.RefAddr:
        // DWARF 2 gave it the size of an address.
        return this.unsigned(version <= 2 ? addressSize : offsetSize);
      case Form.RefSig8: {
        if (this.at + 8 > this.bytes.length) throw damaged('an entry runs beyond its unit');
        const signature = this.bytes.readBigUInt64LE(this.at);
        this.at += 8;
        return this.bySignature(signature);
      }
      default:
        this.skip(form);
        return -1;
    }
  }

  protected flag(form: number): boolean {
    if (form === Form.FlagPresent) return true;
    return this.unsigned(1) !== 0;
  }

  /** A number; -1 where the form is none (an expression, a reference to a variable). */
  protected number(form: number, implicit: number): number {
    switch (form) {
      case Form.Data1:
        return this.unsigned(1);
      case Form.Data2:
        return this.unsigned(2);
      case Form.Data4:
        return this.unsigned(4);
      case Form.Data8:
        return this.unsigned(8);
      case Form.Udata:
        return this.uleb();
      case Form.Sdata:
        return Number(this.bigLeb(true));
      case Form.ImplicitConst:
        return implicit;
      case Form.SecOffset:
        return this.offset();
      default:
        this.skip(form);
        return -1;
    }
  }

  /** The length of a block or expression, behind which the position then is; -1 (nothing read) where the form is none. */
  protected blockLength(form: number): number {
    switch (form) {
      case Form.Exprloc:
      case Form.Block:
        return this.uleb();
      case Form.Block1:
        return this.unsigned(1);
      case Form.Block2:
        return this.unsigned(2);
      case Form.Block4:
        return this.unsigned(4);
      default:
        return -1;
    }
  }

  protected skip(form: number): void {
    switch (form) {
      case Form.FlagPresent:
      case Form.ImplicitConst:
        return;
      case Form.Data1:
      case Form.Flag:
      case Form.Ref1:
      case Form.Strx1:
      case Form.Addrx1:
        this.at += 1;
        return;
      case Form.Data2:
      case Form.Ref2:
      case Form.Strx2:
      case Form.Addrx2:
        this.at += 2;
        return;
      case Form.Strx3:
      case Form.Addrx3:
        this.at += 3;
        return;
      case Form.Data4:
      case Form.Ref4:
      case Form.RefSup4:
      case Form.Strx4:
      case Form.Addrx4:
        this.at += 4;
        return;
      case Form.Data8:
      case Form.Ref8:
      case Form.RefSup8:
      case Form.RefSig8:
        this.at += 8;
        return;
      case Form.Data16:
        this.at += 16;
        return;
      case Form.Addr:
        this.at += this.header.addressSize;
        return;
      case Form.RefAddr:
        this.at += this.header.version <= 2 ? this.header.addressSize : this.header.offsetSize;
        return;
      case Form.Strp:
      case Form.LineStrp:
      case Form.SecOffset:
      case Form.StrpSup:
      case Form.GnuRefAlt:
      case Form.GnuStrpAlt:
        this.at += this.header.offsetSize;
        return;
      case Form.Sdata:
      case Form.Udata:
      case Form.RefUdata:
      case Form.Strx:
      case Form.Addrx:
      case Form.Loclistx:
      case Form.Rnglistx:
      case Form.GnuAddrIndex:
      case Form.GnuStrIndex:
        while ((this.bytes[this.at++] ?? 0) >= 0x80);
        return;
      case Form.String: {
        const end = this.bytes.indexOf(0, this.at);
        if (end < 0) throw damaged('a string runs beyond its unit');
        this.at = end + 1;
        return;
      }
      case Form.Indirect:
        return this.skipIndirect();
      default: {
        const length = this.blockLength(form);
        if (length < 0) throw damaged(`form 0x${form.toString(16)} is not known`);
        this.at += length;
      }
    }
  }

  protected skipIndirect(): void {
    const form = this.uleb();
    if (form === Form.Indirect || form === Form.ImplicitConst) throw damaged('an indirect form of an indirect form');
    this.skip(form);
  }

  protected offset(): number {
    return this.unsigned(this.header.offsetSize);
  }

  protected unsigned(size: number): number {
    const { bytes, at } = this;
    if (at + size > bytes.length) throw damaged('an entry runs beyond its unit');
    this.at = at + size;
    switch (size) {
      case 1:
        return bytes[at] as number;
      case 2:
        return bytes.readUInt16LE(at);
      case 3:
        return bytes.readUIntLE(at, 3);
      case 4:
        return bytes.readUInt32LE(at);
      default:
        return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x100000000;
    }
  }

  protected uleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw damaged('a number runs beyond its unit');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  protected bigLeb(signed: boolean): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || shift > 63n) throw damaged('a number of more than 64 bits');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return signed && byte & 0x40 ? value - (1n << (shift + 7n)) : value;
    }
  }
}
