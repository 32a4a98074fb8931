import type { PhysicalSpace } from '../../memory/physical.js';
import { occurrences, readPhysical } from '../window.js';
import { decodeTokens, TOKENS } from './tokens.js';
import type { KallsymsTables } from './tables.js';

/** In every kernel the digits are tokens of one character, in a row: `0\0` `1\0` … (scripts/kallsyms.c gives each used character its own code). */
const NEEDLE = Buffer.from('0\x001\x002\x00', 'latin1');
const DIGITS = Buffer.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00', 'latin1');
/** Bytes before the token table that the tables of half a million symbols need. */
const REACH = 24 * 1024 * 1024;
/** A names block holds 256 symbols; each is 2 bytes at least and 2 + 511 at most. */
const BLOCK = 256;
const SMALLEST_BLOCK = 2 * BLOCK;
const LARGEST_BLOCK = 130 * BLOCK;
/** A table with fewer symbols is no kernel's. */
const FEWEST = 1024;
const MOST = 4_000_000;

/**
 * Searches a window of physical memory for kallsyms tables: by the token table, from which all others are found by
 * their own consistency. Stale, partly overwritten copies that still decode are given too: the caller checks that the
 * symbols agree with the memory around them.
 */
export function findKallsyms(physical: PhysicalSpace, options: { from?: number; to?: number } = {}): KallsymsTables[] {
  const found: KallsymsTables[] = [];
  const to = Math.min(options.to ?? Infinity, physical.end);
  for (const at of occurrences(physical, NEEDLE, options.from ?? 0, to)) {
    const tables = tablesAround(physical, at);
    if (tables) found.push(tables);
  }
  return found;
}

/** The tables around a token table whose token `0` stands at a physical address. */
function tablesAround(physical: PhysicalSpace, digits: number): KallsymsTables | undefined {
  const around = readPhysical(physical, digits - 4096, 4096 + 16384);
  if (!around || !around.subarray(4096, 4096 + DIGITS.length).equals(DIGITS)) return undefined;
  const start = tokenTableStart(around, 4096);
  if (start === undefined) return undefined;
  const tokens = decodeTokens(around.subarray(start));
  if (!tokens) return undefined;
  const index = indexAfter(around, digits - 4096, start + tokens.length, tokens.offsets);
  if (index === undefined) return undefined;
  const tokenTable = digits - 4096 + start;
  const tokenIndex = digits - 4096 + index;
  const before = Math.min(tokenTable, REACH);
  return layOut(physical, tokenTable, tokenIndex, tokenTable - before);
}

/** Offset of the first of the 48 tokens that precede token `0`. A token is a NUL-terminated string of printable characters. */
function tokenTableStart(bytes: Buffer, digits: number): number | undefined {
  let at = digits;
  for (let token = 0x30; token > 0; token--) {
    // bytes[at - 1] is the NUL of the token before; its text begins behind the NUL before that. Token 0's own start is not marked
    // by a token, but by the padding of the table before, which ends in NULs or in other non-printable bytes.
    let begin = at - 1;
    while (begin > 0 && printable(bytes[begin - 1] as number)) begin--;
    if (at - 1 - begin < 1 || begin === 0) return undefined;
    at = begin;
  }
  return at;
}

function printable(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

/** The token index: the offset of each token, as 16-bit numbers, at the next aligned address (`base` is the buffer's). */
function indexAfter(bytes: Buffer, base: number, end: number, offsets: Uint16Array): number | undefined {
  for (const alignment of [8, 4, 2]) {
    const at = Math.ceil((base + end) / alignment) * alignment - base;
    if (at + 2 * TOKENS > bytes.length) return undefined;
    if (offsets.every((offset, token) => bytes.readUInt16LE(at + 2 * token) === offset)) return at;
  }
  return undefined;
}

function layOut(physical: PhysicalSpace, tokenTable: number, tokenIndex: number, lowest: number): KallsymsTables | undefined {
  // Tables are read in growing pieces: most kernels' fit into the first.
  for (let reach = 4 * 1024 * 1024; ; reach *= 2) {
    const from = Math.max(lowest, tokenTable - reach);
    const bytes = readPhysical(physical, from, tokenTable - from);
    if (!bytes) return undefined;
    const found = layOutIn(physical, bytes, from, tokenTable, tokenIndex);
    if (found || from === lowest) return found;
  }
}

function layOutIn(physical: PhysicalSpace, bytes: Buffer, from: number, tokenTable: number, tokenIndex: number): KallsymsTables | undefined {
  // Word-aligned windows need no copies: the buffer begins at a page boundary of the image, as does `from` up to its low bits.
  const low = tokenTable & 3;
  for (let at = bytes.length - low - 4; at >= 0; at -= 4) {
    if (bytes.readUInt32LE(at) !== 0) continue;
    const markers = markersAt(bytes, at);
    if (!markers) continue;
    const names = namesBefore(bytes, from, at, markers);
    if (!names) continue;
    const tables = addressesOf(physical, bytes, from, names, tokenIndex);
    if (tables) return { ...tables, tokenTable, tokenIndex };
  }
  return undefined;
}

/** The markers: where each block of 256 names begins. 32-bit numbers (80ffbaa5b1bd, 5.0), word-sized ones before. */
function markersAt(bytes: Buffer, at: number): number[] | undefined {
  for (const size of [4, 8]) {
    const markers = [0];
    for (let next = at + size; next + size <= bytes.length; next += size) {
      const value = bytes.readUInt32LE(next);
      const step = value - (markers.at(-1) as number);
      if (step < SMALLEST_BLOCK || step > LARGEST_BLOCK || (size === 8 && bytes.readUInt32LE(next + 4) !== 0)) break;
      markers.push(value);
    }
    if (markers.length * BLOCK >= FEWEST) return markers;
  }
  return undefined;
}

interface Names {
  /** offset of the names table in the bytes */
  readonly start: number;
  readonly length: number;
  readonly count: number;
  /** bytes of the number of symbols with its padding: where the table before it ends */
  readonly word: 4 | 8;
}

/** The names table before the markers: each block of it is as long as the markers say, and the number before it is its count. */
function namesBefore(bytes: Buffer, base: number, markersStart: number, markers: readonly number[]): Names | undefined {
  const last = markers.at(-1) as number;
  const highest = markersStart - last - 2;
  for (let start = highest - ((base + highest) % 4); start >= Math.max(8, markersStart - last - LARGEST_BLOCK - 8); start -= 4) {
    // The cheap test first: the count stands before the names, padded to 8 bytes on 64-bit kernels.
    const word = [8, 4].find((size) => {
      const count = bytes.readUInt32LE(start - size);
      return Math.ceil(count / BLOCK) === markers.length && (size === 4 || bytes.readUInt32LE(start - 4) === 0);
    });
    if (word === undefined) continue;
    const count = bytes.readUInt32LE(start - word);
    const length = spanOf(bytes, start, markersStart, markers, count);
    if (length !== undefined && count >= FEWEST && count <= MOST) return { start, length, count, word: word as 4 | 8 };
  }
  return undefined;
}

/** Bytes of `count` names, or undefined where a block does not begin where its marker says. */
function spanOf(bytes: Buffer, start: number, end: number, markers: readonly number[], count: number): number | undefined {
  let at = start;
  for (let symbol = 0; symbol < count; symbol++) {
    if (symbol % BLOCK === 0 && at - start !== markers[symbol / BLOCK]) return undefined;
    at = afterName(bytes, at);
    if (at > end) return undefined;
  }
  return at - start;
}

/** Offset behind the compressed name at an offset. */
export function afterName(bytes: Buffer, at: number): number {
  const length = bytes[at] ?? 0;
  return (length & 0x80) === 0 ? at + 1 + length : at + 2 + ((length & 0x7f) | ((bytes[at + 1] ?? 0) << 7));
}

type Found = Omit<KallsymsTables, 'tokenTable' | 'tokenIndex'>;

function addressesOf(physical: PhysicalSpace, bytes: Buffer, from: number, names: Names, tokenIndex: number): Found | undefined {
  const common = { count: names.count, names: from + names.start, namesLength: names.length };
  for (const bits of names.word === 8 ? ([64] as const) : ([32, 64] as const)) {
    const word = bits / 8;
    const span = Math.ceil((names.count * 4) / word) * word;
    const base = (at: number, buffer: Buffer): bigint | undefined => {
      if (at < 0 || at + word > buffer.length) return undefined;
      const value = bits === 64 ? buffer.readBigUInt64LE(at) : BigInt(buffer.readUInt32LE(at));
      const lowest = bits === 64 ? 0xffffffff80000000n : 0x40000000n;
      return value >= lowest && (value & 0xfffn) === 0n ? value : undefined;
    };
    // Until 6.3: offsets, base, count, names …  There may be padding between the base and the count.
    for (let gap = 0; gap <= 64; gap += word) {
      const at = names.start - names.word - gap - word;
      const value = base(at, bytes);
      if (value !== undefined && at - span >= 0) {
        return { ...common, bits, addresses: from + at - span, form: 'relative', relativeBase: value.toString() };
      }
    }
    // Since 6.4: … token index, offsets, base.
    const start = Math.ceil((tokenIndex + 2 * TOKENS) / word) * word;
    const tail = readPhysical(physical, start + span, word);
    const value = tail && base(0, tail);
    if (value !== undefined) return { ...common, bits, addresses: start, form: 'relative', relativeBase: value.toString() };
    // Absolute: an ascending array of pointers before the count.
    const array = names.start - names.word - names.count * word;
    if (array >= 0 && ascending(bytes, array, names.count, word)) {
      return { ...common, bits, addresses: from + array, form: 'absolute', relativeBase: '0' };
    }
  }
  return undefined;
}

/** True where the last addresses of an array of pointers ascend (the first may be per-CPU offsets and absolute values). */
function ascending(bytes: Buffer, start: number, count: number, word: number): boolean {
  let before = 0n;
  for (let i = count - 256; i < count; i++) {
    const at = start + i * word;
    const value = word === 8 ? bytes.readBigUInt64LE(at) : BigInt(bytes.readUInt32LE(at));
    if (value < before || value === 0n) return false;
    before = value;
  }
  return true;
}
