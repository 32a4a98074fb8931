import { hexPattern, type Pattern, bytesPattern, textPattern } from '../memory/search/pattern.js';
import { PluginError } from './error.js';

export interface KeywordOptions {
  readonly ignoreCase: boolean;
  /** text in UTF-16 beside the text as it is */
  readonly utf16: boolean;
}

/** Longest keyword, in bytes. */
const LONGEST = 4096;

/**
 * What keywords ask for: text, with `\\n`, `\\r`, `\\t`, `\\0`, `\\xHH` and `\\\\` for bytes that cannot be typed; or bytes in braces, `{de ad ?? ef}`. Throws PluginError that says
 * what is wrong with one.
 */
export function patternsOf(keywords: readonly string[], options: KeywordOptions): Pattern[] {
  const patterns: Pattern[] = [];
  for (const keyword of keywords) {
    const braces = /^\{(.*)\}$/s.exec(keyword.trim());
    if (braces) {
      const pattern = hexPattern(keyword, braces[1] ?? '');
      if (!pattern) throw new PluginError(`${keyword} is no run of bytes: expected pairs of hex digits, ?? for any byte.`, 'grep "{de ad ?? ef}"');
      patterns.push(pattern);
      continue;
    }
    const bytes = unescape(keyword);
    if (bytes.length === 0) throw new PluginError('A keyword is empty: there is nothing to look for.', 'grep password');
    patterns.push(bytesPattern(keyword, bytes, options.ignoreCase));
    // Escaped bytes are bytes, and have no second encoding.
    if (options.utf16 && !/\\/.test(keyword)) patterns.push(textPattern(keyword, { ...options, utf16: true }));
  }
  const long = patterns.find(({ bytes }) => bytes.length > LONGEST);
  if (long) throw new PluginError(`A keyword has ${long.bytes.length} bytes; ${LONGEST} are the most.`);
  return patterns;
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '0': 0, '\\': 92 };

/** The bytes of a text with escapes, UTF-8. A backslash before anything else stands for itself. */
export function unescape(text: string): Buffer {
  const parts: Buffer[] = [];
  let rest = text;
  for (let found = /\\(?:x([0-9a-f]{2})|([nrt0\\]))/i.exec(rest); found; found = /\\(?:x([0-9a-f]{2})|([nrt0\\]))/i.exec(rest)) {
    parts.push(Buffer.from(rest.slice(0, found.index), 'utf8'));
    parts.push(Buffer.from([found[1] === undefined ? (ESCAPES[(found[2] ?? '').toLowerCase()] ?? 0) : parseInt(found[1], 16)]));
    rest = rest.slice(found.index + found[0].length);
  }
  parts.push(Buffer.from(rest, 'utf8'));
  return Buffer.concat(parts);
}
