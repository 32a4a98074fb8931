import { ProfileError } from '../error.js';
import { MemoryBytes, type Bytes } from './bytes.js';
import type { ElfFile } from './elf.js';
import { EM, SHT, type ElfSection } from './format.js';

/** What a relocation stores: `width` bytes of symbol + addend, less the place's own address where `relative`. */
interface Relocation {
  readonly width: 0 | 1 | 2 | 4 | 8;
  readonly relative?: boolean;
}

/** System V ABI, AMD64 supplement, table 4.9 */
const X86_64: ReadonlyMap<number, Relocation> = new Map([
  [0, { width: 0 }],
  [1, { width: 8 }],
  [2, { width: 4, relative: true }],
  [4, { width: 4, relative: true }],
  [10, { width: 4 }],
  [11, { width: 4 }],
  [12, { width: 2 }],
  [14, { width: 1 }],
  [24, { width: 8, relative: true }],
]);
/** System V ABI, Intel386 supplement: R_386_NONE, _32, _PC32, _16, _8 */
const I386: ReadonlyMap<number, Relocation> = new Map([
  [0, { width: 0 }],
  [1, { width: 4 }],
  [2, { width: 4, relative: true }],
  [20, { width: 2 }],
  [22, { width: 1 }],
]);
/** ELF for the Arm 64-bit Architecture: R_AARCH64_NONE, _ABS64, _ABS32, _ABS16, _PREL64, _PREL32 */
const AARCH64: ReadonlyMap<number, Relocation> = new Map([
  [0, { width: 0 }],
  [257, { width: 8 }],
  [258, { width: 4 }],
  [259, { width: 2 }],
  [260, { width: 8, relative: true }],
  [261, { width: 4, relative: true }],
]);

const MACHINES: ReadonlyMap<number, ReadonlyMap<number, Relocation>> = new Map([
  [EM.X86_64, X86_64],
  [EM.I386, I386],
  [EM.AARCH64, AARCH64],
]);

/**
 * A section of a relocatable object (a kernel module) with its relocations applied, as if every section were loaded at 0:
 * references between debug sections become offsets.
 */
export function relocated(elf: ElfFile, section: ElfSection, content: Bytes): Bytes {
  const tables = elf.sections.filter((table) => (table.type === SHT.RELA || table.type === SHT.REL) && table.info === section.index && table.size > 0);
  if (tables.length === 0) return content;
  const types = MACHINES.get(elf.machine);
  if (!types) throw new ProfileError(`${elf.path} is for machine ${elf.machine}, whose relocations are not known.`, 'Give a file for x86 or arm64.');
  const bytes = Buffer.from(content.read(0, content.size));
  for (const table of tables) apply(elf, table, bytes, types, section.address);
  return new MemoryBytes(bytes);
}

function apply(elf: ElfFile, table: ElfSection, bytes: Buffer, types: ReadonlyMap<number, Relocation>, start: bigint): void {
  const { wide } = elf;
  const explicit = table.type === SHT.RELA;
  const entry = wide ? (explicit ? 24 : 16) : explicit ? 12 : 8;
  const records = elf.bytes.read(table.offset, table.size);
  const values = symbolValues(elf, table.link);
  for (let at = 0; at + entry <= records.length; at += entry) {
    const place = wide ? Number(records.readBigUInt64LE(at)) : records.readUInt32LE(at);
    const type = wide ? records.readUInt32LE(at + 8) : records.readUInt8(at + 4);
    const symbol = wide ? records.readUInt32LE(at + 12) : records.readUInt32LE(at + 4) >>> 8;
    const how = types.get(type);
    // One that debug sections have no use for (a jump, a TLS offset) leaves its place alone.
    if (!how || how.width === 0 || !(place + how.width <= bytes.length)) continue;
    const addend = explicit ? (wide ? records.readBigInt64LE(at + 16) : BigInt(records.readInt32LE(at + 8))) : readBits(bytes, place, how.width);
    const value = (values[symbol] ?? 0n) + addend - (how.relative ? start + BigInt(place) : 0n);
    writeBits(bytes, place, how.width, value);
  }
}

/** st_value of every symbol of a table. In a relocatable object it counts from the start of the symbol's section. */
function symbolValues(elf: ElfFile, index: number): bigint[] {
  const table = elf.sections[index];
  if (table?.type !== SHT.SYMTAB) return [];
  const symbols = elf.bytes.read(table.offset, table.size);
  const values: bigint[] = [];
  const entry = elf.wide ? 24 : 16;
  for (let at = 0; at + entry <= symbols.length; at += entry) values.push(elf.wide ? symbols.readBigUInt64LE(at + 8) : BigInt(symbols.readUInt32LE(at + 4)));
  return values;
}

function readBits(bytes: Buffer, at: number, width: 1 | 2 | 4 | 8): bigint {
  return width === 8 ? bytes.readBigInt64LE(at) : BigInt(bytes.readIntLE(at, width));
}

function writeBits(bytes: Buffer, at: number, width: 1 | 2 | 4 | 8, value: bigint): void {
  if (width === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  else bytes.writeUIntLE(Number(BigInt.asUintN(width * 8, value)), at, width);
}
