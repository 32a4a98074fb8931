import type { AddressSpace, Gap } from '../../memory/space.js';
import type { KernelSymbol } from '../types.js';
import { ET } from './format.js';

/** p_type and p_flags (System V ABI, chapter 5) */
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PF_X = 1;
const PF_W = 2;
/** sh_type */
const SHT_SYMTAB = 2;
/** d_tag */
const DT = { NULL: 0, HASH: 4, STRTAB: 5, SYMTAB: 6, STRSZ: 10, SYMENT: 11, GNU_HASH: 0x6ffffef5, VERSYM: 0x6ffffff0 } as const;
/** st_info */
const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, COMMON: 5, GNU_IFUNC: 10 } as const;
const STB = { LOCAL: 0, WEAK: 2, GNU_UNIQUE: 10 } as const;
const SHN_ABS = 0xfff1;
/** A version that is not the default one: `memcpy@GLIBC_2.2.5` beside `memcpy@@GLIBC_2.14` (Linux Standard Base, symbol versioning). */
const VERSYM_HIDDEN = 0x8000;
const NT_GNU_BUILD_ID = 3;

/** More of these no program has: what a damaged or hostile header says beyond them is not believed. */
const MOST_SEGMENTS = 1024;
const MOST_DYNAMIC = 1024;
const MOST_SECTIONS = 1 << 16;
export const MOST_SYMBOLS = 1 << 20;
const MOST_TEXT = 32 << 20;
const MOST_BUCKETS = 1 << 20;
const LONGEST_NAME = 4096;
const LARGEST_NOTE = 4096;

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  /** as linked */
  readonly address: bigint;
  readonly fileSize: bigint;
  readonly size: bigint;
}

/** The symbols that were found, and what could not be read: sentences. */
export interface LoadedSymbols {
  readonly symbols: readonly KernelSymbol[];
  readonly missing: readonly string[];
}

/** What symbols and names are read from: memory, or a file as far as it is there. */
type Source = Pick<AddressSpace, 'readPartial'>;

/** Where a symbol table's parts lie: addresses in `space`. */
interface Table {
  readonly space: Source;
  readonly symbols: bigint;
  readonly count: number;
  readonly text: bigint;
  readonly textSize: number;
  /** Elf_Half of each symbol's version */
  readonly versions?: bigint;
}

/**
 * An ELF program or library as a loader has mapped it: what its headers say, read from memory. Everything is checked against bounds,
 * since a process can write there what it likes. Little-endian, 32 and 64 bits.
 *
 * Layout: System V ABI, chapters 4 and 5; DT_GNU_HASH as binutils and glibc have it (elf/dl-lookup.c).
 */
export class LoadedElf {
  private constructor(
    private readonly space: AddressSpace,
    /** address of the ELF header */
    readonly base: bigint,
    private readonly wide: boolean,
    private readonly segments: readonly Segment[],
    /** offset of the section headers in the file, their number, and bytes of one */
    private readonly sections: { readonly offset: bigint; readonly count: number; readonly size: number },
  ) {}

  /** The program whose header is at an address, or undefined where there is none that makes sense. */
  static at(space: AddressSpace, base: bigint): LoadedElf | undefined {
    const { bytes: header, gaps } = space.readPartial(base, 64);
    if (gaps.length > 0 || header.readUInt32BE(0) !== 0x7f454c46 || header[5] !== 1) return undefined;
    const wide = header[4] === 2;
    if (!wide && header[4] !== 1) return undefined;
    const type = header.readUInt16LE(16);
    if (type !== ET.EXEC && type !== ET.DYN) return undefined;
    const table = wide ? header.readBigUInt64LE(32) : BigInt(header.readUInt32LE(28));
    const size = header.readUInt16LE(wide ? 54 : 42);
    const count = header.readUInt16LE(wide ? 56 : 44);
    if (size < (wide ? 56 : 32) || size > 256 || count > MOST_SEGMENTS || table > 0x10000n) return undefined;
    const read = space.readPartial(base + table, size * count).bytes;
    const segments: Segment[] = [];
    for (let index = 0; index < count; index++) segments.push(segmentOf(read.subarray(index * size), wide));
    if (!segments.some((segment) => segment.type === PT_LOAD)) return undefined;
    const sections = {
      offset: wide ? header.readBigUInt64LE(40) : BigInt(header.readUInt32LE(32)),
      size: header.readUInt16LE(wide ? 58 : 46),
      count: header.readUInt16LE(wide ? 60 : 48),
    };
    return new LoadedElf(space, base, wide, segments, sections);
  }

  /** What the loader added to the addresses it was linked at. */
  get bias(): bigint {
    const first = this.loads().find((segment) => segment.offset < 0x1000n) ?? this.loads()[0];
    return first ? BigInt.asUintN(64, this.base - (first.address - first.offset)) : this.base;
  }

  /** One past the last byte of its segments, those that no file backs included. */
  get end(): bigint {
    let end = this.base;
    for (const { address, size } of this.loads()) {
      const reaches = BigInt.asUintN(64, this.bias + address + size);
      if (reaches > end) end = reaches;
    }
    return end;
  }

  /** The linker's id of this build in hex, or undefined: NT_GNU_BUILD_ID. */
  get buildId(): string | undefined {
    for (const { type, address, fileSize } of this.segments) {
      if (type !== PT_NOTE || fileSize > LARGEST_NOTE) continue;
      const { bytes } = this.space.readPartial(BigInt.asUintN(64, this.bias + address), Number(fileSize));
      for (let at = 0; at + 12 <= bytes.length; ) {
        const [name, size, kind] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)];
        const content = at + 12 + padded(name);
        if (content + size > bytes.length) break;
        if (kind === NT_GNU_BUILD_ID && name === 4) return bytes.toString('hex', content, content + size);
        at = content + padded(size);
      }
    }
    return undefined;
  }

  /**
   * Its symbols: the dynamic ones, and those of .symtab where the section headers are in memory. Addresses are final; undefined,
   * thread-local and absolute symbols are left out. Default versions stand before others of their name.
   * @param file the file's content by offset, as far as it is in memory (the page cache)
   */
  symbols(file?: Source): LoadedSymbols {
    const missing: string[] = [];
    const found: KernelSymbol[] = [];
    const seen = new Set<string>();
    for (const table of [this.dynamic(missing), this.whole(file)]) {
      if (!table) continue;
      for (const symbol of this.read(table, missing)) {
        const key = `${symbol.address.toString(36)} ${symbol.name}`;
        if (seen.has(key)) continue;
        seen.add(key);
        found.push(symbol);
      }
    }
    return { symbols: found, missing };
  }

  private loads(): readonly Segment[] {
    return this.segments.filter(({ type }) => type === PT_LOAD);
  }

  /** The table that the dynamic section names. */
  private dynamic(missing: string[]): Table | undefined {
    const segment = this.segments.find(({ type }) => type === PT_DYNAMIC);
    if (!segment) return undefined;
    const at = BigInt.asUintN(64, this.bias + segment.address);
    const word = this.wide ? 8 : 4;
    const entries = Math.min(MOST_DYNAMIC, Number(segment.size / BigInt(2 * word)));
    const { bytes, gaps } = this.space.readPartial(at, entries * 2 * word);
    if (gaps.length > 0) missing.push('part of its dynamic section');
    const tags = new Map<number, bigint>();
    for (let entry = 0; entry < entries; entry++) {
      const tag = Number(wordAt(bytes, entry * 2 * word, this.wide));
      if (tag === DT.NULL) break;
      if (!tags.has(tag)) tags.set(tag, wordAt(bytes, entry * 2 * word + word, this.wide));
    }
    const pointer = (tag: number): bigint | undefined => {
      const value = tags.get(tag);
      return value === undefined ? undefined : this.pointed(value);
    };
    const symbols = pointer(DT.SYMTAB);
    const text = pointer(DT.STRTAB);
    if (symbols === undefined || text === undefined) return undefined;
    if (tags.get(DT.SYMENT) !== undefined && tags.get(DT.SYMENT) !== BigInt(this.entry)) return undefined;
    const hash = pointer(DT.HASH);
    const gnu = pointer(DT.GNU_HASH);
    // Without hash tables: linkers put the strings right behind the symbols.
    const between = text > symbols ? Math.floor(Number(text - symbols) / this.entry) : 0;
    const count = (hash === undefined ? undefined : this.hashed(hash)) ?? (gnu === undefined ? undefined : this.gnuHashed(gnu)) ?? between;
    if (count === 0 && (hash !== undefined || gnu !== undefined)) missing.push('its hash tables, which tell how many symbols it has');
    const versions = pointer(DT.VERSYM);
    const size = Number(tags.get(DT.STRSZ) ?? BigInt(MOST_TEXT));
    return { space: this.space, symbols, count, text, textSize: size, ...(versions === undefined ? {} : { versions }) };
  }

  /** glibc writes final addresses into the dynamic sections that it can write to; others keep them as linked. */
  private pointed(value: bigint): bigint {
    return value >= this.base && value < this.end ? value : BigInt.asUintN(64, this.bias + value);
  }

  /** DT_HASH: nbucket, nchain; there are as many chain entries as symbols. */
  private hashed(at: bigint): number | undefined {
    const count = numberAt(this.space, at + 4n);
    return count === undefined || count > MOST_SYMBOLS ? undefined : count;
  }

  /**
   * DT_GNU_HASH: nbuckets, first hashed symbol, words of the Bloom filter, its shift; the filter, the buckets, the chains. The chain
   * of the highest bucket ends, with bit 0 set, at the last symbol.
   */
  private gnuHashed(at: bigint): number | undefined {
    const [buckets, first, bloom] = [numberAt(this.space, at), numberAt(this.space, at + 4n), numberAt(this.space, at + 8n)];
    if (buckets === undefined || first === undefined || bloom === undefined) return undefined;
    if (buckets > MOST_BUCKETS || bloom > MOST_BUCKETS || first > MOST_SYMBOLS) return undefined;
    const table = at + 16n + BigInt(bloom * (this.wide ? 8 : 4));
    const { bytes } = this.space.readPartial(table, buckets * 4);
    let last = 0;
    for (let bucket = 0; bucket < buckets; bucket++) last = Math.max(last, bytes.readUInt32LE(bucket * 4));
    if (last < first) return first;
    if (last > MOST_SYMBOLS) return undefined;
    const chains = table + BigInt(buckets * 4);
    for (; last <= MOST_SYMBOLS; last++) {
      const link = numberAt(this.space, chains + BigInt((last - first) * 4));
      // The rest of a chain that is not in memory is not known; what comes before is.
      if (link === undefined || (link & 1) !== 0) return last + 1;
    }
    return undefined;
  }

  /** .symtab, by the section headers: they lie in the file, and seldom in a segment. */
  private whole(file: Source | undefined): Table | undefined {
    const { offset, count, size } = this.sections;
    if (offset === 0n || count === 0 || count > MOST_SECTIONS || size < (this.wide ? 64 : 40) || size > 256) return undefined;
    const space = file ?? new FileInMemory(this.space, this.base, this.loads());
    const { bytes, gaps } = space.readPartial(offset, count * size);
    if (gaps.length > 0) return undefined;
    for (let index = 0; index < count; index++) {
      const at = bytes.subarray(index * size);
      if (at.readUInt32LE(4) !== SHT_SYMTAB) continue;
      const link = at.readUInt32LE(this.wide ? 40 : 24);
      if (link >= count) return undefined;
      const strings = bytes.subarray(link * size);
      const place = (header: Buffer): [bigint, bigint] =>
        this.wide ? [header.readBigUInt64LE(24), header.readBigUInt64LE(32)] : [BigInt(header.readUInt32LE(16)), BigInt(header.readUInt32LE(20))];
      const [symbols, bytesOfSymbols] = place(at);
      const [text, textSize] = place(strings);
      const total = bytesOfSymbols / BigInt(this.entry);
      if (total > BigInt(MOST_SYMBOLS) || symbols >> 52n !== 0n || text >> 52n !== 0n) return undefined;
      return { space, symbols, count: Number(total), text, textSize: Number(textSize) };
    }
    return undefined;
  }

  private *read(table: Table, missing: string[]): Generator<KernelSymbol> {
    const { space } = table;
    const { entry } = this;
    const count = Math.min(table.count, MOST_SYMBOLS);
    const symbols = space.readPartial(table.symbols, count * entry);
    const text = space.readPartial(table.text, Math.min(table.textSize, MOST_TEXT));
    const versions = table.versions === undefined ? undefined : space.readPartial(table.versions, count * 2).bytes;
    const unread = bytesIn(symbols.gaps);
    if (unread > 0) missing.push(`${Math.ceil(unread / entry)} of ${count} symbols`);
    let nameless = 0;
    const later: KernelSymbol[] = [];
    for (let index = 0; index < count; index++) {
      const at = symbols.bytes.subarray(index * entry, (index + 1) * entry);
      const symbol = this.symbolOf(at);
      if (!symbol) continue;
      const name = nameAt(text, table.text, at.readUInt32LE(0));
      if (name === undefined) nameless++;
      if (name === undefined || name === '') continue;
      const hidden = versions !== undefined && (versions.readUInt16LE(index * 2) & VERSYM_HIDDEN) !== 0;
      if (hidden) later.push({ name, ...symbol });
      else yield { name, ...symbol };
    }
    if (nameless > 0) missing.push(`the names of ${nameless} symbols`);
    yield* later;
  }

  /** Address and letter of an entry; undefined where it is no place in this program. */
  private symbolOf(at: Buffer): { address: bigint; kind: string } | undefined {
    const info = at[this.wide ? 4 : 12] as number;
    const section = at.readUInt16LE(this.wide ? 6 : 14);
    const type = info & 0xf;
    const known = type === STT.NOTYPE || type === STT.OBJECT || type === STT.FUNC || type === STT.COMMON || type === STT.GNU_IFUNC;
    if (section === 0 || section === SHN_ABS || !known) return undefined;
    const value = this.wide ? at.readBigUInt64LE(8) : BigInt(at.readUInt32LE(4));
    const segment = this.loads().find(({ address, size }) => value >= address && value <= address + size);
    if (!segment) return undefined;
    return { address: BigInt.asUintN(64, this.bias + value), kind: letter(type, info >> 4, value, segment) };
  }

  private get entry(): number {
    return this.wide ? 24 : 16;
  }
}

/** The letter that nm would print; read-only, data and bss by the segment, since sections are seldom in memory. */
function letter(type: number, binding: number, value: bigint, segment: Segment): string {
  if (type === STT.GNU_IFUNC) return 'i';
  if (binding === STB.GNU_UNIQUE) return 'u';
  if (binding === STB.WEAK) return type === STT.OBJECT ? 'V' : 'W';
  const home = (segment.flags & PF_X) !== 0 ? 'T' : (segment.flags & PF_W) === 0 ? 'R' : value >= segment.address + segment.fileSize ? 'B' : 'D';
  return binding === STB.LOCAL ? home.toLowerCase() : home;
}

function segmentOf(at: Buffer, wide: boolean): Segment {
  if (!wide) {
    const number = (offset: number): bigint => BigInt(at.readUInt32LE(offset));
    return { type: at.readUInt32LE(0), offset: number(4), address: number(8), fileSize: number(16), size: number(20), flags: at.readUInt32LE(24) };
  }
  const number = (offset: number): bigint => at.readBigUInt64LE(offset);
  return { type: at.readUInt32LE(0), flags: at.readUInt32LE(4), offset: number(8), address: number(16), fileSize: number(32), size: number(40) };
}

/** Names and contents of notes are padded to 4 bytes. */
function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function wordAt(bytes: Buffer, offset: number, wide: boolean): bigint {
  return wide ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUInt32LE(offset));
}

/** The name at an offset of the strings; undefined where not all of it is in memory. */
function nameAt(text: { bytes: Buffer; gaps: readonly Gap[] }, base: bigint, offset: number): string | undefined {
  if (offset >= text.bytes.length) return undefined;
  const nul = text.bytes.indexOf(0, offset);
  const end = Math.min(nul < 0 ? text.bytes.length : nul, offset + LONGEST_NAME);
  for (const gap of text.gaps) if (base + BigInt(end) >= gap.start && base + BigInt(offset) < gap.end) return undefined;
  return text.bytes.toString('utf8', offset, end);
}

function bytesIn(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, { start, end }) => sum + Number(end - start), 0);
}

/** 32 bits, or undefined where they are not in memory. */
function numberAt(space: Source, address: bigint): number | undefined {
  const { bytes, gaps } = space.readPartial(BigInt.asUintN(64, address), 4);
  return gaps.length > 0 ? undefined : bytes.readUInt32LE(0);
}

/** The bytes of a file by offset, as far as its segments are mapped: of the vdso all of them. */
class FileInMemory implements Source {
  constructor(
    private readonly space: AddressSpace,
    private readonly base: bigint,
    private readonly loads: readonly Segment[],
  ) {}

  readPartial(offset: bigint, length: number): ReturnType<AddressSpace['readPartial']> {
    const holder = this.loads.find((segment) => offset >= segment.offset && offset + BigInt(length) <= segment.offset + segment.fileSize);
    if (!holder) return { bytes: Buffer.alloc(length), gaps: [{ start: offset, end: offset + BigInt(length) }] };
    const first = this.loads.find((segment) => segment.offset < 0x1000n) ?? holder;
    const bias = this.base - (first.address - first.offset);
    return this.space.readPartial(BigInt.asUintN(64, bias + holder.address + offset - holder.offset), length);
  }
}
