import { BackwardBits, ZstdError } from './bits.js';
import { buildTable, constantTable, FseState, readTable, type FseTable } from './fse.js';
import { decodeStream, readTree, type HuffmanTable } from './huffman.js';
import type { Output } from './zstd.js';

const MAX_LITERALS = 128 * 1024;

/** Value and extra bits of literals length codes (RFC 8878, table 16): codes below 16 stand for themselves. */
const LITERALS = extended(
  Array.from({ length: 16 }, (_, code) => [code, 0] as const),
  [[16, 1], [18, 1], [20, 1], [22, 1], [24, 2], [28, 2], [32, 3], [40, 3], [48, 4], [64, 6], [128, 7], [256, 8], [512, 9], [1024, 10], [2048, 11], [4096, 12], [8192, 13], [16384, 14], [32768, 15], [65536, 16]],
);
/** The same of match length codes (table 17): codes below 32 stand for themselves + 3. */
const MATCHES = extended(
  Array.from({ length: 32 }, (_, code) => [code + 3, 0] as const),
  [[35, 1], [37, 1], [39, 1], [41, 1], [43, 2], [47, 2], [51, 3], [59, 3], [67, 4], [83, 4], [99, 5], [131, 7], [259, 8], [515, 9], [1027, 10], [2051, 11], [4099, 12], [8195, 13], [16387, 14], [32771, 15], [65539, 16]],
);
const MAX_OFFSET_CODE = 31;

/** Default distributions (section 3.1.1.3.2.2). */
const DEFAULT_LITERALS = buildTable([4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6);
const DEFAULT_OFFSETS = buildTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5);
const DEFAULT_MATCHES = buildTable([1, 4, 3, 2, 2, 2, 2, 2, 2, ...Array<number>(37).fill(1), -1, -1, -1, -1, -1, -1, -1], 6);

interface Codes {
  readonly base: Uint32Array;
  readonly bits: Uint8Array;
}

function extended(direct: readonly (readonly [number, number])[], rest: readonly (readonly [number, number])[]): Codes {
  const all = [...direct, ...rest];
  return { base: Uint32Array.from(all, ([base]) => base), bits: Uint8Array.from(all, ([, bits]) => bits) };
}

/** What a block hands on to the next one of its frame. */
export class FrameState {
  huffman: HuffmanTable | undefined;
  literals: FseTable | undefined;
  offsets: FseTable | undefined;
  matches: FseTable | undefined;
  /** the offsets used last */
  recent: [number, number, number] = [1, 4, 8];

  /** @param start where the frame's output begins: matches reach no further back */
  constructor(readonly start: number) {}
}

/** Decodes a compressed block (section 3.1.1.2.2). */
export function decodeBlock(source: Uint8Array, start: number, end: number, state: FrameState, output: Output): void {
  const { literals, next } = readLiterals(source, start, end, state);
  decodeSequences(source, next, end, literals, state, output);
}

function readLiterals(source: Uint8Array, start: number, end: number, state: FrameState): { literals: Uint8Array; next: number } {
  const first = source[start] ?? 0;
  const kind = first & 3;
  const format = (first >> 2) & 3;
  if (kind < 2) {
    const header = format === 1 ? 2 : format === 3 ? 3 : 1;
    const raw = little(source, start, end, header);
    const size = header === 1 ? raw >> 3 : raw >> 4;
    const at = start + header;
    const next = at + (kind === 0 ? size : 1);
    if (size > MAX_LITERALS || next > end) throw new ZstdError('literals are cut off');
    return { literals: kind === 0 ? source.subarray(at, next) : new Uint8Array(size).fill(source[at] as number), next };
  }
  const header = format < 2 ? 3 : format + 2;
  const width = format < 2 ? 10 : format === 2 ? 14 : 18;
  const sizes = Math.floor(little(source, start, end, header) / 16);
  const size = sizes % 2 ** width;
  const packed = Math.floor(sizes / 2 ** width);
  let at = start + header;
  const next = at + packed;
  if (size > MAX_LITERALS || next > end) throw new ZstdError('literals are cut off');
  if (kind === 2) {
    const tree = readTree(source, at, next);
    state.huffman = tree.table;
    at = tree.next;
  }
  if (!state.huffman) throw new ZstdError('literals without a Huffman tree');
  const literals = new Uint8Array(size);
  if (format === 0) decodeStream(state.huffman, source, at, next, literals);
  else {
    const quarter = (size + 3) >> 2;
    let stream = at + 6;
    for (let i = 0; i < 4; i++) {
      const until = i === 3 ? next : stream + little(source, at + 2 * i, next, 2);
      if (until > next || quarter * 3 > size) throw new ZstdError('literals are cut off');
      decodeStream(state.huffman, source, stream, until, literals.subarray(quarter * i, i === 3 ? size : quarter * (i + 1)));
      stream = until;
    }
  }
  return { literals, next };
}

function decodeSequences(source: Uint8Array, start: number, end: number, literals: Uint8Array, state: FrameState, output: Output): void {
  let at = start + 1;
  let count = little(source, start, end, 1);
  if (count === 255) {
    count = little(source, at, end, 2) + 0x7f00;
    at += 2;
  } else if (count > 127) count = ((count - 128) << 8) + little(source, at++, end, 1);
  if (count === 0) return output.append(literals, 0, literals.length);
  const modes = little(source, at++, end, 1);
  if (modes & 3) throw new ZstdError('a reserved bit of a block is set');
  const table = (mode: number, standard: FseTable, previous: FseTable | undefined, accuracy: number, largest: number): FseTable => {
    if (mode === 0) return standard;
    if (mode === 1) {
      const symbol = little(source, at++, end, 1);
      if (symbol > largest) throw new ZstdError('an impossible code');
      return constantTable(symbol);
    }
    if (mode === 2) {
      const read = readTable(source, at, end, accuracy, largest + 1);
      at = read.next;
      return read.table;
    }
    if (!previous) throw new ZstdError('a table is repeated that was not there');
    return previous;
  };
  state.literals = table(modes >> 6, DEFAULT_LITERALS, state.literals, 9, LITERALS.base.length - 1);
  state.offsets = table((modes >> 4) & 3, DEFAULT_OFFSETS, state.offsets, 8, MAX_OFFSET_CODE);
  state.matches = table((modes >> 2) & 3, DEFAULT_MATCHES, state.matches, 9, MATCHES.base.length - 1);
  const stream = new BackwardBits(source, at, end);
  const literalStates = new FseState(state.literals, stream);
  const offsetStates = new FseState(state.offsets, stream);
  const matchStates = new FseState(state.matches, stream);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const offsetCode = offsetStates.symbol;
    const [matchCode, literalCode] = [matchStates.symbol, literalStates.symbol];
    const value = 2 ** offsetCode + stream.read(offsetCode);
    const length = (MATCHES.base[matchCode] as number) + stream.read(MATCHES.bits[matchCode] as number);
    const run = (LITERALS.base[literalCode] as number) + stream.read(LITERALS.bits[literalCode] as number);
    if (i + 1 < count) {
      literalStates.advance();
      matchStates.advance();
      offsetStates.advance();
    }
    if (stream.left < 0 || used + run > literals.length) throw new ZstdError('sequences are cut off');
    output.append(literals, used, used + run);
    used += run;
    const offset = offsetOf(value, run, state.recent);
    if (offset <= 0 || offset > output.length - state.start) throw new ZstdError('a match reaches back before the frame');
    output.copy(offset, length);
  }
  if (stream.left !== 0) throw new ZstdError('sequences do not end where they should');
  output.append(literals, used, literals.length);
}

/** The distance that an offset value stands for: values up to 3 are those used last (section 3.1.1.5). */
function offsetOf(value: number, run: number, recent: [number, number, number]): number {
  if (value > 3) {
    const offset = value - 3;
    recent[2] = recent[1];
    recent[1] = recent[0];
    recent[0] = offset;
    return offset;
  }
  const index = value - 1 + (run === 0 ? 1 : 0);
  if (index === 0) return recent[0];
  const offset = index === 3 ? recent[0] - 1 : (recent[index] as number);
  if (index > 1) recent[2] = recent[1];
  recent[1] = recent[0];
  recent[0] = offset;
  return offset;
}

/** A little-endian number of 1 to 5 bytes. */
function little(source: Uint8Array, at: number, end: number, size: number): number {
  if (at + size > end) throw new ZstdError('cut off in a block');
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (source[at + i] as number);
  return value;
}
