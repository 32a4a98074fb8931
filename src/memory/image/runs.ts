import type { ImageFile, PhysicalRun } from '../image.js';

/** Physical memory that stands in the file as it is. */
export interface Extent {
  readonly start: number;
  readonly end: number;
  /** file offset of the byte at `start` */
  readonly offset: number;
}

/** Sorts extents, and cuts from each what an earlier one (by address) already covers. Empty and impossible ones are dropped. */
export function orderExtents(extents: readonly Extent[]): Extent[] {
  const sorted = extents
    .filter(({ start, end, offset }) => Number.isSafeInteger(start) && Number.isSafeInteger(end) && Number.isSafeInteger(offset) && start >= 0 && end > start && offset >= 0)
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const ordered: Extent[] = [];
  for (const extent of sorted) {
    const covered = ordered.at(-1)?.end ?? 0;
    if (extent.end <= covered) continue;
    const cut = Math.max(0, covered - extent.start);
    ordered.push({ start: extent.start + cut, end: extent.end, offset: extent.offset + cut });
  }
  return ordered;
}

/** Extents without their places, joined where they touch. */
export function runsOf(extents: readonly PhysicalRun[]): PhysicalRun[] {
  const runs: { start: number; end: number }[] = [];
  for (const { start, end } of extents) {
    const last = runs.at(-1);
    if (last && last.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs;
}

/** Index of the extent that holds an address, or -1. */
export function extentAt(extents: readonly PhysicalRun[], address: number): number {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((extents[middle] as PhysicalRun).end <= address) low = middle + 1;
    else high = middle;
  }
  const found = extents[low];
  return found && found.start <= address ? low : -1;
}

/** Reads physical bytes from extents, across those that touch. */
export function readExtents(file: ImageFile, extents: readonly Extent[], physical: number, target: Buffer, targetOffset: number, length: number): number {
  let done = 0;
  let index = extentAt(extents, physical);
  while (index >= 0 && done < length) {
    const extent = extents[index] as Extent;
    const at = physical + done;
    if (at < extent.start || at >= extent.end) break;
    const wanted = Math.min(length - done, extent.end - at);
    const count = file.read(extent.offset + at - extent.start, target, targetOffset + done, wanted);
    done += count;
    if (count < wanted) break;
    index = index + 1 < extents.length ? index + 1 : -1;
  }
  return done;
}

/** Extents cut at the end of the file, and how many bytes that loses. */
export function clipToFile(extents: readonly Extent[], size: number): { extents: Extent[]; missing: number } {
  let missing = 0;
  const clipped: Extent[] = [];
  for (const extent of extents) {
    const end = Math.min(extent.end, extent.start + Math.max(0, size - extent.offset));
    missing += extent.end - end;
    if (end > extent.start) clipped.push({ ...extent, end });
  }
  return { extents: clipped, missing };
}

/** `truncated: 12.0 MiB of 80.0 MiB are missing` */
export function truncationWarning(missing: number, total: number): string {
  return `truncated: ${sizeText(missing)} of ${sizeText(total)} are missing at the end of the file`;
}

export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
