import { ProfileError } from '../error.js';
import { ConstantMap, type ProfileSource } from '../source.js';
import type { ProfileMetadata } from '../types.js';
import { DBI_STREAM, type DebugInformation, Omap, readDbi, readSections } from './dbi.js';
import { openMsf } from './msf.js';
import { plainName } from './names.js';
import { PdbReader } from './reader.js';
import { readSymbols } from './symbols.js';
import { TypeStream } from './tpi.js';
import { PdbTypes } from './types.js';

const INFO_STREAM = 1;
const TYPE_STREAM = 2;
/** First version of the information stream with a GUID (Visual C++ 7 beta). */
const FIRST_WITH_GUID = 20000404;

/** What a PDB says of itself. microsoft-pdb, PDB/include/pdbcommon.h; LLVM docs/PDB/PdbStream.rst. */
export interface PdbIdentity {
  readonly version: number;
  /** seconds since 1970 when it was made */
  readonly timestamp: number;
  /** times it was written */
  readonly age: number;
  /** 32 hex digits as symbol servers write them; undefined before Visual C++ 7, whose PDBs are told by their timestamp */
  readonly guid: string | undefined;
}

/**
 * Reads a PDB as a profile: structs and enumerations of its type stream, names with their offsets from the image's base (section
 * headers and OMAP applied), types of globals where the PDB states them.
 *
 * @param path where it came from, for messages and metadata
 * @throws ProfileError where it is no PDB, cut off, or damaged
 */
export function readPdb(bytes: Buffer, path: string): ProfileSource & { readonly identity: PdbIdentity } {
  const msf = openMsf(bytes);
  const identity = readIdentity(msf.stream(INFO_STREAM));
  const stream = new TypeStream(msf.stream(TYPE_STREAM));
  const dbi = msf.stream(DBI_STREAM).length > 0 ? readDbi(msf.stream(DBI_STREAM)) : undefined;
  const pointerSize = pointerSizeOf(dbi?.machine ?? 0, stream);
  const types = new PdbTypes(stream, pointerSize);
  const bits = pointerSize === 4 ? 32 : 64;
  const addresses = new Map<string, bigint>();
  const functions = new Set<string>();
  const typed = new Map<string, number>();
  const raw = new Set<string>();
  const numbers = new Map<string, number>();
  const place = dbi ? placer(dbi, (index) => msf.stream(index)) : undefined;
  for (const symbol of dbi && place ? readSymbols(msf.stream(dbi.symbols)) : []) {
    const address = place?.(symbol.segment, symbol.offset);
    if (address === undefined) continue;
    const plain = plainName(symbol.name, bits);
    if (symbol.type !== undefined && !typed.has(plain)) typed.set(plain, symbol.type);
    // A symbol stands twice where it is public and global: one place, one name. Others that share a name are numbered.
    const key = `${plain} ${address}`;
    if (raw.has(key)) continue;
    raw.add(key);
    const name = free(addresses, plain, numbers);
    addresses.set(name, BigInt(address));
    if (symbol.code) functions.add(name);
  }
  const metadata: ProfileMetadata = {
    os: 'windows',
    arch: dbi?.machine === 0xaa64 ? 'ARM64' : pointerSize === 4 ? 'I386' : 'AMD64',
    source: path,
    Type: 'Profile',
    ...(identity.guid === undefined ? {} : { GUID_AGE: `${identity.guid}${identity.age.toString(16).toUpperCase()}` }),
    Timestamp: new Date(identity.timestamp * 1000).toISOString().replace('T', ' ').replace(/\..*$/, '+0000'),
    Version: identity.version,
  };
  const typeOf = (name: string): ReturnType<PdbTypes['describe']> | undefined => {
    const index = typed.get(name);
    return index === undefined ? undefined : types.describe(index);
  };
  return { types, constants: new ConstantMap(addresses, functions, typeOf), metadata, identity };
}

/** What a PDB says of itself, without reading the rest of it. @throws ProfileError */
export function identityOf(bytes: Buffer): PdbIdentity {
  return readIdentity(openMsf(bytes).stream(INFO_STREAM));
}

/** Reads the information stream. */
function readIdentity(bytes: Uint8Array): PdbIdentity {
  const reader = new PdbReader(bytes, 'information stream');
  const version = reader.u32();
  const timestamp = reader.u32();
  const age = reader.u32();
  if (version < FIRST_WITH_GUID) return { version, timestamp, age, guid: undefined };
  // The first three parts of a GUID are numbers, the rest is bytes.
  const parts = [reader.u32().toString(16).padStart(8, '0'), reader.u16().toString(16).padStart(4, '0'), reader.u16().toString(16).padStart(4, '0')];
  return { version, timestamp, age, guid: `${parts.join('')}${Buffer.from(reader.slice(8)).toString('hex')}`.toUpperCase() };
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

/**
 * A name that is not taken: `name`, `name_1`, `name_2` …
 * @param numbers the last one that each name was given: where a million share it, none is counted twice
 */
function free(taken: ReadonlyMap<string, unknown>, name: string, numbers: Map<string, number>): string {
  if (!taken.has(name)) return name;
  let number = (numbers.get(name) ?? 0) + 1;
  while (taken.has(`${name}_${number}`)) number++;
  numbers.set(name, number);
  return `${name}_${number}`;
}
