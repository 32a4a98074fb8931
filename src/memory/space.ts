import { unreadable } from './absent.js';
import { addressOf, Page, PAGE_SIZE, pageNumber, pageOffset } from './page.js';

/** A half-open range of addresses that could not be read. */
export interface Gap {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * What an address means: a physical image, a process, the kernel, a buffer. The one primitive is {@link pageAt};
 * everything else follows from it. All multi-byte reads are little-endian (x86, arm64).
 *
 * Reading is synchronous. `read*` throw {@link Absent} (`unreadable`, with the first address that failed);
 * `readPartial` never throws and says what is missing.
 */
export abstract class AddressSpace {
  /** For people: `physical`, `kernel`, `bash (135)`. */
  abstract readonly name: string;
  /** Width of a pointer in this space, in bits. */
  abstract readonly bits: 32 | 64;

  /** The page with this number, or undefined where the space has none. Page numbers: see {@link pageNumber}. */
  abstract pageAt(number: number): Page | undefined;

  /** True where one byte at the address can be read. */
  isValid(address: bigint): boolean {
    return this.pageAt(pageNumber(address)) !== undefined;
  }

  /** `length` bytes at `address`: a copy. */
  read(address: bigint, length: number): Buffer {
    const number = pageNumber(address);
    const offset = pageOffset(address);
    const first = this.pageAt(number);
    if (!first) throw unreadable(address);
    const target = Buffer.allocUnsafe(length);
    let done = first.bytes.copy(target, 0, offset, Math.min(PAGE_SIZE, offset + length));
    for (let next = number + 1; done < length; next++) {
      const page = this.pageAt(next);
      if (!page) throw unreadable(addressOf(next, 0));
      done += page.bytes.copy(target, done, 0, Math.min(PAGE_SIZE, length - done));
    }
    return target;
  }

  /** `length` bytes at `address`, zeros where nothing is, and the gaps that were filled so. */
  readPartial(address: bigint, length: number): { bytes: Buffer; gaps: Gap[] } {
    const bytes = Buffer.alloc(length);
    const gaps: { start: bigint; end: bigint }[] = [];
    let number = pageNumber(address);
    let offset = pageOffset(address);
    for (let done = 0; done < length; number++, offset = 0) {
      const count = Math.min(PAGE_SIZE - offset, length - done);
      const page = this.pageAt(number);
      if (page) page.bytes.copy(bytes, done, offset, offset + count);
      else {
        const start = addressOf(number, offset);
        const last = gaps.at(-1);
        if (last && last.end === start) last.end = start + BigInt(count);
        else gaps.push({ start, end: start + BigInt(count) });
      }
      done += count;
    }
    return { bytes, gaps };
  }

  readU8(address: bigint): number {
    return this.need(address).bytes[pageOffset(address)] as number;
  }

  readU16(address: bigint): number {
    const offset = pageOffset(address);
    if (offset > PAGE_SIZE - 2) return this.read(address, 2).readUInt16LE(0);
    return this.need(address).view.getUint16(offset, true);
  }

  readU32(address: bigint): number {
    const offset = pageOffset(address);
    if (offset > PAGE_SIZE - 4) return this.read(address, 4).readUInt32LE(0);
    return this.need(address).view.getUint32(offset, true);
  }

  readU64(address: bigint): bigint {
    const offset = pageOffset(address);
    if (offset > PAGE_SIZE - 8) return this.read(address, 8).readBigUInt64LE(0);
    return this.need(address).view.getBigUint64(offset, true);
  }

  /** A pointer of this space's width. */
  readPointer(address: bigint): bigint {
    return this.bits === 64 ? this.readU64(address) : BigInt(this.readU32(address));
  }

  /**
   * The bytes of a NUL-terminated string without its NUL, at most `limit` bytes. What is unreadable ends the
   * string; throws only when not even its first byte can be read.
   */
  readCString(address: bigint, limit = 4096): Buffer {
    const parts: Buffer[] = [];
    let number = pageNumber(address);
    let offset = pageOffset(address);
    for (let left = limit; left > 0; number++, offset = 0) {
      const page = this.pageAt(number);
      if (!page) {
        if (parts.length === 0) throw unreadable(address);
        break;
      }
      const end = Math.min(PAGE_SIZE, offset + left);
      const nul = page.bytes.indexOf(0, offset);
      if (nul >= 0 && nul < end) {
        parts.push(Buffer.from(page.bytes.subarray(offset, nul)));
        break;
      }
      parts.push(Buffer.from(page.bytes.subarray(offset, end)));
      left -= end - offset;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  private need(address: bigint): Page {
    const page = this.pageAt(pageNumber(address));
    if (!page) throw unreadable(address);
    return page;
  }
}

/** A space made of one buffer: for structures that were copied out, and for tests. */
export class BufferSpace extends AddressSpace {
  private readonly pages = new Map<number, Page>();
  private readonly first: number;

  /** @param base address of the first byte; must be page aligned */
  constructor(
    private readonly buffer: Buffer,
    readonly base = 0n,
    readonly name = 'buffer',
    readonly bits: 32 | 64 = 64,
  ) {
    super();
    this.first = pageNumber(base);
  }

  /** One past the last address. */
  get end(): bigint {
    return this.base + BigInt(this.buffer.length);
  }

  pageAt(number: number): Page | undefined {
    const start = (number - this.first) * PAGE_SIZE;
    if (start < 0 || start >= this.buffer.length) return undefined;
    let page = this.pages.get(number);
    if (!page) {
      const bytes = Buffer.alloc(PAGE_SIZE);
      this.buffer.copy(bytes, 0, start);
      this.pages.set(number, (page = new Page(bytes)));
    }
    return page;
  }
}
