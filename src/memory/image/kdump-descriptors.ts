import type { ImageFile } from '../image.js';
import { readUpTo, u64At } from './bytes.js';

/** `struct page_desc`: where a page's data is and how it is stored. */
export interface Descriptor {
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
}

/** offset (64 bits), size and flags (32 each), page_flags (64): the same in 32-bit dumps. */
const DESCRIPTOR_BYTES = 24;

/** Descriptors that are read in one go, and how many such pieces are kept (about 3 MiB). */
const PIECE = 512;
const PIECES = 256;

/** The table of page descriptors, read in pieces when they are needed. */
export class Descriptors {
  private readonly pieces = new Map<number, Buffer>();

  /**
   * @param offset of the table in the file, in bytes
   * @param count of descriptors
   */
  constructor(
    private readonly file: ImageFile,
    private readonly offset: number,
    private readonly count: number,
  ) {}

  /** The descriptor with this index, or undefined where the file ends before it. */
  at(index: number): Descriptor | undefined {
    const number = Math.floor(index / PIECE);
    const bytes = this.pieces.get(number) ?? this.load(number);
    const at = (index - number * PIECE) * DESCRIPTOR_BYTES;
    if (at + DESCRIPTOR_BYTES > bytes.length) return undefined;
    return { offset: u64At(bytes, at) ?? -1, size: bytes.readUInt32LE(at + 8), flags: bytes.readUInt32LE(at + 12) };
  }

  /** The flags of the first descriptors, joined: which compression the dump uses. */
  flagsAtStart(): number {
    let flags = 0;
    for (let index = 0; index < Math.min(this.count, PIECE); index++) flags |= this.at(index)?.flags ?? 0;
    return flags;
  }

  /**
   * How many pages lie past the end of a truncated file. Data stands in the order of the descriptors (but for zero pages, which
   * share one early place), so the first page that is not in the file is found by halving.
   */
  lost(): number {
    const present = (index: number): boolean => {
      const descriptor = this.at(index);
      return descriptor !== undefined && descriptor.offset + descriptor.size <= this.file.size;
    };
    let complete = true;
    for (let index = Math.max(0, this.count - PIECE); index < this.count && complete; index++)
      complete = present(index);
    if (complete) return 0;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (present(middle)) low = middle + 1;
      else high = middle;
    }
    // Where zero pages mislead the search there is at least one that is lost.
    return Math.max(1, this.count - low);
  }

  private load(number: number): Buffer {
    const first = number * PIECE;
    const wanted = Math.max(0, Math.min(PIECE, this.count - first));
    const bytes = readUpTo(this.file, this.offset + first * DESCRIPTOR_BYTES, wanted * DESCRIPTOR_BYTES);
    if (this.pieces.size >= PIECES) this.pieces.clear();
    this.pieces.set(number, bytes);
    return bytes;
  }
}
