import { inflateSync } from 'node:zlib';
import { ZstdDecoder } from '../../memory/zstd/zstd.js';
import { ProfileError } from '../error.js';
import { MemoryBytes, type Bytes } from './bytes.js';
import type { ElfFile } from './elf.js';
import { SHF, type ElfSection } from './format.js';

/** ch_type of `Elf64_Chdr` (System V ABI; zstd since 2022) */
const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;

/** The debug information of a kernel has 100 to 300 MB. */
const MAX_INFLATED = 1024 * 1024 * 1024;

/** A section's content, inflated where it is compressed. */
export function inflateSection(elf: ElfFile, section: ElfSection, raw: Bytes): Bytes {
  if (section.flags & SHF.COMPRESSED) {
    const length = elf.wide ? 24 : 12;
    const header = raw.read(0, length);
    const type = header.readUInt32LE(0);
    const size = elf.wide ? Number(header.readBigUInt64LE(8)) : header.readUInt32LE(4);
    const packed = raw.read(length, raw.size - length);
    if (type === ELFCOMPRESS_ZLIB) return inflated(elf, section, packed, size);
    if (type === ELFCOMPRESS_ZSTD) return expanded(elf, section, packed, size);
    throw damaged(elf, section, `unknown compression ${type}`);
  }
  // What GNU tools wrote before SHF_COMPRESSED: `ZLIB` and the size, big-endian.
  if (section.name.startsWith('.zdebug_') && raw.size > 12) {
    const header = raw.read(0, 12);
    if (header.toString('latin1', 0, 4) === 'ZLIB') return inflated(elf, section, raw.read(12, raw.size - 12), Number(header.readBigUInt64BE(4)));
  }
  return raw;
}

function inflated(elf: ElfFile, section: ElfSection, packed: Buffer, size: number): Bytes {
  checkSize(elf, section, size);
  try {
    return new MemoryBytes(sized(elf, section, inflateSync(packed, { maxOutputLength: Math.max(size, 1) }), size));
  } catch (error) {
    // zlib reports by plain errors with a code.
    if (error instanceof ProfileError || !(error instanceof Error) || !('code' in error)) throw error;
    throw damaged(elf, section, error.message);
  }
}

function expanded(elf: ElfFile, section: ElfSection, packed: Buffer, size: number): Bytes {
  checkSize(elf, section, size);
  const content = Buffer.allocUnsafeSlow(size);
  if (new ZstdDecoder().decode(packed, content, 0, size) !== size) throw damaged(elf, section, 'its Zstandard data is damaged');
  return new MemoryBytes(content);
}

function checkSize(elf: ElfFile, section: ElfSection, size: number): void {
  if (!(size <= MAX_INFLATED)) throw damaged(elf, section, `it claims ${size} bytes`);
}

function sized(elf: ElfFile, section: ElfSection, content: Buffer, size: number): Buffer {
  if (content.length !== size) throw damaged(elf, section, `${content.length} bytes instead of ${size}`);
  return content;
}

function damaged(elf: ElfFile, section: ElfSection, why: string): ProfileError {
  return new ProfileError(`${elf.path}: section ${section.name} cannot be unpacked: ${why}.`, 'Fetch or copy the file again.');
}
