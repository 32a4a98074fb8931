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

/** Whether stream 4 holds ids: before Visual C++ 2012 it was any other. */
export function hasIds(bytes: Uint8Array): boolean {
  const reader = new PdbReader(bytes, 'information stream');
  if (identityFrom(reader).guid === undefined || reader.left < 4) return false;
  // Streams by name: texts, then a hash table (its size and capacity, two sets of bits, pairs).
  reader.skip(reader.u32());
  const names = reader.u32();
  reader.skip(4);
  for (let set = 0; set < 2; set++) reader.skip(reader.u32() * 4);
  reader.skip(names * 8);
  // Then the highest id of a name, and the marks.
  while (reader.left >= 4) if (WITH_IDS.has(reader.u32())) return true;
  return false;
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
