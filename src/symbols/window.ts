import { found, type Steps } from '../memory/breathe.js';
import type { PhysicalSpace } from '../memory/physical.js';
import { PAGE_SIZE } from '../memory/page.js';

/** Bytes that one step of a search reads. */
const CHUNK = 512 * 1024;

/**
 * Physical addresses in `[from, to)` at which `needle` begins, ascending. Reads past the cache, in chunks that overlap by
 * the needle, so that a match may lie across two of them; it may not lie across a hole.
 *
 * A needle of up to 7 bytes that begins with a rare byte is searched six times as fast as a longer one.
 */
export function occurrences(physical: PhysicalSpace, needle: Buffer, from: number, to: number): Generator<number> {
  return found(occurrenceSteps(physical, needle, from, to));
}

/** {@link occurrences} in steps, one for each chunk. */
export function* occurrenceSteps(physical: PhysicalSpace, needle: Buffer, from: number, to: number): Steps<number> {
  const overlap = needle.length - 1;
  // The chunk stands at a page boundary of the buffer, what is left of the chunk before it just below.
  const buffer = Buffer.allocUnsafeSlow(PAGE_SIZE + CHUNK);
  let carried = 0;
  let position = from;
  while (position < to) {
    const count = physical.readInto(position, buffer, PAGE_SIZE, Math.min(CHUNK, to - position));
    if (count === 0) {
      carried = 0;
      position = nextPresent(physical, position);
      continue;
    }
    const start = PAGE_SIZE - carried;
    const bytes = buffer.subarray(start, PAGE_SIZE + count);
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) yield position - carried + at;
    carried = Math.min(overlap, bytes.length);
    bytes.copy(buffer, PAGE_SIZE - carried, bytes.length - carried);
    position += count;
    yield undefined;
  }
}

/** Where reading may go on after nothing was read at `position`: the next page, or the next run beyond a hole. */
function nextPresent(physical: PhysicalSpace, position: number): number {
  const next = (Math.floor(position / PAGE_SIZE) + 1) * PAGE_SIZE;
  for (const run of physical.runs) if (run.end > next) return Math.max(next, run.start);
  return Infinity;
}

/** `length` physical bytes past the cache, or undefined when not all of them are in the image. */
export function readPhysical(physical: PhysicalSpace, start: number, length: number): Buffer | undefined {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(length)) return undefined;
  if (start < 0 || length < 0 || start + length > physical.end) return undefined;
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length;) {
    const count = physical.readInto(start + done, bytes, done, length - done);
    if (count <= 0) return undefined;
    done += count;
  }
  return bytes;
}
