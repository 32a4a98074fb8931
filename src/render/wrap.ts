import { cellWidth } from './width.js';

/**
 * Words: what stands between blanks (others, as that which is not to be broken at, are kept). What stands between quotes is as one, and a word with the address or the arguments (`all=yes`) behind it: a command that a
 * sentence names is copied whole.
 */
const WORDS = /( *)((?:[^ `"]*(?:`[^`]*`|"[^"]*"))+[^ `"]*|\w+:?(?: (?:\w+=|0x)[^ `"]+)+|[^ ]+)/g;
/** A word too long for a line goes on behind these, and before what begins a step of a path (an escape begins so, too). */
const BEHIND = new Set(['-', '_', ',', ';', ':', '=', '?', '&', '|', ')']);
const BEFORE = new Set(['/', '\\']);

/**
 * An escaped text in lines of at most so many cells, broken between words; inside of a word only where it is longer than a line.
 * What stands between quotes is broken as words are where it does not fit. Texts that are not ASCII must have been prepared for
 * ({@link cellWidth}).
 * @param first cells of the first line, where it has more
 */
export function wrap(text: string, room: number, first = room): string[] {
  if (cellWidth(text) <= first) return [text];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  const cells = (): number => Math.max(1, lines.length === 0 ? first : room);
  const add = (before: string, word: string): void => {
    const width = cellWidth(word);
    const blanks = line === '' ? '' : before;
    if (used + blanks.length + width <= cells()) {
      line += blanks + word;
      used += blanks.length + width;
      return;
    }
    if (width > room && word.includes(' ')) {
      for (const part of word.split(/ +/)) add(' ', part);
      return;
    }
    if (line !== '') lines.push(line);
    const parts = width <= cells() ? [word] : broken(word, Math.max(1, room));
    line = parts.pop() ?? '';
    used = cellWidth(line);
    lines.push(...parts);
  };
  for (const [, before = '', word = ''] of text.matchAll(WORDS)) add(before, word);
  lines.push(line);
  return lines;
}

/** A word in parts that fit a line each. */
function broken(word: string, cells: number): string[] {
  const parts: string[] = [];
  let part = '';
  let used = 0;
  /** characters of the part after which it may be broken */
  let pause = 0;
  for (const character of word) {
    const own = cellWidth(character);
    if (used + own > cells && part !== '') {
      // A pause near the beginning would leave most of the line empty.
      const at = pause * 3 > part.length ? pause : part.length;
      parts.push(part.slice(0, at));
      part = part.slice(at);
      used = cellWidth(part);
      pause = 0;
    }
    if (BEFORE.has(character)) pause = part.length;
    part += character;
    used += own;
    if (BEHIND.has(character)) pause = part.length;
  }
  return [...parts, part];
}

/**
 * Sentences, each of their lines wrapped to a terminal with what goes on indented below its beginning; elsewhere as they are. Lines
 * that begin with one of `whole` are for copying, and stay in one piece.
 * @param width cells; undefined: no terminal
 */
export function wrapLines(text: string, width: number | undefined, whole: readonly string[] = []): string {
  if (width === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => {
      if (cellWidth(line) <= width || whole.some((start) => line.startsWith(start))) return [line];
      const indent = /^ */.exec(line)?.[0] ?? '';
      const hanging = `${indent}  `;
      const [first = '', ...others] = wrap(line.slice(indent.length), Math.max(width >> 1, width - hanging.length), width - indent.length);
      return [indent + first, ...others.map((other) => hanging + other)];
    })
    .join('\n');
}
