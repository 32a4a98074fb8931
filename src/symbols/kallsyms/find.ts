import { found, type Steps } from '../../memory/breathe.js';
import type { PhysicalSpace } from '../../memory/physical.js';
import { occurrenceSteps, readPhysical } from '../window.js';
import { AbsoluteAddresses, PlaceAddresses, RelativeAddresses } from './addresses.js';
import { imageDelta } from './image-delta.js';
import { INDEX_BYTES, locateTokens, MAX_TOKEN_TABLE, TOKEN_NEEDLE } from './tokens.js';
import { type KallsymsTables, MARKED, MAX_SYMBOLS, walkNames } from './tables.js';

export type { KallsymsTables } from './tables.js';

/** Bytes between kallsyms_markers and the token table, at most: kallsyms_seqs_of_names of some 600,000 symbols, and the markers. */
const MARKERS_BEFORE = 2 * 1024 * 1024;
/** A run of this many markers is no accident (2,048 symbols; no kernel has fewer). */
const FEWEST_MARKERS = 8;
/** Bytes that 256 names take: a length and a token each, to 2 + 512. */
const LEAST_BLOCK = 2 * MARKED;
const MOST_BLOCK = 514 * MARKED;

/**
 * Searches a window of physical memory for the tables of kallsyms, no further than asked. All that decode are given, in ascending order: copies that
 * the boot decompressor left may be whole, the live ones are those whose symbols agree with the memory around them.
 * @param options the window in physical bytes (`from` inclusive, `to` exclusive: that of the token table, which is followed to the
 *   other tables outside it) and the kernel's width, both widths when left out
 */
export function findKallsyms(physical: PhysicalSpace, options: { from?: number; to?: number; bits?: 32 | 64 } = {}): Generator<KallsymsTables> {
  return found(kallsymsSteps(physical, options));
}

/** {@link findKallsyms} in steps. */
export function* kallsymsSteps(physical: PhysicalSpace, options: { from?: number; to?: number; bits?: 32 | 64 } = {}): Steps<KallsymsTables> {
  const to = Math.min(options.to ?? Infinity, physical.end);
  for (const hit of occurrenceSteps(physical, TOKEN_NEEDLE, options.from ?? 0, to)) {
    yield undefined;
    if (hit === undefined) continue;
    const start = Math.max(0, Math.floor((hit - MAX_TOKEN_TABLE) / 8) * 8);
    const around = readForward(physical, start, hit - start + 2 * MAX_TOKEN_TABLE);
    if (!around) continue;
    for (const alignment of [8, 4] as const) {
      const place = locateTokens(around, hit - start, alignment);
      const tables = place && locateTables(physical, start + place.table, start + place.index, alignment);
      if (!tables || (options.bits !== undefined && tables.bits !== options.bits)) continue;
      yield tables;
      break;
    }
  }
}

/** As much as there is, in halves; undefined when not even a small part can be read. */
function readForward(physical: PhysicalSpace, start: number, length: number): Buffer | undefined {
  for (let part = Math.min(length, physical.end - start); part > INDEX_BYTES; part = Math.floor(part / 2)) {
    const bytes = readPhysical(physical, start, part);
    if (bytes) return bytes;
  }
  return undefined;
}

function locateTables(
  physical: PhysicalSpace,
  tokenTable: number,
  tokenIndex: number,
  alignment: 4 | 8,
): KallsymsTables | undefined {
  for (const run of markerRuns(physical, tokenTable)) {
    const names = locateNames(physical, run, alignment);
    const addresses = names && locateAddresses(physical, names, tokenIndex, alignment);
    if (!addresses) continue;
    const { count } = names;
    const markersEnd = run.start + run.bytes * Math.ceil(count / MARKED);
    const between = align(markersEnd, alignment);
    const sequence = [between + 3 * count <= tokenTable ? between : undefined, addresses.end].find(
      (place) => place !== undefined && isSequence(physical, place, count),
    );
    return {
      bits: addresses.bits,
      count,
      names: names.start,
      namesLength: names.length,
      markers: run.start,
      markerBytes: run.bytes,
      tokenTable,
      tokenIndex,
      addresses: addresses.addresses,
      ...(addresses.relativeBase !== undefined && { relativeBase: addresses.relativeBase }),
      ...(addresses.place !== undefined && { place: addresses.place.toString() }),
      ...(sequence !== undefined && { sequence }),
    };
  }
  return undefined;
}

interface MarkerRun {
  /** physical address of marker 0 */
  readonly start: number;
  readonly bytes: 4 | 8;
  /** offsets of the names 0, 256, 512 …; perhaps a few too many */
  readonly values: readonly number[];
}

/** Runs of numbers before the token table that rise from 0 by what 256 names may take; the nearest first. */
function* markerRuns(physical: PhysicalSpace, tokenTable: number): Generator<MarkerRun> {
  let length = Math.min(MARKERS_BEFORE, tokenTable);
  let bytes = readPhysical(physical, tokenTable - length, length);
  // A hole before it: less will do.
  while (!bytes && length > 4096) {
    length = Math.floor(length / 8) * 4;
    bytes = readPhysical(physical, tokenTable - length, length);
  }
  if (!bytes) return;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, length >>> 2);
  for (let i = words.length - FEWEST_MARKERS; i >= 0; i--) {
    if (words[i] !== 0) continue;
    const step = words[i + 1] === 0 ? 2 : 1;
    if (!blockSize(words[i + step] as number)) continue;
    const values = [0];
    for (let at = i + step; at + step <= words.length; at += step) {
      const value = words[at] as number;
      if (!blockSize(value - (values.at(-1) as number)) || (step === 2 && words[at + 1] !== 0)) break;
      values.push(value);
    }
    if (values.length >= FEWEST_MARKERS)
      yield { start: tokenTable - length + 4 * i, bytes: step === 1 ? 4 : 8, values };
  }
}

function blockSize(bytes: number): boolean {
  return bytes >= LEAST_BLOCK && bytes <= MOST_BLOCK;
}

interface NamesPlace {
  readonly start: number;
  readonly length: number;
  readonly count: number;
}

/** kallsyms_num_syms and kallsyms_names before the markers: the count fits the markers, and the names fit both. */
function locateNames(physical: PhysicalSpace, run: MarkerRun, alignment: 4 | 8): NamesPlace | undefined {
  // What follows the markers may look like one or two more.
  for (let blocks = run.values.length; blocks >= Math.max(1, run.values.length - 2); blocks--) {
    const last = run.values[blocks - 1] as number;
    // Offsets are aligned as addresses are, since the markers are and the length is.
    const length = align(last + MOST_BLOCK, alignment);
    const bytes =
      readPhysical(physical, run.start - length, length) ??
      readPhysical(physical, run.start - align(last + 8192, 8), align(last + 8192, 8));
    if (!bytes) continue;
    const end = bytes.length;
    for (let start = Math.floor((end - last) / alignment) * alignment; start >= alignment; start -= alignment) {
      const count = bytes.readUInt32LE(start - alignment);
      if (count <= (blocks - 1) * MARKED || count > blocks * MARKED || count > MAX_SYMBOLS) continue;
      const used = walkNames(bytes.subarray(start), count, (block) => run.values[block] as number);
      if (typeof used !== 'number' || Math.ceil((start + used) / alignment) * alignment !== end) continue;
      return { start: run.start - end + start, length: used, count };
    }
  }
  return undefined;
}

interface AddressesPlace {
  readonly bits: 32 | 64;
  readonly addresses: number;
  readonly relativeBase?: number;
  /** virtual address of the offsets, when each is relative to where it stands */
  readonly place?: bigint;
  /** where the next table begins, when the addresses stand behind the tokens */
  readonly end?: number;
}

/** The places for addresses and what they may be, each verified by their order. */
function locateAddresses(
  physical: PhysicalSpace,
  names: NamesPlace,
  tokenIndex: number,
  alignment: 4 | 8,
): AddressesPlace | undefined {
  const bits = alignment === 8 ? 64 : 32;
  const offsetBytes = align(names.count * 4, alignment);
  const before = names.start - alignment;
  const after = tokenIndex + INDEX_BYTES;
  for (const addresses of [before - alignment - offsetBytes, after]) {
    const relativeBase = addresses + offsetBytes;
    const bytes = readPhysical(physical, addresses, offsetBytes + alignment);
    if (!bytes) continue;
    const base = bits === 64 ? bytes.readBigUInt64LE(offsetBytes) : BigInt(bytes.readUInt32LE(offsetBytes));
    if (RelativeAddresses.problem(offsetsIn(bytes, names.count), base, bits) !== undefined) continue;
    return { bits, addresses, relativeBase, ...(addresses === after && { end: relativeBase + alignment }) };
  }
  for (const addresses of [before - names.count * alignment, after]) {
    const bytes = readPhysical(physical, addresses, names.count * alignment);
    if (!bytes || AbsoluteAddresses.problem(bytes, bits) !== undefined) continue;
    return { bits, addresses, ...(addresses === after && { end: after + bytes.length }) };
  }
  return alignment === 4 ? locatePlaceRelative(physical, names, after) : undefined;
}

/** Since 7.0 tables are aligned to 4 bytes, also those of 64-bit kernels, and offsets are relative to where they stand. */
function locatePlaceRelative(
  physical: PhysicalSpace,
  names: NamesPlace,
  addresses: number,
): AddressesPlace | undefined {
  const end = addresses + names.count * 4;
  const bytes = readPhysical(physical, addresses, names.count * 4);
  if (!bytes) return undefined;
  const offsets = offsetsIn(bytes, names.count);
  if (PlaceAddresses.problem(offsets) !== undefined) return undefined;
  const image = imageDelta(physical, offsets, addresses, names.start - 4);
  return image && { bits: image.bits, addresses, place: image.delta + BigInt(addresses), end };
}

function offsetsIn(bytes: Buffer, count: number): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, count);
}

/** True where kallsyms_seqs_of_names may stand: a permutation of the symbols' numbers. */
function isSequence(physical: PhysicalSpace, place: number, count: number): boolean {
  const bytes = readPhysical(physical, place, 3 * count);
  if (!bytes) return false;
  const seen = new Uint8Array(count);
  for (let at = 0; at < 3 * count; at += 3) {
    const index = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    if (index >= count || seen[index] === 1) return false;
    seen[index] = 1;
  }
  return true;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
