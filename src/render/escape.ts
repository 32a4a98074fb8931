/**
 * Text from memory is hostile: what it holds must never steer a terminal, reorder a line or hide in it. Escaped are
 * - control characters, C0 and C1 (Unicode general category Cc), so also ESC and CSI;
 * - format characters (Cf: bidirectional marks and overrides, zero-width characters, tags, soft hyphen), line and paragraph
 *   separators (Zl, Zp), and everything else that shows as nothing (Default_Ignorable_Code_Point);
 * - surrogates that are no pair (Cs), private use (Co: what it shows depends on the font).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'gu');
/** The fast path: most strings are printable ASCII. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

/** A text as it may be shown: `\x1b[31m` for what would turn a terminal red, `\u202e` for a right-to-left override. */
export function escapeText(text: string): string {
  if (PRINTABLE_ASCII.test(text) || !UNSAFE.test(text)) return text;
  return text.replace(UNSAFE_ALL, (character) => {
    const short = SHORT[character];
    if (short !== undefined) return short;
    const code = character.codePointAt(0) ?? 0;
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
    return `\\u{${code.toString(16)}}`;
  });
}

/** True where a text is printable ASCII: its width on a terminal is its length. */
export function isPlain(text: string): boolean {
  return PRINTABLE_ASCII.test(text);
}

/** A JSON string: by the rules of JSON, and with `\u` escapes for everything that {@link escapeText} would not show either. */
export function jsonString(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text.includes('"') || text.includes('\\') ? JSON.stringify(text) : `"${text}"`;
  return JSON.stringify(text).replace(UNSAFE_ALL, (character) => {
    let escaped = '';
    for (let unit = 0; unit < character.length; unit++) {
      escaped += `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}
