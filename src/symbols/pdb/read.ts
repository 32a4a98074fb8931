import { printable, ProfileError } from '../error.js';
import type { ProfileSource } from '../source.js';
import type { ProfileMetadata } from '../types.js';
import { DBI_STREAM, type DebugInformation, Omap, readDbi, readSections } from './dbi.js';
import { Globals } from './globals.js';
import { IdStream } from './ids.js';
import { nameTable, type PdbIdentity, readIdentity, readStreams } from './info.js';
import { leafName } from './leaves.js';
import { Lines } from './lines.js';
import { Making, type PdbMaking } from './making.js';
import { type Msf, openMsf } from './msf.js';
import { readSymbols } from './symbols.js';
import { TypeStream } from './tpi.js';
import { PdbTypes } from './types.js';

const INFO_STREAM = 1;
const TYPE_STREAM = 2;
const ID_STREAM = 4;

/** A PDB as a profile, and what else it tells. */
export interface PdbProfile extends ProfileSource {
  readonly identity: PdbIdentity;
  /** how the program was made, as far as the file says; read when it is asked for */
  making(): PdbMaking;
  /** sentences about what was met so far and not read: damaged modules, kinds of records */
  notes(): string[];
}

/**
 * Reads a PDB as a profile: structs and enumerations of its type stream, names of public symbols and of those that only its modules have (static
 * functions and variables) with their offsets from the image's base (section headers and OMAP applied), types of globals and functions where the
 * PDB states them.
 *
 * @param path where it came from, for messages and metadata
 * @throws ProfileError where it is no PDB, cut off, or damaged
 */
export function readPdb(bytes: Buffer, path: string): PdbProfile {
  const msf = openMsf(bytes);
  const identity = readIdentity(msf.stream(INFO_STREAM));
  const stream = new TypeStream(msf.stream(TYPE_STREAM));
  const dbi = msf.stream(DBI_STREAM).length > 0 ? readDbi(msf.stream(DBI_STREAM)) : undefined;
  const pointerSize = pointerSizeOf(dbi?.machine ?? 0, stream);
  const damaged: string[] = [];
  const { ids, names } = besides(msf, damaged);
  const types = new PdbTypes(stream, pointerSize, () => ids()?.declarations((offset) => names()(offset)) ?? []);
  const globals = new Globals(pointerSize === 4 ? 32 : 64);
  const making = new Making();
  const place = dbi ? placer(dbi, (index) => msf.stream(index)) : undefined;
  for (const symbol of dbi && place ? readSymbols(msf.stream(dbi.symbols), 'symbol stream') : []) {
    if (symbol.kind === 'typedef') types.addName(symbol.name, symbol.type);
    const address = symbol.kind === 'place' ? place?.(symbol.segment, symbol.offset) : undefined;
    if (symbol.kind === 'place' && address !== undefined) globals.add(symbol, address);
  }
  for (const { name, stream: index, symbols } of dbi?.modules ?? []) {
    try {
      // A signature stands first: CV_SIGNATURE_C13, or of an older compiler.
      for (const symbol of readSymbols(msf.stream(index), `module ${printable(name)}`, 4, symbols)) {
        making.add(symbol);
        const address = symbol.kind === 'place' ? place?.(symbol.segment, symbol.offset) : undefined;
        if (symbol.kind === 'place' && address !== undefined) globals.add(symbol, address);
      }
    } catch (error) {
      // What the others have is there all the same.
      if (!(error instanceof ProfileError)) throw error;
      damaged.push(error.message);
    }
  }
  const lines = new Lines(dbi?.modules ?? [], (index) => msf.stream(index), (segment, offset) => place?.(segment, offset), (offset) => names()(offset));
  // Executables and symbol servers know a PDB by the age of its debug information; the file's own goes on counting when types are written anew.
  const metadata: ProfileMetadata = {
    os: 'windows',
    arch: dbi?.machine === 0xaa64 ? 'ARM64' : pointerSize === 4 ? 'I386' : 'AMD64',
    source: path,
    Type: 'Profile',
    ...(identity.guid === undefined ? {} : { GUID_AGE: `${identity.guid}${(dbi?.age ?? identity.age).toString(16).toUpperCase()}` }),
    Timestamp: new Date(identity.timestamp * 1000).toISOString().replace('T', ' ').replace(/\..*$/, '+0000'),
    Version: identity.version,
  };
  return {
    types,
    constants: globals.constants((type) => types.global(type), (id) => ids()?.functionType(id)),
    metadata,
    identity,
    line: (offset) => lines.at(offset),
    making: () => making.told(ids()),
    notes: () => [...damaged, ...[...stream.unread].map(([leaf, count]) => `${leafName(leaf)} is not read: ${count} ${count === 1 ? 'record' : 'records'} passed over.`)],
  };
}

/** What a PDB says of itself, without reading the rest of it. @throws ProfileError */
export function identityOf(bytes: Buffer): PdbIdentity {
  return readIdentity(openMsf(bytes).stream(INFO_STREAM));
}

/** What types and names do not hang on, read when it is asked for; where it is damaged there is none, which is noted. */
function besides(msf: Msf, damaged: string[]): { readonly ids: () => IdStream | undefined; readonly names: () => (offset: number) => string } {
  const orNone = <T>(read: () => T, none: T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      damaged.push(error.message);
      return none;
    }
  };
  const streams = lazily(() => orNone(() => readStreams(msf.stream(INFO_STREAM)), undefined));
  return {
    ids: lazily(() => orNone(() => (streams()?.ids === true ? new IdStream(msf.stream(ID_STREAM)) : undefined), undefined)),
    names: lazily(() => orNone(() => nameTable(msf.stream(streams()?.named.get('/names') ?? -1)), () => '')),
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/**
 * Where a symbol lies, from the image's base. Section headers are those of the linker where code was moved afterwards (the OMAP then
 * leads from there to the final place). What has a number behind the last section is no place but a value (`IDTLEN`).
 */
function placer(dbi: DebugInformation, stream: (index: number) => Uint8Array): ((segment: number, offset: number) => number | undefined) | undefined {
  const omap = dbi.omapFromSource === undefined ? undefined : new Omap(stream(dbi.omapFromSource));
  const from = omap ? (dbi.originalSections ?? dbi.sections) : dbi.sections;
  if (from === undefined) return undefined;
  const sections = readSections(stream(from));
  return (segment, offset) => {
    const section = sections[segment - 1];
    if (!section) return segment === sections.length + 1 ? offset : undefined;
    return omap ? omap.translate(section.address + offset) : section.address + offset;
  };
}

/** The machine says it; where an old compiler left that out, the first pointer does. */
function pointerSizeOf(machine: number, stream: TypeStream): 4 | 8 {
  if (machine === 0x8664 || machine === 0xaa64 || machine === 0x200) return 8;
  if (machine === 0x14c || machine === 0x1c4) return 4;
  for (let index = stream.first; index < stream.end; index++) {
    const record = stream.record(index);
    if (record?.kind === 'pointer' && (record.size === 4 || record.size === 8)) return record.size;
  }
  throw new ProfileError('The PDB names no machine and no pointer: whether it is of 32 or 64 bits cannot be told.', 'fetch_pdb NAME GUID');
}
