import { extents } from '../extents.js';
import { addressOf, PAGE_SIZE, pageNumber, pageOffset } from '../page.js';
import { PagedSpace } from '../paging/paged.js';
import { PhysicalSpace } from '../physical.js';
import type { AddressSpace } from '../space.js';

/** Bytes that lie behind each other in a space. */
export interface Window {
  /** address of the first byte */
  readonly address: bigint;
  /** good until the next window is asked for */
  readonly bytes: Buffer;
  /** bytes at the start that the window before it ended with */
  readonly overlap: number;
  /** bytes of the range that are done with this window: those that it adds, and those before it that could not be read */
  readonly progress: number;
}

/** Fits the processor's cache, so that several patterns cost one reading. */
const SIZE = 512 * 1024;

/**
 * Everything that can be read in `[from, to)`, in windows that overlap, so that nothing of up to `overlap + 1` bytes is missed: across pages, wherever those lie in
 * physical memory. A window ends where something is missing.
 */
export function* windows(space: AddressSpace, from: bigint, to: bigint, overlap: number, onFault?: (what: string) => void): Generator<Window, void, undefined> {
  if (to <= from) return;
  const buffer = Buffer.allocUnsafeSlow(Math.max(SIZE, 4 * overlap));
  let filled = 0;
  let kept = 0;
  let skipped = 0;
  let start = from;
  const window = (): Window => ({ address: start, bytes: buffer.subarray(0, filled), overlap: kept, progress: filled - kept + skipped });
  for (const { page, pages } of extents(space, pageNumber(from), pageNumber(to - 1n) + 1, onFault)) {
    // The range may begin and end within a page.
    const head = page === pageNumber(from) ? pageOffset(from) : 0;
    const base = addressOf(page, head);
    const rest = to - base;
    const length = Math.min(pages * PAGE_SIZE - head, rest < BigInt(Number.MAX_SAFE_INTEGER) ? Number(rest) : Infinity);
    if (start + BigInt(filled) !== base) {
      if (filled > kept) {
        yield window();
        skipped = 0;
      }
      start = base;
      filled = kept = 0;
    }
    for (let done = 0; done < length; ) {
      const wanted = Math.min(buffer.length - filled, length - done);
      const got = read(space, page, head + done, buffer, filled, wanted);
      filled += got;
      done += got;
      if (got === wanted && filled < buffer.length) continue;
      if (filled > kept) {
        yield window();
        skipped = 0;
      }
      if (got === wanted) {
        buffer.copyWithin(0, filled - overlap, filled);
        start += BigInt(filled - overlap);
        filled = kept = overlap;
      } else {
        // A page that the tables map and the image does not hold.
        const missing = Math.min(PAGE_SIZE - ((head + done) % PAGE_SIZE), length - done);
        skipped += missing;
        done += missing;
        start = base + BigInt(done);
        filled = kept = 0;
      }
    }
  }
  if (filled > kept) yield window();
}

/**
 * Copies bytes that begin so far behind the start of a page; returns how many, fewer where a page is missing. Physical memory is read past the
 * cache, which a scan would only empty.
 */
function read(space: AddressSpace, page: number, offset: number, target: Buffer, at: number, length: number): number {
  if (space instanceof PhysicalSpace) return space.readInto(page * PAGE_SIZE + offset, target, at, length);
  // One without levels (a program's file, a dump's blocks) has pages, and no frames of an image.
  const physical = space instanceof PagedSpace && space.levels.length > 0 && space.physical instanceof PhysicalSpace ? space.physical : undefined;
  let done = 0;
  while (done < length) {
    const number = page + Math.floor((offset + done) / PAGE_SIZE);
    const within = (offset + done) % PAGE_SIZE;
    if (!physical) {
      const found = space.pageAt(number);
      if (!found) break;
      done += found.bytes.copy(target, at + done, within, within + Math.min(PAGE_SIZE - within, length - done));
      continue;
    }
    const frame = (space as PagedSpace).frameAt(number);
    if (frame < 0) break;
    // Frames that lie behind each other are read in one go.
    let pages = 1;
    while (pages * PAGE_SIZE - within < length - done && (space as PagedSpace).frameAt(number + pages) === frame + pages) pages++;
    const wanted = Math.min(pages * PAGE_SIZE - within, length - done);
    const got = physical.readInto(frame * PAGE_SIZE + within, target, at + done, wanted);
    done += got;
    if (got < wanted) break;
  }
  return done;
}
