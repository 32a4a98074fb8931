import type { ImageHints, PhysicalImage, PhysicalRun } from './image.js';
import { Page, PAGE_SIZE } from './page.js';
import { AddressSpace } from './space.js';

/** Bytes of image data that one session keeps in memory, about. */
const CACHE_BYTES = 96 * 1024 * 1024;

/** Small blocks share buffers of this size. */
const PIECE_BYTES = 64 * 1024;

/** Slots for blocks last used; a power of two. */
const RECENT = 64;

/**
 * The physical memory that an image holds, cached in blocks. The cache has two generations: a block that is used moves to
 * the young one; when that is full it becomes the old one and what was old is dropped. (Nearly LRU, at the price of
 * a Map.)
 */
export class PhysicalSpace extends AddressSpace {
  readonly name = 'physical';
  readonly bits = 64;
  private readonly blockPages: number;
  private readonly blockLimit: number;
  /** one past the highest page that the image describes */
  private readonly pages: number;
  private young = new Map<number, Block>();
  private old = new Map<number, Block>();
  /** What small blocks are cut from, and how much of it is given away. */
  private piece = Buffer.alloc(0);
  private pieceUsed = 0;
  /** Blocks last used, by the low bits of their number: page walks go back to the same few, and an array is faster than a Map. */
  private readonly recent = new Array<Block | undefined>(RECENT).fill(undefined);

  constructor(
    readonly image: PhysicalImage,
    cacheBytes = CACHE_BYTES,
  ) {
    super();
    this.pages = Math.ceil((image.runs.at(-1)?.end ?? 0) / PAGE_SIZE);
    const size = Math.max(PAGE_SIZE, image.blockSize);
    if (!Number.isInteger(Math.log2(size))) throw new RangeError(`block size ${size} is no power of two`);
    this.blockPages = size / PAGE_SIZE;
    this.blockLimit = Math.max(8, Math.floor(cacheBytes / size / 2));
  }

  get runs(): readonly PhysicalRun[] {
    return this.image.runs;
  }

  get hints(): ImageHints {
    return this.image.hints;
  }

  /** One past the highest physical address that the image describes. */
  get end(): number {
    return this.image.runs.at(-1)?.end ?? 0;
  }

  pageAt(number: number): Page | undefined {
    // Lying page tables name frames far outside: those are not worth a block of nothing each.
    if (!(number >= 0 && number < this.pages)) return undefined;
    const { blockPages } = this;
    const blockNumber = Math.floor(number / blockPages);
    const slot = blockNumber & (RECENT - 1);
    let block = this.recent[slot];
    if (block?.number !== blockNumber) {
      block = this.young.get(blockNumber) ?? this.fetch(blockNumber);
      this.recent[slot] = block;
    }
    return block.page(number - blockNumber * blockPages);
  }

  /**
   * Copies physical bytes past the cache, for scans. Returns the number of bytes copied: fewer than `length` where a
   * hole begins (0 when it begins here).
   */
  readInto(physical: number, target: Buffer, targetOffset: number, length: number): number {
    return this.image.read(physical, target, targetOffset, length);
  }

  /** Forgets all cached bytes. */
  flush(): void {
    this.young.clear();
    this.old.clear();
    this.recent.fill(undefined);
  }

  close(): void {
    this.flush();
    this.image.close();
  }

  private fetch(blockNumber: number): Block {
    let block = this.old.get(blockNumber);
    if (!block) block = this.load(blockNumber);
    if (this.young.size >= this.blockLimit) {
      this.old = this.young;
      this.young = new Map();
      // What is still in use moves to the young generation, and what is not is not kept by this array alone.
      this.recent.fill(undefined);
    }
    this.young.set(blockNumber, block);
    return block;
  }

  private load(blockNumber: number): Block {
    const size = PAGE_SIZE * this.blockPages;
    const start = blockNumber * size;
    const bytes = this.allocate(size);
    const pages = size / PAGE_SIZE;
    const present = new Uint8Array(pages);
    let offset = 0;
    while (offset < size) {
      const count = this.image.read(start + offset, bytes, offset, size - offset);
      // Only whole pages count: the tail of a truncated file is not a page.
      present.fill(1, offset / PAGE_SIZE, Math.floor((offset + count) / PAGE_SIZE));
      // A hole: go on with the next page, there may be another run in this block.
      offset = (Math.floor((offset + count) / PAGE_SIZE) + (offset + count < size ? 1 : 0)) * PAGE_SIZE;
      if (count === size) break;
    }
    return new Block(blockNumber, bytes, present);
  }

  /** Memory of a block. Small ones are cut from a larger piece: a buffer of its own costs more than decompressing a page. */
  private allocate(size: number): Buffer {
    if (size >= PIECE_BYTES) return Buffer.allocUnsafeSlow(size);
    if (this.pieceUsed + size > this.piece.length) {
      this.piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.pieceUsed = 0;
    }
    const bytes = this.piece.subarray(this.pieceUsed, this.pieceUsed + size);
    this.pieceUsed += size;
    return bytes;
  }
}

class Block {
  private readonly pages: (Page | undefined)[];

  constructor(
    readonly number: number,
    private readonly bytes: Buffer,
    private readonly present: Uint8Array,
  ) {
    this.pages = new Array<Page | undefined>(present.length);
  }

  page(index: number): Page | undefined {
    const known = this.pages[index];
    if (known || !this.present[index]) return known;
    const start = index * PAGE_SIZE;
    return (this.pages[index] = new Page(this.bytes.subarray(start, start + PAGE_SIZE)));
  }
}
