/** Bytes in a line of a hex dump, when the cell does not say. */
const LINE = 16;
/** A cell's dump is cut after so many bytes; commands that dump more yield more rows. */
const LIMIT = 4096;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const TEXT = Array.from({ length: 256 }, (_, byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));

/**
 * Lines of hex and of ASCII: `48 65 6c 6c 6f   Hello`.
 * @param width bytes a line; a buffer of up to 32 bytes that is the row of a dump stands on one line
 */
export function hexdump(bytes: Buffer, width = bytes.length <= 2 * LINE ? Math.max(bytes.length, LINE) : LINE): string[] {
  const lines: string[] = [];
  const end = Math.min(bytes.length, LIMIT);
  for (let start = 0; start < end; start += width) {
    let hex = '';
    let text = '';
    for (let at = start; at < Math.min(end, start + width); at++) {
      const byte = bytes[at] as number;
      hex += `${HEX[byte] as string} `;
      text += TEXT[byte] as string;
    }
    lines.push(`${hex.padEnd(width * 3)} ${text}`);
  }
  if (end < bytes.length) lines.push(`… ${bytes.length - end} more bytes`);
  return lines.length > 0 ? lines : [''];
}
