import { ImageError, type ImageFile, type ImageFormat, type PhysicalImage } from '../image.js';
import { hex, readUpTo, sizeText, u64At } from './bytes.js';
import { FlatImage, layOut, type Extent } from './flat.js';

/** `EMiL`: LiME's magic, a little-endian 32-bit number. */
export const LIME_MAGIC = 0x4c694d45;

/** `AVML`: the magic of AVML's own records. */
export const AVML_MAGIC = 0x4c4d5641;

/**
 * magic and version (32 bits each), first and last address (64 each), 8 reserved bytes: packed, and the same on 32-bit kernels
 * (`lime_mem_range_header` of LiME's lime.h; the fields are `unsigned long long`).
 */
export const RECORD_HEADER_BYTES = 32;

/** More records than that are not read: LiME writes one per memory range, AVML one per 16 MiB. */
export const MAX_RECORDS = 1 << 19;

/** A record's header. */
export interface RecordHeader {
  readonly magic: number;
  readonly version: number;
  readonly start: number;
  /** One past the last byte (the file has the last byte itself). */
  readonly end: number;
}

/** The record header at a place in the file, or undefined where none can be. */
export function recordAt(file: ImageFile, offset: number): RecordHeader | undefined {
  const bytes = readUpTo(file, offset, RECORD_HEADER_BYTES);
  if (bytes.length < RECORD_HEADER_BYTES) return undefined;
  const magic = bytes.readUInt32LE(0);
  const version = bytes.readUInt32LE(4);
  if (magic !== LIME_MAGIC && magic !== AVML_MAGIC) return undefined;
  const start = u64At(bytes, 8);
  const last = u64At(bytes, 16);
  if (start === undefined || last === undefined || last < start || !Number.isSafeInteger(last + 1)) return undefined;
  return { magic, version, start, end: last + 1 };
}

/** LiME's `lime` format: each memory range behind a header that says where it lies. (Its `padded` format is a raw image.) */
export const limeFormat: ImageFormat = {
  name: 'LiME',
  open(file: ImageFile): PhysicalImage | undefined {
    const magic = readUpTo(file, 0, 8);
    if (magic.length < 8 || magic.readUInt32LE(0) !== LIME_MAGIC) return undefined;
    const version = magic.readUInt32LE(4);
    if (version !== 1)
      throw new ImageError(
        `${file.path} is a LiME image of version ${version}; only version 1 is known. Acquire it as raw: insmod lime.ko format=padded`,
      );
    const { extents, warnings } = readRecords(file);
    if (extents.length === 0) {
      throw new ImageError(
        `${file.path} is a LiME image without a sound memory range (it has ${sizeText(file.size)}). Acquire or copy it again.`,
      );
    }
    const layout = layOut(extents, file.size);
    return new FlatImage(file, 'LiME', layout.extents, [...warnings, ...layout.warnings]);
  },
};

/** The ranges of a file of uncompressed records. */
function readRecords(file: ImageFile): { extents: Extent[]; warnings: string[] } {
  const extents: Extent[] = [];
  const warnings: string[] = [];
  let offset = 0;
  while (offset < file.size) {
    const record = recordAt(file, offset);
    if (!record || record.magic !== LIME_MAGIC || record.version !== 1) {
      warnings.push(
        `no memory range begins at file offset ${hex(offset)}: the last ${sizeText(file.size - offset)} are left out`,
      );
      break;
    }
    if (extents.length >= MAX_RECORDS) {
      warnings.push(`more than ${MAX_RECORDS} memory ranges: the last ${sizeText(file.size - offset)} are left out`);
      break;
    }
    const length = record.end - record.start;
    extents.push({ physical: record.start, length, offset: offset + RECORD_HEADER_BYTES });
    offset += RECORD_HEADER_BYTES + length;
  }
  return { extents, warnings };
}
