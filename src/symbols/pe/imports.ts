import { orElse } from '../../memory/absent.js';
import { DIRECTORY, type LoadedPe } from './loaded.js';

/** A function that an executable imports. */
export interface PeImport {
  /** file name of the module that it is of; empty where that is paged out */
  readonly dll: string;
  /** undefined where it is imported by ordinal, or its name is paged out */
  readonly name: string | undefined;
  readonly ordinal: number | undefined;
  /** place of its pointer in the import address table, which the loader fills in; bytes from the base */
  readonly slot: number;
  /** loaded when it is first called (a delay import) */
  readonly delayed: boolean;
}

/** Modules, and functions of all together, that one executable imports at most. */
const MOST_MODULES = 4096;
const MOST_FUNCTIONS = 1 << 17;

/**
 * What an executable imports, by its import directory, then what it imports when first called. In drivers the directory often lies in a section
 * that is discarded after start: then there is nothing. Source: Microsoft, "PE Format" (IMAGE_IMPORT_DESCRIPTOR, IMAGE_THUNK_DATA,
 * delay-load directory table).
 */
export function* imports(pe: LoadedPe): Generator<PeImport> {
  const budget = { functions: MOST_FUNCTIONS };
  for (const { names, addresses, name, delayed } of tables(pe)) {
    const dll = orElse(() => pe.text(name), '');
    yield* functions(pe, dll, names, addresses, delayed, budget);
    if (budget.functions <= 0) return;
  }
}

interface Table {
  /** the tables of names and of addresses, and the module's name; bytes from the base */
  readonly names: number;
  readonly addresses: number;
  readonly name: number;
  readonly delayed: boolean;
}

function* tables(pe: LoadedPe): Generator<Table> {
  const plain = pe.directory(DIRECTORY.imports);
  for (let index = 0; plain && index < MOST_MODULES; index++) {
    const entry = orElse(() => pe.bytes(plain.rva + index * 20, 20), undefined);
    if (!entry) break;
    const [names, name, addresses] = [entry.readUInt32LE(0), entry.readUInt32LE(12), entry.readUInt32LE(16)];
    if (name === 0 || addresses === 0) break;
    // Linkers of Borland write no table of names: the addresses, before the loader fills them in, are one.
    yield { names: names === 0 ? addresses : names, addresses, name, delayed: false };
  }
  const delay = pe.directory(DIRECTORY.delayImports);
  for (let index = 0; delay && index < MOST_MODULES; index++) {
    const entry = orElse(() => pe.bytes(delay.rva + index * 32, 32), undefined);
    if (!entry) break;
    // Visual C++ 6 wrote addresses there, as linked, and not places in the image (dlattrRva).
    const shift = (entry.readUInt32LE(0) & 1) !== 0 ? 0 : Number(pe.header.imageBase & 0xffffffffn);
    const place = (at: number): number => (entry.readUInt32LE(at) - shift) >>> 0;
    if (entry.readUInt32LE(4) === 0 || entry.readUInt32LE(12) === 0) break;
    yield { names: place(16), addresses: place(12), name: place(4), delayed: true };
  }
}

function* functions(pe: LoadedPe, dll: string, names: number, addresses: number, delayed: boolean, budget: { functions: number }): Generator<PeImport> {
  const width = pe.header.wide ? 8 : 4;
  const byOrdinal = pe.header.wide ? 1n << 63n : 1n << 31n;
  for (let index = 0; budget.functions-- > 0; index++) {
    const thunk = orElse(() => pe.pointer(names + index * width), 0n);
    if (thunk === 0n) return;
    const slot = addresses + index * width;
    if ((thunk & byOrdinal) !== 0n) yield { dll, name: undefined, ordinal: Number(thunk & 0xffffn), slot, delayed };
    else {
      // What is no place in the image is an address already: the names were overwritten.
      const hint = thunk < 1n << 31n ? Number(thunk) : undefined;
      yield { dll, name: hint === undefined ? undefined : orElse(() => pe.text(hint + 2), undefined), ordinal: undefined, slot, delayed };
    }
  }
}
