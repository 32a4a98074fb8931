import { unreadable } from './absent.js';
import type { TriageContent, VirtualBlock } from './crash.js';
import { addressOf, Page, PAGE_SIZE, pageNumber } from './page.js';
import type { PageRun } from './paging/leaves.js';
import { NO_FRAME } from './paging/levels.js';
import { TablelessSpace } from './paging/tableless.js';
import type { Translation } from './paging/translation.js';
import type { AddressSpace, Gap } from './space.js';

const ABSENT = 'no block of the dump holds it';
/** Pages that are kept: a triage dump has a few MiB. */
const KEPT = 4096;

/**
 * An address space of blocks that stand in a file, without page tables: a triage dump's. It has no levels and no regions, so that it maps
 * and translates nothing. Blocks begin and end anywhere: reads are exact and fail outside of them, but a page of which a part is
 * there has zeros for the rest in its bytes, and a view ({@link Page.view}) that throws {@link Absent} for them, so that members of
 * structs are exact too.
 */
export class BlockSpace extends TablelessSpace {
  private readonly pages = new Map<number, Page | undefined>();

  constructor(
    physical: AddressSpace,
    private readonly content: Pick<TriageContent, 'blocks' | 'read'>,
    readonly bits: 32 | 64,
    name = 'kernel',
  ) {
    super(physical, name, 'a triage dump');
  }

  override pageAt(number: number): Page | undefined {
    if (this.pages.has(number)) return this.pages.get(number);
    const page = this.load(number);
    if (this.pages.size >= KEPT) this.pages.clear();
    this.pages.set(number, page);
    return page;
  }

  /** The block that holds an address, or undefined. */
  blockAt(address: bigint): VirtualBlock | undefined {
    const block = this.content.blocks[this.firstEndingAfter(address)];
    return block && block.address <= address ? block : undefined;
  }

  override isValid(address: bigint): boolean {
    return this.blockAt(address) !== undefined;
  }

  override read(address: bigint, length: number): Buffer {
    const { bytes, gaps } = this.readPartial(address, length);
    const [gap] = gaps;
    if (gap) throw unreadable(gap.start, ABSENT);
    return bytes;
  }

  override readPartial(address: bigint, length: number): { bytes: Buffer; gaps: Gap[] } {
    const bytes = Buffer.alloc(length);
    const gaps: Gap[] = [];
    const end = address + BigInt(length);
    const { blocks } = this.content;
    let at = address;
    for (let index = this.firstEndingAfter(address); at < end; index++) {
      const block = blocks[index];
      const from = block && block.address < end ? (block.address > at ? block.address : at) : end;
      if (from > at) gaps.push({ start: at, end: from });
      if (!block || from === end) break;
      const skip = Number(from - block.address);
      const count = Math.min(block.length - skip, Number(end - from));
      this.content.read(block.offset + skip, count).copy(bytes, Number(from - address));
      at = from + BigInt(count);
    }
    return { bytes, gaps };
  }

  override readU8(address: bigint): number {
    return this.read(address, 1).readUInt8();
  }

  override readU16(address: bigint): number {
    return this.read(address, 2).readUInt16LE();
  }

  override readU32(address: bigint): number {
    return this.read(address, 4).readUInt32LE();
  }

  override readU64(address: bigint): bigint {
    return this.read(address, 8).readBigUInt64LE();
  }

  override readCString(address: bigint, limit = 4096): Buffer {
    const { bytes, gaps } = this.readPartial(address, limit);
    const there = gaps[0] ? Number(gaps[0].start - address) : bytes.length;
    if (there === 0) throw unreadable(address, ABSENT);
    const nul = bytes.indexOf(0);
    return bytes.subarray(0, nul >= 0 && nul < there ? nul : there);
  }

  /** Pages of which a part is there, ascending; the blocks are their bounds, there being no tables. */
  override *leaves(from = 0, to = Infinity): Generator<PageRun, void, undefined> {
    let next = from;
    for (const { address, length } of this.content.blocks) {
      if (length === 0) continue;
      const first = Math.max(next, pageNumber(address));
      const end = Math.min(to, pageNumber(address + BigInt(length - 1)) + 1);
      if (first >= to) return;
      // One by one: they have no frames that would follow each other.
      for (let page = first; page < end; page++) yield { page, frame: NO_FRAME, pages: 1, bits: 0, leafPages: 1 };
      next = Math.max(next, end);
    }
  }

  override walk(address: bigint): Translation {
    const block = this.blockAt(address);
    const there = block ? `the dump has this byte at file offset 0x${(block.offset + Number(address - block.address)).toString(16)}` : 'the dump does not hold this address';
    return { address, steps: [], reason: `a triage dump has no page tables; ${there}` };
  }

  private load(number: number): Page | undefined {
    const start = addressOf(number, 0);
    const { bytes, gaps } = this.readPartial(start, PAGE_SIZE);
    const [gap] = gaps;
    if (!gap) return new Page(bytes);
    return gap.start === start && gap.end === start + BigInt(PAGE_SIZE) ? undefined : new PartialPage(bytes, start, gaps);
  }

  /** Index of the first block that ends behind an address. */
  private firstEndingAfter(address: bigint): number {
    const { blocks } = this.content;
    let low = 0;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = blocks[middle] as VirtualBlock;
      if (block.address + BigInt(block.length) <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A page of which only a part is there. */
class PartialPage extends Page {
  override readonly view: DataView;

  constructor(bytes: Buffer, start: bigint, gaps: readonly Gap[]) {
    super(bytes);
    this.view = new PartialView(bytes, start, gaps.map((gap) => ({ start: Number(gap.start - start), end: Number(gap.end - start) })));
  }

  override get whole(): boolean {
    return false;
  }
}

/** Reads what is there, and throws {@link Absent} for the rest. */
class PartialView extends DataView<ArrayBufferLike> {
  constructor(
    bytes: Buffer,
    private readonly address: bigint,
    private readonly gaps: readonly { readonly start: number; readonly end: number }[],
  ) {
    super(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  override getUint8(offset: number): number {
    this.need(offset, 1);
    return super.getUint8(offset);
  }

  override getInt8(offset: number): number {
    this.need(offset, 1);
    return super.getInt8(offset);
  }

  override getUint16(offset: number, little?: boolean): number {
    this.need(offset, 2);
    return super.getUint16(offset, little);
  }

  override getInt16(offset: number, little?: boolean): number {
    this.need(offset, 2);
    return super.getInt16(offset, little);
  }

  override getUint32(offset: number, little?: boolean): number {
    this.need(offset, 4);
    return super.getUint32(offset, little);
  }

  override getInt32(offset: number, little?: boolean): number {
    this.need(offset, 4);
    return super.getInt32(offset, little);
  }

  override getBigUint64(offset: number, little?: boolean): bigint {
    this.need(offset, 8);
    return super.getBigUint64(offset, little);
  }

  override getBigInt64(offset: number, little?: boolean): bigint {
    this.need(offset, 8);
    return super.getBigInt64(offset, little);
  }

  private need(offset: number, length: number): void {
    for (const { start, end } of this.gaps) if (start < offset + length && end > offset) throw unreadable(this.address + BigInt(Math.max(start, offset)), ABSENT);
  }
}
