import { Absent } from '../../memory/absent.js';
import { listOf, types } from '../types.js';
import { joined } from '../values/arithmetic.js';
import { ValueError } from '../values/error.js';
import { like } from '../values/like.js';
import { asList, isList } from '../values/list.js';
import { textOf } from '../values/text.js';
import { count, described, text } from './arguments.js';
import { optional, param, rest, scalar } from './define.js';
import { format } from './format.js';
import type { ScalarFunction } from './function.js';

/** Characters that a text made by repeating or padding may have. */
const MOST = 1 << 20;
/** Levenshtein's distance takes time by the product of the lengths. */
const MOST_DISTANCE = 4096;

/** Python's slice: negative places count from the end, what lies outside is cut off. Characters are code points. */
function slice(value: string, start: number, end: number | undefined): string {
  // Almost all text is without surrogates, and then characters are units.
  return /[\ud800-\udfff]/.test(value) ? Array.from(value).slice(start, end).join('') : value.slice(start, end);
}

function characters(value: string): number {
  return /[\ud800-\udfff]/.test(value) ? Array.from(value).length : value.length;
}

function concat(values: readonly unknown[]): unknown {
  let whole = '';
  for (const value of values) {
    const told = textOf(value);
    if (told instanceof Absent) return told;
    whole = joined(whole, told ?? '');
  }
  return whole;
}

function join(separator: string, values: readonly unknown[]): string {
  return values
    .map(textOf)
    .filter((value): value is string => typeof value === 'string')
    .reduce((all, value, index) => joined(all, index === 0 ? value : separator + value), '');
}

function trim(value: string, characters: string | undefined, left: boolean, right: boolean): string {
  const set = new Set(Array.from(characters ?? ' \t\n\r\v\f'));
  const all = Array.from(value);
  let start = 0;
  let end = all.length;
  while (left && start < end && set.has(all[start] ?? '')) start++;
  while (right && end > start && set.has(all[end - 1] ?? '')) end--;
  return all.slice(start, end).join('');
}

/** @param left the padding stands before the text */
function padded(value: string, width: number, filler: string, left: boolean): string {
  if (width > MOST) throw new ValueError(`a text of more than ${MOST} characters`);
  if (filler === '') throw new ValueError('padding with nothing');
  return left ? value.padStart(width, filler) : value.padEnd(width, filler);
}

/** The classic distance, in one row of its table. */
function levenshtein(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0] as number;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] as number;
      row[j] = Math.min(above + 1, (row[j - 1] as number) + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1));
      diagonal = above;
    }
  }
  return row[b.length] as number;
}

function part(path: string, pattern: RegExp): string {
  return pattern.exec(path)?.[1] ?? '';
}

function directory(path: string): string {
  const cut = /^(.*?)[\\/]+[^\\/]*$/s.exec(path);
  if (!cut) return '';
  return cut[1] === '' ? path.slice(0, 1) : (cut[1] ?? '');
}

const lowered = [param('text', 'string')];

export const textFunctions: readonly ScalarFunction[] = [
  scalar({
    name: 'concat',
    topic: 'text',
    doc: 'Values as text, one after the other; null is nothing.',
    parameters: [rest('values')],
    result: types.string,
    nulls: 'handled',
    call: concat,
    examples: [{ query: 'concat("pid ", 4, "!")', value: 'pid 4!' }],
  }),
  scalar({
    name: 'join',
    topic: 'text',
    doc: 'The elements of a list as text, with a separator between them; nulls are left out.',
    parameters: [param('separator', 'string'), param('list', ['list', 'any'])],
    result: types.string,
    call: ([separator, list]) => join(text(separator), asList(list)),
    examples: [{ query: 'join(", ", ("a", "b"))', value: 'a, b' }],
  }),
  scalar({
    name: 'substr',
    aliases: ['substring'],
    topic: 'text',
    doc: 'Characters of a text from start (counted from 0) up to but not including end, as a slice in Python: negative places count from the end.',
    parameters: [param('text', 'string'), param('start', 'int'), optional('end', 'int')],
    result: types.string,
    maps: 0,
    call: ([value, start, end]) => slice(text(value), count(start), end === undefined ? undefined : count(end)),
    examples: [
      { query: 'substr("kworker/0:1", 0, 7)', value: 'kworker' },
      { query: 'substr("libc.so", -3)', value: '.so' },
    ],
  }),
  scalar({
    name: 'lower',
    topic: 'text',
    doc: 'Text in lower case.',
    parameters: lowered,
    result: types.string,
    maps: 0,
    call: ([value]) => text(value).toLowerCase(),
    examples: [{ query: 'lower("SSHD")', value: 'sshd' }],
  }),
  scalar({
    name: 'upper',
    topic: 'text',
    doc: 'Text in upper case.',
    parameters: lowered,
    result: types.string,
    maps: 0,
    call: ([value]) => text(value).toUpperCase(),
    examples: [{ query: 'upper("sshd")', value: 'SSHD' }],
  }),
  ...(['trim', 'ltrim', 'rtrim'] as const).map((name) =>
    scalar({
      name,
      topic: 'text',
      doc: `Text without spaces (or without any of the given characters) at its ${name === 'trim' ? 'ends' : name === 'ltrim' ? 'beginning' : 'end'}.`,
      parameters: [param('text', 'string'), optional('characters', 'string')],
      result: types.string,
      maps: 0,
      call: ([value, set]) =>
        trim(text(value), set === undefined ? undefined : text(set), name !== 'rtrim', name !== 'ltrim'),
      examples: [{ query: `${name}("  x ")`, value: name === 'trim' ? 'x' : name === 'ltrim' ? 'x ' : '  x' }],
    }),
  ),
  scalar({
    name: 'length',
    aliases: ['len'],
    topic: 'text',
    doc: 'Characters of a text, bytes of bytes, elements of a list.',
    parameters: [param('value', ['string', 'bytes', 'list'])],
    result: types.int,
    call: ([value]) => {
      if (typeof value === 'string') return characters(value);
      if (value instanceof Uint8Array) return value.length;
      if (isList(value)) return value.length;
      throw new ValueError(`${described(value)} has no length`);
    },
    examples: [
      { query: 'length("größe")', value: 5 },
      { query: 'length((1, 2, 3))', value: 3 },
    ],
  }),
  scalar({
    name: 'replace',
    topic: 'text',
    doc: 'Text in which every occurrence of a part is replaced; sub() does so with a pattern.',
    parameters: [param('text', 'string'), param('part', 'string'), param('by', 'string')],
    result: types.string,
    maps: 0,
    call: ([value, from, to]) => {
      const [whole, old, replacement] = [text(value), text(from), text(to)];
      if (old === '') return whole;
      const parts = whole.split(old);
      if (whole.length + parts.length * replacement.length > 1 << 26)
        throw new ValueError('a text of more than 64 million characters');
      return parts.join(replacement);
    },
    examples: [{ query: 'replace("a/b/c", "/", "\\\\")', value: 'a\\b\\c' }],
  }),
  scalar({
    name: 'split',
    topic: 'text',
    doc: 'The parts of a text between separators; without a separator, its words.',
    parameters: [param('text', 'string'), optional('separator', 'string')],
    result: listOf(types.string),
    call: ([value, separator]) =>
      separator === undefined
        ? text(value)
            .split(/\s+/)
            .filter((word) => word !== '')
        : text(value).split(text(separator)),
    examples: [{ query: 'split("/usr/bin", "/")', value: ['', 'usr', 'bin'] }],
  }),
  scalar({
    name: 'starts_with',
    topic: 'text',
    doc: 'Whether a text begins with another, exactly.',
    parameters: [param('text', 'string'), param('beginning', 'string')],
    result: types.bool,
    call: ([value, start]) => text(value).startsWith(text(start)),
    examples: [{ query: 'starts_with("/usr/bin/sh", "/usr")', value: true }],
  }),
  scalar({
    name: 'ends_with',
    topic: 'text',
    doc: 'Whether a text ends with another, exactly.',
    parameters: [param('text', 'string'), param('end', 'string')],
    result: types.bool,
    call: ([value, end]) => text(value).endsWith(text(end)),
    examples: [{ query: 'ends_with("/tmp/x (deleted)", "(deleted)")', value: true }],
  }),
  scalar({
    name: 'find',
    topic: 'text',
    doc: 'Where a text first holds another, counted from 0; -1 where it does not.',
    parameters: [param('text', 'string'), param('part', 'string')],
    result: types.int,
    call: ([value, needle]) => {
      const whole = text(value);
      const at = whole.indexOf(text(needle));
      return at < 0 ? -1 : characters(whole.slice(0, at));
    },
    examples: [{ query: 'find("kernel", "nel")', value: 3 }],
  }),
  scalar({
    name: 'repeat',
    topic: 'text',
    doc: 'A text so many times.',
    parameters: [param('text', 'string'), param('times', 'int')],
    result: types.string,
    call: ([value, times]) => {
      const [one, many] = [text(value), Math.max(0, count(times))];
      if (one.length * many > MOST) throw new ValueError(`a text of more than ${MOST} characters`);
      return one.repeat(one === '' ? 0 : many);
    },
    examples: [{ query: 'repeat("ab", 3)', value: 'ababab' }],
  }),
  ...(['lpad', 'rpad'] as const).map((name) =>
    scalar({
      name,
      topic: 'text',
      doc: `Text made so many characters long, with spaces or another filler ${name === 'lpad' ? 'before' : 'behind'} it.`,
      parameters: [param('text'), param('width', 'int'), optional('filler', 'string')],
      result: types.string,
      maps: 0,
      call: ([value, width, filler]) =>
        padded(text(value), count(width), filler === undefined ? ' ' : text(filler), name === 'lpad'),
      examples: [{ query: `${name}(7, 3, "0")`, value: name === 'lpad' ? '007' : '700' }],
    }),
  ),
  scalar({
    name: 'format',
    aliases: ['printf'],
    topic: 'text',
    doc: 'Values in a text, as printf does: %s any value, %d a whole number, %x and %#x hex, %o octal, %f %e %g with decimals, %% a per cent sign; with width, 0, -, +, .precision.',
    parameters: [param('format', 'string'), { ...rest('values'), optional: true }],
    result: types.string,
    nulls: 'handled',
    call: ([pattern, ...values]) =>
      pattern === null || pattern instanceof Absent ? pattern : format(text(pattern), values),
    examples: [
      { query: 'format("%s[%d] at %#010x", "init", 1, 4096)', value: 'init[1] at 0x00001000' },
      { query: 'format("%.2f%%", 12.345)', value: '12.35%' },
    ],
  }),
  scalar({
    name: 'levenshtein',
    topic: 'text',
    doc: 'Edits between two texts: letters inserted, removed, replaced.',
    parameters: [param('a', 'string'), param('b', 'string')],
    result: types.int,
    call: ([a, b]) => {
      const [left, right] = [text(a), text(b)];
      if (left.length > MOST_DISTANCE || right.length > MOST_DISTANCE)
        throw new ValueError(`levenshtein takes texts of up to ${MOST_DISTANCE} characters`);
      return levenshtein(left, right);
    },
    examples: [{ query: 'levenshtein("svchost", "scvhost.exe")', value: 6 }],
  }),
  scalar({
    name: 'like',
    topic: 'text',
    doc: 'As the operator: % any text, _ any character; with a character before which these two mean themselves.',
    parameters: [param('text', 'string'), param('pattern', 'string'), optional('escape', 'string')],
    result: types.bool,
    call: ([value, pattern, escape]) =>
      like(text(value), text(pattern), escape === undefined ? undefined : text(escape)),
    examples: [{ query: 'like("100%", "100!%", "!")', value: true }],
  }),
  scalar({
    name: 'basename',
    topic: 'text',
    doc: 'The last part of a path, of Unix or Windows.',
    parameters: [param('path', 'string')],
    result: types.string,
    maps: 0,
    call: ([value]) => part(text(value), /([^\\/]*)[\\/]*$/),
    examples: [
      { query: 'basename("/usr/bin/sh")', value: 'sh' },
      { query: 'basename("C:\\\\Windows\\\\notepad.exe")', value: 'notepad.exe' },
    ],
  }),
  scalar({
    name: 'dirname',
    topic: 'text',
    doc: 'A path without its last part.',
    parameters: [param('path', 'string')],
    result: types.string,
    maps: 0,
    call: ([value]) => directory(text(value)),
    examples: [{ query: 'dirname("/usr/bin/sh")', value: '/usr/bin' }],
  }),
  scalar({
    name: 'extension',
    topic: 'text',
    doc: "What stands behind the last dot of a path's last part, in lower case.",
    parameters: [param('path', 'string')],
    result: types.string,
    maps: 0,
    call: ([value]) => part(text(value), /[^\\/]\.([^\\/.]*)$/).toLowerCase(),
    examples: [{ query: 'extension("/tmp/DROP.SO")', value: 'so' }],
  }),
];
