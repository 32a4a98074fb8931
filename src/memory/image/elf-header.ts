import { ImageError, type ImageFile } from '../image.js';
import { readExactly, readUpTo, toNumber } from './bytes.js';

/** What the file header says (System V ABI, chapter 4; Linux `elf.h`). */
export interface ElfHeader {
  readonly bits: 32 | 64;
  readonly type: number;
  readonly machine: number;
  readonly programHeaders: { readonly offset: bigint; readonly count: number; readonly size: number };
}

/** A program header, widened to 64 bits. */
export interface ProgramHeader {
  readonly type: number;
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
}

/** e_phnum that says: the count did not fit, it stands in `sh_info` of section 0. */
const PN_XNUM = 0xffff;

/** More program headers than that are not read: a core of a machine has one per memory range. */
const MAX_PROGRAM_HEADERS = 1 << 20;

/** Program headers are read in pieces of about this many bytes. */
const PIECE = 1 << 20;

/** The ELF header, or undefined where the file is not ELF. Throws {@link ImageError} for ELF files that cannot be read. */
export function readHeader(file: ImageFile): ElfHeader | undefined {
  const bytes = readUpTo(file, 0, 64);
  if (bytes.length < 16 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const bits = bytes[4] === 1 ? 32 : 64;
  if (bytes.length < (bits === 32 ? 52 : 64)) {
    throw new ImageError(
      `${file.path} begins like an ELF file, but ends inside its header (${bytes.length} bytes). Acquire or copy it again.`,
    );
  }
  if (bytes[5] !== 1) {
    throw new ImageError(
      `${file.path} is an ELF file of a big-endian machine: only x86 and arm64 can be read. See: file ${file.path}`,
    );
  }
  const wide = bits === 64;
  const stated = bytes.readUInt16LE(wide ? 56 : 44);
  return {
    bits,
    type: bytes.readUInt16LE(16),
    machine: bytes.readUInt16LE(18),
    programHeaders: {
      offset: wide ? bytes.readBigUInt64LE(32) : BigInt(bytes.readUInt32LE(28)),
      size: bytes.readUInt16LE(wide ? 54 : 42),
      count: stated === PN_XNUM ? extendedCount(file, bytes, wide) : stated,
    },
  };
}

/** The number of program headers where it does not fit into e_phnum: `sh_info` of the first section header. */
function extendedCount(file: ImageFile, bytes: Buffer, wide: boolean): number {
  const sections = wide ? toNumber(bytes.readBigUInt64LE(40)) : bytes.readUInt32LE(32);
  const section = sections === undefined || sections === 0 ? undefined : readExactly(file, sections, wide ? 64 : 40);
  return section ? section.readUInt32LE(wide ? 44 : 28) : PN_XNUM;
}

/**
 * The program headers, as many of them as the file has. Adds to `warnings` where the table is cut off or longer than
 * anything that is believable.
 */
export function readProgramHeaders(file: ImageFile, header: ElfHeader, warnings: string[]): ProgramHeader[] {
  const { size, count } = header.programHeaders;
  const least = header.bits === 64 ? 56 : 32;
  const offset = toNumber(header.programHeaders.offset);
  if (count > 0 && size < least) {
    throw new ImageError(
      `${file.path} is a damaged ELF core: its program headers have ${size} bytes instead of ${least}. See: readelf -hW ${file.path}`,
    );
  }
  const wanted = Math.min(count, MAX_PROGRAM_HEADERS);
  const headers: ProgramHeader[] = [];
  if (offset !== undefined) {
    const perPiece = Math.floor(PIECE / size);
    while (headers.length < wanted) {
      const expected = Math.min(perPiece, wanted - headers.length);
      const bytes = readUpTo(file, offset + headers.length * size, expected * size);
      const whole = Math.floor(bytes.length / size);
      for (let index = 0; index < whole; index++) headers.push(programHeader(bytes, index * size, header.bits));
      if (whole < expected) break;
    }
  }
  if (headers.length < count)
    warnings.push(
      `${count - headers.length} of ${count} program headers are missing: the memory they describe is left out`,
    );
  return headers;
}

function programHeader(bytes: Buffer, at: number, bits: 32 | 64): ProgramHeader {
  const type = bytes.readUInt32LE(at);
  if (bits === 64) {
    return {
      type,
      offset: bytes.readBigUInt64LE(at + 8),
      virtual: bytes.readBigUInt64LE(at + 16),
      physical: bytes.readBigUInt64LE(at + 24),
      fileSize: bytes.readBigUInt64LE(at + 32),
      memorySize: bytes.readBigUInt64LE(at + 40),
    };
  }
  return {
    type,
    offset: BigInt(bytes.readUInt32LE(at + 4)),
    virtual: BigInt(bytes.readUInt32LE(at + 8)),
    physical: BigInt(bytes.readUInt32LE(at + 12)),
    fileSize: BigInt(bytes.readUInt32LE(at + 16)),
    memorySize: BigInt(bytes.readUInt32LE(at + 20)),
  };
}
