/**
 * The contract of an image file: what `src/memory/image/` has one file per format for. Physical addresses, offsets and
 * lengths are numbers (an image larger than 8 PiB is refused).
 */

import type { CrashDump } from './crash.js';

/** Physical memory that the image describes: `[start, end)`, in bytes. */
export interface PhysicalRun {
  readonly start: number;
  readonly end: number;
}

/** What a container's own headers say beyond the bytes: hints, to be verified before use. */
export interface ImageHints {
  readonly architecture?: 'amd64' | 'i386' | 'arm64';
  /** CR3 (or TTBR1) values of the CPUs at the time of the dump. */
  readonly pageTableRoots?: readonly bigint[];
  /** Control registers of the CPUs at the time of the dump, where the dump has them all (x86). */
  readonly controlRegisters?: readonly { readonly cr0: bigint; readonly cr3: bigint; readonly cr4: bigint }[];
  /** The text of a VMCOREINFO note. */
  readonly vmcoreinfo?: string;
  /** Virtual to physical segments that an ELF core's program headers state (`p_vaddr` where it is set). */
  readonly segments?: readonly { readonly virtual: bigint; readonly physical: number; readonly length: number }[];
  /** struct new_utsname of a kdump header, as `release version machine`. */
  readonly kernel?: string;
  /** It is no memory, but the file of a Windows program. */
  readonly program?: boolean;
  /** What a Windows crash dump says of itself. */
  readonly crash?: CrashDump;
}

/** Where in the file a physical address stands. */
export interface FilePlace {
  /** offset of the byte in the file; where it is packed, of the packed data that it is in; undefined where the file has no bytes for it */
  readonly offset: number | undefined;
  /** what stands there, where it is not the byte itself: `compressed page of 812 bytes`, `a page of zeros, which the format leaves out` */
  readonly packed?: string;
}

/** An opened image. */
export interface PhysicalImage {
  /** For people: `raw`, `ELF64 core`, `LiME`, `kdump (zlib)`. */
  readonly format: string;
  /** Sorted by start, not overlapping, merged where they touch. */
  readonly runs: readonly PhysicalRun[];
  /** Bytes that are read best in one go: 4096 for page-compressed formats, more for flat ones; a power of two. */
  readonly blockSize: number;
  readonly hints: ImageHints;
  /** What is wrong with the file, one sentence each (`truncated: 12 MiB of 80 MiB are missing`). */
  readonly warnings: readonly string[];
  /**
   * Copies physical bytes into `target` and returns how many, which is fewer than `length` (down to 0) where the image
   * has no (more) bytes: at the end of a run, in a hole, past a truncation, at a page that does not decompress.
   */
  read(physical: number, target: Buffer, targetOffset: number, length: number): number;
  /** Where a physical address stands in the file; undefined where the image has no such byte, or the format cannot say. */
  place?(physical: number): FilePlace | undefined;
  close(): void;
}

/** A file that may be an image. */
export interface ImageFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Reads at a file offset; returns the number of bytes read, fewer only at the end of the file. */
  read(offset: number, target: Buffer, targetOffset: number, length: number): number;
  close(): void;
}

/** One image format. */
export interface ImageFormat {
  readonly name: string;
  /**
   * Looks at the file's content. Returns undefined when it is not this format, otherwise the opened image.
   * Throws {@link ImageError} when it is this format but cannot be used.
   */
  open(file: ImageFile): PhysicalImage | undefined;
}

/** An image that cannot be opened: what is wrong, and what to do next. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}
