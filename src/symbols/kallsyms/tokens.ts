/** Tokens of a table: one for each byte value. */
export const TOKENS = 256;
/** Longer than any token of a kernel (KSYM_NAME_LEN is 512, tokens are common substrings). */
const LONGEST = 128;

export interface Tokens {
  /** the text of each token, latin1 */
  readonly texts: readonly string[];
  /** offset of each token in the table */
  readonly offsets: Uint16Array;
  /** bytes of the table */
  readonly length: number;
}

/** The 256 NUL-terminated tokens at the start of a buffer, or undefined where it holds something else. */
export function decodeTokens(bytes: Buffer): Tokens | undefined {
  const texts: string[] = [];
  const offsets = new Uint16Array(TOKENS);
  let at = 0;
  for (let token = 0; token < TOKENS; token++) {
    const end = bytes.indexOf(0, at);
    if (end < 0 || end - at > LONGEST) return undefined;
    const text = bytes.toString('latin1', at, end);
    if (!/^[\x21-\x7e]*$/.test(text)) return undefined;
    texts.push(text);
    offsets[token] = at;
    at = end + 1;
  }
  return { texts, offsets, length: at };
}
