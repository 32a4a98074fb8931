/**
 * Memory images in every format, from ranges of memory: small files for tests, written after the formats' descriptions and not
 * with the readers' code. Each function returns the bytes of a file; {@link MemoryFile} opens them without a disk.
 *
 *     const ranges = [{ physical: 0x1000, bytes: samplePages(3) }];
 *     const image = openContent(new MemoryFile(kdumpBytes(ranges, { codec: 'snappy' })));
 */
import { deflateSync } from 'node:zlib';
import type { ImageFile } from '../../src/memory/image.js';
import { snappyCompress } from './snappy.js';

export const PAGE = 4096;

/** Memory from a physical address on. */
export interface MemoryRange {
  readonly physical: number;
  readonly bytes: Buffer;
}

/** A file in memory. Counts what is read, so that a test can bound it. */
export class MemoryFile implements ImageFile {
  reads = 0;
  closed = false;

  constructor(
    readonly bytes: Buffer,
    readonly path = 'image',
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, target: Buffer, targetOffset: number, length: number): number {
    this.reads++;
    if (!(offset >= 0) || offset >= this.bytes.length) return 0;
    return this.bytes.copy(target, targetOffset, offset, Math.min(this.bytes.length, offset + length));
  }

  close(): void {
    this.closed = true;
  }
}

const WORDS = [
  'task_struct',
  'mm_struct',
  '\0\0\0\0\0\0\0',
  '\xff\xff\x88\x80',
  'inode_cache',
  'systemd-journald',
  'eth0',
  '\x01\x02\x03',
];

/** A page that compresses about as well as memory does; every seed gives another one. */
export function samplePage(seed = 12345): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  let x = seed;
  const add = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
  };
  while (length < PAGE) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    add(Buffer.from(WORDS[(x >>> 16) % 8] as string, 'latin1'));
    if ((x >>> 20) % 5 === 0) add(Buffer.of(x >>> 8));
    if ((x >>> 24) % 11 === 0) add(Buffer.alloc((x >>> 12) % 200));
  }
  return Buffer.concat(parts).subarray(0, PAGE);
}

/** Different pages in a row. */
export function samplePages(count: number, seed = 1): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => samplePage(seed + index * 7919)));
}

/** Byte n of the file is physical byte n; holes are zeros. */
export function rawBytes(ranges: readonly MemoryRange[]): Buffer {
  const bytes = Buffer.alloc(Math.max(...ranges.map((range) => range.physical + range.bytes.length)));
  for (const range of ranges) range.bytes.copy(bytes, range.physical);
  return bytes;
}

/** A note of an ELF core or kdump. */
export function noteBytes(name: string, type: number, descriptor: Buffer): Buffer {
  const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  const header = Buffer.alloc(12);
  header.writeUInt32LE(name.length + 1, 0);
  header.writeUInt32LE(descriptor.length, 4);
  header.writeUInt32LE(type, 8);
  return Buffer.concat([header, pad(Buffer.from(`${name}\0`, 'latin1')), pad(descriptor)]);
}

/** QEMU's CPU state (version 1, 440 bytes) with the control registers set. */
export function qemuNote(registers: { cr0: bigint; cr3: bigint; cr4: bigint }): Buffer {
  const state = Buffer.alloc(440);
  state.writeUInt32LE(1, 0);
  state.writeUInt32LE(440, 4);
  state.writeBigUInt64LE(registers.cr0, 392);
  state.writeBigUInt64LE(registers.cr3, 416);
  state.writeBigUInt64LE(registers.cr4, 424);
  return noteBytes('QEMU', 0, state);
}

/** VirtualBox' core and CPU notes; `longMode` sets EFER.LMA. */
export function virtualBoxNotes(registers: { cr0: bigint; cr3: bigint; cr4: bigint }, longMode: boolean): Buffer {
  const core = Buffer.alloc(24);
  core.writeUInt32LE(0xc01ac0de, 0);
  core.writeUInt32LE(0x00010000, 4);
  core.writeUInt32LE(24, 8);
  core.writeUInt32LE(1, 20);
  const cpu = Buffer.alloc(640);
  cpu.writeBigUInt64LE(registers.cr0, 288);
  cpu.writeBigUInt64LE(registers.cr3, 304);
  cpu.writeBigUInt64LE(registers.cr4, 312);
  cpu.writeBigUInt64LE(longMode ? 0xd01n : 0x1n, 488);
  return Buffer.concat([noteBytes('VBCORE', 0xb00, core), noteBytes('VBCPU', 0xb01, cpu)]);
}

/** A segment of an ELF core; what is not given follows from the range. */
export interface ElfSegment extends MemoryRange {
  readonly virtual?: bigint;
  /** `p_paddr`, where it shall not be `physical` (all ones in /proc/kcore). */
  readonly stated?: bigint;
  readonly memorySize?: bigint;
  /** `p_filesz`, where it shall not be what the bytes have. */
  readonly fileSize?: bigint;
}

export interface ElfOptions {
  readonly bits?: 32 | 64;
  /** e_machine: 62 is amd64, 3 i386, 183 arm64. */
  readonly machine?: number;
  readonly type?: number;
  readonly notes?: Buffer;
  /** Puts the number of program headers into section 0, as files with 65535 segments and more do. */
  readonly extendedCount?: boolean;
}

/** An ELF core. */
export function elfBytes(segments: readonly ElfSegment[], options: ElfOptions = {}): Buffer {
  const { bits = 64, machine = bits === 64 ? 62 : 3, type = 4, notes, extendedCount = false } = options;
  const wide = bits === 64;
  const headerSize = wide ? 64 : 52;
  const entrySize = wide ? 56 : 32;
  const count = segments.length + (notes ? 1 : 0);
  const sectionSize = wide ? 64 : 40;
  const dataStart = headerSize + count * entrySize + (extendedCount ? sectionSize : 0);
  const header = Buffer.alloc(headerSize);
  header.write('\x7fELF', 'latin1');
  header[4] = wide ? 2 : 1;
  header[5] = 1;
  header[6] = 1;
  header.writeUInt16LE(type, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  const sectionOffset = extendedCount ? headerSize + count * entrySize : 0;
  if (wide) {
    header.writeBigUInt64LE(BigInt(headerSize), 32);
    header.writeBigUInt64LE(BigInt(sectionOffset), 40);
  } else {
    header.writeUInt32LE(headerSize, 28);
    header.writeUInt32LE(sectionOffset, 32);
  }
  const at = wide ? 52 : 40;
  header.writeUInt16LE(headerSize, at);
  header.writeUInt16LE(entrySize, at + 2);
  header.writeUInt16LE(extendedCount ? 0xffff : count, at + 4);
  header.writeUInt16LE(sectionSize, at + 6);
  const section = Buffer.alloc(extendedCount ? sectionSize : 0);
  if (extendedCount) section.writeUInt32LE(count, wide ? 44 : 28);
  const entries: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = dataStart;
  const add = (kind: number, bytes: Buffer, segment: Partial<ElfSegment>): void => {
    const { virtual = 0n, fileSize = BigInt(bytes.length), memorySize = fileSize } = segment;
    const physical = segment.stated ?? BigInt(segment.physical ?? 0);
    entries.push(
      wide
        ? entry64(kind, offset, virtual, physical, fileSize, memorySize)
        : entry32(kind, offset, virtual, physical, fileSize, memorySize),
    );
    data.push(bytes);
    offset += bytes.length;
  };
  if (notes) add(4, notes, {});
  for (const segment of segments) add(1, segment.bytes, segment);
  return Buffer.concat([header, ...entries, section, ...data]);
}

function entry64(
  type: number,
  offset: number,
  virtual: bigint,
  physical: bigint,
  fileSize: bigint,
  memorySize: bigint,
): Buffer {
  const entry = Buffer.alloc(56);
  entry.writeUInt32LE(type, 0);
  entry.writeBigUInt64LE(BigInt(offset), 8);
  [virtual, physical, fileSize, memorySize].forEach((value, index) => entry.writeBigUInt64LE(value, 16 + 8 * index));
  return entry;
}

function entry32(
  type: number,
  offset: number,
  virtual: bigint,
  physical: bigint,
  fileSize: bigint,
  memorySize: bigint,
): Buffer {
  const entry = Buffer.alloc(32);
  entry.writeUInt32LE(type, 0);
  entry.writeUInt32LE(offset, 4);
  [virtual, physical, fileSize, memorySize].forEach((value, index) =>
    entry.writeUInt32LE(Number(value), 8 + 4 * index),
  );
  return entry;
}

/** A LiME or AVML record header; `last` is the address of the last byte. */
export function recordHeader(magic: 'LiME' | 'AVML', version: number, start: bigint, last: bigint): Buffer {
  const header = Buffer.alloc(32);
  // As they stand in the file.
  header.write(magic === 'LiME' ? 'EMiL' : 'AVML', 'latin1');
  header.writeUInt32LE(version, 4);
  header.writeBigUInt64LE(start, 8);
  header.writeBigUInt64LE(last, 16);
  return header;
}

/** LiME's `lime` format. */
export function limeBytes(ranges: readonly MemoryRange[], magic: 'LiME' | 'AVML' = 'LiME'): Buffer {
  return Buffer.concat(
    ranges.flatMap(({ physical, bytes }) => [
      recordHeader(magic, 1, BigInt(physical), BigInt(physical + bytes.length - 1)),
      bytes,
    ]),
  );
}

/** AVML's compressed format; chunks that do not get smaller are stored as they are, as the framing format wants it. */
export function avmlBytes(ranges: readonly MemoryRange[], chunkSize = 65536): Buffer {
  return Buffer.concat(
    ranges.flatMap(({ physical, bytes }) => {
      const frames = snappyFrames(bytes, chunkSize);
      const trailer = Buffer.alloc(8);
      trailer.writeBigUInt64LE(BigInt(frames.length));
      return [recordHeader('AVML', 2, BigInt(physical), BigInt(physical + bytes.length - 1)), frames, trailer];
    }),
  );
}

function snappyFrames(bytes: Buffer, chunkSize: number): Buffer {
  const chunk = (type: number, data: Uint8Array): Buffer[] => {
    const header = Buffer.alloc(8);
    header[0] = type;
    header.writeUIntLE(data.length + 4, 1, 3);
    return [header, Buffer.from(data)];
  };
  const parts: Buffer[] = [Buffer.from('\xff\x06\x00\x00sNaPpY', 'latin1')];
  for (let at = 0; at < bytes.length; at += chunkSize) {
    const plain = bytes.subarray(at, at + chunkSize);
    const packed = snappyCompress(plain);
    parts.push(...(packed.length < plain.length ? chunk(0, packed) : chunk(1, plain)));
  }
  return Buffer.concat(parts);
}

/** LZO1X of literals only: a valid stream, if not a small one. */
export function lzoLiterals(bytes: Buffer): Buffer {
  if (bytes.length < 19) throw new RangeError('at least 19 bytes');
  const count = bytes.length - 18;
  const zeros = Math.floor((count - 1) / 255);
  return Buffer.concat([Buffer.alloc(1 + zeros), Buffer.of(count - 255 * zeros), bytes, Buffer.of(0x11, 0, 0)]);
}

/** A Zstandard frame of one raw block: valid, and larger than its content. */
export function zstdStored(bytes: Buffer): Buffer {
  const header = Buffer.alloc(9 + 3);
  header.writeUInt32LE(0xfd2fb528, 0);
  header[4] = 0xa0;
  header.writeUInt32LE(bytes.length, 5);
  header.writeUIntLE(1 + bytes.length * 8, 9, 3);
  return Buffer.concat([header, bytes]);
}

export type KdumpCodec = 'none' | 'zlib' | 'lzo' | 'snappy' | 'zstd';

const CODEC_FLAGS: Readonly<Record<KdumpCodec, number>> = { none: 0, zlib: 1, lzo: 2, snappy: 4, zstd: 0x20 };

export interface KdumpOptions {
  readonly codec?: KdumpCodec;
  readonly bits?: 32 | 64;
  readonly version?: number;
  readonly pageSize?: number;
  readonly dumpLevel?: number;
  readonly vmcoreinfo?: string;
  readonly notes?: Buffer;
  readonly machine?: string;
  readonly release?: string;
  /** Page frames that are memory, but were left out. */
  readonly excluded?: readonly number[];
  readonly split?: { readonly start: number; readonly end: number };
  /** One bitmap instead of two, as old dumps have. */
  readonly singleBitmap?: boolean;
  readonly status?: number;
  /** Compressed pages, where they come from elsewhere: page frame → data. */
  readonly packed?: ReadonlyMap<number, Buffer>;
}

/** A kdump-compressed file. Ranges must be page aligned. A page is stored as it is where the codec does not make it smaller. */
export function kdumpBytes(ranges: readonly MemoryRange[], options: KdumpOptions = {}): Buffer {
  const { codec = 'zlib', pageSize = PAGE, excluded = [], singleBitmap = false } = options;
  const pages = new Map<number, Buffer>();
  for (const { physical, bytes } of ranges) {
    for (let at = 0; at < bytes.length; at += pageSize)
      pages.set((physical + at) / pageSize, bytes.subarray(at, at + pageSize));
  }
  const numbers = [...pages.keys()].sort((a, b) => a - b);
  const pageCount = (numbers.at(-1) ?? -1) + 1;
  const dumped = numbers.filter((page) => !excluded.includes(page));
  const bitmapBlocks = Math.ceil(pageCount / 8 / pageSize);
  const bitmap = (of: readonly number[]): Buffer => {
    const bits = Buffer.alloc(bitmapBlocks * pageSize);
    for (const page of of) bits[page >> 3] = (bits[page >> 3] as number) | (1 << (page & 7));
    return bits;
  };
  const bitmaps = singleBitmap ? bitmap(dumped) : Buffer.concat([bitmap(numbers), bitmap(dumped)]);
  const notes = options.notes ?? Buffer.alloc(0);
  const vmcoreinfo = Buffer.from(options.vmcoreinfo ?? '', 'latin1');
  const extra = Buffer.concat([notes, vmcoreinfo]);
  const subBlocks = 1 + Math.ceil(extra.length / pageSize);
  const header = kdumpHeaders(
    options,
    pageCount,
    subBlocks,
    bitmaps.length / pageSize,
    notes.length,
    vmcoreinfo.length,
  );
  extra.copy(header, 2 * pageSize);
  const descriptors = Buffer.alloc(dumped.length * 24);
  const data: Buffer[] = [];
  let offset = header.length + bitmaps.length + descriptors.length;
  dumped.forEach((page, index) => {
    const plain = pages.get(page) as Buffer;
    const packed = options.packed?.get(page) ?? pack(codec, plain);
    const smaller = packed.length < pageSize;
    const bytes = smaller ? packed : plain;
    descriptors.writeBigUInt64LE(BigInt(offset), index * 24);
    descriptors.writeUInt32LE(bytes.length, index * 24 + 8);
    descriptors.writeUInt32LE(smaller ? CODEC_FLAGS[codec] : 0, index * 24 + 12);
    data.push(bytes);
    offset += bytes.length;
  });
  return Buffer.concat([header, bitmaps, descriptors, ...data]);
}

function pack(codec: KdumpCodec, page: Buffer): Buffer {
  if (codec === 'zlib') return deflateSync(page, { level: 1 });
  if (codec === 'snappy') return snappyCompress(page);
  if (codec === 'lzo') return lzoLiterals(page);
  if (codec === 'zstd') return zstdStored(page);
  return page;
}

function kdumpHeaders(
  options: KdumpOptions,
  pageCount: number,
  subBlocks: number,
  bitmapBlocks: number,
  notesSize: number,
  vmcoreinfoSize: number,
): Buffer {
  const {
    bits = 64,
    version = 6,
    pageSize = PAGE,
    dumpLevel = 0,
    machine = bits === 64 ? 'x86_64' : 'i686',
    release = '6.1.0-test',
    split,
    status = 0,
  } = options;
  const wide = bits === 64;
  const bytes = Buffer.alloc((1 + subBlocks) * pageSize);
  bytes.write('KDUMP   ', 'latin1');
  bytes.writeInt32LE(version, 8);
  ['Linux', 'host', release, '#1 SMP', machine, '(none)'].forEach((name, index) =>
    bytes.write(name, 12 + 65 * index, 'latin1'),
  );
  let at = wide ? 424 : 412;
  for (const value of [status, pageSize, subBlocks, bitmapBlocks, pageCount, 0, 0, 0, 0, 1])
    at = bytes.writeUInt32LE(value, at);
  at = pageSize;
  const long = (value: number): void => {
    at = wide ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeUInt32LE(value, at);
  };
  const offset = (value: number): void => {
    at = bytes.writeBigUInt64LE(BigInt(value), at);
  };
  long(0);
  at = bytes.writeInt32LE(dumpLevel, at);
  at = bytes.writeInt32LE(split ? 1 : 0, at);
  long(split?.start ?? 0);
  long(split?.end ?? 0);
  offset(vmcoreinfoSize > 0 ? 2 * pageSize + notesSize : 0);
  long(vmcoreinfoSize);
  offset(notesSize > 0 ? 2 * pageSize : 0);
  long(notesSize);
  offset(0);
  long(0);
  offset(split?.start ?? 0);
  offset(split?.end ?? 0);
  offset(pageCount);
  return bytes;
}

/** What `makedumpfile -F` makes of a dump file: pieces behind headers. */
export function flattenedBytes(
  bytes: Buffer,
  pieceSize = 1000,
  order: (pieces: number) => readonly number[] = (pieces) => [...Array(pieces).keys()],
): Buffer {
  const header = Buffer.alloc(4096);
  header.write('makedumpfile', 'latin1');
  header.writeBigInt64BE(1n, 16);
  header.writeBigInt64BE(1n, 24);
  const piece = (index: number): Buffer[] =>
    flatPiece(index * pieceSize, bytes.subarray(index * pieceSize, (index + 1) * pieceSize));
  const end = Buffer.alloc(16, 0xff);
  return Buffer.concat([header, ...order(Math.ceil(bytes.length / pieceSize)).flatMap(piece), end]);
}

/** One piece of a flattened stream. */
export function flatPiece(place: number, bytes: Buffer): Buffer[] {
  const header = Buffer.alloc(16);
  header.writeBigInt64BE(BigInt(place), 0);
  header.writeBigInt64BE(BigInt(bytes.length), 8);
  return [header, bytes];
}
