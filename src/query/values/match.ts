import type { Absent } from '../../memory/absent.js';
import { asList, isList } from './list.js';
import { type Pattern, patternOf } from './pattern.js';
import { textOf } from './text.js';
import type { Truth } from './truth.js';

/**
 * `a =~ b`: the pattern b is found somewhere in the text a, in whatever case; in a list, in one of its elements. Numbers are searched as
 * decimal text. Null, Absent and what has no text: not known.
 * @param pattern compiled, where b is known beforehand
 */
export function isMatch(a: unknown, b: unknown, pattern?: Pattern): Truth | Absent {
  const compiled = pattern ?? (typeof b === 'string' ? patternOf(b) : undefined);
  if (!compiled) return null;
  if (typeof a === 'string') return compiled.test(a);
  if (!isList(a)) {
    const text = textOf(a);
    return typeof text === 'string' ? compiled.test(text) : null;
  }
  let unknown = false;
  for (const element of asList(a)) {
    const one = isMatch(element, b, compiled);
    if (one === true) return true;
    if (one !== false) unknown = true;
  }
  return unknown ? null : false;
}
