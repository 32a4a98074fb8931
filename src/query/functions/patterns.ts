import { listOf, rowType, type Type, types } from '../types.js';
import { joined } from '../values/arithmetic.js';
import { ValueError } from '../values/error.js';
import { asList, isList } from '../values/list.js';
import { isMatch } from '../values/match.js';
import { entriesOf } from '../values/order.js';
import { type Match, patternOf } from '../values/pattern.js';
import { count, text } from './arguments.js';
import { optional, param, scalar } from './define.js';
import type { ScalarFunction } from './function.js';

/** `\1`, `\g<1>`, `\g<name>` in a replacement, as Python has them; any other backslash is one. */
function expand(replacement: string, match: Match): string {
  return replacement.replace(
    /\\(?:(\d{1,2})|g<(\w+)>)/g,
    (_whole, digits: string | undefined, name: string | undefined) => {
      const group = digits ?? name ?? '0';
      if (/^\d+$/.test(group)) {
        if (Number(group) >= match.groups.length) throw new ValueError(`the pattern has no group ${group}`);
        return match.groups[Number(group)] ?? '';
      }
      if (!Object.hasOwn(match.named, group)) throw new ValueError(`the pattern has no group ${group.slice(0, 40)}`);
      return match.named[group] ?? '';
    },
  );
}

function substitute(pattern: string, replacement: string, value: string): string {
  let whole = '';
  let from = 0;
  for (const match of patternOf(pattern).matches(value)) {
    whole = joined(whole, value.slice(from, match.start) + expand(replacement, match));
    from = match.end;
  }
  return whole + value.slice(from);
}

/** What matches of a list; of a row, the entries whose value matches; a text itself, or null. */
function filtered(pattern: string, target: unknown): unknown {
  if (isList(target)) return asList(target).filter((element) => isMatch(element, pattern) === true);
  if (typeof target === 'object' && target !== null && !(target instanceof Uint8Array)) {
    return Object.fromEntries(entriesOf(target).filter(([, value]) => isMatch(value, pattern) === true));
  }
  return isMatch(target, pattern) === true ? target : null;
}

function filteredType([, target]: readonly Type[]): Type {
  if (target?.kind === 'tuple') return listOf(types.any);
  return target?.kind === 'row' ? rowType() : (target ?? types.any);
}

/** Functions of regular expressions. They ignore case, search anywhere, and take bounded time (see values/pattern.ts). */
export const patternFunctions: readonly ScalarFunction[] = [
  scalar({
    name: 'regex_search',
    topic: 'text',
    doc: 'Whether a pattern is found in a text (in any element of a list), in whatever case: text =~ pattern.',
    parameters: [param('pattern', 'string'), param('text', ['list', 'any'])],
    result: types.bool,
    call: ([pattern, value]) => isMatch(value, text(pattern)),
    examples: [{ query: 'regex_search("^SS", "sshd")', value: true }],
  }),
  scalar({
    name: 'regex_extract',
    topic: 'text',
    doc: 'What a pattern finds in a text: its first group, or all of it where it has none; null where it finds nothing.',
    parameters: [param('pattern', 'string'), param('text', 'string'), optional('group', ['int', 'string'])],
    result: types.string,
    maps: 1,
    call: ([pattern, value, group]) => {
      const match = patternOf(text(pattern)).exec(text(value));
      if (!match) return null;
      if (typeof group === 'string') {
        if (!Object.hasOwn(match.named, group)) throw new ValueError(`the pattern has no group ${group.slice(0, 40)}`);
        return match.named[group] ?? null;
      }
      const index = group === undefined ? Math.min(1, match.groups.length - 1) : count(group);
      if (index < 0 || index >= match.groups.length) throw new ValueError(`the pattern has no group ${index}`);
      return match.groups[index] ?? null;
    },
    examples: [{ query: 'regex_extract("port=(\\d+)", "-o port=22")', value: '22' }],
  }),
  scalar({
    name: 'regex_extract_all',
    topic: 'text',
    doc: 'Everything that a pattern finds in a text: its first group each time, or all of it.',
    parameters: [param('pattern', 'string'), param('text', 'string')],
    result: listOf(types.string),
    call: ([pattern, value]) =>
      Array.from(patternOf(text(pattern)).matches(text(value)), (match) =>
        match.groups.length > 1 ? (match.groups[1] ?? null) : (match.groups[0] ?? null),
      ),
    examples: [{ query: 'regex_extract_all("\\d+", "1 and 22")', value: ['1', '22'] }],
  }),
  scalar({
    name: 'sub',
    aliases: ['regex_replace'],
    topic: 'text',
    doc: 'A text in which every match of a pattern is replaced; \\1 and \\g<name> in the replacement are its groups. Of a list, each element.',
    parameters: [param('pattern', 'string'), param('replacement', 'string'), param('target', 'string')],
    result: types.string,
    maps: 2,
    call: ([pattern, replacement, value]) => substitute(text(pattern), text(replacement), text(value)),
    examples: [
      { query: 'sub("^c:", "/mnt", "C:/x")', value: '/mnt/x' },
      { query: 'sub("(\\w+)@(\\w+)", "\\2", "root@host")', value: 'host' },
    ],
  }),
  scalar({
    name: 're_filter',
    topic: 'text',
    doc: 'The elements of a list that a pattern is found in; of a row, the entries with such a value; a text itself, or null.',
    parameters: [param('pattern', 'string'), param('target', ['list', 'any'])],
    result: filteredType,
    call: ([pattern, target]) => filtered(text(pattern), target),
    examples: [{ query: 're_filter("^ld", ("LD_PRELOAD", "HOME"))', value: ['LD_PRELOAD'] }],
  }),
];
