import { ProfileError } from '../error.js';
import { PdbReader } from './reader.js';

/** First index of a record: what is below is a type without one. */
export const FIRST_RECORD = 0x1000;
const MAX_RECORDS = 1 << 22;
/** Versions of the stream before Visual C++ 5 number types with 16 bits: their records are others. */
const OLDEST_VERSION = 19960307;

/**
 * Numbered records, as the type stream (2, `TPI`) and the stream of ids (4, `IPI`) have them behind the same header. Records are found at once and
 * read when they are asked for. microsoft-pdb, PDB/dbi/tpi.h (HDR); LLVM docs/PDB/TpiStream.rst.
 */
export class RecordStream {
  readonly first: number;
  readonly end: number;
  private readonly records: PdbReader;
  private readonly offsets: Uint32Array;

  /**
   * @param what names the stream, for messages
   * @throws ProfileError where the header makes no sense, or records end too early
   */
  constructor(bytes: Uint8Array, what: string) {
    const header = new PdbReader(bytes, what);
    const version = header.u32();
    if (version < OLDEST_VERSION) throw new ProfileError(`The PDB's ${what} is of version ${version}, before Visual C++ 5: this cannot be read.`, 'convert_profile FILE');
    const size = header.u32();
    this.first = header.u32();
    this.end = header.u32();
    const length = header.u32();
    const count = this.end - this.first;
    if (this.first < FIRST_RECORD || count < 0 || count > MAX_RECORDS) {
      throw new ProfileError(`The PDB's ${what} states records from ${this.first} to ${this.end}.`, 'Fetch the PDB again: fetch_pdb NAME GUID');
    }
    const records = new PdbReader(bytes, what, size, Math.min(bytes.length, size + length));
    this.records = records;
    this.offsets = new Uint32Array(count);
    for (let index = 0; index < count; index++) {
      this.offsets[index] = records.at;
      records.skip(records.u16());
    }
  }

  /** The record's bytes, from its kind on; undefined for indices that have none. */
  reader(index: number): PdbReader | undefined {
    const offset = index >= this.first ? this.offsets[index - this.first] : undefined;
    return offset === undefined ? undefined : this.records.record(offset);
  }
}
