/** Bytes in a line of a hex dump, when the cell does not say. */
const LINE = 16;
/** A cell's dump is cut after so many bytes; commands that dump more yield more rows. */
const LIMIT = 4096;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const TEXT = Array.from({ length: 256 }, (_, byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));

/**
 * Lines of hex and of ASCII: `48 65 6c 6c 6f   Hello`.
 * @param width bytes a line; by default a buffer of up to 32 bytes stands on one line
 * @param missing 1 for bytes that could not be read
 */
export function hexdump(bytes: Buffer, width = bytes.length <= 2 * LINE ? Math.max(bytes.length, LINE) : LINE, missing?: Uint8Array): string[] {
  const lines: string[] = [];
  const end = Math.min(bytes.length, LIMIT);
  for (let start = 0; start < end; start += width) {
    let hex = '';
    let text = '';
    for (let at = start; at < Math.min(end, start + width); at++) {
      const byte = bytes[at] as number;
      const hole = missing?.[at] === 1;
      hex += hole ? '?? ' : `${HEX[byte] as string} `;
      text += hole ? '?' : (TEXT[byte] as string);
    }
    lines.push(`${hex.padEnd(width * 3)} ${text}`);
  }
  if (end < bytes.length) lines.push(`… ${bytes.length - end} more bytes`);
  return lines.length > 0 ? lines : [''];
}
