import { ZstdError } from './bits.js';
import { decodeBlock, FrameState } from './block.js';

/** Magic_Number, and that of skippable frames, whose last four bits are free (RFC 8878, section 3.1). */
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** Block_Maximum_Size */
const MAX_BLOCK = 128 * 1024;


/**
 * Decompresses Zstandard frames without a dictionary (RFC 8878). Made for hostile input: every loop is bounded by the bytes
 * that are there or by `limit`, and no more than that is allocated. Checksums are not verified.
 *
 * @param limit most bytes of output
 * @throws {ZstdError}
 */
export function unzstd(source: Uint8Array, limit: number): Buffer {
  const output = new Output(limit);
  for (let at = 0; at < source.length;) {
    const magic = word(source, at);
    if (((magic ^ SKIPPABLE) >>> 4) === 0) at += 8 + word(source, at + 4);
    else if (magic === MAGIC) at = frame(source, at + 4, output);
    else throw new ZstdError('no Zstandard frame');
  }
  return output.bytes();
}

/** Decodes a frame whose header begins at `at`. @returns the position behind it */
function frame(source: Uint8Array, start: number, output: Output): number {
  const descriptor = byte(source, start);
  const single = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw new ZstdError('a reserved bit of the frame header is set');
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
  const sizes = descriptor >> 6;
  const contentSize = sizes === 0 ? (single ? 1 : 0) : 1 << sizes;
  let at = start + 1 + (single ? 0 : 1);
  for (let i = 0; i < dictionary; i++) if (byte(source, at + i) !== 0) throw new ZstdError('the frame needs a dictionary');
  at += dictionary + contentSize;
  const state = new FrameState(output.length);
  for (let last = false; !last;) {
    const header = byte(source, at) | (byte(source, at + 1) << 8) | (byte(source, at + 2) << 16);
    at += 3;
    last = (header & 1) !== 0;
    const size = header >> 3;
    const kind = (header >> 1) & 3;
    if (kind === 3) throw new ZstdError('a reserved block type');
    if (size > MAX_BLOCK) throw new ZstdError('a block is too large');
    const end = at + (kind === 1 ? 1 : size);
    if (end > source.length) throw new ZstdError('cut off in a block');
    if (kind === 0) output.append(source, at, end);
    else if (kind === 1) output.repeat(byte(source, at), size);
    else decodeBlock(source, at, end, state, output);
    at = end;
  }
  return at + (descriptor & 4 ? 4 : 0);
}

function byte(source: Uint8Array, at: number): number {
  const value = source[at];
  if (value === undefined) throw new ZstdError('cut off');
  return value;
}

function word(source: Uint8Array, at: number): number {
  return (byte(source, at) | (byte(source, at + 1) << 8) | (byte(source, at + 2) << 16) | (byte(source, at + 3) << 24)) >>> 0;
}

/** What is decompressed so far: it grows as needed, up to a limit. */
export class Output {
  length = 0;
  private buffer: Buffer;

  constructor(private readonly limit: number) {
    this.buffer = Buffer.allocUnsafe(Math.min(limit, 2 * MAX_BLOCK));
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  append(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    // Short runs, of which there are many, are faster one by one.
    if (end - start < 24) for (let i = start; i < end; i++) this.buffer[this.length++] = source[i] as number;
    else {
      this.buffer.set(source.subarray(start, end), this.length);
      this.length += end - start;
    }
  }

  repeat(value: number, count: number): void {
    this.reserve(count);
    this.buffer.fill(value, this.length, this.length + count);
    this.length += count;
  }

  /** Copies from `distance` bytes back; the copy may overlap its source. */
  copy(distance: number, count: number): void {
    this.reserve(count);
    const { buffer } = this;
    const from = this.length - distance;
    if (distance >= count && count >= 24) buffer.copyWithin(this.length, from, from + count);
    else for (let i = 0; i < count; i++) buffer[this.length + i] = buffer[from + i] as number;
    this.length += count;
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.buffer.length) return;
    if (needed > this.limit) throw new ZstdError(`more than ${this.limit} bytes`);
    const larger = Buffer.allocUnsafe(Math.min(this.limit, Math.max(needed, this.buffer.length * 2)));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}
