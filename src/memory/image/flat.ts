import type { FilePlace, ImageFile, ImageHints, PhysicalImage, PhysicalRun } from '../image.js';
import { truncationWarning } from './bytes.js';

/** A piece of physical memory that stands uncompressed in the file. All in bytes. */
export interface Extent {
  readonly physical: number;
  readonly length: number;
  /** Where its first byte is in the file. */
  readonly offset: number;
}

/** Bytes that flat formats are read best in: what page tables and lists lead to lies anywhere, and neighbours are seldom wanted (64 KiB take four times as long to read). */
export const FLAT_BLOCK = 8192;

/** What of a list of extents can be read, and what is wrong with the rest. */
export interface Layout {
  /** Sorted by address; they may touch, but do not overlap. */
  readonly extents: readonly Extent[];
  readonly warnings: readonly string[];
}

/**
 * Sorts extents by address, lets the one that begins lower (or, at the same address, stands first in the file) win
 * where two overlap, and cuts off what lies past the end of the file.
 *
 * @param fileSize in bytes; Infinity where the end is not known (live memory)
 */
export function layOut(extents: readonly Extent[], fileSize: number, mayOverlap = false): Layout {
  const warnings: string[] = [];
  const sorted = extents.filter((extent) => extent.length > 0).sort((a, b) => a.physical - b.physical);
  const result: Extent[] = [];
  let end = 0;
  let overlaps = 0;
  let total = 0;
  let present = 0;
  for (const { physical, length, offset } of sorted) {
    const skip = Math.max(0, end - physical);
    if (skip > 0) overlaps++;
    if (skip >= length) continue;
    const wanted = length - skip;
    const there = Math.max(0, Math.min(wanted, fileSize - offset - skip));
    total += wanted;
    present += there;
    end = physical + length;
    if (there > 0) result.push({ physical: physical + skip, length: there, offset: offset + skip });
  }
  if (present < total) warnings.push(truncationWarning(total - present, total));
  if (overlaps > 0 && !mayOverlap) {
    warnings.push(`${overlaps} of ${sorted.length} memory ranges overlap an earlier one: the earlier one is used`);
  }
  return { extents: result, warnings };
}

/** Runs of extents that are sorted and do not overlap, merged where they touch. */
export function runsOf(extents: readonly { readonly physical: number; readonly length: number }[]): PhysicalRun[] {
  const runs: { start: number; end: number }[] = [];
  for (const { physical, length } of extents) {
    const last = runs.at(-1);
    if (last && last.end === physical) last.end += length;
    else runs.push({ start: physical, end: physical + length });
  }
  return runs;
}

/** An image whose pages stand uncompressed in the file: raw, ELF, LiME. */
export class FlatImage implements PhysicalImage {
  readonly blockSize = FLAT_BLOCK;
  readonly runs: readonly PhysicalRun[];
  private readonly starts: Float64Array;
  /** The extent that was read last: most reads go on there. */
  private current = 0;

  /** @param extents sorted and not overlapping (see {@link layOut}) */
  constructor(
    private readonly file: ImageFile,
    readonly format: string,
    private readonly extents: readonly Extent[],
    readonly warnings: readonly string[],
    readonly hints: ImageHints = {},
  ) {
    this.runs = runsOf(extents);
    this.starts = Float64Array.from(extents, (extent) => extent.physical);
  }

  read(physical: number, target: Buffer, targetOffset: number, length: number): number {
    let done = 0;
    while (done < length) {
      const extent = this.extentAt(physical + done);
      if (!extent) break;
      const skip = physical + done - extent.physical;
      const wanted = Math.min(length - done, extent.length - skip);
      const count = this.file.read(extent.offset + skip, target, targetOffset + done, wanted);
      done += count;
      if (count < wanted) break;
    }
    return done;
  }

  place(physical: number): FilePlace | undefined {
    const extent = this.extentAt(physical);
    return extent && { offset: extent.offset + physical - extent.physical };
  }

  close(): void {
    this.file.close();
  }

  private extentAt(physical: number): Extent | undefined {
    const recent = this.extents[this.current];
    if (recent && physical >= recent.physical && physical < recent.physical + recent.length) return recent;
    const index = lastAtOrBelow(this.starts, physical);
    const extent = this.extents[index];
    if (!extent || physical >= extent.physical + extent.length) return undefined;
    this.current = index;
    return extent;
  }
}

/** Index of the last of the ascending `values` that is at most `value`, or -1. */
export function lastAtOrBelow(values: Float64Array, value: number, count = values.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
