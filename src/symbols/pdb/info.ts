import { PdbReader } from './reader.js';

/** First version of the information stream with a GUID (Visual C++ 7 beta). */
const FIRST_WITH_GUID = 20000404;
/** Marks at the stream's end (PDBImpvVC110, PDBImpvVC140) of files that have a stream of ids. */
const WITH_IDS: ReadonlySet<number> = new Set([20091201, 20140508]);

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

/** Reads the head of the information stream (1). Throws ProfileError where it is cut off. */
export function readIdentity(bytes: Uint8Array): PdbIdentity {
  return identityFrom(new PdbReader(bytes, 'information stream'));
}

/** What the information stream says of other streams. */
export interface PdbStreams {
  /** streams by their name: `/names`, `/LinkInfo` */
  readonly named: ReadonlyMap<string, number>;
  /** whether stream 4 holds ids: before Visual C++ 2012 it was any other */
  readonly ids: boolean;
}

/** Reads the rest of the information stream. Throws ProfileError where it is cut off. */
export function readStreams(bytes: Uint8Array): PdbStreams {
  const reader = new PdbReader(bytes, 'information stream');
  const named = new Map<string, number>();
  if (identityFrom(reader).guid === undefined || reader.left < 4) return { named, ids: false };
  // Texts, then a hash table: its size and capacity, two sets of bits, pairs of a text's offset and a stream.
  const texts = reader.part(reader.u32());
  const count = reader.u32();
  reader.skip(4);
  for (let set = 0; set < 2; set++) reader.skip(reader.u32() * 4);
  for (let index = 0; index < count; index++) {
    const name = texts.from(reader.u32()).cString();
    named.set(name, reader.u32());
  }
  // Then the highest id of a name, and the marks.
  while (reader.left >= 4) if (WITH_IDS.has(reader.u32())) return { named, ids: true };
  return { named, ids: false };
}

/**
 * Texts of the stream `/names` by their offset: files of the sources. microsoft-pdb, PDB/include/nmt.h; LLVM docs/PDB/PdbStream.rst.
 * @param bytes of that stream; none where the file has none
 */
export function nameTable(bytes: Uint8Array): (offset: number) => string {
  if (bytes.length < 12) return () => '';
  const header = new PdbReader(bytes, 'table of names');
  header.skip(8); // signature, version of the hash
  const texts = header.part(header.u32());
  return (offset) => (offset <= texts.left ? texts.from(offset).cString() : '');
}

function identityFrom(reader: PdbReader): PdbIdentity {
  const version = reader.u32();
  const timestamp = reader.u32();
  const age = reader.u32();
  if (version < FIRST_WITH_GUID) return { version, timestamp, age, guid: undefined };
  // The first three parts of a GUID are numbers, the rest is bytes.
  const parts = [reader.u32().toString(16).padStart(8, '0'), reader.u16().toString(16).padStart(4, '0'), reader.u16().toString(16).padStart(4, '0')];
  return { version, timestamp, age, guid: `${parts.join('')}${Buffer.from(reader.slice(8)).toString('hex')}`.toUpperCase() };
}
