import { PAGE_SIZE } from '../../../src/memory/page.js';
import type { Forge } from './forge.js';

/** An allocation of whole pages. */
export interface BigAllocation {
  readonly address: bigint;
  readonly tag: string;
  readonly bytes: number;
}

/**
 * Pool: pages cut into blocks, each behind a `_POOL_HEADER` that states its size, the one before it, its type and its tag
 * ("Windows Internals", part 2, "Kernel-mode heaps").
 */
export class Pool {
  readonly big: BigAllocation[] = [];
  private page = 0;
  /** bytes used of the current page; a full one at first */
  private used = PAGE_SIZE;
  private last = 0;
  private at = 0n;

  constructor(
    private readonly forge: Forge,
    readonly kind: 'nonpaged' | 'paged',
    readonly base: bigint,
    readonly pages: number,
    private readonly makePage: (page: number) => void,
  ) {}

  /** Unit of sizes, and bytes of a header. */
  private get unit(): number {
    return this.forge.pointer * 2;
  }

  get end(): bigint {
    return this.base + BigInt(this.pages * PAGE_SIZE);
  }

  /** Memory for `bytes`; its address lies behind the header. Zeros. @param protect the tag's bit for objects that are not freed by chance */
  allocate(bytes: number, tag: string, protect = false): bigint {
    const size = Math.ceil(bytes / this.unit) * this.unit + this.unit;
    if (size > PAGE_SIZE - this.unit) return this.whole(bytes, tag);
    if (this.used + size > PAGE_SIZE) this.nextPage();
    const header = this.at + BigInt(this.used);
    this.header(header, this.last, size, tag, protect);
    this.used += size;
    this.last = size;
    return header + BigInt(this.unit);
  }

  /** Whole pages, without a header. */
  whole(bytes: number, tag: string): bigint {
    const count = Math.ceil(bytes / PAGE_SIZE);
    this.finish();
    const address = this.base + BigInt(this.page * PAGE_SIZE);
    for (let index = 0; index < count; index++) this.make();
    this.big.push({ address, tag, bytes: count * PAGE_SIZE });
    this.used = PAGE_SIZE;
    return address;
  }

  /** Pages that are used so far. */
  get usedPages(): number {
    return this.page;
  }

  /** The rest of the current page becomes a free block. */
  finish(): void {
    if (this.used >= PAGE_SIZE) return;
    this.header(this.at + BigInt(this.used), this.last, PAGE_SIZE - this.used, 'Free', false, 0);
    this.used = PAGE_SIZE;
  }

  private nextPage(): void {
    this.finish();
    this.at = this.base + BigInt(this.page * PAGE_SIZE);
    this.make();
    this.used = 0;
    this.last = 0;
  }

  private make(): void {
    if (this.page >= this.pages) throw new Error(`${this.kind} pool is full`);
    this.makePage(this.page++);
  }

  private header(at: bigint, previous: number, size: number, tag: string, protect: boolean, type?: number): void {
    const value = Buffer.from(tag.padEnd(4).slice(0, 4), 'latin1').readUInt32LE();
    this.forge.put('_POOL_HEADER', at, {
      PreviousSize: previous / this.unit,
      BlockSize: size / this.unit,
      // The type counts from 1 in a used block: NonPagedPool is 0, PagedPool 1; in-use blocks have bit 1.
      PoolType: type ?? (this.kind === 'paged' ? 3 : 2),
      PoolTag: protect ? (value | 0x80000000) >>> 0 : value,
    });
  }
}
