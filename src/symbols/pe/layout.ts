import { memorySize, type PeHeaders, type PeSection } from './headers.js';

/** A part of a file that is made of an executable in memory, in order of the file. In bytes. */
export interface FilePart {
  /** position in the file */
  readonly at: number;
  readonly length: number;
  /** place in the image */
  readonly rva: number;
}

/** Bytes of the file that differ from memory. */
export interface FilePatch {
  readonly at: number;
  readonly bytes: Buffer;
}

/** How a file is made of an executable in memory. */
export interface FileLayout {
  readonly size: number;
  /** ascending, not overlapping; zeros between them */
  readonly parts: readonly FilePart[];
  readonly patches: readonly FilePatch[];
  /** what is odd about the headers: for the analyst, in phrases */
  readonly remarks: readonly string[];
}

export interface LayoutOptions {
  /** `file`: sections where the headers say that the file has them; `memory`: as they lie in memory, and headers that say so */
  readonly layout: 'file' | 'memory';
  /** the header names the address where the image is: what is in memory was relocated to it */
  readonly fixBase: boolean;
  /** bytes of a file at most; what lies beyond is left out, and said */
  readonly most: number;
}

const PAGE = 4096;
/** The header that the kernel keeps mapped is of a page or two. */
const MOST_HEADERS = 1 << 20;

/**
 * Turns an executable as the loader laid it out back to the order of a file. Nobody can trust its headers: malware changes them once it
 * runs. Every size is bounded, and where sections overlap in the file the later one is written. Source: Microsoft, "PE Format"
 * (PointerToRawData, SizeOfRawData, VirtualAddress).
 */
export function fileLayout(header: PeHeaders, base: bigint, options: LayoutOptions): FileLayout {
  const remarks: string[] = [];
  if (header.sections.length < header.statedSections) remarks.push(`${header.statedSections} sections are claimed, ${header.sections.length} are there`);
  const parts = options.layout === 'memory' ? inMemory(header, options.most, remarks) : inFile(header, options.most, remarks);
  const patches = options.layout === 'memory' ? header.sections.flatMap((section, index) => memoryPatches(header, section, index)) : [];
  if (options.fixBase && header.imageBase !== base) {
    const bytes = Buffer.alloc(header.wide ? 8 : 4);
    if (header.wide) bytes.writeBigUInt64LE(base);
    else bytes.writeUInt32LE(Number(base & 0xffffffffn));
    patches.push({ at: header.ntOffset + 24 + (header.wide ? 24 : 28), bytes });
    remarks.push(`image base changed from 0x${header.imageBase.toString(16)}`);
  }
  return { size: parts.reduce((end, part) => Math.max(end, part.at + part.length), 0), parts, patches, remarks };
}

function inMemory({ sizeOfImage, sections, sectionTable }: PeHeaders, most: number, remarks: string[]): FilePart[] {
  const stated = Math.max(sizeOfImage, sectionTable, ...sections.map((section) => pages(section.rva + memorySize(section))));
  if (sizeOfImage < stated) remarks.push('its sections end behind SizeOfImage');
  if (stated > most) remarks.push(`${stated} bytes are claimed, ${most} are written`);
  const length = Math.min(stated, most);
  return length > 0 ? [{ at: 0, length, rva: 0 }] : [];
}

function inFile(header: PeHeaders, most: number, remarks: string[]): FilePart[] {
  const headers = headerSize(header, remarks);
  const parts: FilePart[] = [{ at: 0, length: Math.min(headers, most), rva: 0 }];
  const cut: string[] = [];
  const overlapping: string[] = [];
  for (const section of header.sections) {
    if (section.rawSize === 0 || section.rawOffset === 0) continue;
    // More than its pages a section does not have in memory.
    const length = Math.min(section.rawSize, pages(memorySize(section)));
    const room = most - section.rawOffset;
    if (length > room) cut.push(label(section));
    if (room > 0 && put(parts, { at: section.rawOffset, length: Math.min(length, room), rva: section.rva })) overlapping.push(label(section));
  }
  if (cut.length > 0) remarks.push(`cut at ${most} bytes: ${listed(cut)}`);
  if (overlapping.length > 0) remarks.push(`overlaps what is before it in the file: ${listed(overlapping)} (layout=memory keeps all)`);
  return parts;
}

/** What stands before the first section: the headers, as many as they claim if that makes sense. */
function headerSize({ sizeOfHeaders, sectionTable, sections }: PeHeaders, remarks: string[]): number {
  const least = sectionTable + sections.length * 40;
  const first = Math.min(MOST_HEADERS, ...sections.map(({ rva }) => rva).filter((rva) => rva >= least));
  if (sizeOfHeaders >= least && sizeOfHeaders <= first) return sizeOfHeaders;
  remarks.push(`SizeOfHeaders is 0x${sizeOfHeaders.toString(16)}`);
  return Math.max(least, Math.min(sizeOfHeaders, first));
}

/** Puts a part over those that are there, which keep what it leaves free. True where it covers some of another. */
function put(parts: FilePart[], part: FilePart): boolean {
  const end = part.at + part.length;
  const [before, behind]: [FilePart[], FilePart[]] = [[], []];
  let covered = false;
  for (const old of parts) {
    const oldEnd = old.at + old.length;
    if (oldEnd > part.at && old.at < end) covered = true;
    if (old.at < part.at) before.push({ ...old, length: Math.min(oldEnd, part.at) - old.at });
    if (oldEnd > end) {
      const at = Math.max(old.at, end);
      behind.push({ at, length: oldEnd - at, rva: old.rva + at - old.at });
    }
  }
  parts.splice(0, parts.length, ...before, part, ...behind);
  return covered;
}

/** VirtualSize, PointerToRawData and SizeOfRawData of a section header for a file that is laid out as memory is. */
function memoryPatches({ sectionTable }: PeHeaders, section: PeSection, index: number): FilePatch[] {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(pages(memorySize(section)) >>> 0, 0);
  bytes.writeUInt32LE(section.rva, 4);
  return [{ at: sectionTable + index * 40 + 16, bytes }];
}

/** Rounded up to pages, within 32 bits: sizes of the headers have no more. */
function pages(bytes: number): number {
  return Math.min(Math.ceil(bytes / PAGE) * PAGE, 0xfffff000);
}

function label({ name }: PeSection): string {
  return name === '' ? '(no name)' : name;
}

/** The first few of many names. */
function listed(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ');
}
