import { type FilePlace, ImageError, type ImageFile, type ImageFormat, type ImageHints, type PhysicalImage, type PhysicalRun } from '../image.js';
import { PAGE_SIZE } from '../page.js';
import { PageBitmap } from './bitmap.js';
import { MAX_OFFSET, readExactly, readUpTo, sizeText, truncationWarning, u64At } from './bytes.js';
import { readCrashHeader, type FrameRun, type RawCrashHeader } from './crashdump-header.js';
import { damaged, hintsOfCrash } from './crashdump-hints.js';
import { openTriage } from './crashdump-triage.js';
import { FLAT_BLOCK, FlatImage, layOut, type Extent } from './flat.js';

/** Bytes of a bitmap at most: 16 TiB of memory. */
const MAX_BITMAP_BYTES = 512 * 1024 * 1024;
/** Ranges of pages at most; a dump that is more scattered has pages in its runs that it lacks. */
const MAX_RUNS = 200_000;
/** Page frames beyond the addresses of any processor (52 bits). */
const MAX_FRAMES = 2 ** 40;

/** `DumpType` of the forms. */
const TYPE = { full: 1, kernel: 2, header: 3, triage: 4 } as const;
/** Bytes in front of the ranges of a dump of type 8 to 10, and how much its first page is behind its metadata. */
const RANGES_HEAD = 0x30;

/**
 * Windows crash dumps: of all memory in the runs that the header names, of the pages that a bitmap or a list of ranges names, and
 * triage dumps, which have no physical memory.
 */
export const crashDumpFormat: ImageFormat = {
  name: 'Windows crash dump',
  open(file: ImageFile): PhysicalImage | undefined {
    const found = readCrashHeader(file);
    if (!found) return undefined;
    const { header } = found;
    if (!header) throw damaged(file, `ends inside its header (it has ${sizeText(file.size)})`);
    const { facts, type } = header;
    if (type === TYPE.triage) return openTriage(file, header);
    if (type === TYPE.header) {
      throw new ImageError(`${file.path} is a Windows crash dump that is a header only, without memory: no memory image. See: xxd ${file.path} | head`);
    }
    const format = `Windows crash dump (${facts.bits}-bit, ${facts.kind})`;
    if (type === TYPE.full) return openRuns(file, header, format);
    const after = readUpTo(file, header.size, 0x38);
    const signature = after.toString('latin1', 0, 8);
    if (signature === 'SDMPDUMP' || signature === 'FDMPDUMP') return openBitmap(file, header, after, format);
    if (after.length >= RANGES_HEAD && after.toString('latin1', 4, 12) === 'RDMPDUMP') return openRanges(file, header, after, format);
    throw damaged(file, `is of the kind '${facts.kind}', and has neither a bitmap nor ranges behind its header`);
  },
};

/** The pages of all runs, one after the other, behind the header. */
function openRuns(file: ImageFile, header: RawCrashHeader, format: string): PhysicalImage {
  const { runs, runCount } = header;
  const warnings = runs.length < runCount ? [`${runCount} memory runs by the header, of which ${runs.length} can be read`] : [];
  return flat(file, { header, format, runs, firstPage: header.size, warnings });
}

/** Ranges of page frames, as Windows 11's debugger writes them: marker, `RDMPDUMP`, bytes of metadata, offset of the first page. */
function openRanges(file: ImageFile, header: RawCrashHeader, after: Buffer, format: string): PhysicalImage {
  const firstPage = u64At(after, 0x18);
  const from = header.size + RANGES_HEAD;
  const table = firstPage === undefined || firstPage < from ? undefined : readExactly(file, from, firstPage - from);
  if (firstPage === undefined || !table) throw damaged(file, 'has its first page where its ranges cannot end');
  const runs: FrameRun[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const first = u64At(table, at);
    const count = u64At(table, at + 8);
    if (count === 0) break;
    if (first === undefined || count === undefined) continue;
    runs.push({ first, count });
  }
  return flat(file, { header, format, runs, firstPage, warnings: [] });
}

interface Parts {
  readonly header: RawCrashHeader;
  readonly format: string;
  readonly runs: readonly FrameRun[];
  readonly firstPage: number;
  readonly warnings: readonly string[];
}

function flat(file: ImageFile, { header, format, runs, firstPage, warnings: known }: Parts): PhysicalImage {
  const warnings = [...known];
  const extents: Extent[] = [];
  let offset = firstPage;
  for (const { first, count } of runs) {
    const length = count * PAGE_SIZE;
    // What follows a run that cannot be has no place: where it begins in the file hangs on this one's length.
    if (first + count > MAX_FRAMES || offset + length > MAX_OFFSET) {
      warnings.push(`a memory run of ${count} pages from page frame 0x${first.toString(16)} cannot be: it and what follows are left out`);
      break;
    }
    extents.push({ physical: first * PAGE_SIZE, length, offset });
    offset += length;
  }
  const layout = layOut(extents, file.size);
  if (layout.extents.length === 0) throw damaged(file, `has no memory: ${runs.length} runs, ${sizeText(file.size)}`);
  return new FlatImage(file, format, layout.extents, [...warnings, ...layout.warnings], hintsOfCrash(header.facts));
}

/** Where a bitmap is, and the first page of those that it names. Bits, pages and bytes. */
interface BitmapPlace {
  readonly offset: number;
  readonly bits: number;
  readonly firstPage: number;
}

/** The summary of Windows 8 and later: 64-bit fields, the same in dumps of both widths. */
function laterBitmap(header: RawCrashHeader, after: Buffer): BitmapPlace | undefined {
  if (after.length < 0x38) return undefined;
  return soundBitmap({ offset: header.size + 0x38, bits: u64At(after, 0x30) ?? 0, firstPage: u64At(after, 0x20) ?? 0 });
}

/** The summary of kernel dumps until Windows 7: 32-bit fields, then an RTL_BITMAP whose pointer is of the dump's width. */
function earlierBitmap(header: RawCrashHeader, after: Buffer): BitmapPlace | undefined {
  const buffer = header.facts.bits === 64 ? 0x28 : 0x20;
  if (after.length < buffer) return undefined;
  return soundBitmap({ offset: header.size + buffer, bits: after.readUInt32LE(0x10), firstPage: after.readUInt32LE(0xc) });
}

/** A place whose bitmap ends before the first page. Old writers count a few bits that they do not write; those beyond are none. */
function soundBitmap(place: BitmapPlace): BitmapPlace | undefined {
  const room = (place.firstPage - place.offset) * 8;
  return place.bits > 0 && room > 0 && place.bits <= room && place.firstPage % 8 === 0 ? place : undefined;
}

function openBitmap(file: ImageFile, header: RawCrashHeader, after: Buffer, format: string): PhysicalImage {
  const forms = header.type === TYPE.kernel ? [earlierBitmap, laterBitmap] : [laterBitmap, earlierBitmap];
  const place = forms.map((form) => form(header, after)).find((one) => one !== undefined);
  if (!place) throw damaged(file, 'has a bitmap that does not fit in front of its first page');
  const bytes = Math.ceil(place.bits / 8);
  // Checked first: a header alone must not make us allocate what no file holds.
  if (bytes > MAX_BITMAP_BYTES || place.offset + bytes > file.size) throw damaged(file, `ends inside its page bitmap of ${sizeText(bytes)}`);
  const map = Buffer.alloc(bytes);
  file.read(place.offset, map, 0, bytes);
  const pages = new PageBitmap(map, place.bits);
  if (pages.total === 0) throw damaged(file, 'has no memory: no bit of its bitmap is set');
  const there = Math.max(0, Math.min(pages.total, Math.floor((file.size - place.firstPage) / PAGE_SIZE)));
  const warnings = there < pages.total ? [truncationWarning((pages.total - there) * PAGE_SIZE, pages.total * PAGE_SIZE)] : [];
  return new BitmapImage(file, { format, pages, firstPage: place.firstPage, hints: hintsOfCrash(header.facts), warnings });
}

interface BitmapParts {
  readonly format: string;
  readonly pages: PageBitmap;
  readonly firstPage: number;
  readonly hints: ImageHints;
  readonly warnings: readonly string[];
}

/** Pages that a bitmap names, one after the other. */
class BitmapImage implements PhysicalImage {
  readonly format: string;
  readonly runs: readonly PhysicalRun[];
  readonly blockSize = FLAT_BLOCK;
  readonly hints: ImageHints;
  readonly warnings: readonly string[];

  constructor(
    private readonly file: ImageFile,
    private readonly parts: BitmapParts,
  ) {
    this.format = parts.format;
    this.runs = parts.pages.runs(PAGE_SIZE, MAX_RUNS);
    this.hints = parts.hints;
    this.warnings = parts.warnings;
  }

  read(physical: number, target: Buffer, targetOffset: number, length: number): number {
    const first = Math.floor(physical / PAGE_SIZE);
    const skip = physical - first * PAGE_SIZE;
    const { pages, firstPage } = this.parts;
    // Neighbours in memory are neighbours in the file.
    let count = 0;
    while (count * PAGE_SIZE < skip + length && pages.has(first + count)) count++;
    if (count === 0) return 0;
    const wanted = Math.min(length, count * PAGE_SIZE - skip);
    return this.file.read(firstPage + pages.rank(first) * PAGE_SIZE + skip, target, targetOffset, wanted);
  }

  place(physical: number): FilePlace | undefined {
    const page = Math.floor(physical / PAGE_SIZE);
    const { pages, firstPage } = this.parts;
    if (!pages.has(page)) return undefined;
    const offset = firstPage + pages.rank(page) * PAGE_SIZE + (physical % PAGE_SIZE);
    return offset < this.file.size ? { offset } : undefined;
  }

  close(): void {
    this.file.close();
  }
}
