import { BackwardBits, highestBit, ZstdError } from './bits.js';
import { FseState, readTable } from './fse.js';

/** Codes have at most 11 bits (RFC 8878, section 4.2.1). */
const MAX_BITS = 11;
const MAX_SYMBOLS = 256;

/** A Huffman decoding table: per value of `maxBits` bits the symbol, and how many of them it takes. */
export interface HuffmanTable {
  readonly maxBits: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

/** Reads a tree's description (section 4.2.1). @returns the table, and the position behind the description */
export function readTree(bytes: Uint8Array, start: number, end: number): { table: HuffmanTable; next: number } {
  const header = bytes[start] ?? 0;
  const first = start + 1;
  if (header >= 128) {
    const count = header - 127;
    const next = first + ((count + 1) >> 1);
    if (next > end) throw new ZstdError('a Huffman tree is cut off');
    const weights = Array.from({ length: count }, (_, i) => {
      const byte = bytes[first + (i >> 1)] as number;
      return i % 2 === 0 ? byte >> 4 : byte & 15;
    });
    return { table: build(weights), next };
  }
  const next = first + header;
  if (next > end) throw new ZstdError('a Huffman tree is cut off');
  const { table, next: coded } = readTable(bytes, first, next, 6, MAX_SYMBOLS);
  const stream = new BackwardBits(bytes, coded, next);
  const weights: number[] = [];
  let states: [FseState, FseState] = [new FseState(table, stream), new FseState(table, stream)];
  // Two states take turns; the stream's end is where one would need bits that are not there.
  while (weights.length < MAX_SYMBOLS) {
    const [state, other] = states;
    weights.push(state.symbol);
    state.advance();
    if (stream.left < 0) {
      weights.push(other.symbol);
      return { table: build(weights), next };
    }
    states = [other, state];
  }
  throw new ZstdError('a Huffman tree has too many weights');
}

/** The table of weights; that of the last symbol is what is missing to a power of two. */
function build(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MAX_BITS + 1) throw new ZstdError('a Huffman weight is too large');
    sum += weight > 0 ? 1 << (weight - 1) : 0;
  }
  const maxBits = highestBit(sum) + 1;
  const rest = (1 << maxBits) - sum;
  if (sum === 0 || maxBits > MAX_BITS || (rest & (rest - 1)) !== 0 || weights.length >= MAX_SYMBOLS) throw new ZstdError('Huffman weights do not add up');
  weights.push(highestBit(rest) + 1);
  const symbols = new Uint8Array(1 << maxBits);
  const bits = new Uint8Array(1 << maxBits);
  // Longer codes come first, and among those of one length smaller symbols.
  let at = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    for (const [symbol, own] of weights.entries()) {
      if (own !== weight) continue;
      const places = 1 << (weight - 1);
      symbols.fill(symbol, at, at + places);
      bits.fill(maxBits + 1 - weight, at, at + places);
      at += places;
    }
  }
  return { maxBits, symbols, bits };
}

/** Decodes one stream into `out` (section 4.2.2). */
export function decodeStream(table: HuffmanTable, bytes: Uint8Array, start: number, end: number, out: Uint8Array): void {
  const stream = new BackwardBits(bytes, start, end);
  const { maxBits, symbols, bits } = table;
  const mask = (1 << maxBits) - 1;
  let state = stream.read(maxBits);
  for (let i = 0; i < out.length; i++) {
    out[i] = symbols[state] as number;
    const width = bits[state] as number;
    state = ((state << width) | stream.read(width)) & mask;
  }
  if (stream.left !== -maxBits) throw new ZstdError('a Huffman stream does not end where it should');
}
