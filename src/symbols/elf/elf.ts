import { ProfileError } from '../error.js';
import { PartOfBytes, type Bytes } from './bytes.js';
import { inflateSection } from './compressed.js';
import { ET, SHF, SHT, textAt, type ElfSection } from './format.js';
import { relocated } from './relocate.js';

/** A file with more sections than this is hostile (`-ffunction-sections` gives some ten thousand). */
const MAX_SECTIONS = 1 << 20;
const NEXT = 'Give a vmlinux with debug information, or a kernel module built with it.';

/**
 * An ELF file of either width, little-endian: its sections, inflated and relocated when they are read.
 *
 * Layout: System V ABI, chapters 4 (object files), `Elf64_Ehdr`, `Elf64_Shdr` and their 32-bit forms.
 */
export class ElfFile {
  readonly sections: readonly ElfSection[];
  readonly wide: boolean;
  readonly type: number;
  readonly machine: number;

  /** @throws ProfileError where it is not an ELF file that can be read */
  constructor(
    readonly bytes: Bytes,
    /** named in messages */
    readonly path: string,
  ) {
    if (bytes.size < 52) throw new ProfileError(`${path} is too short for an ELF file.`, NEXT);
    const header = bytes.read(0, Math.min(64, bytes.size));
    if (header.readUInt32BE(0) !== 0x7f454c46) throw new ProfileError(`${path} is not an ELF file.`, NEXT);
    this.wide = header[4] === 2;
    if ((header[4] !== 1 && header[4] !== 2) || (this.wide && bytes.size < 64)) throw new ProfileError(`${path} is a damaged ELF file (class ${header[4]}).`, NEXT);
    if (header[5] !== 1) throw new ProfileError(`${path} is a big-endian ELF file: kernels of that kind are not supported.`, NEXT);
    this.type = header.readUInt16LE(16);
    this.machine = header.readUInt16LE(18);
    this.sections = this.readSections(header);
  }

  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /**
   * A section's content: as it stands in the file, inflated (SHF_COMPRESSED, `.zdebug_`), or, in a relocatable object, with its
   * relocations applied.
   */
  content(section: ElfSection): Bytes {
    if (section.type === SHT.NOBITS) throw new ProfileError(`${this.path} has no content for section ${section.name}.`, NEXT);
    const raw = new PartOfBytes(this.bytes, section.offset, section.size);
    const plain = inflateSection(this, section, raw);
    return this.type === ET.REL ? relocated(this, section, plain) : plain;
  }

  /** The content of a section by name, plain or as `.zdebug_…`; undefined where there is none. */
  named(name: string): Bytes | undefined {
    return this.allNamed(name)[0];
  }

  /** The same of every section of that name: objects have several where the linker is to drop duplicates. */
  allNamed(name: string): Bytes[] {
    const old = name.startsWith('.debug_') ? `.z${name.slice(1)}` : name;
    return this.sections
      .filter((section) => (section.name === name || section.name === old) && section.type !== SHT.NOBITS)
      .map((section) => this.content(section));
  }

  /** Bytes at a virtual address as linked, or undefined where the file has none. */
  atAddress(address: bigint, length: number): Buffer | undefined {
    for (const section of this.sections) {
      if ((section.flags & SHF.ALLOC) === 0 || section.type === SHT.NOBITS || section.address === 0n) continue;
      const at = address - section.address;
      if (at >= 0n && at < BigInt(section.size)) return this.bytes.read(section.offset + Number(at), Math.min(length, section.size - Number(at)));
    }
    return undefined;
  }

  private readSections(header: Buffer): ElfSection[] {
    const table = this.wide ? Number(header.readBigUInt64LE(40)) : header.readUInt32LE(32);
    const entry = header.readUInt16LE(this.wide ? 58 : 46);
    let count = header.readUInt16LE(this.wide ? 60 : 48);
    let names = header.readUInt16LE(this.wide ? 62 : 50);
    if (table === 0) return [];
    const smallest = this.wide ? 64 : 40;
    if (entry < smallest) throw new ProfileError(`${this.path} is a damaged ELF file: section headers of ${entry} bytes.`, NEXT);
    const first = this.header(this.bytes.read(table, smallest), 0);
    // Counts that do not fit 16 bits stand in the first section header.
    if (count === 0) count = first.size;
    if (names === 0xffff) names = first.link;
    if (count === 0) return [];
    if (count > MAX_SECTIONS) throw new ProfileError(`${this.path} is a damaged ELF file: ${count} sections.`, NEXT);
    const headers = this.bytes.read(table, (count - 1) * entry + smallest);
    const sections: ElfSection[] = [];
    for (let index = 0; index < count; index++) sections.push(this.header(headers.subarray(index * entry), index));
    const strings = sections[names];
    if (!strings || strings.type !== SHT.STRTAB) return sections;
    const text = this.bytes.read(strings.offset, strings.size);
    return sections.map((section) => ({ ...section, name: textAt(text, headers.readUInt32LE(section.index * entry)) }));
  }

  private header(at: Buffer, index: number): ElfSection {
    const [wide, number] = [this.wide, (offset: number): number => Number(at.readBigUInt64LE(offset))];
    return {
      index,
      name: '',
      type: at.readUInt32LE(4),
      flags: at.readUInt32LE(8),
      address: wide ? at.readBigUInt64LE(16) : BigInt(at.readUInt32LE(12)),
      offset: wide ? number(24) : at.readUInt32LE(16),
      size: wide ? number(32) : at.readUInt32LE(20),
      link: at.readUInt32LE(wide ? 40 : 24),
      info: at.readUInt32LE(wide ? 44 : 28),
      entrySize: wide ? number(56) : at.readUInt32LE(36),
    };
  }
}
