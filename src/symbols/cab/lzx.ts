import { ProfileError } from '../error.js';

/** Shortest match, lengths in the main tree, and symbols of the trees (Microsoft, "LZX Data Compression Format"; MS-PATCH for windows up to 2^21). */
const MIN_MATCH = 2;
const PRIMARY_LENGTHS = 7;
const SECONDARY_LENGTHS = 249;
const PRETREE = 20;
const ALIGNED = 8;
const LITERALS = 256;
/** Frames that hold translated call targets, at most; a frame is a block of the cabinet. */
const FRAME = 32768;
const MOST_TRANSLATED = 32768;
const AGAIN = 'Fetch it again, or unpack it with cabextract or expand.';

/** Position slots of windows of 2^15 to 2^21 bytes. */
const SLOTS: Readonly<Record<number, number>> = { 15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50 };

/** Bits that follow a position slot, and the position it begins at. */
const EXTRA = Array.from({ length: 51 }, (_, slot) => (slot < 4 ? 0 : Math.min(17, (slot >> 1) - 1)));
const BASE = EXTRA.reduce<number[]>((bases, bits) => [...bases, (bases.at(-1) ?? 0) + 2 ** bits], [0]);

/** Bits of a frame: 16-bit little-endian words, the highest bit first. Behind the end come zeros, for a while. */
class Bits {
  private buffer = 0;
  private count = 0;
  at = 0;

  constructor(private bytes: Buffer) {}

  /** Goes on with the next frame, at a word. */
  next(bytes: Buffer): void {
    this.bytes = bytes;
    this.at = 0;
    this.buffer = 0;
    this.count = 0;
  }

  read(count: number): number {
    let value = 0;
    for (let left = count; left > 0; ) {
      if (this.count === 0) this.fill();
      const take = Math.min(left, this.count);
      value = (value << take) | ((this.buffer >>> (this.count - take)) & ((1 << take) - 1));
      this.count -= take;
      left -= take;
    }
    return value >>> 0;
  }

  /** Bytes at the next word: what is left of the word before is padding, and where nothing is left, a whole word is. */
  align(): void {
    if (this.count === 0) this.fill();
    this.count = 0;
  }

  bytesAt(count: number): Buffer {
    const bytes = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return bytes;
  }

  private fill(): void {
    if (this.at > this.bytes.length + 4) throw new RangeError('the data ends too early');
    this.buffer = (this.bytes[this.at] ?? 0) | ((this.bytes[this.at + 1] ?? 0) << 8);
    this.at += 2;
    this.count = 16;
  }
}

/** A canonical Huffman code, by its lengths. */
class Tree {
  private readonly counts = new Uint16Array(17);
  private readonly symbols: Uint16Array;

  constructor(lengths: Uint8Array) {
    for (const length of lengths) this.counts[length] = (this.counts[length] ?? 0) + 1;
    this.counts[0] = 0;
    const starts = new Uint16Array(18);
    let room = 1;
    for (let length = 1; length <= 16; length++) {
      starts[length + 1] = (starts[length] ?? 0) + (this.counts[length] ?? 0);
      room = room * 2 - (this.counts[length] ?? 0);
      if (room < 0) throw new RangeError('a code has too many symbols');
    }
    this.symbols = new Uint16Array(lengths.length);
    for (const [symbol, length] of lengths.entries()) {
      if (length === 0) continue;
      this.symbols[starts[length] ?? 0] = symbol;
      starts[length] = (starts[length] ?? 0) + 1;
    }
  }

  read(bits: Bits): number {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length <= 16; length++) {
      code |= bits.read(1);
      const count = this.counts[length] ?? 0;
      if (code - first < count) return this.symbols[index + code - first] ?? 0;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new RangeError('a code has no such symbol');
  }
}

/** An LZX folder of a cabinet under way: frame after frame. */
export class LzxDecoder {
  private readonly window: Buffer;
  private position = 0;
  private recent: [number, number, number] = [1, 1, 1];
  private readonly mainLengths: Uint8Array;
  private readonly lengthLengths = new Uint8Array(SECONDARY_LENGTHS);
  private main = new Tree(new Uint8Array(0));
  private lengths = new Tree(new Uint8Array(0));
  private aligned = new Tree(new Uint8Array(0));
  private readonly bits = new Bits(Buffer.alloc(0));
  private blockType = 0;
  private blockLeft = 0;
  /** an uncompressed block of an odd length is followed by a byte of padding */
  private padding = false;
  private started = false;
  private translatedSize = 0;
  private frame = 0;

  /** @param windowBits 15 to 21 @throws ProfileError for another number */
  constructor(windowBits: number) {
    const slots = SLOTS[windowBits];
    if (slots === undefined) throw new ProfileError(`LZX has no window of 2^${windowBits} bytes.`, AGAIN);
    this.window = Buffer.alloc(2 ** windowBits);
    this.mainLengths = new Uint8Array(LITERALS + 8 * slots);
  }

  /** The bytes of the next frame, `size` of them. @throws RangeError where the data is damaged */
  frameOf(packed: Buffer, size: number): Buffer {
    this.bits.next(packed);
    if (!this.started) {
      this.started = true;
      if (this.bits.read(1) === 1) this.translatedSize = this.bits.read(16) * 65536 + this.bits.read(16);
    }
    const start = this.position;
    let left = size;
    while (left > 0) {
      if (this.blockLeft === 0) this.beginBlock();
      const count = Math.min(left, this.blockLeft);
      const done = this.blockType === 3 ? this.copyRaw(count) : this.decode(count);
      this.blockLeft -= done;
      left -= done;
      // A match does not reach beyond its frame.
      if (left < 0 || this.blockLeft < 0) throw new RangeError('a match is longer than its block');
    }
    const plain = Buffer.alloc(size);
    for (let i = 0; i < size; i++) plain[i] = this.window[(start + i) & (this.window.length - 1)] ?? 0;
    if (this.padding && this.blockLeft === 0 && this.bits.at < packed.length) {
      this.bits.bytesAt(1);
      this.padding = false;
    }
    this.translate(plain);
    this.frame++;
    return plain;
  }

  private beginBlock(): void {
    const { bits } = this;
    if (this.padding) {
      bits.bytesAt(1);
      this.padding = false;
    }
    this.blockType = bits.read(3);
    this.blockLeft = bits.read(8) * 65536 + bits.read(16);
    if (this.blockType === 3) {
      bits.align();
      const header = bits.bytesAt(12);
      if (header.length < 12) throw new RangeError('the data ends too early');
      this.recent = [header.readUInt32LE(0), header.readUInt32LE(4), header.readUInt32LE(8)];
      this.padding = this.blockLeft % 2 === 1;
    } else if (this.blockType === 1 || this.blockType === 2) {
      if (this.blockType === 2) this.aligned = new Tree(Uint8Array.from({ length: ALIGNED }, () => bits.read(3)));
      this.readLengths(this.mainLengths, 0, LITERALS);
      this.readLengths(this.mainLengths, LITERALS, this.mainLengths.length);
      this.main = new Tree(this.mainLengths);
      this.readLengths(this.lengthLengths, 0, SECONDARY_LENGTHS);
      this.lengths = new Tree(this.lengthLengths);
    } else throw new RangeError(`a block is of type ${this.blockType}`);
    if (this.blockLeft === 0) throw new RangeError('a block is empty');
  }

  /** Lengths of codes, written as differences to those of the block before. */
  private readLengths(lengths: Uint8Array, from: number, to: number): void {
    const { bits } = this;
    const pretree = new Tree(Uint8Array.from({ length: PRETREE }, () => bits.read(4)));
    for (let at = from; at < to; ) {
      const code = pretree.read(bits);
      let [count, value] = [1, 0];
      if (code === 17) count = 4 + bits.read(4);
      else if (code === 18) count = 20 + bits.read(5);
      else if (code === 19) {
        count = 4 + bits.read(1);
        value = ((lengths[at] ?? 0) - pretree.read(bits) + 17) % 17;
      } else value = ((lengths[at] ?? 0) - code + 17) % 17;
      if (at + count > to) throw new RangeError('lengths of codes run over');
      lengths.fill(value, at, at + count);
      at += count;
    }
  }

  private copyRaw(count: number): number {
    const bytes = this.bits.bytesAt(count);
    if (bytes.length < count) throw new RangeError('the data ends too early');
    for (const byte of bytes) this.put(byte);
    return count;
  }

  /** At least `count` bytes of literals and matches. */
  private decode(count: number): number {
    const { bits, window } = this;
    const mask = window.length - 1;
    let done = 0;
    while (done < count) {
      const symbol = this.main.read(bits);
      if (symbol < LITERALS) {
        this.put(symbol);
        done++;
        continue;
      }
      const header = (symbol - LITERALS) & 7;
      const length = MIN_MATCH + (header === PRIMARY_LENGTHS ? PRIMARY_LENGTHS + this.lengths.read(bits) : header);
      const offset = this.offset((symbol - LITERALS) >> 3);
      if (offset > this.position || offset > window.length) throw new RangeError('a match looks back behind the beginning');
      if (length > count - done) throw new RangeError('a match is longer than its block');
      for (let i = 0; i < length; i++) this.put(window[(this.position - offset) & mask] ?? 0);
      done += length;
    }
    return done;
  }

  private offset(slot: number): number {
    const { bits, recent } = this;
    if (slot < 3) {
      const offset = recent[slot] ?? 1;
      // The one used and the first change places.
      recent[slot] = recent[0];
      recent[0] = offset;
      return offset;
    }
    const extra = EXTRA[slot] ?? 0;
    let value = (BASE[slot] ?? 0) - 2;
    if (this.blockType === 2 && extra >= 3) value += bits.read(extra - 3) * 8 + this.aligned.read(bits);
    else value += bits.read(extra);
    this.recent = [value, recent[0], recent[1]];
    return value;
  }

  private put(byte: number): void {
    this.window[this.position & (this.window.length - 1)] = byte;
    this.position++;
  }

  /** Targets of x86 calls (E8) were made absolute before compression: they are made relative again. */
  private translate(plain: Buffer): void {
    if (this.translatedSize === 0 || this.frame >= MOST_TRANSLATED || plain.length <= 10) return;
    const start = this.frame * FRAME;
    for (let at = 0; at < plain.length - 10; at++) {
      if (plain[at] !== 0xe8) continue;
      const absolute = plain.readInt32LE(at + 1);
      const here = start + at;
      if (absolute >= -here && absolute < this.translatedSize) plain.writeInt32LE((absolute >= 0 ? absolute - here : absolute + this.translatedSize) | 0, at + 1);
      at += 4;
    }
  }
}
