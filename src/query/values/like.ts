import { ValueError } from './error.js';

/** A pattern of `like`, read: `null` stands for any text, `undefined` for any one character. */
type Part = string | null | undefined;

/**
 * Whether a text is like a pattern, as SQLite has it: the whole text; `%` is any text, `_` any one character; letters of ASCII in either
 * case are the same.
 * @param escape a character before which `%`, `_` and itself mean themselves; without one nothing does (so that `\` in a path is a letter)
 */
export function like(text: string, pattern: string, escape?: string): boolean {
  return compileLike(pattern, escape)(text);
}

const cache = new Map<string, (text: string) => boolean>();
const CACHED = 256;

export function compileLike(pattern: string, escape?: string): (text: string) => boolean {
  const key = `${escape ?? ''}\0${pattern}`;
  let matcher = cache.get(key);
  if (!matcher) {
    const parts = read(pattern, escape);
    matcher = (text) => matches(Array.from(lower(text)), parts);
    if (cache.size >= CACHED) cache.clear();
    cache.set(key, matcher);
  }
  return matcher;
}

function read(pattern: string, escape: string | undefined): Part[] {
  if (escape !== undefined && Array.from(escape).length !== 1)
    throw new ValueError('the escape of like is one character');
  const parts: Part[] = [];
  let escaped = false;
  for (const character of lower(pattern)) {
    if (escaped) parts.push(character);
    else if (escape !== undefined && character === lower(escape)) {
      escaped = true;
      continue;
    } else if (character === '%') {
      if (parts.at(-1) !== null) parts.push(null);
    } else parts.push(character === '_' ? undefined : character);
    escaped = false;
  }
  // SQLite: nothing matches a pattern that ends in its escape. A part of two characters equals no one character.
  if (escaped) parts.push('\0\0');
  return parts;
}

function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Only the last `%` needs to be taken back, so the time is at most that of text times pattern. */
function matches(text: readonly string[], parts: readonly Part[]): boolean {
  let at = 0;
  let part = 0;
  let star = -1;
  let from = 0;
  while (at < text.length) {
    if (part < parts.length && parts[part] !== null && (parts[part] === undefined || parts[part] === text[at])) {
      at++;
      part++;
    } else if (part < parts.length && parts[part] === null) {
      star = part++;
      from = at;
    } else if (star >= 0) {
      part = star + 1;
      at = ++from;
    } else return false;
  }
  while (part < parts.length && parts[part] === null) part++;
  return part === parts.length;
}
