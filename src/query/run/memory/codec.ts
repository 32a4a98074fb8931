import { Absent, type AbsenceKind } from '../../../memory/absent.js';
import type { AddressSpace } from '../../../memory/space.js';
import type { StructType } from '../../../object/struct-type.js';
import { Struct } from '../../../object/struct.js';
import { Timestamp } from '../../../object/time.js';

const enum Tag {
  Null,
  Undefined,
  False,
  True,
  Int32,
  Double,
  Int64,
  BigText,
  Latin1,
  Utf16,
  Time,
  View,
  Bytes,
  Plain,
  List,
  Row,
  Missing,
  Kept,
}

const KINDS: readonly AbsenceKind[] = ['unreadable', 'no-member', 'not-applicable', 'corrupt'];

/**
 * Writes values as bytes and reads them again, within one query. A view of a struct is written as its type and space (which are kept, they
 * are few) and its address; objects of other classes are kept in memory, and what is written is their number.
 */
export class Codec {
  private readonly objects: unknown[] = [];
  private readonly numbers = new Map<unknown, number>();
  private buffer = Buffer.alloc(0);
  private at = 0;

  /** Begins a block. */
  begin(): void {
    this.at = 0;
  }

  /** Bytes of the block so far. */
  get length(): number {
    return this.at;
  }

  /** The block: valid until the next begins. */
  block(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  write(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.number(value);
      case 'string':
        return this.text(value);
      case 'boolean':
        return this.tag(value ? Tag.True : Tag.False);
      case 'bigint':
        return this.big(value);
      case 'undefined':
        return this.tag(Tag.Undefined);
      default:
        return value === null ? this.tag(Tag.Null) : this.object(value as object);
    }
  }

  private tag(tag: Tag, room = 0): void {
    this.reserve(1 + room);
    this.buffer[this.at++] = tag;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(1 << 12, this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  private number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.tag(Tag.Int32, 4);
      this.at = this.buffer.writeInt32LE(value, this.at);
    } else {
      this.tag(Tag.Double, 8);
      this.at = this.buffer.writeDoubleLE(value, this.at);
    }
  }

  private big(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.tag(Tag.Int64, 8);
      this.at = this.buffer.writeBigInt64LE(value, this.at);
    } else {
      this.tag(Tag.BigText);
      this.text(value.toString());
    }
  }

  private text(value: string): void {
    const latin = /^[\0-\xff]*$/.test(value);
    const bytes = latin ? value.length : value.length * 2;
    this.tag(latin ? Tag.Latin1 : Tag.Utf16, 4 + bytes);
    this.at = this.buffer.writeUInt32LE(bytes, this.at);
    this.at += this.buffer.write(value, this.at, latin ? 'latin1' : 'utf16le');
  }

  private count(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeUInt32LE(value, this.at);
  }

  private object(value: object): void {
    if (value instanceof Timestamp) {
      this.tag(Tag.Time);
      this.big(value.ns);
    } else if (value instanceof Struct) {
      this.tag(Tag.View);
      this.count(this.kept(value.$struct));
      this.count(this.kept(value.$space));
      this.reserve(12);
      this.at = this.buffer.writeDoubleLE(value.$page, this.at);
      this.at = this.buffer.writeUInt32LE(value.$offset, this.at);
    } else if (value instanceof Absent) {
      this.tag(Tag.Missing, 1);
      this.buffer[this.at++] = KINDS.indexOf(value.kind);
      this.text(value.reason);
      this.write(value.address);
    } else if (value instanceof Uint8Array) {
      this.tag(Buffer.isBuffer(value) ? Tag.Bytes : Tag.Plain, 4 + value.byteLength);
      this.at = this.buffer.writeUInt32LE(value.byteLength, this.at);
      this.buffer.set(value, this.at);
      this.at += value.byteLength;
    } else if (Array.isArray(value)) {
      this.tag(Tag.List);
      this.count(value.length);
      for (const element of value as unknown[]) this.write(element);
    } else if (Object.getPrototypeOf(value) === Object.prototype) {
      const entries = Object.entries(value);
      this.tag(Tag.Row);
      this.count(entries.length);
      for (const [name, member] of entries) {
        this.text(name);
        this.write(member);
      }
    } else {
      this.tag(Tag.Kept);
      this.count(this.kept(value));
    }
  }

  private kept(value: unknown): number {
    let number = this.numbers.get(value);
    if (number === undefined) {
      number = this.objects.push(value) - 1;
      this.numbers.set(value, number);
    }
    return number;
  }

  /** Reads values from a block that this codec wrote. */
  reader(block: Buffer): () => unknown {
    let at = 0;
    const uint = (): number => {
      at += 4;
      return block.readUInt32LE(at - 4);
    };
    const text = (encoding: 'latin1' | 'utf16le'): string => {
      const bytes = uint();
      at += bytes;
      return block.toString(encoding, at - bytes, at);
    };
    const bytes = (): Buffer => {
      const length = uint();
      at += length;
      return Buffer.from(block.subarray(at - length, at));
    };
    const read = (): unknown => {
      const tag = block[at++] as Tag;
      switch (tag) {
        case Tag.Null:
          return null;
        case Tag.Undefined:
          return undefined;
        case Tag.False:
          return false;
        case Tag.True:
          return true;
        case Tag.Int32:
          at += 4;
          return block.readInt32LE(at - 4);
        case Tag.Double:
          at += 8;
          return block.readDoubleLE(at - 8);
        case Tag.Int64:
          at += 8;
          return block.readBigInt64LE(at - 8);
        case Tag.BigText:
          return BigInt(read() as string);
        case Tag.Latin1:
          return text('latin1');
        case Tag.Utf16:
          return text('utf16le');
        case Tag.Time:
          return new Timestamp(read() as bigint);
        case Tag.View: {
          const type = this.objects[uint()] as StructType;
          const space = this.objects[uint()] as AddressSpace;
          at += 12;
          return type.atPage(space, block.readDoubleLE(at - 12), block.readUInt32LE(at - 4));
        }
        case Tag.Bytes:
          return bytes();
        case Tag.Plain:
          return new Uint8Array(bytes());
        case Tag.List:
          return Array.from({ length: uint() }, read);
        case Tag.Row: {
          const row: Record<string, unknown> = {};
          for (let left = uint(); left > 0; left--) {
            const name = read() as string;
            row[name] = read();
          }
          return row;
        }
        case Tag.Missing: {
          const kind = KINDS[block[at++] ?? 0] ?? 'corrupt';
          const reason = read() as string;
          return new Absent(kind, reason, read() as bigint | undefined);
        }
        case Tag.Kept:
          return this.objects[uint()];
      }
    };
    return read;
  }
}
