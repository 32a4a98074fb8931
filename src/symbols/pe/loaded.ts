import { orElse } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';
import { type PeDirectory, type PeHeaders, type PeSection, readHeaders } from './headers.js';

export type { PeSection } from './headers.js';

/** Names and functions of an export table at most: more is no executable. */
const MOST_EXPORTS = 1 << 16;
const MOST_DEBUG = 16;
const LONGEST_NAME = 512;
const LONGEST_PATH = 260;

/** A name that an executable exports. */
export interface PeExport {
  readonly name: string;
  readonly ordinal: number;
  /** bytes from the image's base; of a forwarder the place of its text */
  readonly rva: number;
  /** `NTDLL.RtlAllocateHeap`: the export stands in another module */
  readonly forwarder?: string;
}

/** One that may have no name (then it is imported by its number). */
export type PeExportEntry = Omit<PeExport, 'name'> & { readonly name: string | undefined };

/** What the linker left for debuggers. */
export interface PeDebug {
  /** of a PDB 7 its GUID; of a PDB 2 (`NB10`, before 2002) its time stamp; upper-case hex */
  readonly guid: string;
  readonly age: number;
  /** file name of the PDB */
  readonly pdb: string;
  /** its path as the linker wrote it, where that is known */
  readonly path?: string;
  /** where the record stands: bytes from the image's base */
  readonly rva?: number;
}

/** Directories of the optional header by what they hold (IMAGE_DIRECTORY_ENTRY_*). */
export const DIRECTORY = { exports: 0, imports: 1, resources: 2, debug: 6, iat: 12, delayImports: 13 } as const;
const CODEVIEW = 2;

/**
 * An executable (PE) as the loader has laid it out in memory; a file on disk is one through {@link PeFileSpace}. What is paged out is
 * left out. Source: Microsoft, "PE Format" (IMAGE_EXPORT_DIRECTORY, IMAGE_DEBUG_DIRECTORY).
 */
export class LoadedPe {
  private constructor(
    readonly space: AddressSpace,
    readonly base: bigint,
    readonly header: PeHeaders,
  ) {}

  /** The executable whose header stands at an address; undefined where there is none that makes sense. */
  static at(space: AddressSpace, base: bigint): LoadedPe | undefined {
    return orElse(() => LoadedPe.read(space, base), undefined);
  }

  /** The same. @throws Absent that says why there is none */
  static read(space: AddressSpace, base: bigint): LoadedPe {
    return new LoadedPe(space, base, readHeaders(space, base));
  }

  get machine(): number {
    return this.header.machine;
  }

  get timestamp(): number {
    return this.header.timestamp;
  }

  get sizeOfImage(): number {
    return this.header.sizeOfImage;
  }

  get entryPoint(): number {
    return this.header.entryPoint;
  }

  get sections(): readonly PeSection[] {
    return this.header.sections;
  }

  /** A directory that is there: its place is not 0. */
  directory(index: number): PeDirectory | undefined {
    const found = this.header.directories[index];
    return found && found.rva !== 0 ? found : undefined;
  }

  /** The names that it exports; those whose name is paged out are left out. */
  *exports(): Generator<PeExport> {
    const table = this.exportTable();
    if (!table) return;
    for (const [index, name] of this.exportNames(table)) {
      const entry = orElse(() => this.exportAt(table, index), undefined);
      if (entry) yield { ...entry, name };
    }
  }

  /** All that it exports, by ordinal, also what has no name, or more than one, or a name that is paged out. */
  *allExports(): Generator<PeExportEntry> {
    const table = this.exportTable();
    if (!table) return;
    const names = new Map<number, string[]>();
    for (const [index, name] of this.exportNames(table)) {
      const known = names.get(index);
      if (known) known.push(name);
      else names.set(index, [name]);
    }
    for (let index = 0; index < table.functions; index++) {
      const entry = orElse(() => this.exportAt(table, index), undefined);
      if (entry) for (const name of names.get(index) ?? [undefined]) yield { ...entry, name };
    }
  }

  /** What the module calls itself in its export table: the name that it was linked with. */
  exportedName(): string | undefined {
    const directory = this.directory(DIRECTORY.exports);
    return directory && orElse(() => this.text(this.u32(directory.rva + 12)), undefined);
  }

  private exportTable(): ExportTable | undefined {
    const directory = this.directory(DIRECTORY.exports);
    const table = directory && orElse(() => this.bytes(directory.rva, 40), undefined);
    if (!directory || !table) return undefined;
    return {
      directory,
      base: table.readUInt32LE(16),
      functions: Math.min(table.readUInt32LE(20), MOST_EXPORTS),
      names: Math.min(table.readUInt32LE(24), MOST_EXPORTS),
      addresses: table.readUInt32LE(28),
      texts: table.readUInt32LE(32),
      ordinals: table.readUInt32LE(36),
    };
  }

  /** Index of a function, and a name for it. */
  private *exportNames({ functions, names, texts, ordinals }: ExportTable): Generator<readonly [index: number, name: string]> {
    for (let index = 0; index < names; index++) {
      const found = orElse((): readonly [number, string] | undefined => {
        const ordinal = this.u16(ordinals + index * 2);
        const name = ordinal < functions ? this.text(this.u32(texts + index * 4)) : '';
        return name === '' ? undefined : [ordinal, name];
      }, undefined);
      if (found) yield found;
    }
  }

  private exportAt({ directory, base, addresses }: ExportTable, index: number): Omit<PeExport, 'name'> | undefined {
    const rva = this.u32(addresses + index * 4);
    if (rva === 0) return undefined;
    // An address within the directory itself is the text of a forwarder.
    const forwarded = rva >= directory.rva && rva < directory.rva + directory.size;
    return { ordinal: base + index, rva, ...(forwarded ? { forwarder: orElse(() => this.text(rva), '') } : {}) };
  }

  /** The PDB that belongs to it; undefined where that is not in memory. */
  debug(): PeDebug | undefined {
    const directory = this.directory(DIRECTORY.debug);
    if (!directory) return undefined;
    for (let at = 0; at + 28 <= Math.min(directory.size, 28 * MOST_DEBUG); at += 28) {
      const found = orElse(() => this.codeView(directory.rva + at), undefined);
      if (found) return found;
    }
    return undefined;
  }

  private codeView(entry: number): PeDebug | undefined {
    if (this.u32(entry + 12) !== CODEVIEW) return undefined;
    const record = this.u32(entry + 20);
    const kind = this.bytes(record, 4).toString('latin1');
    const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
    const named = (guid: string, age: number, at: number): PeDebug => {
      const path = this.text(record + at, LONGEST_PATH);
      return { guid, age, pdb: path.split(/[\\/]/).at(-1) ?? path, path, rva: record };
    };
    if (kind === 'NB10') return named(hex(this.u32(record + 8), 8), this.u32(record + 12), 16);
    if (kind !== 'RSDS') return undefined;
    const bytes = this.bytes(record, 24);
    const guid = `${hex(bytes.readUInt32LE(4), 8)}${hex(bytes.readUInt16LE(8), 4)}${hex(bytes.readUInt16LE(10), 4)}${bytes.toString('hex', 12, 20).toUpperCase()}`;
    return named(guid, bytes.readUInt32LE(20), 24);
  }

  /** Address of a place in the image. */
  address(rva: number): bigint {
    return this.base + BigInt(rva);
  }

  /** Bytes at a place in the image. @throws Absent */
  bytes(rva: number, length: number): Buffer {
    return this.space.read(this.address(rva), length);
  }

  u16(rva: number): number {
    return this.space.readU16(this.address(rva));
  }

  u32(rva: number): number {
    return this.space.readU32(this.address(rva));
  }

  /** A pointer of the executable's own width. @throws Absent */
  pointer(rva: number): bigint {
    return this.header.wide ? this.space.readU64(this.address(rva)) : BigInt(this.u32(rva));
  }

  /** A text with a null behind it. @throws Absent where its first byte is missing */
  text(rva: number, longest = LONGEST_NAME): string {
    return this.space.readCString(this.address(rva), longest).toString('latin1');
  }
}

interface ExportTable {
  readonly directory: PeDirectory;
  /** ordinal of the first function */
  readonly base: number;
  readonly functions: number;
  readonly names: number;
  readonly addresses: number;
  readonly texts: number;
  readonly ordinals: number;
}
