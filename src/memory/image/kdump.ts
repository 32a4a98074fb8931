import { ImageError, type ImageFile, type ImageFormat, type ImageHints, type PhysicalImage, type PhysicalRun } from '../image.js';
import { readBytes } from './file.js';
import { unflatten } from './flattened.js';
import { sizeText } from './runs.js';
import { type Packing, unpack } from './unpack.js';

/** struct page_desc: offset, size, flags, page_flags. */
const DESCRIPTOR = 24;
/** Flags of a page descriptor (makedumpfile's diskdump_mod.h). */
const PACKINGS: readonly (readonly [flag: number, packing: Packing])[] = [
  [0x1, 'zlib'],
  [0x2, 'lzo'],
  [0x4, 'snappy'],
  [0x20, 'zstd'],
];
/** Bits of 64 TiB of pages: 2 GiB of bitmap would be needed for more. */
const MOST_PAGES = 2 ** 34;
/** Page numbers between two kept counts of the bitmap. */
const GROUP = 4096;
/** dump_level: pages of zeros were left out */
const LEFT_OUT_ZEROS = 1;

interface Header {
  readonly version: number;
  readonly wide: boolean;
  readonly blockSize: number;
  readonly subBlocks: number;
  readonly bitmapBlocks: number;
  readonly maxPage: number;
  readonly kernel: string;
}

/** kdump's compressed form (diskdump): QEMU's kdump-zlib, -lzo, -snappy, makedumpfile's output, flattened or not. */
export const kdump: ImageFormat = {
  name: 'kdump',
  open(original: ImageFile): PhysicalImage | undefined {
    const file = unflatten(original) ?? original;
    const head = readBytes(file, 0, 512);
    const signature = head.toString('latin1', 0, 8);
    if (signature !== 'KDUMP   ' && signature !== 'DISKDUMP') {
      if (file === original) return undefined;
      throw new ImageError(`${file.path} is flattened, but holds no kdump. Try: makedumpfile -R OUT < ${file.path}`);
    }
    return openDump(file, readHeader(file, head), file !== original);
  },
};

/** struct disk_dump_header; struct timeval has 16 bytes and 8-byte alignment on 64-bit machines, 8 and 4 on 32-bit ones. */
function readHeader(file: ImageFile, head: Buffer): Header {
  for (const wide of [true, false]) {
    const at = wide ? 428 : 416;
    if (head.length < at + 16) continue;
    const blockSize = head.readUInt32LE(at);
    if (blockSize < 4096 || blockSize > 65536 || (blockSize & (blockSize - 1)) !== 0) continue;
    const field = (index: number): string => {
      const start = 12 + 65 * index;
      return head.toString('latin1', start, start + 65).replace(/\0[^]*$/, '');
    };
    return {
      version: head.readUInt32LE(8),
      wide,
      blockSize,
      subBlocks: head.readUInt32LE(at + 4),
      bitmapBlocks: head.readUInt32LE(at + 8),
      maxPage: head.readUInt32LE(at + 12),
      // struct new_utsname: sysname, nodename, release, version, machine, domainname
      kernel: `${field(2)} ${field(3)} ${field(4)}`.trim(),
    };
  }
  throw new ImageError(`${file.path} is a kdump with a damaged header. Try: file ${file.path}`);
}

interface SubHeader {
  readonly dumpLevel: number;
  readonly split: boolean;
  readonly vmcoreinfo: { readonly offset: number; readonly size: number };
  readonly maxPage: number | undefined;
}

/** struct kdump_sub_header: grew by version (3: vmcoreinfo, 6: 64-bit page numbers). */
function readSubHeader(file: ImageFile, { wide, version, blockSize }: Header): SubHeader {
  const bytes = Buffer.alloc(128);
  readBytes(file, blockSize, 128).copy(bytes);
  const number = (at: number): number => Number(bytes.readBigUInt64LE(at));
  if (wide) {
    return {
      dumpLevel: version >= 1 ? bytes.readUInt32LE(8) : 0,
      split: version >= 2 && bytes.readUInt32LE(12) !== 0,
      vmcoreinfo: version >= 3 ? { offset: number(32), size: number(40) } : { offset: 0, size: 0 },
      maxPage: version >= 6 ? number(96) : undefined,
    };
  }
  return {
    dumpLevel: version >= 1 ? bytes.readUInt32LE(4) : 0,
    split: version >= 2 && bytes.readUInt32LE(8) !== 0,
    vmcoreinfo: version >= 3 ? { offset: number(20), size: bytes.readUInt32LE(28) } : { offset: 0, size: 0 },
    maxPage: version >= 6 ? number(72) : undefined,
  };
}

function openDump(file: ImageFile, header: Header, flattened: boolean): PhysicalImage {
  const { blockSize, subBlocks, bitmapBlocks } = header;
  const sub = readSubHeader(file, header);
  const warnings: string[] = [];
  if (sub.split) warnings.push('this is one part of a split dump: the pages of the others are missing. Try: makedumpfile --reassemble');
  const bitmapStart = (1 + subBlocks) * blockSize;
  const bitmapLength = bitmapBlocks * blockSize;
  const maxPage = Math.min(sub.maxPage !== undefined && sub.maxPage > 0 ? sub.maxPage : header.maxPage, bitmapLength * 4);
  if (bitmapStart + bitmapLength > file.size || maxPage > MOST_PAGES || maxPage === 0) {
    throw new ImageError(`${file.path} is a kdump that ends within its page bitmaps (${sizeText(file.size)}). Try: ls -l ${file.path}`);
  }
  // Two bitmaps: pages of RAM, and pages that are in the file.
  const half = bitmapLength / 2;
  const dumped = readBytes(file, bitmapStart + half, Math.ceil(maxPage / 8));
  const index = new PageIndex(dumped, maxPage);
  const descriptors = bitmapStart + bitmapLength;
  const reader = new PageReader(file, index, descriptors, blockSize);
  const lost = index.total - reader.available();
  if (lost > 0) warnings.push(`truncated: ${sizeText(lost * blockSize)} of ${sizeText(index.total * blockSize)} are missing at the end of the file`);
  let zeros: PageIndex | undefined;
  // Where only pages of zeros were left out, RAM that is not in the file is zeros.
  if (sub.dumpLevel === LEFT_OUT_ZEROS) zeros = new PageIndex(readBytes(file, bitmapStart, Math.ceil(maxPage / 8)), maxPage);
  else if (sub.dumpLevel !== 0) warnings.push(`dump level ${sub.dumpLevel}: free, cache or user pages were left out when the dump was made`);
  const { offset, size } = sub.vmcoreinfo;
  const vmcoreinfo = size > 0 && size < 1 << 20 ? readBytes(file, offset, size).toString('latin1').replace(/\0+$/, '') : undefined;
  const hints: ImageHints = { kernel: header.kernel, ...(vmcoreinfo === undefined ? {} : { vmcoreinfo }) };
  return {
    format: `kdump${flattened ? ', flattened' : ''} (${reader.packing()})`,
    runs: (zeros ?? index).runs(blockSize),
    blockSize,
    hints,
    warnings,
    read: (physical, target, targetOffset, length) => reader.read(physical, target, targetOffset, length, zeros),
    close: () => file.close(),
  };
}

/** Which pages a bitmap names, and how many come before one: counts are kept for each group of pages. */
class PageIndex {
  readonly total: number;
  private readonly before: Float64Array;

  constructor(
    private readonly bits: Buffer,
    private readonly pages: number,
  ) {
    const groups = Math.ceil(pages / GROUP);
    this.before = new Float64Array(groups + 1);
    for (let group = 0; group < groups; group++) {
      this.before[group + 1] = (this.before[group] as number) + this.count(group * GROUP, Math.min(pages, (group + 1) * GROUP));
    }
    this.total = this.before[groups] as number;
  }

  has(page: number): boolean {
    return page < this.pages && (((this.bits[Math.floor(page / 8)] ?? 0) >> page % 8) & 1) === 1;
  }

  /** How many pages of the bitmap come before a page. */
  rank(page: number): number {
    const group = Math.floor(page / GROUP);
    return (this.before[group] as number) + this.count(group * GROUP, page);
  }

  runs(pageSize: number): PhysicalRun[] {
    const runs: PhysicalRun[] = [];
    let start = -1;
    for (let page = 0; page <= this.pages; page++) {
      // Whole bytes of the same kind are passed at once.
      if (page % 8 === 0 && page + 8 <= this.pages) {
        const byte = this.bits[page / 8];
        if ((byte === 0 && start < 0) || (byte === 0xff && start >= 0)) {
          page += 7;
          continue;
        }
      }
      const set = page < this.pages && this.has(page);
      if (set && start < 0) start = page;
      else if (!set && start >= 0) {
        runs.push({ start: start * pageSize, end: page * pageSize });
        start = -1;
      }
    }
    return runs;
  }

  /** Set bits in `[from, to)`; `from` is a multiple of 8. */
  private count(from: number, to: number): number {
    let sum = 0;
    const last = Math.floor(to / 8);
    for (let byte = from / 8; byte < last; byte++) sum += ones[this.bits[byte] ?? 0] as number;
    const rest = to % 8;
    if (rest > 0) sum += ones[(this.bits[last] ?? 0) & ((1 << rest) - 1)] as number;
    return sum;
  }
}

/** Number of ones of each byte value. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let bits = byte; bits > 0; bits >>= 1) count += bits & 1;
  return count;
});

class PageReader {
  /** descriptors, read in pieces as they are needed */
  private readonly pieces = new Map<number, Buffer>();

  constructor(
    private readonly file: ImageFile,
    private readonly index: PageIndex,
    private readonly descriptors: number,
    private readonly pageSize: number,
  ) {}

  read(physical: number, target: Buffer, targetOffset: number, length: number, zeros: PageIndex | undefined): number {
    let done = 0;
    while (done < length) {
      const at = physical + done;
      const page = Math.floor(at / this.pageSize);
      const from = at - page * this.pageSize;
      const count = Math.min(length - done, this.pageSize - from);
      if (this.index.has(page)) {
        const bytes = this.page(page);
        if (!bytes) break;
        bytes.copy(target, targetOffset + done, from, from + count);
      } else if (zeros?.has(page) === true) target.fill(0, targetOffset + done, targetOffset + done + count);
      else break;
      done += count;
    }
    return done;
  }

  /** How the pages are packed, by the first that is. */
  packing(): string {
    for (let rank = 0; rank < Math.min(256, this.index.total); rank++) {
      const found = this.descriptor(rank);
      const packing = PACKINGS.find(([flag]) => found && (found.flags & flag) !== 0);
      if (packing) return packing[1];
    }
    return 'not compressed';
  }

  /** How many pages' bytes are within the file: pages stand in order, so the first that is not ends the search. */
  available(): number {
    let low = 0;
    let high = this.index.total;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = this.descriptor(middle);
      if (found && found.offset + found.size <= this.file.size) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private page(page: number): Buffer | undefined {
    const found = this.descriptor(this.index.rank(page));
    if (!found || found.size === 0 || found.size > this.pageSize || found.offset + found.size > this.file.size) return undefined;
    const packed = readBytes(this.file, found.offset, found.size);
    const packing = PACKINGS.find(([flag]) => (found.flags & flag) !== 0);
    if (packing) return unpack(packing[1], packed, this.pageSize);
    return packed.length === this.pageSize ? packed : undefined;
  }

  private descriptor(rank: number): { offset: number; size: number; flags: number } | undefined {
    const perPiece = 4096;
    const number = Math.floor(rank / perPiece);
    let piece = this.pieces.get(number);
    if (!piece) {
      piece = readBytes(this.file, this.descriptors + number * perPiece * DESCRIPTOR, perPiece * DESCRIPTOR);
      this.pieces.set(number, piece);
    }
    const at = (rank % perPiece) * DESCRIPTOR;
    if (at + DESCRIPTOR > piece.length) return undefined;
    return { offset: Number(piece.readBigUInt64LE(at)), size: piece.readUInt32LE(at + 8), flags: piece.readUInt32LE(at + 12) };
  }
}
