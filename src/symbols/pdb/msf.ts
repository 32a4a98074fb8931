import { ProfileError } from '../error.js';

/**
 * The multi-stream file that a PDB is: pages, and a directory that says which pages each stream is made of.
 * Layout: microsoft-pdb, PDB/msf/msf.cpp (MSF_HDR for 2.00, BIGMSF_HDR for 7.00); LLVM, docs/PDB/MsfFile.rst.
 */
export interface Msf {
  readonly streams: number;
  /** The bytes of a stream; empty where the file has none of that number (or a deleted one). */
  stream(index: number): Uint8Array;
}

const MAGIC_7 = Buffer.from('Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0', 'latin1');
const MAGIC_2 = Buffer.from('Microsoft C/C++ program database 2.00\r\n\x1aJG\0\0', 'latin1');
const MAX_STREAMS = 0xffff;
const NIL = 0xffffffff;
const AGAIN = 'Fetch the PDB again: fetch_pdb NAME GUID';

/** True for the first bytes of a PDB. */
export function isPdb(bytes: Uint8Array): boolean {
  return startsWith(bytes, MAGIC_7) || startsWith(bytes, MAGIC_2);
}

/** Opens a PDB's streams. Throws ProfileError where it is none, cut off, or its directory makes no sense. */
export function openMsf(file: Buffer): Msf {
  if (startsWith(file, MAGIC_7)) return openMsf7(file);
  if (startsWith(file, MAGIC_2)) return openMsf2(file);
  throw new ProfileError('This is no PDB: it does not begin with the signature of a multi-stream file.', AGAIN);
}

function openMsf7(file: Buffer): Msf {
  if (file.length < 56) throw new ProfileError('The PDB is cut off within its header.', AGAIN);
  const pageSize = file.readUInt32LE(32);
  if (![512, 1024, 2048, 4096, 8192, 16384, 32768].includes(pageSize)) throw new ProfileError(`The PDB states pages of ${pageSize} bytes.`, AGAIN);
  const pages = new Pages(file, pageSize);
  const directorySize = file.readUInt32LE(44);
  const mapPages = Math.ceil((Math.ceil(directorySize / pageSize) * 4) / pageSize);
  const first = file.readUInt32LE(52);
  // The list of the directory's pages stands in consecutive pages of its own.
  const map = pages.gather(Array.from({ length: Math.max(1, Math.min(mapPages, MAX_STREAMS)) }, (_, index) => first + index), Math.ceil(directorySize / pageSize) * 4);
  const numbers = Array.from({ length: Math.floor(map.length / 4) }, (_, index) => map.readUInt32LE(index * 4));
  return directory(pages, pages.gather(numbers, directorySize), 4);
}

function openMsf2(file: Buffer): Msf {
  if (file.length < 64) throw new ProfileError('The PDB is cut off within its header.', AGAIN);
  const pageSize = file.readUInt32LE(44);
  if (![512, 1024, 2048, 4096].includes(pageSize)) throw new ProfileError(`The PDB states pages of ${pageSize} bytes.`, AGAIN);
  const pages = new Pages(file, pageSize);
  const directorySize = file.readUInt32LE(52);
  const count = Math.ceil(directorySize / pageSize);
  if (60 + count * 2 > file.length) throw new ProfileError('The PDB is cut off within its directory.', AGAIN);
  const numbers = Array.from({ length: count }, (_, index) => file.readUInt16LE(60 + index * 2));
  return directory(pages, pages.gather(numbers, directorySize), 2);
}

/**
 * Reads the directory: the number of streams, their sizes, their pages.
 * @param width bytes of a page number: 4 (7.00) or 2 (2.00, where a size is followed by a pointer that means nothing in a file)
 */
function directory(pages: Pages, bytes: Buffer, width: 2 | 4): Msf {
  const broken = (): never => {
    throw new ProfileError("The PDB's directory of streams ends too early.", AGAIN);
  };
  if (bytes.length < 4) broken();
  const count = width === 4 ? bytes.readUInt32LE(0) : bytes.readUInt16LE(0);
  if (count > MAX_STREAMS) throw new ProfileError(`The PDB states ${count} streams; ${MAX_STREAMS} are possible.`, AGAIN);
  const entry = width === 4 ? 4 : 8;
  let at = 4 + count * entry;
  if (at > bytes.length) broken();
  const streams: { readonly size: number; readonly from: number }[] = [];
  for (let index = 0; index < count; index++) {
    const stated = bytes.readUInt32LE(4 + index * entry);
    const size = stated === NIL ? 0 : stated;
    if (size > pages.bytes) throw new ProfileError(`The PDB's stream ${index} states ${size} bytes, more than the file has.`, AGAIN);
    streams.push({ size, from: at });
    at += Math.ceil(size / pages.size) * width;
    if (at > bytes.length) broken();
  }
  const known = new Map<number, Uint8Array>();
  return {
    streams: count,
    stream(index) {
      const found = known.get(index);
      if (found) return found;
      const stream = streams[index];
      const size = stream?.size ?? 0;
      const from = stream?.from ?? 0;
      const numbers = Array.from({ length: Math.ceil(size / pages.size) }, (_, page) => (width === 4 ? bytes.readUInt32LE(from + page * 4) : bytes.readUInt16LE(from + page * 2)));
      const content = pages.gather(numbers, size);
      known.set(index, content);
      return content;
    },
  };
}

class Pages {
  constructor(
    private readonly file: Buffer,
    readonly size: number,
  ) {}

  get bytes(): number {
    return this.file.length;
  }

  /** The content of pages in their order, cut to a length; pages that follow each other in the file are not copied one by one. */
  gather(numbers: readonly number[], length: number): Buffer {
    if (length > this.file.length || numbers.length * this.size < length) throw new ProfileError('The PDB states more bytes than it has.', AGAIN);
    const first = numbers[0] ?? 0;
    if (numbers.every((number, index) => number === first + index)) {
      this.check(first + numbers.length - 1, length - (numbers.length - 1) * this.size);
      return this.file.subarray(first * this.size, first * this.size + length);
    }
    const content = Buffer.allocUnsafe(length);
    for (const [index, number] of numbers.entries()) {
      const part = Math.min(this.size, length - index * this.size);
      if (part <= 0) break;
      this.check(number, part);
      this.file.copy(content, index * this.size, number * this.size, number * this.size + part);
    }
    return content;
  }

  private check(page: number, bytes: number): void {
    if (page * this.size + Math.max(0, bytes) > this.file.length) {
      throw new ProfileError(`The PDB is cut off: page ${page} of ${Math.floor(this.file.length / this.size)} is named.`, AGAIN);
    }
  }
}

function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, magic.length), magic) === 0;
}
