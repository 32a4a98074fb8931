import { orElse } from '../../memory/absent.js';
import type { AddressSpace } from '../../memory/space.js';

/** Names of an export table, and sections, at most: more is no executable. */
const MOST_EXPORTS = 1 << 16;
const MOST_SECTIONS = 96;
const LONGEST_NAME = 512;

/** A section of an executable as it is mapped. */
export interface PeSection {
  readonly name: string;
  /** bytes from the image's base */
  readonly rva: number;
  readonly size: number;
  /** IMAGE_SCN_*: 0x20000000 execute, 0x40000000 read, 0x80000000 write */
  readonly characteristics: number;
}

/** A name that an executable exports. */
export interface PeExport {
  readonly name: string;
  readonly ordinal: number;
  /** bytes from the image's base; of a forwarder the place of its text */
  readonly rva: number;
  /** `NTDLL.RtlAllocateHeap`: the export stands in another module */
  readonly forwarder?: string;
}

/** What the linker left for debuggers. */
export interface PeDebug {
  readonly guid: string;
  readonly age: number;
  readonly pdb: string;
}

/** A directory of the optional header. */
interface Directory {
  readonly rva: number;
  readonly size: number;
}

const EXPORT_DIRECTORY = 0;
const DEBUG_DIRECTORY = 6;
const CODEVIEW = 2;

/**
 * An executable (PE) as the loader has laid it out in memory. What is paged out is left out. Source: Microsoft, "PE Format"
 * (IMAGE_NT_HEADERS, IMAGE_EXPORT_DIRECTORY, IMAGE_DEBUG_DIRECTORY).
 */
export class LoadedPe {
  private constructor(
    private readonly space: AddressSpace,
    readonly base: bigint,
    readonly machine: number,
    readonly timestamp: number,
    readonly sizeOfImage: number,
    readonly entryPoint: number,
    readonly sections: readonly PeSection[],
    private readonly directories: readonly Directory[],
  ) {}

  /** The executable whose header stands at an address; undefined where there is none that makes sense. */
  static at(space: AddressSpace, base: bigint): LoadedPe | undefined {
    return orElse(() => LoadedPe.read(space, base), undefined);
  }

  private static read(space: AddressSpace, base: bigint): LoadedPe | undefined {
    if (space.readU16(base) !== 0x5a4d) return undefined;
    const start = base + BigInt(space.readU32(base + 0x3cn) & 0xffff);
    if (space.readU32(start) !== 0x4550) return undefined;
    const machine = space.readU16(start + 4n);
    const count = space.readU16(start + 6n);
    const timestamp = space.readU32(start + 8n);
    const optional = start + 24n;
    const magic = space.readU16(optional);
    if (magic !== 0x10b && magic !== 0x20b) return undefined;
    const wide = magic === 0x20b;
    const entryPoint = space.readU32(optional + 16n);
    const sizeOfImage = space.readU32(optional + 56n);
    const tables = optional + (wide ? 112n : 96n);
    const stated = Math.min(16, space.readU32(tables - 4n));
    const directories: Directory[] = [];
    for (let index = 0; index < stated; index++) directories.push({ rva: space.readU32(tables + BigInt(index * 8)), size: space.readU32(tables + BigInt(index * 8 + 4)) });
    const first = optional + BigInt(space.readU16(start + 20n));
    const sections: PeSection[] = [];
    for (let index = 0; index < Math.min(count, MOST_SECTIONS); index++) {
      const at = first + BigInt(index * 40);
      const name = space.read(at, 8).toString('latin1').replace(/\0.*$/s, '');
      sections.push({ name, size: space.readU32(at + 8n), rva: space.readU32(at + 12n), characteristics: space.readU32(at + 36n) });
    }
    return new LoadedPe(space, base, machine, timestamp, sizeOfImage, entryPoint, sections, directories);
  }

  /** The names that it exports; those whose name is paged out are left out. */
  *exports(): Generator<PeExport> {
    const directory = this.directories[EXPORT_DIRECTORY];
    if (!directory || directory.rva === 0) return;
    const table = orElse(() => this.space.read(this.address(directory.rva), 40), undefined);
    if (!table) return;
    const base = table.readUInt32LE(16);
    const functions = Math.min(table.readUInt32LE(20), MOST_EXPORTS);
    const names = Math.min(table.readUInt32LE(24), MOST_EXPORTS);
    const [addresses, texts, ordinals] = [table.readUInt32LE(28), table.readUInt32LE(32), table.readUInt32LE(36)];
    for (let index = 0; index < names; index++) {
      const found = orElse((): PeExport | undefined => {
        const ordinal = this.space.readU16(this.address(ordinals + index * 2));
        if (ordinal >= functions) return undefined;
        const rva = this.space.readU32(this.address(addresses + ordinal * 4));
        const name = this.text(this.space.readU32(this.address(texts + index * 4)));
        if (rva === 0 || name === '') return undefined;
        // An address within the directory itself is the text of a forwarder.
        const forwarded = rva >= directory.rva && rva < directory.rva + directory.size;
        return { name, ordinal: base + ordinal, rva, ...(forwarded ? { forwarder: orElse(() => this.text(rva), '') } : {}) };
      }, undefined);
      if (found) yield found;
    }
  }

  /** The PDB that belongs to it; undefined where that is not in memory. */
  debug(): PeDebug | undefined {
    const directory = this.directories[DEBUG_DIRECTORY];
    if (!directory || directory.rva === 0) return undefined;
    for (let at = 0; at + 28 <= Math.min(directory.size, 28 * 16); at += 28) {
      const found = orElse(() => this.codeView(directory.rva + at), undefined);
      if (found) return found;
    }
    return undefined;
  }

  private codeView(entry: number): PeDebug | undefined {
    if (this.space.readU32(this.address(entry + 12)) !== CODEVIEW) return undefined;
    const record = this.address(this.space.readU32(this.address(entry + 20)));
    const bytes = this.space.read(record, 24);
    if (bytes.toString('latin1', 0, 4) !== 'RSDS') return undefined;
    const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
    const guid = `${hex(bytes.readUInt32LE(4), 8)}${hex(bytes.readUInt16LE(8), 4)}${hex(bytes.readUInt16LE(10), 4)}${bytes.toString('hex', 12, 20)}`.toUpperCase();
    const path = this.space.readCString(record + 24n, 260).toString('latin1');
    return { guid, age: bytes.readUInt32LE(20), pdb: path.split(/[\\/]/).at(-1) ?? path };
  }

  private text(rva: number): string {
    return this.space.readCString(this.address(rva), LONGEST_NAME).toString('latin1');
  }

  private address(rva: number): bigint {
    return this.base + BigInt(rva);
  }
}
