import type { ImageFile } from '../image.js';
import { readUpTo } from './bytes.js';
import { lastAtOrBelow } from './flat.js';
import { decodeSnappy, snappyLength } from './snappy.js';

/** Chunk types (https://github.com/google/snappy/blob/main/framing_format.txt). */
const COMPRESSED = 0x00;
const UNCOMPRESSED = 0x01;
/** Types from here on may be skipped: padding, stream identifiers, reserved ones. */
const FIRST_SKIPPABLE = 0x80;

/** A chunk has at most this much uncompressed data, and Snappy makes of it at most this much compressed (32 + n + n / 6). */
const MAX_CHUNK = 65536;
const MAX_STORED = 32 + MAX_CHUNK + Math.ceil(MAX_CHUNK / 6);

/** type (8 bits) and length (24 bits). */
const CHUNK_HEADER_BYTES = 4;
/** Each data chunk begins with a CRC-32C, which is not checked: it costs more than the decompression. */
const CHECKSUM_BYTES = 4;

/** Decompressed chunks that are kept: blocks of memory and chunks do not begin at the same places. */
const KEPT = 4;

interface Chunk {
  /** Of the data behind the checksum, in the file. */
  readonly offset: number;
  readonly stored: number;
  readonly length: number;
  readonly compressed: boolean;
}

/** A framed Snappy stream in a file, read at any place: an index of its chunks is made as far as it is needed. */
export class SnappyFrames {
  private readonly chunks: Chunk[] = [];
  /** Where each chunk begins in the uncompressed stream. */
  private starts = new Float64Array(256);
  private position = 0;
  private length = 0;
  private ended = false;
  private readonly kept = new Map<number, Buffer>();

  /**
   * @param offset of the stream in the file
   * @param stored bytes that the stream has in the file, at most
   * @param limit uncompressed bytes, at most
   */
  constructor(
    private readonly file: ImageFile,
    private readonly offset: number,
    private readonly stored: number,
    private readonly limit: number,
  ) {}

  /** Bytes of the stream that have been indexed. */
  get indexedBytes(): number {
    return this.position;
  }

  /** Indexes the stream up to `length` uncompressed bytes; returns how many of them there are. */
  covered(length: number): number {
    while (this.length < length && !this.ended) this.indexNext();
    return Math.min(this.length, length);
  }

  /** Uncompressed bytes from `start` on; returns how many, fewer at the end and before a damaged chunk. */
  read(start: number, target: Buffer, targetOffset: number, length: number): number {
    const available = this.covered(start + length) - start;
    let done = 0;
    let index = lastAtOrBelow(this.starts, start, this.chunks.length);
    while (done < available) {
      const bytes = this.chunk(index);
      if (!bytes) break;
      const skip = start + done - (this.starts[index] as number);
      done += bytes.copy(target, targetOffset + done, skip, Math.min(bytes.length, skip + available - done));
      index++;
    }
    return done;
  }

  private indexNext(): void {
    const bytes = readUpTo(
      this.file,
      this.offset + this.position,
      Math.min(CHUNK_HEADER_BYTES + CHECKSUM_BYTES + 5, this.stored - this.position),
    );
    this.ended = true;
    if (bytes.length < CHUNK_HEADER_BYTES) return;
    const type = bytes[0] as number;
    const size = bytes.readUIntLE(1, 3);
    const next = this.position + CHUNK_HEADER_BYTES + size;
    if (next > this.stored) return;
    if (type >= FIRST_SKIPPABLE) {
      this.position = next;
      this.ended = false;
      return;
    }
    const data = size - CHECKSUM_BYTES;
    if (type > UNCOMPRESSED || data <= 0 || data > MAX_STORED) return;
    const length =
      type === COMPRESSED ? snappyLength(bytes.subarray(CHUNK_HEADER_BYTES + CHECKSUM_BYTES))?.length : data;
    if (length === undefined || length === 0 || length > MAX_CHUNK || this.length + length > this.limit) return;
    this.add({
      offset: this.offset + this.position + CHUNK_HEADER_BYTES + CHECKSUM_BYTES,
      stored: data,
      length,
      compressed: type === COMPRESSED,
    });
    this.position = next;
    this.ended = false;
  }

  private add(chunk: Chunk): void {
    if (this.chunks.length === this.starts.length) {
      const larger = new Float64Array(this.starts.length * 2);
      larger.set(this.starts);
      this.starts = larger;
    }
    this.starts[this.chunks.length] = this.length;
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The uncompressed bytes of a chunk, or undefined where it is damaged. */
  private chunk(index: number): Buffer | undefined {
    const known = this.kept.get(index);
    if (known) return known;
    const chunk = this.chunks[index];
    if (!chunk) return undefined;
    const stored = readUpTo(this.file, chunk.offset, chunk.stored);
    if (stored.length < chunk.stored) return undefined;
    let bytes = stored;
    if (chunk.compressed) {
      bytes = Buffer.allocUnsafe(chunk.length);
      if (decodeSnappy(stored, bytes, 0, chunk.length) !== chunk.length) return undefined;
    }
    if (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value as number);
    this.kept.set(index, bytes);
    return bytes;
  }
}
