import { type FilePlace,
  ImageError,
  type ImageFile,
  type ImageFormat,
  type ImageHints,
  type PhysicalImage,
  type PhysicalRun,
} from '../image.js';
import { MAX_TABLE_BYTES, readExactly, sizeText, truncationWarning } from './bytes.js';
import { PageBitmap } from './bitmap.js';
import { CODEC_FLAGS, CODECS, decodePage } from './codecs.js';
import { FlattenedFile } from './flattened.js';
import { Descriptors } from './kdump-descriptors.js';
import { readKdumpHeader, type KdumpHeader } from './kdump-header.js';
import { factsOf, hintsOf, notesIn, textOf } from './notes.js';

/** Bytes of one bitmap at most: 16 TiB of memory in 4 KiB pages. */
const MAX_BITMAP_BYTES = 512 * 1024 * 1024;

/** Ranges of pages at most; a dump that is more scattered has pages in its runs that it lacks. */
const MAX_RUNS = 200_000;

/** The flag of a dump whose writer ran out of space (DUMP_DH_COMPRESSED_INCOMPLETE). */
const INCOMPLETE = 0x8;

/** The dump level that leaves out zero pages and nothing else. */
const ZERO_PAGES_ONLY = 1;

const ARCHITECTURES: readonly [RegExp, NonNullable<ImageHints['architecture']>][] = [
  [/^x86_64/, 'amd64'],
  [/^i.86/, 'i386'],
  [/^aarch64/, 'arm64'],
];

/**
 * kdump-compressed dumps: makedumpfile, QEMU's `dump-guest-memory -z`, and the older diskdump. Two bitmaps say which page frames
 * are memory and which of them are in the dump; a table has a descriptor for each of the latter, in order of their addresses.
 */
export const kdumpFormat: ImageFormat = {
  name: 'kdump',
  open(file: ImageFile): PhysicalImage | undefined {
    const header = readKdumpHeader(file);
    return header && openKdump(file, header);
  },
};

function openKdump(file: ImageFile, header: KdumpHeader): PhysicalImage {
  const { blockSize, split } = header;
  if (split) {
    throw new ImageError(
      `${file.path} is one part of a split dump (page frames ${split.start} to ${split.end - 1}). ` +
        `Join the parts: makedumpfile --reassemble PART1 PART2 … DUMPFILE`,
    );
  }
  const { memory, dumped } = readBitmaps(file, header);
  const warnings: string[] = [];
  const tableOffset = (1 + header.subHeaderBlocks + header.bitmapBlocks) * blockSize;
  const descriptors = new Descriptors(file, tableOffset, dumped.total);
  const lost = descriptors.lost();
  if (lost > 0) warnings.push(truncationWarning(lost * blockSize, dumped.total * blockSize));
  if ((header.status & INCOMPLETE) !== 0)
    warnings.push('incomplete: makedumpfile had no space left, pages are missing');
  const zeros = header.dumpLevel === ZERO_PAGES_ONLY && memory ? memory : undefined;
  if (header.dumpLevel > ZERO_PAGES_ONLY)
    warnings.push(
      `dump level ${header.dumpLevel}: ${leftOut(header.dumpLevel)} pages were left out when the dump was made`,
    );
  const codec = CODECS.find(({ flag }) => (descriptors.flagsAtStart() & flag) !== 0)?.name;
  return new KdumpImage(file, {
    format: `kdump (${codec ?? 'not compressed'})`,
    blockSize,
    runs: (zeros ?? dumped).runs(blockSize, MAX_RUNS),
    dumped,
    zeros,
    descriptors,
    hints: readHints(file, header, warnings),
    warnings,
  });
}

/** Kinds of pages by bits of the dump level (makedumpfile's DL_EXCLUDE_ constants). */
const LEVELS = ['zero', 'cache', 'private cache', 'user', 'free'];

function leftOut(dumpLevel: number): string {
  return LEVELS.filter((_, bit) => ((dumpLevel >>> bit) & 1) === 1).join(', ');
}

/** The bitmap of memory (absent in old dumps with one bitmap) and that of the pages in the dump. */
function readBitmaps(file: ImageFile, header: KdumpHeader): { memory?: PageBitmap; dumped: PageBitmap } {
  const { blockSize, pageCount, bitmapBlocks, subHeaderBlocks } = header;
  const offset = (1 + subHeaderBlocks) * blockSize;
  const length = bitmapBlocks * blockSize;
  const needed = Math.ceil(pageCount / 8);
  if (!(pageCount > 0) || needed > length || needed > MAX_BITMAP_BYTES) {
    throw new ImageError(
      `${file.path} is a damaged kdump: ${pageCount} page frames do not fit its bitmaps of ${sizeText(length)}. Try: makedumpfile --mem-usage, or acquire it again.`,
    );
  }
  const read = (start: number): PageBitmap => {
    // Checked first: a header alone must not make us allocate what no file holds.
    if (start + needed > file.size || (file instanceof FlattenedFile && needed > file.stored)) {
      throw new ImageError(
        `${file.path} is a kdump that ends inside its page bitmap (it has ${sizeText(file.size)}). Acquire or copy it again.`,
      );
    }
    const bytes = Buffer.alloc(needed);
    file.read(start, bytes, 0, needed);
    return new PageBitmap(bytes, pageCount);
  };
  const blocksOfOne = Math.ceil(needed / blockSize);
  if (bitmapBlocks < 2 * blocksOfOne) return { dumped: read(offset) };
  return { memory: read(offset), dumped: read(offset + length / 2) };
}

function readHints(file: ImageFile, header: KdumpHeader, warnings: string[]): ImageHints {
  const read = (what: string, place: KdumpHeader['notes']): Buffer | undefined => {
    if (!place) return undefined;
    const bytes = place.size <= MAX_TABLE_BYTES ? readExactly(file, place.offset, place.size) : undefined;
    if (!bytes) warnings.push(`${what} cannot be read: it lies outside of the file`);
    return bytes;
  };
  const notes = read('the note with the CPU state', header.notes);
  const vmcoreinfo = read('VMCOREINFO', header.vmcoreinfo);
  const architecture = ARCHITECTURES.find(([pattern]) => pattern.test(header.machine))?.[1];
  return {
    ...(notes ? hintsOf(factsOf(notesIn(notes))) : {}),
    ...(vmcoreinfo ? { vmcoreinfo: textOf(vmcoreinfo) } : {}),
    ...(architecture === undefined ? {} : { architecture }),
    ...(header.kernel === '' ? {} : { kernel: header.kernel }),
  };
}

interface KdumpParts {
  readonly format: string;
  readonly blockSize: number;
  readonly runs: readonly PhysicalRun[];
  readonly hints: ImageHints;
  readonly warnings: readonly string[];
  /** Pages that have a descriptor. */
  readonly dumped: PageBitmap;
  /** Where only zero pages were left out: all memory, so that a page that is not in the dump is one of zeros. */
  readonly zeros: PageBitmap | undefined;
  readonly descriptors: Descriptors;
}

class KdumpImage implements PhysicalImage {
  readonly format: string;
  readonly runs: readonly PhysicalRun[];
  readonly blockSize: number;
  readonly hints: ImageHints;
  readonly warnings: readonly string[];
  /** The page that was decompressed last, for reads of parts of it. */
  private readonly recent: Buffer;
  private recentPage = -1;
  private readonly compressed: Buffer;
  /** Where the data of a zero page is: writers let all zero pages share one place, and it need not be decompressed again. */
  private zeroPage = -1;

  constructor(
    private readonly file: ImageFile,
    private readonly parts: KdumpParts,
  ) {
    this.format = parts.format;
    this.runs = parts.runs;
    this.blockSize = parts.blockSize;
    this.hints = parts.hints;
    this.warnings = parts.warnings;
    this.recent = Buffer.alloc(parts.blockSize);
    this.compressed = Buffer.alloc(parts.blockSize);
  }

  read(physical: number, target: Buffer, targetOffset: number, length: number): number {
    const { blockSize } = this;
    let done = 0;
    while (done < length) {
      const page = Math.floor((physical + done) / blockSize);
      const skip = physical + done - page * blockSize;
      const count = Math.min(blockSize - skip, length - done);
      if (count === blockSize && page !== this.recentPage) {
        if (!this.decode(page, target, targetOffset + done)) break;
      } else {
        if (!this.remember(page)) break;
        this.recent.copy(target, targetOffset + done, skip, skip + count);
      }
      done += count;
    }
    return done;
  }

  place(physical: number): FilePlace | undefined {
    const { dumped, zeros, descriptors, blockSize } = this.parts;
    const page = Math.floor(physical / blockSize);
    if (!dumped.has(page)) return zeros?.has(page) === true ? { offset: undefined, packed: 'a page of zeros, which the dump leaves out' } : undefined;
    const descriptor = descriptors.at(dumped.rank(page));
    if (!descriptor || descriptor.offset <= 0) return undefined;
    const { offset, size, flags } = descriptor;
    if ((flags & CODEC_FLAGS) === 0) return { offset: offset + physical - page * blockSize };
    return { offset, packed: `compressed page of ${size} bytes` };
  }

  close(): void {
    this.file.close();
  }

  private remember(page: number): boolean {
    if (page === this.recentPage) return true;
    this.recentPage = -1;
    if (!this.decode(page, this.recent, 0)) return false;
    this.recentPage = page;
    return true;
  }

  /** Writes one whole page, or returns false where the dump has none or it does not decompress. */
  private decode(page: number, target: Buffer, targetOffset: number): boolean {
    const { dumped, zeros, descriptors, blockSize } = this.parts;
    if (!dumped.has(page)) {
      if (!zeros?.has(page)) return false;
      target.fill(0, targetOffset, targetOffset + blockSize);
      return true;
    }
    const descriptor = descriptors.at(dumped.rank(page));
    // An offset of 0 stands for a page that makedumpfile had no space for.
    if (!descriptor || descriptor.offset <= 0 || descriptor.size > blockSize) return false;
    const { offset, size, flags } = descriptor;
    if (offset === this.zeroPage) {
      target.fill(0, targetOffset, targetOffset + blockSize);
      return true;
    }
    if (!this.unpack(offset, size, flags & CODEC_FLAGS, target, targetOffset)) return false;
    if (this.zeroPage < 0 && isZero(target, targetOffset, blockSize)) this.zeroPage = offset;
    return true;
  }

  private unpack(offset: number, size: number, codec: number, target: Buffer, targetOffset: number): boolean {
    const { blockSize } = this;
    if (codec === 0) return size === blockSize && this.file.read(offset, target, targetOffset, blockSize) === blockSize;
    if (this.file.read(offset, this.compressed, 0, size) !== size) return false;
    return decodePage(codec, this.compressed.subarray(0, size), target, targetOffset, blockSize);
  }
}

function isZero(bytes: Buffer, offset: number, length: number): boolean {
  for (let at = offset; at < offset + length; at++) if (bytes[at] !== 0) return false;
  return true;
}
