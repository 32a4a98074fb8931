import { type FilePlace,
  ImageError,
  type ImageFile,
  type ImageFormat,
  type ImageHints,
  type PhysicalImage,
  type PhysicalRun,
} from '../image.js';
import { hex, readExactly, readUpTo, sizeText, truncationWarning, u64At } from './bytes.js';
import { FLAT_BLOCK, lastAtOrBelow, runsOf } from './flat.js';
import { AVML_MAGIC, MAX_RECORDS, RECORD_HEADER_BYTES, recordAt } from './lime.js';
import { SnappyFrames } from './snappy-frames.js';

/** Behind the frames of a record stands their length, 64 bits. */
const TRAILER_BYTES = 8;

/** Records whose frames stay indexed. */
const INDEXED = 512;

/** A range of memory and where its bytes are in the file. */
interface Record {
  readonly physical: number;
  readonly length: number;
  readonly offset: number;
  readonly compressed: boolean;
  /** Bytes in the file; for the last record of a truncated file, those that are there. */
  readonly stored: number;
}

/**
 * AVML's compressed format (microsoft/avml, src/image.rs and src/io/snappy.rs): records as LiME has them with a magic of their own,
 * version 2 followed by a framed Snappy stream and its length, version 1 by the bytes themselves. Ranges that are zero
 * (16 MiB at a time) are left out by newer versions, so they are holes here. (Without compression AVML writes LiME.)
 */
export const avmlFormat: ImageFormat = {
  name: 'AVML',
  open(file: ImageFile): PhysicalImage | undefined {
    const magic = readUpTo(file, 0, 8);
    if (magic.length < 8 || magic.readUInt32LE(0) !== AVML_MAGIC) return undefined;
    const version = magic.readUInt32LE(4);
    if (version !== 1 && version !== 2) {
      throw new ImageError(
        `${file.path} is an AVML image of version ${version}; only 1 and 2 are known. Convert it first: avml-convert ${file.path} image.lime`,
      );
    }
    const warnings: string[] = [];
    const records = fromEnd(file) ?? fromStart(file, warnings);
    if (records.length === 0) {
      throw new ImageError(
        `${file.path} is an AVML image without a sound memory range (it has ${sizeText(file.size)}). Acquire or copy it again.`,
      );
    }
    return new AvmlImage(file, sorted(records, warnings), warnings);
  },
};

/**
 * The records by way of the lengths behind them, from the last to the first: one read for each. Undefined where the chain does
 * not lead to the beginning of the file (it is truncated, or has records without such a length).
 */
function fromEnd(file: ImageFile): Record[] | undefined {
  const records: Record[] = [];
  let end = file.size;
  while (end > 0) {
    const trailer =
      end >= RECORD_HEADER_BYTES + TRAILER_BYTES ? readExactly(file, end - TRAILER_BYTES, TRAILER_BYTES) : undefined;
    const stored = trailer && u64At(trailer, 0);
    if (stored === undefined || records.length >= MAX_RECORDS) return undefined;
    const offset = end - TRAILER_BYTES - stored;
    const header = offset >= RECORD_HEADER_BYTES ? recordAt(file, offset - RECORD_HEADER_BYTES) : undefined;
    if (!header || header.magic !== AVML_MAGIC || header.version !== 2) return undefined;
    records.push({ physical: header.start, length: header.end - header.start, offset, stored, compressed: true });
    end = offset - RECORD_HEADER_BYTES;
  }
  return records.reverse();
}

/** The records from the first to the last, by way of all frames. */
function fromStart(file: ImageFile, warnings: string[]): Record[] {
  const records: Record[] = [];
  let at = 0;
  while (at < file.size) {
    const header = recordAt(file, at);
    const compressed = header?.magic === AVML_MAGIC && header.version === 2;
    if (!header || (!compressed && header.version !== 1) || records.length >= MAX_RECORDS) {
      warnings.push(
        `no memory range begins at file offset ${hex(at)}: the last ${sizeText(file.size - at)} are left out`,
      );
      break;
    }
    const length = header.end - header.start;
    const offset = at + RECORD_HEADER_BYTES;
    if (!compressed) {
      const stored = Math.min(length, file.size - offset);
      records.push({ physical: header.start, length: stored, offset, stored, compressed });
      if (stored < length) warnings.push(truncationWarning(length - stored, length));
      at = offset + length;
      continue;
    }
    const frames = new SnappyFrames(file, offset, file.size - offset, length);
    const there = frames.covered(length);
    if (there > 0)
      records.push({ physical: header.start, length: there, offset, stored: frames.indexedBytes, compressed });
    if (there < length) {
      warnings.push(
        `${truncationWarning(length - there, length)} of the range at ${hex(header.start)}, and all that followed it`,
      );
      break;
    }
    at = offset + frames.indexedBytes + TRAILER_BYTES;
  }
  return records;
}

/** Records by address; one that overlaps an earlier one is left out (AVML writes none that do). */
function sorted(records: readonly Record[], warnings: string[]): Record[] {
  const result: Record[] = [];
  let end = 0;
  let overlaps = 0;
  for (const record of [...records].sort((a, b) => a.physical - b.physical)) {
    if (record.physical < end) {
      overlaps++;
      continue;
    }
    result.push(record);
    end = record.physical + record.length;
  }
  if (overlaps > 0) warnings.push(`${overlaps} of ${records.length} memory ranges overlap an earlier one: left out`);
  return result;
}

class AvmlImage implements PhysicalImage {
  readonly format: string;
  readonly blockSize = FLAT_BLOCK;
  readonly runs: readonly PhysicalRun[];
  readonly hints: ImageHints = {};
  private readonly starts: Float64Array;
  private readonly frames = new Map<number, SnappyFrames>();

  constructor(
    private readonly file: ImageFile,
    private readonly records: readonly Record[],
    readonly warnings: readonly string[],
  ) {
    this.runs = runsOf(records);
    this.starts = Float64Array.from(records, (record) => record.physical);
    this.format = records.some((record) => record.compressed) ? 'AVML (snappy)' : 'AVML';
  }

  read(physical: number, target: Buffer, targetOffset: number, length: number): number {
    let done = 0;
    while (done < length) {
      const index = lastAtOrBelow(this.starts, physical + done);
      const record = this.records[index];
      const skip = record ? physical + done - record.physical : 0;
      if (!record || skip >= record.length) break;
      const wanted = Math.min(length - done, record.length - skip);
      const count = record.compressed
        ? this.framesOf(index, record).read(skip, target, targetOffset + done, wanted)
        : this.file.read(record.offset + skip, target, targetOffset + done, wanted);
      done += count;
      if (count < wanted) break;
    }
    return done;
  }

  place(physical: number): FilePlace | undefined {
    const record = this.records[lastAtOrBelow(this.starts, physical)];
    const skip = record ? physical - record.physical : 0;
    if (!record || skip >= record.length) return undefined;
    return record.compressed ? { offset: record.offset, packed: `byte 0x${skip.toString(16)} of a compressed range that begins there` } : { offset: record.offset + skip };
  }

  close(): void {
    this.file.close();
  }

  private framesOf(index: number, record: Record): SnappyFrames {
    let frames = this.frames.get(index);
    if (!frames) {
      if (this.frames.size >= INDEXED) this.frames.clear();
      this.frames.set(index, (frames = new SnappyFrames(this.file, record.offset, record.stored, record.length)));
    }
    return frames;
  }
}
