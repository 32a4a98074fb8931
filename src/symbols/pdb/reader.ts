import { ProfileError } from '../error.js';

/** Bytes of a PDB stream, read in order; every read is checked, since counts and lengths in the file may lie. */
export class PdbReader {
  constructor(
    private readonly bytes: Uint8Array,
    /** names the stream, for messages */
    readonly what: string,
    public at = 0,
    readonly end = bytes.length,
    private readonly view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  ) {}

  /** bytes that are left */
  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  i16(): number {
    return this.view.getInt16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }

  i64(): bigint {
    return this.view.getBigInt64(this.advance(8), true);
  }

  skip(bytes: number): void {
    this.advance(bytes);
  }

  slice(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A reader of the next `length` bytes, which this one then has behind it. */
  part(length: number): PdbReader {
    const start = this.advance(length);
    return new PdbReader(this.bytes, this.what, start, start + length, this.view);
  }

  /** A reader of the record at a place in the stream: its length in two bytes, then what it holds. */
  record(at: number): PdbReader {
    return new PdbReader(this.bytes, this.what, at, this.end, this.view).counted();
  }

  /** A reader of the next record, which this one then has behind it. */
  counted(): PdbReader {
    return this.part(this.u16());
  }

  /** A reader of the same bytes, so far behind where this one stands. */
  from(distance: number): PdbReader {
    const reader = new PdbReader(this.bytes, this.what, this.at, this.end, this.view);
    reader.skip(distance);
    return reader;
  }

  /** Text up to a null; a text that ends with the record is taken as it is. */
  cString(): string {
    let stop = this.at;
    while (stop < this.end && this.bytes[stop] !== 0) stop++;
    const text = decode(this.bytes.subarray(this.at, stop));
    this.at = Math.min(stop + 1, this.end);
    return text;
  }

  /** Text with its length in one byte before it: all names before Visual C++ 7. */
  pascalString(): string {
    return decode(this.slice(this.u8()));
  }

  /** On to a multiple of 4 from the start of the stream, or to the end. */
  align(): void {
    this.at = Math.min((this.at + 3) & ~3, this.end);
  }

  private advance(bytes: number): number {
    const start = this.at;
    if (bytes < 0 || bytes > this.end - start) {
      throw new ProfileError(`The PDB's ${this.what} ends in the middle of a record (at 0x${start.toString(16)}, ${bytes} bytes wanted, ${this.end - start} left).`, 'Fetch the PDB again: fetch_pdb NAME GUID');
    }
    this.at = start + bytes;
    return start;
  }
}

function decode(bytes: Uint8Array): string {
  // Names of Microsoft's compilers are UTF-8; older ones hold what the build machine's code page had.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
