import { PdbReader } from './reader.js';

/** Number of the stream; the header's debug streams say where the rest is. */
export const DBI_STREAM = 3;
const NONE = 0xffff;
/** First version (DBIImpvV60) whose descriptions of modules are read. */
const FIRST_WITH_MODULES = 19970606;

/** Bytes of a module's description before its names. */
const MODULE_SIZE = 64;

/** What the debug information stream (3, `DBI`) says. microsoft-pdb, PDB/dbi/dbi.h (NewDBIHdr, DBGTYPE); LLVM docs/PDB/DbiStream.rst. */
export interface DebugInformation {
  readonly age: number;
  /** IMAGE_FILE_MACHINE: 0x14c i386, 0x8664 amd64, 0xaa64 arm64; 0 where the compiler did not say */
  readonly machine: number;
  /** number of the stream of public and global symbols */
  readonly symbols: number;
  /** streams of the optional debug header, absent where the linker wrote none */
  readonly sections: number | undefined;
  readonly originalSections: number | undefined;
  readonly omapFromSource: number | undefined;
  /** what was linked: object files, libraries' members, the linker's own */
  readonly modules: readonly Module[];
}

/** An object file, as the linker took it (MODI): names, and where its own symbols are. */
export interface Module {
  readonly name: string;
  /** the library that it is of, or the object file itself */
  readonly library: string;
  readonly stream: number;
  /** bytes of symbol records at the stream's start, with their signature */
  readonly symbols: number;
  /** bytes of line numbers behind them: in the form before Visual C++ 7, and in the one since */
  readonly oldLines: number;
  readonly lines: number;
}

/** Reads the header and the optional debug header at the stream's end. Throws ProfileError where it is cut off. */
export function readDbi(bytes: Uint8Array): DebugInformation {
  const reader = new PdbReader(bytes, 'debug information stream');
  if (reader.i32() !== -1) return readOldDbi(new PdbReader(bytes, 'debug information stream'));
  const version = reader.u32();
  const age = reader.u32();
  reader.skip(8); // streams of hash tables, build number, version of the DLL that wrote it
  const symbols = reader.u16();
  reader.skip(2);
  const modules = reader.i32();
  const contributions = reader.i32();
  const map = reader.i32();
  const files = reader.i32();
  const servers = reader.i32();
  reader.skip(4); // index of the MFC type server
  const debugHeader = reader.i32();
  const edit = reader.i32();
  reader.skip(2);
  const machine = reader.u16();
  reader.skip(4);
  const described = reader.part(modules);
  for (const size of [contributions, map, files, servers, edit]) reader.skip(size);
  const header = reader.part(Math.min(debugHeader, reader.left));
  const streams: (number | undefined)[] = [];
  while (header.left >= 2) {
    const stream = header.u16();
    streams.push(stream === NONE ? undefined : stream);
  }
  // FPO, exception, fixup, OMAP to source, OMAP from source, section headers, token map, xdata, pdata, new FPO, original section headers.
  return { age, machine, symbols, omapFromSource: streams[4], sections: streams[5], originalSections: streams[10], modules: version < FIRST_WITH_MODULES ? [] : readModules(described) };
}

/** Modules that have symbols of their own. A stream is taken once, whoever names it. */
function readModules(reader: PdbReader): Module[] {
  const modules = new Map<number, Module>();
  while (reader.left > MODULE_SIZE) {
    reader.skip(34); // a pointer, the first contribution to a section, flags
    const stream = reader.u16();
    const symbols = reader.u32();
    const oldLines = reader.u32();
    const lines = reader.u32();
    reader.skip(16); // source files
    const module = { name: reader.cString(), library: reader.cString(), stream, symbols, oldLines, lines };
    if (stream !== NONE && symbols > 0 && !modules.has(stream)) modules.set(stream, module);
    reader.align();
  }
  return [...modules.values()];
}

/** The header before Visual C++ 6 (DBIHdr): streams of symbols, no section headers. */
function readOldDbi(reader: PdbReader): DebugInformation {
  reader.skip(4);
  const symbols = reader.u16();
  return { age: 1, machine: 0x14c, symbols, sections: undefined, originalSections: undefined, omapFromSource: undefined, modules: [] };
}

/** A section of the executable (IMAGE_SECTION_HEADER): where it is, from the image's base. */
export interface Section {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly characteristics: number;
}

/** Section headers of 40 bytes each, as they stand in the executable. */
export function readSections(bytes: Uint8Array): Section[] {
  const reader = new PdbReader(bytes, 'section headers');
  const sections: Section[] = [];
  while (reader.left >= 40) {
    const name = Buffer.from(reader.slice(8)).toString('latin1').replace(/\0.*$/s, '');
    const size = reader.u32();
    const address = reader.u32();
    reader.skip(20);
    sections.push({ name, size, address, characteristics: reader.u32() });
  }
  return sections;
}

/**
 * Where code and data were moved after linking (kernels of 2000 to 2003 are laid out by their use): pairs of an address as linked
 * and the address where it went, 0 for what is gone.
 */
export class Omap {
  private readonly from: Uint32Array;
  private readonly to: Uint32Array;

  constructor(bytes: Uint8Array) {
    const reader = new PdbReader(bytes, 'OMAP');
    const count = Math.floor(bytes.length / 8);
    this.from = new Uint32Array(count);
    this.to = new Uint32Array(count);
    for (let index = 0; index < count; index++) {
      this.from[index] = reader.u32();
      this.to[index] = reader.u32();
    }
  }

  /** The address in the final image; undefined for what was left out of it. */
  translate(address: number): number | undefined {
    let low = 0;
    let high = this.from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.from[middle] as number) <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const to = this.to[low - 1] as number;
    return to === 0 ? undefined : to + (address - (this.from[low - 1] as number));
  }
}
