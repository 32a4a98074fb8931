import type { PhysicalRun } from '../image.js';

/** Words (of 32 bits) per entry of the prefix table: 512 bits, a cache line. */
const GROUP = 16;

/**
 * A bit per page frame that says whether the dump has the page, and how many pages come before it: both in constant time,
 * by counts of the bits before every 512th one.
 */
export class PageBitmap {
  private readonly words: Uint32Array;
  /** Set bits before each group of words. */
  private readonly before: Uint32Array;
  /** Number of set bits. */
  readonly total: number;

  /**
   * @param bytes the bitmap: bit n % 8 of byte n / 8 is page n. Kept, not copied, where its alignment permits
   * @param length in pages; bits beyond it do not count
   */
  constructor(
    bytes: Buffer,
    readonly length: number,
  ) {
    const size = Math.ceil(length / 32);
    const own = Buffer.alloc(size * 4);
    bytes.copy(own, 0, 0, size * 4);
    this.words = new Uint32Array(own.buffer, own.byteOffset, size);
    const tail = length % 32;
    if (tail !== 0) this.words[size - 1] = (this.words[size - 1] as number) & (2 ** tail - 1);
    this.before = new Uint32Array(Math.ceil(size / GROUP));
    let total = 0;
    for (let index = 0; index < size; index++) {
      if (index % GROUP === 0) this.before[index / GROUP] = total;
      const word = this.words[index] as number;
      if (word !== 0) total += population(word);
    }
    this.total = total;
  }

  has(page: number): boolean {
    return (
      page >= 0 && page < this.length && (((this.words[Math.floor(page / 32)] as number) >>> (page % 32)) & 1) === 1
    );
  }

  /** Number of set bits below `page`. */
  rank(page: number): number {
    const word = Math.floor(page / 32);
    const first = word - (word % GROUP);
    let count = this.before[first / GROUP] as number;
    for (let index = first; index < word; index++) count += population(this.words[index] as number);
    return count + population((this.words[word] as number) & (2 ** (page % 32) - 1));
  }

  /**
   * The ranges of set bits, as byte addresses. Where there are more than `limit` ranges, those with the smallest gaps between
   * them are joined, so that a dump of scattered pages does not make millions of runs.
   */
  runs(pageSize: number, limit: number): PhysicalRun[] {
    for (let gap = 0; ; gap = gap === 0 ? 8 : gap * 4) {
      const runs = this.joined(pageSize, gap, limit);
      if (runs) return runs;
    }
  }

  /** Ranges whose gaps are longer than `gap` pages, or undefined where there are more than `limit`. */
  private joined(pageSize: number, gap: number, limit: number): PhysicalRun[] | undefined {
    const runs: PhysicalRun[] = [];
    let start = -1;
    let end = -1;
    for (let index = 0; index < this.words.length; index++) {
      const word = this.words[index] as number;
      const first = index * 32;
      if (word === 0) continue;
      if (word === 0xffffffff && end === first) {
        end = first + 32;
        continue;
      }
      for (let bit = 0; bit < 32; bit++) {
        if (((word >>> bit) & 1) === 0) continue;
        const page = first + bit;
        if (start < 0) start = page;
        else if (page - end > gap) {
          runs.push({ start: start * pageSize, end: end * pageSize });
          if (runs.length >= limit) return undefined;
          start = page;
        }
        end = page + 1;
      }
    }
    if (start >= 0) runs.push({ start: start * pageSize, end: end * pageSize });
    return runs;
  }
}

/** Number of set bits of a 32-bit word. */
function population(word: number): number {
  let value = word - ((word >>> 1) & 0x55555555);
  value = (value & 0x33333333) + ((value >>> 2) & 0x33333333);
  return Math.imul((value + (value >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
