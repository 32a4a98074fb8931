/** The entropy coders of Zstandard (RFC 8878, section 4): finite state entropy (FSE) and Huffman tables, and how to read them. */

/** Thrown where the data cannot be Zstandard; caught by decodeZstd alone. Carries no stack: it says nothing of use. */
export class DamagedZstd {
  readonly name = 'DamagedZstd';
}

/** A decoding table of finite state entropy: per state its symbol, the bits to read and what to add to them for the next state. */
export interface FseTable {
  accuracy: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** Largest accuracy of any table (literal and match lengths have 9). */
const MAX_ACCURACY = 9;

/** Most symbols of any table: match lengths have 53, Huffman weights at most 13. */
const MAX_SYMBOLS = 64;

const counts = new Int16Array(MAX_SYMBOLS);
const nextStates = new Uint16Array(MAX_SYMBOLS);

export function newFseTable(): FseTable {
  const size = 1 << MAX_ACCURACY;
  return { accuracy: 0, symbols: new Uint8Array(size), bits: new Uint8Array(size), bases: new Uint16Array(size) };
}

/** The table of one symbol: it takes no bits. */
export function fillSingle(table: FseTable, symbol: number): void {
  table.accuracy = 0;
  table.symbols[0] = symbol;
  table.bits[0] = 0;
  table.bases[0] = 0;
}

/** Makes a table from probabilities (-1: less than one). They must add up to the table's size. */
export function fillTable(
  table: FseTable,
  accuracy: number,
  probabilities: ArrayLike<number>,
  symbolCount: number,
): void {
  const size = 1 << accuracy;
  table.accuracy = accuracy;
  const { symbols, bits, bases } = table;
  let high = size;
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    const count = probabilities[symbol] as number;
    if (count === -1) symbols[--high] = symbol;
    nextStates[symbol] = count === -1 ? 1 : count;
  }
  const step = (size >>> 1) + (size >>> 3) + 3;
  let position = 0;
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    for (let count = probabilities[symbol] as number; count > 0; count--) {
      symbols[position] = symbol;
      do position = (position + step) & (size - 1);
      while (position >= high);
    }
  }
  if (position !== 0) throw new DamagedZstd();
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const next = nextStates[symbol] as number;
    nextStates[symbol] = next + 1;
    const width = accuracy - (31 - Math.clz32(next));
    bits[state] = width;
    bases[state] = (next << width) - size;
  }
}

/**
 * Reads the description of a table (section 4.1.1) at `from`, fills the table, and returns the place behind it.
 */
export function readFseTable(
  table: FseTable,
  source: Uint8Array,
  from: number,
  end: number,
  maxAccuracy: number,
  maxSymbol: number,
): number {
  let bit = from * 8;
  const take = (width: number): number => {
    const value =
      ((source[bit >>> 3] ?? 0) | ((source[(bit >>> 3) + 1] ?? 0) << 8) | ((source[(bit >>> 3) + 2] ?? 0) << 16)) >>>
      (bit & 7);
    return value & ((1 << width) - 1);
  };
  const accuracy = take(4) + 5;
  bit += 4;
  if (accuracy > maxAccuracy) throw new DamagedZstd();
  let remaining = (1 << accuracy) + 1;
  let symbol = 0;
  while (remaining > 1) {
    if (symbol > maxSymbol || bit > end * 8) throw new DamagedZstd();
    // A number of 0 … remaining: the lowest ones take one bit less.
    const width = 32 - Math.clz32(remaining);
    const threshold = 1 << (width - 1);
    const shorter = 2 * threshold - 1 - remaining;
    let value = take(width);
    if ((value & (threshold - 1)) < shorter) {
      value &= threshold - 1;
      bit += width - 1;
    } else {
      if (value >= threshold) value -= shorter;
      bit += width;
    }
    const probability = value - 1;
    remaining -= Math.abs(probability);
    if (remaining < 1) throw new DamagedZstd();
    counts[symbol++] = probability;
    if (probability !== 0) continue;
    for (let repeat = 3; repeat === 3;) {
      repeat = take(2);
      bit += 2;
      if (symbol + repeat > maxSymbol + 1) throw new DamagedZstd();
      for (let index = 0; index < repeat; index++) counts[symbol++] = 0;
    }
  }
  const behind = (bit + 7) >>> 3;
  if (behind > end) throw new DamagedZstd();
  fillTable(table, accuracy, counts, symbol);
  return behind;
}

/** Where the bits of a backward stream begin: below the highest set bit of its last byte (section 4.1). In bits from byte `from`. */
export function streamBits(source: Uint8Array, from: number, end: number): number {
  const last = end > from ? (source[end - 1] as number) : 0;
  if (last === 0) throw new DamagedZstd();
  return (end - from - 1) * 8 + (31 - Math.clz32(last));
}

/**
 * Bits `[at, at + width)` of a stream, 25 at most; what lies before the stream counts as zero. Reads up to 3 bytes past the
 * stream's end.
 */
export function bitsAt(source: Uint8Array, from: number, at: number, width: number): number {
  if (width === 0) return 0;
  if (at < 0) {
    const there = width + at;
    return there <= 0 ? 0 : bitsAt(source, from, 0, there) << -at;
  }
  const byte = from + (at >>> 3);
  const value =
    (source[byte] as number) |
    ((source[byte + 1] as number) << 8) |
    ((source[byte + 2] as number) << 16) |
    ((source[byte + 3] as number) << 24);
  return (value >>> (at & 7)) & ((1 << width) - 1);
}

const MAX_HUFFMAN_BITS = 11;

/** A Huffman decoding table, indexed by the next `width` bits. */
export interface HuffmanTable {
  width: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

export function newHuffmanTable(): HuffmanTable {
  return { width: 0, symbols: new Uint8Array(1 << MAX_HUFFMAN_BITS), bits: new Uint8Array(1 << MAX_HUFFMAN_BITS) };
}

const weights = new Uint8Array(256);
const weightTable = newFseTable();

/** Reads a Huffman tree description (section 4.2.1), fills the table, and returns the place behind it. */
export function readHuffmanTable(table: HuffmanTable, source: Uint8Array, from: number, end: number): number {
  if (from >= end) throw new DamagedZstd();
  const header = source[from] as number;
  const start = from + 1;
  const direct = header >= 128;
  const behind = start + (direct ? (header - 126) >>> 1 : header);
  if (behind > end) throw new DamagedZstd();
  let count = header - 127;
  if (direct) {
    for (let index = 0; index < count; index++) {
      const pair = source[start + (index >>> 1)] as number;
      weights[index] = index % 2 === 0 ? pair >>> 4 : pair & 15;
    }
  } else {
    count = readWeights(source, start, behind);
  }
  fillHuffman(table, count);
  return behind;
}

/** Weights that two interleaved states of finite state entropy give (section 4.2.1.2); returns how many. */
function readWeights(source: Uint8Array, start: number, end: number): number {
  const from = readFseTable(weightTable, source, start, end, 6, 12);
  const { accuracy, symbols, bits, bases } = weightTable;
  let at = streamBits(source, from, end) - accuracy;
  let first = bitsAt(source, from, at, accuracy);
  at -= accuracy;
  let second = bitsAt(source, from, at, accuracy);
  if (at < 0) throw new DamagedZstd();
  let count = 0;
  for (;;) {
    // 255 weights at most: the last of 256 symbols is not written.
    if (count > 253) throw new DamagedZstd();
    weights[count++] = symbols[first] as number;
    at -= bits[first] as number;
    if (at < 0) {
      weights[count++] = symbols[second] as number;
      return count;
    }
    first = (bases[first] as number) + bitsAt(source, from, at, bits[first] as number);
    const swap = first;
    first = second;
    second = swap;
  }
}

/** Makes the decoding table of `count` weights; the weight of one more symbol follows from their sum. */
function fillHuffman(table: HuffmanTable, count: number): void {
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const weight = weights[index] as number;
    if (weight > MAX_HUFFMAN_BITS) throw new DamagedZstd();
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0) throw new DamagedZstd();
  const width = 32 - Math.clz32(sum);
  const rest = (1 << width) - sum;
  if (width > MAX_HUFFMAN_BITS || (rest & (rest - 1)) !== 0) throw new DamagedZstd();
  weights[count] = 32 - Math.clz32(rest);
  table.width = width;
  // Symbols of low weight have long codes and stand first, symbols of the same weight in their order.
  let position = 0;
  for (let weight = 1; weight <= width; weight++) {
    const cells = 1 << (weight - 1);
    for (let symbol = 0; symbol <= count; symbol++) {
      if (weights[symbol] !== weight) continue;
      table.symbols.fill(symbol, position, position + cells);
      table.bits.fill(width + 1 - weight, position, position + cells);
      position += cells;
    }
  }
}

/** Decodes `length` literals of one Huffman stream `[from, end)` to `target[to …]`. The stream must end with the last of them. */
export function readLiterals(
  table: HuffmanTable,
  source: Uint8Array,
  from: number,
  end: number,
  target: Uint8Array,
  to: number,
  length: number,
): void {
  const { width, symbols, bits } = table;
  let at = streamBits(source, from, end);
  let index = to;
  const last = to + length;
  // The stream's first bytes are left to the careful loop below, all others have 4 bytes from their place on.
  while (index < last && at >= 32) {
    const byte = from + (at >>> 3) - 3;
    const word =
      (source[byte] as number) |
      ((source[byte + 1] as number) << 8) |
      ((source[byte + 2] as number) << 16) |
      ((source[byte + 3] as number) << 24);
    const code = (word >>> (24 + (at & 7) - width)) & ((1 << width) - 1);
    target[index++] = symbols[code] as number;
    at -= bits[code] as number;
  }
  while (index < last) {
    const code = bitsAt(source, from, at - width, width);
    target[index++] = symbols[code] as number;
    at -= bits[code] as number;
    if (at < 0) throw new DamagedZstd();
  }
  if (at !== 0) throw new DamagedZstd();
}
