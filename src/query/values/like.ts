import { ValueError } from './error.js';

/** A pattern of `like`, read: code points in lower case, or what stands for any text and for any one character. */
type Part = number;
const ANY_TEXT = -1;
const ANY_ONE = -2;
/** Equals nothing. */
const NOTHING = -3;

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
    matcher = simple(pattern, escape) ?? general(read(pattern, escape));
    if (cache.size >= CACHED) cache.clear();
    cache.set(key, matcher);
  }
  return matcher;
}

/** A pattern of printable ASCII with `%` at its ends at most, which is what most are: a regular expression that V8 is quick at. */
function simple(pattern: string, escape: string | undefined): ((text: string) => boolean) | undefined {
  const [, before, literal = '', behind] = /^(%?)([\x20-\x24\x26-\x5e\x60-\x7e]*)(%?)$/.exec(pattern) ?? [];
  if (before === undefined || (escape !== undefined && pattern.includes(escape))) return undefined;
  // Without the flag u, no character beyond ASCII is the other case of one of ASCII.
  const expression = new RegExp(
    `${before === '' ? '^' : ''}${literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}${behind === '' ? '$' : ''}`,
    'i',
  );
  return (text) => expression.test(text);
}

function general(parts: readonly Part[]): (text: string) => boolean {
  // Code points are units where there are no surrogates, which is almost always.
  return (text) =>
    SURROGATES.test(text)
      ? matchesPoints(
          Array.from(text, (one) => one.codePointAt(0) ?? 0),
          parts,
        )
      : matchesUnits(text, parts);
}

const SURROGATES = /[\ud800-\udfff]/;

function read(pattern: string, escape: string | undefined): Part[] {
  if (escape !== undefined && Array.from(escape).length !== 1)
    throw new ValueError('the escape of like is one character');
  const parts: Part[] = [];
  let escaped = false;
  for (const character of pattern) {
    const point = lower(character.codePointAt(0) ?? 0);
    if (escaped) parts.push(point);
    else if (character === escape) {
      escaped = true;
      continue;
    } else if (character === '%') {
      if (parts.at(-1) !== ANY_TEXT) parts.push(ANY_TEXT);
    } else parts.push(character === '_' ? ANY_ONE : point);
    escaped = false;
  }
  // SQLite: nothing matches a pattern that ends in its escape.
  if (escaped) parts.push(NOTHING);
  return parts;
}

/** Letters of ASCII in lower case. */
function lower(point: number): number {
  return point >= 0x41 && point <= 0x5a ? point + 0x20 : point;
}

function matchesUnits(text: string, parts: readonly Part[]): boolean {
  return matches(text.length, (index) => lower(text.charCodeAt(index)), parts);
}

function matchesPoints(points: readonly number[], parts: readonly Part[]): boolean {
  return matches(points.length, (index) => lower(points[index] ?? 0), parts);
}

/** Only the last `%` needs to be taken back, so the time is at most that of text times pattern. */
function matches(length: number, pointAt: (index: number) => number, parts: readonly Part[]): boolean {
  let at = 0;
  let part = 0;
  let star = -1;
  let from = 0;
  while (at < length) {
    const wanted = parts[part];
    if (wanted === ANY_TEXT) {
      star = part++;
      from = at;
    } else if (wanted !== undefined && (wanted === ANY_ONE || wanted === pointAt(at))) {
      at++;
      part++;
    } else if (star >= 0) {
      part = star + 1;
      at = ++from;
    } else return false;
  }
  while (parts[part] === ANY_TEXT) part++;
  return part === parts.length;
}
