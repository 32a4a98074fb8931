import { corrupt } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';

/** A section as its header describes it. */
export interface PeSection {
  readonly name: string;
  /** bytes from the image's base */
  readonly rva: number;
  /** bytes in memory (VirtualSize; 0 in executables of some linkers, where the raw size counts) */
  readonly size: number;
  /** where its content stands in the file, and how many bytes: PointerToRawData, SizeOfRawData */
  readonly rawOffset: number;
  readonly rawSize: number;
  /** IMAGE_SCN_*: 0x20000000 execute, 0x40000000 read, 0x80000000 write */
  readonly characteristics: number;
}

/** A directory of the optional header. */
export interface PeDirectory {
  readonly rva: number;
  readonly size: number;
}

/** IMAGE_NT_HEADERS and the section headers behind them. Sizes in bytes. */
export interface PeHeaders {
  /** from the image's base to `PE\0\0` (IMAGE_DOS_HEADER.e_lfanew) */
  readonly ntOffset: number;
  /** from the base to the first section header, and how many the header claims */
  readonly sectionTable: number;
  readonly statedSections: number;
  /** IMAGE_FILE_MACHINE_* */
  readonly machine: number;
  /** seconds since 1970; with reproducible builds a hash */
  readonly timestamp: number;
  /** IMAGE_FILE_* */
  readonly characteristics: number;
  /** PE32+: addresses of 64 bits */
  readonly wide: boolean;
  readonly entryPoint: number;
  /** where it was linked to be, or where the kernel put it: since Vista it writes that here */
  readonly imageBase: bigint;
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
  readonly linker: string;
  /** `6.1` */
  readonly osVersion: string;
  readonly imageVersion: string;
  readonly subsystemVersion: string;
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
  readonly checksum: number;
  /** IMAGE_SUBSYSTEM_* */
  readonly subsystem: number;
  /** IMAGE_DLLCHARACTERISTICS_* */
  readonly dllCharacteristics: number;
  readonly directories: readonly PeDirectory[];
  readonly sections: readonly PeSection[];
}

/** e_lfanew of real executables is below 0x400; one that leads out of the headers is no executable. */
const FARTHEST_HEADER = 1 << 20;
/** Loaders before Vista took 96 sections; later ones take 65535, which no linker makes. */
const MOST_SECTIONS = 2048;
const MOST_DIRECTORIES = 16;
const SECTION_HEADER = 40;

/**
 * The headers of an executable (PE32, PE32+) that stands at an address, on disk or in memory. Source: Microsoft, "PE Format"
 * (IMAGE_DOS_HEADER, IMAGE_FILE_HEADER, IMAGE_OPTIONAL_HEADER, IMAGE_SECTION_HEADER).
 * @throws Absent where there is none, or its page is missing. Section headers that cannot be read are left out.
 */
export function readHeaders(space: AddressSpace, base: bigint): PeHeaders {
  if (space.readU16(base) !== 0x5a4d) throw corrupt('no MZ', base);
  const ntOffset = space.readU32(base + 0x3cn);
  if (ntOffset > FARTHEST_HEADER) throw corrupt('e_lfanew leads out of the headers', base + 0x3cn);
  const nt = base + BigInt(ntOffset);
  const file = space.read(nt, 24);
  if (file.readUInt32LE(0) !== 0x4550) throw corrupt('no PE signature', nt);
  const optional = nt + 24n;
  const magic = space.readU16(optional);
  if (magic !== 0x10b && magic !== 0x20b) throw corrupt('its optional header is of no known kind', optional);
  const wide = magic === 0x20b;
  const fixed = space.read(optional, wide ? 112 : 96);
  const u16 = (at: number): number => fixed.readUInt16LE(at);
  const u32 = (at: number): number => fixed.readUInt32LE(at);
  const version = (at: number): string => `${u16(at)}.${u16(at + 2)}`;
  const sectionTable = ntOffset + 24 + file.readUInt16LE(20);
  const statedSections = file.readUInt16LE(6);
  return {
    ntOffset,
    sectionTable,
    statedSections,
    machine: file.readUInt16LE(4),
    timestamp: file.readUInt32LE(8),
    characteristics: file.readUInt16LE(22),
    wide,
    entryPoint: u32(16),
    imageBase: wide ? fixed.readBigUInt64LE(24) : BigInt(u32(28)),
    sectionAlignment: u32(32),
    fileAlignment: u32(36),
    linker: `${fixed.readUInt8(2)}.${fixed.readUInt8(3)}`,
    osVersion: version(40),
    imageVersion: version(44),
    subsystemVersion: version(48),
    sizeOfImage: u32(56),
    sizeOfHeaders: u32(60),
    checksum: u32(64),
    subsystem: u16(68),
    dllCharacteristics: u16(70),
    directories: directoriesAt(space, optional + (wide ? 112n : 96n), u32(wide ? 108 : 92)),
    sections: sectionsAt(space, base + BigInt(sectionTable), statedSections),
  };
}

function directoriesAt(space: AddressSpace, start: bigint, stated: number): PeDirectory[] {
  const { bytes, gaps } = space.readPartial(start, Math.min(stated, MOST_DIRECTORIES) * 8);
  const end = gaps[0] ? Number(gaps[0].start - start) : bytes.length;
  const found: PeDirectory[] = [];
  for (let at = 0; at + 8 <= end; at += 8) found.push({ rva: bytes.readUInt32LE(at), size: bytes.readUInt32LE(at + 4) });
  return found;
}

function sectionsAt(space: AddressSpace, start: bigint, stated: number): PeSection[] {
  const { bytes, gaps } = space.readPartial(start, Math.min(stated, MOST_SECTIONS) * SECTION_HEADER);
  const end = gaps[0] ? Number(gaps[0].start - start) : bytes.length;
  const found: PeSection[] = [];
  for (let at = 0; at + SECTION_HEADER <= end; at += SECTION_HEADER) {
    const u32 = (offset: number): number => bytes.readUInt32LE(at + offset);
    const name = bytes.toString('latin1', at, at + 8).replace(/\0.*$/s, '');
    found.push({ name, size: u32(8), rva: u32(12), rawSize: u32(16), rawOffset: u32(20), characteristics: u32(36) });
  }
  return found;
}

/** Bytes that a section takes in memory, before rounding to pages. */
export function memorySize(section: PeSection): number {
  return section.size === 0 ? section.rawSize : section.size;
}
