import { ImageError, type ImageFile } from '../image.js';
import { readBytes } from './file.js';
import { type Extent, extentAt } from './runs.js';

/** makedumpfile -F writes pieces behind headers, so that a dump can go through a pipe. All numbers are big-endian. */
const SIGNATURE = 'makedumpfile\0\0\0\0';
const FIRST_HEADER = 4096;
const PIECE_HEADER = 16;
const MOST_PIECES = 1 << 24;

/** The dump that a flattened file stands for, as a file: pieces are put where they belong. Undefined when it is not flattened. */
export function unflatten(file: ImageFile): ImageFile | undefined {
  if (readBytes(file, 0, 16).toString('latin1') !== SIGNATURE) return undefined;
  const pieces: Extent[] = [];
  let at = FIRST_HEADER;
  let complete = false;
  while (at + PIECE_HEADER <= file.size && pieces.length < MOST_PIECES) {
    const head = readBytes(file, at, PIECE_HEADER);
    const offset = head.readBigInt64BE(0);
    const size = head.readBigInt64BE(8);
    if (offset === -1n && size === -1n) {
      complete = true;
      break;
    }
    if (offset < 0n || size <= 0n || offset + size > 1n << 53n) {
      throw new ImageError(`${file.path} is a flattened dump with a damaged piece at file offset 0x${at.toString(16)}. Try: makedumpfile -R OUT < ${file.path}`);
    }
    const start = Number(offset);
    const length = Math.min(Number(size), file.size - at - PIECE_HEADER);
    if (length > 0) overlay(pieces, { start, end: start + length, offset: at + PIECE_HEADER });
    at += PIECE_HEADER + Number(size);
  }
  if (pieces.length === 0) throw new ImageError(`${file.path} is a flattened dump without content. Try: ls -l ${file.path}`);
  // A cut file still serves: the missing pages are missing.
  const size = complete ? (pieces.at(-1) as Extent).end : Math.max(...pieces.map((piece) => piece.end));
  return {
    path: file.path,
    size,
    read: (offset, target, targetOffset, length) => readPieces(file, pieces, offset, target, targetOffset, Math.min(length, size - offset)),
    close: () => file.close(),
  };
}

/** Puts a piece over those before it: makedumpfile writes its headers again when it knows more. Pieces stay sorted. */
function overlay(pieces: Extent[], piece: Extent): void {
  const last = pieces.at(-1);
  if (!last || last.end <= piece.start) {
    pieces.push(piece);
    return;
  }
  const kept: Extent[] = [];
  for (const other of pieces) {
    if (other.start < piece.start) kept.push({ ...other, end: Math.min(other.end, piece.start) });
    if (other.end > piece.end) {
      const start = Math.max(other.start, piece.end);
      kept.push({ start, end: other.end, offset: other.offset + start - other.start });
    }
  }
  kept.push(piece);
  kept.sort((a, b) => a.start - b.start);
  pieces.splice(0, pieces.length, ...kept);
}

/** What lies between pieces is zeros, as in the file that makedumpfile would make of them. */
function readPieces(file: ImageFile, pieces: readonly Extent[], offset: number, target: Buffer, targetOffset: number, length: number): number {
  let done = 0;
  while (done < length) {
    const at = offset + done;
    const index = extentAt(pieces, at);
    if (index < 0) {
      const following = pieces.find((piece) => piece.start > at);
      const gap = Math.min(length - done, (following?.start ?? Infinity) - at);
      if (!Number.isFinite(gap) || gap <= 0) break;
      target.fill(0, targetOffset + done, targetOffset + done + gap);
      done += gap;
      continue;
    }
    const piece = pieces[index] as Extent;
    const wanted = Math.min(length - done, piece.end - at);
    const count = file.read(piece.offset + at - piece.start, target, targetOffset + done, wanted);
    done += count;
    if (count < wanted) break;
  }
  return done;
}
