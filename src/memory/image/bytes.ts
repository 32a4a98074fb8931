import type { ImageFile } from '../image.js';

/** Largest file offset or physical address that is exact in a number. */
export const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

/** Bytes that a header, note or table may have at most before it is taken for damaged: bounds what one open allocates. */
export const MAX_TABLE_BYTES = 64 * 1024 * 1024;

/** The bytes `[offset, offset + length)` of a file, fewer where the file ends earlier. */
export function readUpTo(file: ImageFile, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, file.read(offset, buffer, 0, length));
}

/** Exactly the bytes `[offset, offset + length)` of a file, or undefined where it has not got them all. */
export function readExactly(file: ImageFile, offset: number, length: number): Buffer | undefined {
  if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || length > MAX_TABLE_BYTES) return undefined;
  const bytes = readUpTo(file, offset, length);
  return bytes.length === length ? bytes : undefined;
}

/** A 64-bit field as a number, or undefined where it is too large to be an offset, an address or a length. */
export function toNumber(value: bigint): number | undefined {
  return value >= 0n && value <= BigInt(MAX_OFFSET) ? Number(value) : undefined;
}

/** An unsigned little-endian 64-bit field as a number, or undefined where it exceeds {@link MAX_OFFSET}. */
export function u64At(bytes: Buffer, offset: number): number | undefined {
  const high = bytes.readUInt32LE(offset + 4);
  return high < 0x200000 ? high * 0x1_0000_0000 + bytes.readUInt32LE(offset) : undefined;
}

/** An unsigned big-endian 64-bit field as a number, or undefined where it exceeds {@link MAX_OFFSET}. */
export function u64BigEndianAt(bytes: Buffer, offset: number): number | undefined {
  const high = bytes.readUInt32BE(offset);
  return high < 0x200000 ? high * 0x1_0000_0000 + bytes.readUInt32BE(offset + 4) : undefined;
}

/** The text before the first NUL of a fixed field. */
export function fixedText(bytes: Buffer, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length);
  const nul = field.indexOf(0);
  return field.toString('latin1', 0, nul < 0 ? field.length : nul);
}

/** A size for people: `12 MiB`, `3.5 GiB`, `100 bytes`. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] as string}`;
}

/** The warning of a file that ends too early. */
export function truncationWarning(missing: number, total: number): string {
  return `truncated: ${sizeText(missing)} of ${sizeText(total)} are missing`;
}

/** An address or offset for people: `0x1000`. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
