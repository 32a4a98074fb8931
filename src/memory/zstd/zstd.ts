import {
  bitsAt,
  DamagedZstd,
  fillSingle,
  fillTable,
  type FseTable,
  newFseTable,
  newHuffmanTable,
  readFseTable,
  readHuffmanTable,
  readLiterals,
  streamBits,
} from './entropy.js';

/**
 * Zstandard (RFC 8878) for small buffers: pages of memory. Bounded in time by the size of the output: what the pure JavaScript
 * decoders at hand are not, when the data is damaged. Checksums are not verified, dictionaries not supported.
 */

const MAGIC = 0xfd2fb528;
/** Skippable frames have 16 magics. */
const SKIPPABLE = 0x184d2a50;
const MAX_BLOCK = 128 * 1024;

/** Bytes behind the input that may be read (and do not count). */
const PADDING = 8;

/** Code tables of section 3.1.1.3.2.1.1: extra bits per code; base values follow from them. */
const LITERAL_LENGTH_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];
const MATCH_LENGTH_BITS = [
  ...new Array<number>(32).fill(0),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  4,
  5,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
];

/** Offsets of more bits than that lie before any output that is decoded here. */
const MAX_OFFSET_CODE = 24;

function bases(bits: readonly number[], first: number): Uint32Array {
  const result = new Uint32Array(bits.length);
  bits.forEach((_, code) => {
    result[code] = code === 0 ? first : (result[code - 1] as number) + 2 ** (bits[code - 1] as number);
  });
  return result;
}

/** What one of the three kinds of codes needs. */
interface Kind {
  readonly maxAccuracy: number;
  readonly maxSymbol: number;
  /** The table of the default distribution (section 3.1.1.3.2.2), and that which a block defines. */
  readonly standard: FseTable;
  readonly own: FseTable;
}

function kind(maxAccuracy: number, accuracy: number, distribution: readonly number[], maxSymbol: number): Kind {
  const standard = newFseTable();
  fillTable(standard, accuracy, distribution, distribution.length);
  return { maxAccuracy, maxSymbol, standard, own: newFseTable() };
}

const repeat = (count: number, value: number): number[] => new Array<number>(count).fill(value);

/** State that the blocks of a frame share. */
interface Frame {
  huffmanKnown: boolean;
  /** Tables in use, for blocks that repeat those of the one before. */
  literalTable: FseTable | undefined;
  offsetTable: FseTable | undefined;
  matchTable: FseTable | undefined;
  readonly repeats: [number, number, number];
  /** Where the frame's output begins. */
  readonly start: number;
}

/** Decompresses; keeps its tables, so that a page costs no allocation. */
export class ZstdDecoder {
  private readonly literalLengths = kind(
    9,
    6,
    [4, 3, ...repeat(11, 2), 1, 1, 1, ...repeat(9, 2), 3, 2, ...repeat(5, 1), ...repeat(4, -1)],
    35,
  );
  private readonly offsets = kind(8, 5, [...repeat(6, 1), 2, 2, 2, ...repeat(15, 1), ...repeat(5, -1)], 31);
  private readonly matchLengths = kind(9, 6, [1, 4, 3, ...repeat(6, 2), ...repeat(37, 1), ...repeat(7, -1)], 52);
  private readonly literalBits = Uint8Array.from(LITERAL_LENGTH_BITS);
  private readonly literalBases = bases(LITERAL_LENGTH_BITS, 0);
  private readonly matchBits = Uint8Array.from(MATCH_LENGTH_BITS);
  private readonly matchBases = bases(MATCH_LENGTH_BITS, 3);
  /** The literals of the block at work. */
  private readonly literals = new Uint8Array(MAX_BLOCK);
  private readonly huffman = newHuffmanTable();
  private input = Buffer.alloc(0);
  private inputEnd = 0;

  /**
   * Decompresses Zstandard frames to `target[targetOffset …]`, `limit` bytes at most. Returns the number of bytes, or -1 where the
   * data is damaged or longer than `limit`.
   */
  decode(packed: Buffer, target: Buffer, targetOffset: number, limit: number): number {
    const source = this.padded(packed);
    const end = Math.min(targetOffset + limit, target.length);
    let from = 0;
    let to = targetOffset;
    try {
      while (from < this.inputEnd) {
        if (from + 8 > this.inputEnd) return -1;
        const magic = source.readUInt32LE(from);
        if ((magic & 0xfffffff0) === SKIPPABLE) {
          from += 8 + source.readUInt32LE(from + 4);
          continue;
        }
        if (magic !== MAGIC) return -1;
        [from, to] = this.decodeFrame(source, from + 4, target, to, end);
      }
    } catch (error) {
      if (error instanceof DamagedZstd) return -1;
      throw error;
    }
    return from === this.inputEnd ? to - targetOffset : -1;
  }

  /** A copy with some zeros behind it: bits are read four bytes at a time, also the last of them. */
  private padded(packed: Buffer): Buffer {
    if (this.input.length < packed.length + PADDING) this.input = Buffer.alloc(packed.length * 2 + PADDING);
    packed.copy(this.input);
    this.input.fill(0, packed.length, packed.length + PADDING);
    this.inputEnd = packed.length;
    return this.input;
  }

  private decodeFrame(
    source: Buffer,
    start: number,
    target: Buffer,
    to: number,
    end: number,
  ): [from: number, to: number] {
    const flags = source[start] as number;
    const single = (flags & 0x20) !== 0;
    // Bit 3 is reserved; the lowest two say that a dictionary is needed.
    if ((flags & 0x0b) !== 0) throw new DamagedZstd();
    const sizeField = flags >>> 6 === 0 ? (single ? 1 : 0) : 1 << (flags >>> 6);
    let from = start + 1 + (single ? 0 : 1) + sizeField;
    const frame: Frame = {
      huffmanKnown: false,
      literalTable: undefined,
      offsetTable: undefined,
      matchTable: undefined,
      repeats: [1, 4, 8],
      start: to,
    };
    let position = to;
    for (let last = false; !last;) {
      if (from + 3 > this.inputEnd) throw new DamagedZstd();
      const header = source.readUIntLE(from, 3);
      from += 3;
      last = (header & 1) === 1;
      const type = (header >>> 1) & 3;
      const size = header >>> 3;
      const stored = type === 1 ? 1 : size;
      if (from + stored > this.inputEnd || size > MAX_BLOCK || type === 3) throw new DamagedZstd();
      if (type === 2) position = this.decodeBlock(frame, source, from, from + size, target, position, end);
      else {
        if (size > end - position) throw new DamagedZstd();
        if (type === 0) source.copy(target, position, from, from + size);
        else target.fill(source[from] as number, position, position + size);
        position += size;
      }
      from += stored;
    }
    return [from + ((flags & 0x04) === 0 ? 0 : 4), position];
  }

  /** A compressed block `[from, stop)`; returns the place behind its output. */
  private decodeBlock(
    frame: Frame,
    source: Buffer,
    from: number,
    stop: number,
    target: Buffer,
    to: number,
    end: number,
  ): number {
    const { behind, count } = this.readLiteralsSection(frame, source, from, stop, end - to);
    if (behind >= stop) throw new DamagedZstd();
    let at = behind;
    let sequences = source[at++] as number;
    if (sequences >= 128) {
      const long = sequences === 255;
      if (at + (long ? 2 : 1) > stop) throw new DamagedZstd();
      sequences = long ? source.readUInt16LE(at) + 0x7f00 : ((sequences - 128) << 8) + (source[at] as number);
      at += long ? 2 : 1;
    }
    if (sequences === 0) return this.copyLiterals(0, count, target, to, end);
    if (at >= stop) throw new DamagedZstd();
    const modes = source[at++] as number;
    if ((modes & 3) !== 0) throw new DamagedZstd();
    const choose = (wanted: Kind, mode: number, repeated: FseTable | undefined): FseTable => {
      if (mode === 0) return wanted.standard;
      if (mode === 3) {
        if (!repeated) throw new DamagedZstd();
        return repeated;
      }
      if (mode === 1) {
        if (at >= stop || (source[at] as number) > wanted.maxSymbol) throw new DamagedZstd();
        fillSingle(wanted.own, source[at++] as number);
      } else at = readFseTable(wanted.own, source, at, stop, wanted.maxAccuracy, wanted.maxSymbol);
      return wanted.own;
    };
    frame.literalTable = choose(this.literalLengths, modes >>> 6, frame.literalTable);
    frame.offsetTable = choose(this.offsets, (modes >>> 4) & 3, frame.offsetTable);
    frame.matchTable = choose(this.matchLengths, (modes >>> 2) & 3, frame.matchTable);
    return this.runSequences(frame, sequences, source, at, stop, count, target, to, end);
  }

  /** Section 3.1.1.3.1: puts the block's literals into `literals`. */
  private readLiteralsSection(
    frame: Frame,
    source: Buffer,
    from: number,
    stop: number,
    room: number,
  ): { behind: number; count: number } {
    if (from >= stop) throw new DamagedZstd();
    const first = source[from] as number;
    const type = first & 3;
    const format = (first >>> 2) & 3;
    if (type < 2) {
      const headerSize = format === 1 ? 2 : format === 3 ? 3 : 1;
      if (from + headerSize > stop) throw new DamagedZstd();
      const count = source.readUIntLE(from, headerSize) >>> (headerSize === 1 ? 3 : 4);
      const start = from + headerSize;
      const stored = type === 0 ? count : 1;
      if (start + stored > stop || count > Math.min(room, MAX_BLOCK)) throw new DamagedZstd();
      if (type === 0) source.copy(this.literals, 0, start, start + count);
      else this.literals.fill(source[start] as number, 0, count);
      return { behind: start + stored, count };
    }
    const headerSize = format < 2 ? 3 : format + 2;
    const width = format < 2 ? 10 : format * 4 + 6;
    if (from + headerSize > stop) throw new DamagedZstd();
    const header = Math.floor(source.readUIntLE(from, headerSize) / 16);
    const count = header % 2 ** width;
    const stored = Math.floor(header / 2 ** width);
    let at = from + headerSize;
    const behind = at + stored;
    if (behind > stop || count === 0 || count > Math.min(room, MAX_BLOCK)) throw new DamagedZstd();
    if (type === 2) {
      at = readHuffmanTable(this.huffman, source, at, behind);
      frame.huffmanKnown = true;
    } else if (!frame.huffmanKnown) throw new DamagedZstd();
    if (format === 0) readLiterals(this.huffman, source, at, behind, this.literals, 0, count);
    else this.readFourStreams(source, at, behind, count);
    return { behind, count };
  }

  /** Four streams behind a table of the first three's sizes (section 3.1.1.3.1.6). */
  private readFourStreams(source: Buffer, from: number, end: number, count: number): void {
    const share = (count + 3) >>> 2;
    if (from + 6 > end || 3 * share > count) throw new DamagedZstd();
    let at = from + 6;
    for (let stream = 0; stream < 4; stream++) {
      const behind = stream < 3 ? at + source.readUInt16LE(from + 2 * stream) : end;
      if (behind > end) throw new DamagedZstd();
      readLiterals(
        this.huffman,
        source,
        at,
        behind,
        this.literals,
        stream * share,
        stream < 3 ? share : count - 3 * share,
      );
      at = behind;
    }
  }

  private copyLiterals(from: number, length: number, target: Buffer, to: number, end: number): number {
    if (length > end - to) throw new DamagedZstd();
    if (length > 32) target.set(this.literals.subarray(from, from + length), to);
    else for (let index = 0; index < length; index++) target[to + index] = this.literals[from + index] as number;
    return to + length;
  }

  /** Section 3.1.1.4: literals and matches in turn. Returns the place behind the output. */
  private runSequences(
    frame: Frame,
    sequences: number,
    source: Buffer,
    from: number,
    stop: number,
    literalCount: number,
    target: Buffer,
    start: number,
    end: number,
  ): number {
    const { repeats } = frame;
    const literalTable = frame.literalTable as FseTable;
    const offsetTable = frame.offsetTable as FseTable;
    const matchTable = frame.matchTable as FseTable;
    let at = streamBits(source, from, stop) - literalTable.accuracy;
    let literalState = bitsAt(source, from, at, literalTable.accuracy);
    at -= offsetTable.accuracy;
    let offsetState = bitsAt(source, from, at, offsetTable.accuracy);
    at -= matchTable.accuracy;
    let matchState = bitsAt(source, from, at, matchTable.accuracy);
    let used = 0;
    let to = start;
    for (let left = sequences; left > 0; left--) {
      const offsetCode = offsetTable.symbols[offsetState] as number;
      const matchCode = matchTable.symbols[matchState] as number;
      const literalCode = literalTable.symbols[literalState] as number;
      if (offsetCode > MAX_OFFSET_CODE) throw new DamagedZstd();
      at -= offsetCode;
      const value = (1 << offsetCode) + bitsAt(source, from, at, offsetCode);
      at -= this.matchBits[matchCode] as number;
      const matchLength =
        (this.matchBases[matchCode] as number) + bitsAt(source, from, at, this.matchBits[matchCode] as number);
      at -= this.literalBits[literalCode] as number;
      const literalLength =
        (this.literalBases[literalCode] as number) + bitsAt(source, from, at, this.literalBits[literalCode] as number);
      if (left > 1) {
        at -= literalTable.bits[literalState] as number;
        literalState =
          (literalTable.bases[literalState] as number) +
          bitsAt(source, from, at, literalTable.bits[literalState] as number);
        at -= matchTable.bits[matchState] as number;
        matchState =
          (matchTable.bases[matchState] as number) + bitsAt(source, from, at, matchTable.bits[matchState] as number);
        at -= offsetTable.bits[offsetState] as number;
        offsetState =
          (offsetTable.bases[offsetState] as number) +
          bitsAt(source, from, at, offsetTable.bits[offsetState] as number);
      }
      if (at < 0 || literalLength > literalCount - used) throw new DamagedZstd();
      to = this.copyLiterals(used, literalLength, target, to, end);
      used += literalLength;
      const distance = distanceOf(value, literalLength, repeats);
      if (distance > to - frame.start || matchLength > end - to) throw new DamagedZstd();
      if (distance >= matchLength && matchLength > 32)
        target.copyWithin(to, to - distance, to - distance + matchLength);
      else
        for (let index = 0; index < matchLength; index++) target[to + index] = target[to + index - distance] as number;
      to += matchLength;
    }
    if (at !== 0) throw new DamagedZstd();
    return this.copyLiterals(used, literalCount - used, target, to, end);
  }
}

/** Section 3.1.1.5: offsets of 1 to 3 repeat recent ones. */
function distanceOf(value: number, literalLength: number, repeats: [number, number, number]): number {
  if (value > 3) {
    repeats[2] = repeats[1];
    repeats[1] = repeats[0];
    repeats[0] = value - 3;
    return repeats[0];
  }
  const index = literalLength === 0 ? value : value - 1;
  if (index === 0) return repeats[0];
  const distance = index === 3 ? repeats[0] - 1 : (repeats[index] as number);
  if (distance === 0) throw new DamagedZstd();
  if (index !== 1) repeats[2] = repeats[1];
  repeats[1] = repeats[0];
  repeats[0] = distance;
  return distance;
}
