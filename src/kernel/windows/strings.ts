import type { Struct } from '../../object/struct.js';
import type { UnicodeString } from './types.js';

/** Text of more bytes than this is none: `Length` has 16 bits, and paths have at most 32767 characters. */
const LONGEST = 0xfffe;

/** The text of a `_UNICODE_STRING`; empty where it has none. Throws Absent where its buffer cannot be read. */
export function unicodeText(string: Struct): string {
  const { Length: length, Buffer: buffer } = string as UnicodeString;
  if (length === 0 || buffer.address === 0n) return '';
  return string.$space.read(buffer.address, Math.min(length, LONGEST) & ~1).toString('utf16le').replace(/\0+$/, '');
}
