import { ImageError, type ImageFile, type ImageFormat, type PhysicalImage } from '../image.js';
import { readBytes } from './file.js';
import { FLAT_BLOCK } from './raw.js';
import { clipToFile, type Extent, extentAt, orderExtents, readExtents, runsOf, truncationWarning } from './runs.js';
import { unpack } from './unpack.js';

/** lime_mem_range_header: magic, version, first and last address, 8 reserved bytes; little-endian on every machine. */
const HEADER = 32;
const LIME_MAGIC = 0x4c694d45;
const AVML_MAGIC = 0x4c4d5641;
/** More ranges than any memory map has. */
const MOST_RANGES = 1 << 16;

interface RangeHeader {
  readonly compressed: boolean;
  readonly start: number;
  /** one past the last byte */
  readonly end: number;
}

function headerAt(file: ImageFile, offset: number): RangeHeader | undefined {
  const bytes = readBytes(file, offset, HEADER);
  if (bytes.length < HEADER) return undefined;
  const magic = bytes.readUInt32LE(0);
  const version = bytes.readUInt32LE(4);
  const lime = magic === LIME_MAGIC && version === 1;
  const avml = magic === AVML_MAGIC && (version === 1 || version === 2);
  if (!lime && !avml) return undefined;
  const start = Number(bytes.readBigUInt64LE(8));
  const end = Number(bytes.readBigUInt64LE(16)) + 1;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || end <= start) return undefined;
  return { compressed: avml && version === 2, start, end };
}

/** LiME (ranged; its padded form is raw) and AVML: ranges behind headers; AVML's may be compressed with framed Snappy. */
export const lime: ImageFormat = {
  name: 'LiME',
  open(file: ImageFile): PhysicalImage | undefined {
    const magic = readBytes(file, 0, 4);
    if (magic.length < 4 || (magic.readUInt32LE(0) !== LIME_MAGIC && magic.readUInt32LE(0) !== AVML_MAGIC)) return undefined;
    const first = headerAt(file, 0);
    if (!first) throw new ImageError(`${file.path} begins like a LiME or AVML image, but its first header is damaged. Try: xxd -l 64 ${file.path}`);
    return first.compressed ? openAvml(file) : openLime(file);
  },
};

function openLime(file: ImageFile): PhysicalImage {
  const warnings: string[] = [];
  const stated: Extent[] = [];
  let offset = 0;
  while (offset < file.size && stated.length < MOST_RANGES) {
    const header = headerAt(file, offset);
    if (!header || header.compressed) {
      warnings.push(`no range header at file offset 0x${offset.toString(16)}: what follows is left out`);
      break;
    }
    stated.push({ start: header.start, end: header.end, offset: offset + HEADER });
    offset += HEADER + header.end - header.start;
  }
  const { extents, missing } = clipToFile(orderExtents(stated), file.size);
  if (missing > 0) warnings.push(truncationWarning(missing, stated.reduce((sum, one) => sum + one.end - one.start, 0)));
  if (extents.length === 0) throw new ImageError(`${file.path} is a LiME image that ends behind its first header. Try: ls -l ${file.path}`);
  return {
    format: 'LiME',
    runs: runsOf(extents),
    blockSize: FLAT_BLOCK,
    hints: {},
    warnings,
    read: (physical, target, targetOffset, length) => readExtents(file, extents, physical, target, targetOffset, length),
    close: () => file.close(),
  };
}

/** A chunk of a Snappy frame stream. */
interface Chunk extends Extent {
  /** bytes in the file, without the checksum */
  readonly length: number;
  readonly compressed: boolean;
}

function openAvml(file: ImageFile): PhysicalImage {
  const warnings: string[] = [];
  const chunks: Chunk[] = [];
  let offset = 0;
  for (let ranges = 0; offset < file.size && ranges < MOST_RANGES; ranges++) {
    const header = headerAt(file, offset);
    if (!header?.compressed) {
      warnings.push(`no range header at file offset 0x${offset.toString(16)}: what follows is left out`);
      break;
    }
    const end = indexFrames(file, offset + HEADER, header, chunks);
    if (end === undefined) {
      const reached = chunks.at(-1)?.end ?? header.start;
      warnings.push(`truncated or damaged: the range 0x${header.start.toString(16)} ends at 0x${reached.toString(16)} instead of 0x${header.end.toString(16)}`);
      break;
    }
    // The length of the compressed range follows it.
    offset = end + 8;
  }
  chunks.sort((a, b) => a.start - b.start);
  if (chunks.length === 0) throw new ImageError(`${file.path} is an AVML image without a readable range. Try: avml-convert ${file.path} OUT.lime`);
  const reader = new ChunkReader(file, chunks);
  return {
    format: 'AVML (Snappy)',
    runs: runsOf(chunks),
    blockSize: FLAT_BLOCK,
    hints: {},
    warnings,
    read: (physical, target, targetOffset, length) => reader.read(physical, target, targetOffset, length),
    close: () => file.close(),
  };
}

/** Chunk types of the Snappy framing format: 0x00 compressed, 0x01 plain, 0xff stream identifier, 0x80 to 0xfe skippable. */
function indexFrames(file: ImageFile, start: number, range: RangeHeader, chunks: Chunk[]): number | undefined {
  let at = start;
  let physical = range.start;
  while (physical < range.end) {
    const head = readBytes(file, at, 13);
    if (head.length < 4) return undefined;
    const type = head[0] as number;
    const length = head.readUIntLE(1, 3);
    const content = at + 4;
    at = content + length;
    if (type >= 0x80) continue;
    if (type > 1 || length < 4 || at > file.size) return undefined;
    const size = type === 0 ? uncompressedSize(head.subarray(8)) : length - 4;
    // The framing format allows 64 KiB of data in a chunk.
    if (size === undefined || size === 0 || size > 65536) return undefined;
    chunks.push({ start: physical, end: Math.min(physical + size, range.end), offset: content + 4, length: length - 4, compressed: type === 0 });
    physical += size;
  }
  return at;
}

/** The length that a Snappy block begins with: a little-endian base-128 number. */
function uncompressedSize(bytes: Buffer): number | undefined {
  let value = 0;
  for (let i = 0; i < Math.min(5, bytes.length); i++) {
    const byte = bytes[i] as number;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  return undefined;
}

/** Chunks that were unpacked lately. */
const KEPT = 16;

class ChunkReader {
  private readonly cache = new Map<number, Buffer | undefined>();

  constructor(
    private readonly file: ImageFile,
    private readonly chunks: readonly Chunk[],
  ) {}

  read(physical: number, target: Buffer, targetOffset: number, length: number): number {
    let done = 0;
    let index = extentAt(this.chunks, physical);
    while (index >= 0 && index < this.chunks.length && done < length) {
      const chunk = this.chunks[index] as Chunk;
      const at = physical + done;
      if (at < chunk.start || at >= chunk.end) break;
      const bytes = this.bytes(index);
      if (!bytes) break;
      const from = at - chunk.start;
      const count = Math.min(length - done, bytes.length - from, chunk.end - at);
      if (count <= 0) break;
      bytes.copy(target, targetOffset + done, from, from + count);
      done += count;
      index++;
    }
    return done;
  }

  private bytes(index: number): Buffer | undefined {
    if (this.cache.has(index)) return this.cache.get(index);
    const chunk = this.chunks[index] as Chunk;
    const packed = readBytes(this.file, chunk.offset, chunk.length);
    const bytes = chunk.compressed ? unpack('snappy', packed, chunk.end - chunk.start) : packed;
    if (this.cache.size >= KEPT) this.cache.delete(this.cache.keys().next().value as number);
    this.cache.set(index, bytes);
    return bytes;
  }
}
