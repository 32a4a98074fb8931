/** Bytes to look for. `mask` has 0xff where a byte must be equal, 0 where any will do, 0xdf where a letter's case is not regarded. */
export interface Pattern {
  /** for people, as it was asked for */
  readonly label: string;
  /** at least one; 0 where `mask` is 0, upper case where it is 0xdf */
  readonly bytes: Buffer;
  readonly mask: Buffer;
}

/** An anchor that is found fast: Buffer.indexOf looks for its first byte, and up to seven bytes cost no more. */
const ANCHOR = 7;
const FOLD = 0xdf;

export interface TextOptions {
  readonly ignoreCase?: boolean;
  readonly utf16?: boolean;
}

/** A pattern of text in UTF-8, or in UTF-16 (little-endian). Case is that of ASCII. Throws RangeError where the text is empty. */
export function textPattern(text: string, { ignoreCase = false, utf16 = false }: TextOptions = {}): Pattern {
  return bytesPattern(utf16 ? `${text} (UTF-16)` : text, Buffer.from(text, utf16 ? 'utf16le' : 'utf8'), ignoreCase, utf16 ? 2 : 1);
}

/** A pattern of bytes; with `ignoreCase` ASCII letters match in both cases (every second byte where characters have two). */
export function bytesPattern(label: string, wanted: Buffer, ignoreCase = false, width: 1 | 2 = 1): Pattern {
  if (wanted.length === 0) throw new RangeError('nothing to look for');
  const bytes = Buffer.from(wanted);
  const mask = Buffer.alloc(bytes.length, 0xff);
  if (ignoreCase) {
    for (let at = 0; at < bytes.length; at += width) {
      const letter = (bytes[at] as number) & FOLD;
      if (letter < 0x41 || letter > 0x5a || (width === 2 && bytes[at + 1] !== 0)) continue;
      bytes[at] = letter;
      mask[at] = FOLD;
    }
  }
  return { label, bytes, mask };
}

/** A pattern of hex digits, `de ad ?? ef`; undefined where the text is none. `?` stands for any digit. */
export function hexPattern(label: string, text: string): Pattern | undefined {
  const digits = text.replace(/0x|[\s,]/gi, '');
  if (digits.length === 0 || digits.length % 2 !== 0 || !/^[0-9a-f?]+$/i.test(digits) || /^\?+$/.test(digits)) return undefined;
  return { label, bytes: Buffer.from(digits.replaceAll('?', '0'), 'hex'), mask: Buffer.from(digits.replace(/[0-9a-f]/gi, 'f').replaceAll('?', '0'), 'hex') };
}

/**
 * Finds one pattern in buffers. It looks for the pattern's rarest bytes with Buffer.indexOf, and verifies: 13 GB/s for up to seven bytes against 2 GB/s for more,
 * and 0.2 GB/s for a needle that begins with a zero in memory full of zeros.
 */
export class Matcher {
  /** where the anchor begins in the pattern; -1: no byte is fixed, and folded bytes are looked at */
  private readonly anchor: number;
  private readonly needle: Buffer;
  /** no byte may differ */
  private readonly exact: boolean;

  constructor(readonly pattern: Pattern) {
    const { bytes, mask } = pattern;
    let best = -1;
    for (let at = 0; at < bytes.length; at++) {
      if (mask[at] !== 0xff) continue;
      if (best < 0 || commonness(bytes, mask, at) < commonness(bytes, mask, best)) best = at;
    }
    this.anchor = best;
    this.exact = mask.every((one) => one === 0xff);
    let end = Math.max(0, best);
    while (best >= 0 && end < bytes.length && end < best + ANCHOR && mask[end] === 0xff) end++;
    this.needle = bytes.subarray(Math.max(0, best), end);
  }

  /** True where the matcher needs {@link fold}ed bytes. */
  get folds(): boolean {
    return this.anchor < 0;
  }

  /**
   * Offsets in `bytes[0, end)` at which the pattern begins, ascending and overlapping; it must end before `end`.
   * @param folded the same bytes by {@link fold}, where {@link folds}
   */
  *matches(bytes: Buffer, end: number, folded?: Buffer): Generator<number, void, undefined> {
    const { pattern, anchor, needle } = this;
    const last = end - pattern.bytes.length;
    if (anchor < 0) {
      yield* this.inFolded(bytes, folded ?? fold(bytes.subarray(0, end)), last);
      return;
    }
    for (let found = bytes.indexOf(needle, anchor); found >= 0; found = bytes.indexOf(needle, found + 1)) {
      const at = found - anchor;
      if (at > last) return;
      if (this.verify(bytes, at)) yield at;
    }
  }

  private *inFolded(bytes: Buffer, folded: Buffer, last: number): Generator<number, void, undefined> {
    const { bytes: wanted, mask } = this.pattern;
    // Nothing but letters (and bytes that may be any): the first run of letters.
    const first = mask.findIndex((one) => one === FOLD);
    let stop = first;
    while (stop < wanted.length && stop < first + ANCHOR && mask[stop] === FOLD) stop++;
    const needle = wanted.subarray(first, stop);
    for (let found = folded.indexOf(needle, first); found >= 0; found = folded.indexOf(needle, found + 1)) {
      const at = found - first;
      if (at > last) return;
      if (this.verify(bytes, at)) yield at;
    }
  }

  private verify(bytes: Buffer, at: number): boolean {
    const { bytes: wanted, mask } = this.pattern;
    // Natively, since a long pattern in memory that repeats itself is verified at every byte.
    if (this.exact) return bytes.compare(wanted, 0, wanted.length, at, at + wanted.length) === 0;
    for (let index = 0; index < wanted.length; index++) {
      if (((bytes[at + index] as number) & (mask[index] as number)) !== wanted[index]) return false;
    }
    return true;
  }
}

/**
 * Bytes with the bit cleared that tells lower case from upper; other bytes change too, which verification sorts out.
 * @param into where to put them, of at least their length; a new buffer by default. Four at a time where both are aligned.
 */
export function fold(bytes: Buffer, into: Buffer = Buffer.allocUnsafeSlow(bytes.length)): Buffer {
  const { length } = bytes;
  let at = 0;
  if (bytes.byteOffset % 4 === 0 && into.byteOffset % 4 === 0) {
    const from = new Uint32Array(bytes.buffer, bytes.byteOffset, length >>> 2);
    const to = new Uint32Array(into.buffer, into.byteOffset, length >>> 2);
    for (let word = 0; word < from.length; word++) to[word] = (from[word] as number) & 0xdfdfdfdf;
    at = from.length * 4;
  }
  for (; at < length; at++) into[at] = (bytes[at] as number) & FOLD;
  return into.subarray(0, length);
}

/** How often a byte stands in memory, roughly; of equally rare ones that with more fixed bytes behind it. */
function commonness(bytes: Buffer, mask: Buffer, at: number): number {
  const byte = bytes[at] as number;
  let fixed = 1;
  while (fixed < ANCHOR && mask[at + fixed] === 0xff) fixed++;
  const kind = byte === 0 ? 1000 : byte === 0xff ? 400 : byte < 0x10 ? 60 : byte === 0x20 || (byte >= 0x61 && byte <= 0x7a) ? 40 : byte === 0x48 || byte === 0x8b ? 40 : 20;
  return kind - fixed * 2;
}
