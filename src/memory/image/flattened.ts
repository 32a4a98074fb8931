import { type FilePlace, ImageError, type ImageFile, type ImageHints, type PhysicalImage, type PhysicalRun } from '../image.js';
import { readUpTo, sizeText, u64BigEndianAt } from './bytes.js';
import { lastAtOrBelow } from './flat.js';

/** `struct makedumpfile_header` fills this much of the file (MAX_SIZE_MDF_HEADER). */
const HEADER_BYTES = 4096;

/** `struct makedumpfile_data_header`: offset and size, big-endian, signed. */
const PIECE_HEADER_BYTES = 16;

/** More pieces than that are not read; makedumpfile writes one per buffer of 256 KiB or more, and some small ones. */
const MAX_PIECES = 4 << 20;

/** Pieces in the order of the stream. */
interface Pieces {
  readonly count: number;
  /** Where each belongs in the file that the stream describes, where its bytes stand in the stream, and how many they are. */
  readonly places: Float64Array;
  readonly positions: Float64Array;
  readonly sizes: Float64Array;
  /** True where the stream breaks off. */
  readonly broken: boolean;
}

/**
 * A flattened stream (`makedumpfile -F`): pieces of a dump file with their places, in the order in which they were written.
 * Gives the file that `makedumpfile -R` would make of it, or undefined where the file is no such stream.
 */
export function openFlattened(file: ImageFile): FlattenedFile | undefined {
  const header = readUpTo(file, 0, 32);
  if (header.length < 32 || header.toString('latin1', 0, 13) !== 'makedumpfile\0') return undefined;
  const type = u64BigEndianAt(header, 16);
  if (type !== 1)
    throw new ImageError(
      `${file.path} is a flattened makedumpfile stream of an unknown type. Try: makedumpfile -R dump < ${file.path}`,
    );
  const pieces = readPieces(file);
  if (pieces.count === 0)
    throw new ImageError(
      `${file.path} is a flattened makedumpfile stream that ends behind its header. Acquire or copy it again.`,
    );
  return new FlattenedFile(file, pieces);
}

function readPieces(file: ImageFile): Pieces {
  let capacity = 1024;
  let places = new Float64Array(capacity);
  let positions = new Float64Array(capacity);
  let sizes = new Float64Array(capacity);
  const header = Buffer.alloc(PIECE_HEADER_BYTES);
  let count = 0;
  let position = HEADER_BYTES;
  let broken = true;
  while (count < MAX_PIECES && file.read(position, header, 0, PIECE_HEADER_BYTES) === PIECE_HEADER_BYTES) {
    const place = u64BigEndianAt(header, 0);
    const size = u64BigEndianAt(header, 8);
    if (place === undefined || size === undefined || size === 0 || !Number.isSafeInteger(place + size)) {
      // The end is marked by -1, -1.
      broken = header.readBigInt64BE(0) !== -1n || header.readBigInt64BE(8) !== -1n;
      break;
    }
    if (count === capacity) {
      capacity *= 2;
      places = grown(places, capacity);
      positions = grown(positions, capacity);
      sizes = grown(sizes, capacity);
    }
    position += PIECE_HEADER_BYTES;
    places[count] = place;
    positions[count] = position;
    sizes[count] = size;
    count++;
    position += size;
  }
  return { count, places, positions, sizes, broken: broken || position > file.size };
}

function grown(values: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(capacity);
  larger.set(values);
  return larger;
}

/** The dump file that a flattened stream describes. What no piece covers is zero, as in a sparse file. */
export class FlattenedFile implements ImageFile {
  readonly path: string;
  readonly size: number;
  /** Set where the stream breaks off before its end mark. */
  readonly warning: string | undefined;
  /** Ascending places that pieces cover, without overlap. */
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  /** Position in the stream minus place in the file. */
  private readonly shifts: Float64Array;

  constructor(
    private readonly stream: ImageFile,
    pieces: Pieces,
  ) {
    this.path = stream.path;
    const { starts, ends, shifts } = arrange(pieces);
    this.starts = starts;
    this.ends = ends;
    this.shifts = shifts;
    this.size = ends.at(-1) ?? 0;
    this.warning = pieces.broken
      ? `truncated: the flattened stream breaks off after ${sizeText(stream.size)}, before its end mark`
      : undefined;
  }

  read(offset: number, target: Buffer, targetOffset: number, length: number): number {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    let done = 0;
    let index = lastAtOrBelow(this.starts, offset);
    while (done < wanted) {
      const at = offset + done;
      if (index + 1 < this.starts.length && (this.starts[index + 1] as number) <= at) index++;
      if (index >= 0 && at < (this.ends[index] as number)) {
        const count = Math.min(wanted - done, (this.ends[index] as number) - at);
        const got = this.stream.read(at + (this.shifts[index] as number), target, targetOffset + done, count);
        done += got;
        if (got < count) break;
      } else {
        const next = index + 1 < this.starts.length ? (this.starts[index + 1] as number) : this.size;
        const count = Math.min(wanted - done, next - at);
        target.fill(0, targetOffset + done, targetOffset + done + count);
        done += count;
      }
    }
    return done;
  }

  /** Where a byte of the file stands in the stream; undefined where no piece covers it. */
  positionOf(offset: number): number | undefined {
    const index = lastAtOrBelow(this.starts, offset);
    return index >= 0 && offset < (this.ends[index] as number) ? offset + (this.shifts[index] as number) : undefined;
  }

  close(): void {
    this.stream.close();
  }

  /** Bytes that the stream really has: what a table in it can have at most, however large the file it describes. */
  get stored(): number {
    return this.stream.size;
  }
}

/** The image in a flattened stream: the same, under a name and with warnings that tell of the stream. */
export class FlattenedImage implements PhysicalImage {
  readonly format: string;
  readonly runs: readonly PhysicalRun[];
  readonly blockSize: number;
  readonly hints: ImageHints;
  readonly warnings: readonly string[];

  constructor(
    private readonly image: PhysicalImage,
    private readonly file: FlattenedFile,
  ) {
    this.format = `${image.format}, flattened`;
    this.runs = image.runs;
    this.blockSize = image.blockSize;
    this.hints = image.hints;
    this.warnings = file.warning === undefined ? image.warnings : [file.warning, ...image.warnings];
  }

  read(physical: number, target: Buffer, targetOffset: number, length: number): number {
    return this.image.read(physical, target, targetOffset, length);
  }

  place(physical: number): FilePlace | undefined {
    const place = this.image.place?.(physical);
    return place?.offset === undefined ? place : { ...place, offset: this.file.positionOf(place.offset) };
  }

  close(): void {
    this.image.close();
  }
}

/**
 * Sorts pieces by place. Where some overlap (makedumpfile writes headers again when it knows the sizes), the later in the
 * stream wins: between all beginnings and ends, spans are given to pieces from the last to the first.
 */
function arrange(pieces: Pieces): { starts: Float64Array; ends: Float64Array; shifts: Float64Array } {
  const { count, places, positions, sizes } = pieces;
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  order.sort((a, b) => (places[a] as number) - (places[b] as number) || a - b);
  const starts = Float64Array.from(order, (index) => places[index] as number);
  const ends = Float64Array.from(order, (index) => (places[index] as number) + (sizes[index] as number));
  const shifts = Float64Array.from(order, (index) => (positions[index] as number) - (places[index] as number));
  let overlap = false;
  for (let index = 1; index < count && !overlap; index++)
    overlap = (starts[index] as number) < (ends[index - 1] as number);
  return overlap ? withoutOverlap(pieces) : { starts, ends, shifts };
}

function withoutOverlap({ count, places, positions, sizes }: Pieces): {
  starts: Float64Array;
  ends: Float64Array;
  shifts: Float64Array;
} {
  const bounds = new Float64Array(2 * count);
  for (let index = 0; index < count; index++) {
    bounds[2 * index] = places[index] as number;
    bounds[2 * index + 1] = (places[index] as number) + (sizes[index] as number);
  }
  bounds.sort();
  const spans = bounds.length - 1;
  const owner = new Int32Array(spans).fill(-1);
  // The next span from here on that nobody owns yet; paths are halved, so that the whole is nearly linear.
  const free = Uint32Array.from({ length: spans + 1 }, (_, index) => index);
  const nextFree = (from: number): number => {
    let at = from;
    while (free[at] !== at) {
      free[at] = free[free[at] as number] as number;
      at = free[at] as number;
    }
    return at;
  };
  for (let piece = count - 1; piece >= 0; piece--) {
    const end = (places[piece] as number) + (sizes[piece] as number);
    // Equal bounds: any of them will do, spans between them are empty.
    for (
      let span = nextFree(Math.max(0, lastAtOrBelow(bounds, (places[piece] as number) - 0.5) + 1));
      span < spans && (bounds[span] as number) < end;
      span = nextFree(span)
    ) {
      owner[span] = piece;
      free[span] = span + 1;
    }
  }
  const starts: number[] = [];
  const ends: number[] = [];
  const shifts: number[] = [];
  for (let span = 0; span < spans; span++) {
    const piece = owner[span] as number;
    const start = bounds[span] as number;
    const end = bounds[span + 1] as number;
    if (piece < 0 || end === start) continue;
    const shift = (positions[piece] as number) - (places[piece] as number);
    if (ends.at(-1) === start && shifts.at(-1) === shift) ends[ends.length - 1] = end;
    else {
      starts.push(start);
      ends.push(end);
      shifts.push(shift);
    }
  }
  return { starts: Float64Array.from(starts), ends: Float64Array.from(ends), shifts: Float64Array.from(shifts) };
}
