import { similar } from '../../plugin/similar.js';
import type { ModuleNames } from './module-names.js';

/** Names that hold what was typed, among which the nearest are chosen. */
const LOOKED_AT = 1000;

/** Modules that an expression names: what stands in front of each `!`, read backwards from it. */
export function* modulesIn(expression: string): Generator<string> {
  for (let bang = expression.indexOf('!'); bang >= 0; bang = expression.indexOf('!', bang + 1)) {
    let start = bang;
    while (start > 0 && /[\w.$@\\-]/.test(expression[start - 1] as string)) start--;
    if (start < bang) yield expression.slice(start, bang);
  }
}

/** Names that contain what was typed, or differ by a letter or two. */
export function nearNames(names: ModuleNames, symbol: string): string[] {
  const wanted = symbol.toLowerCase();
  const near = new Set<string>();
  if (wanted.length >= 3) {
    // What goes on where the name stops, and what has it in the middle, which in a kernel may be hundreds: the shortest are nearest.
    for (const { name } of names.index().matching(wildcard(`*${wanted}*`))) {
      near.add(name);
      if (near.size === LOOKED_AT) break;
    }
    const sorted = [...near].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, 5);
    if (sorted.length === 5) return sorted;
    near.clear();
    for (const name of sorted) near.add(name);
  }
  // Edits are counted for names of one beginning only: among all of a kernel's it would take a second.
  const start = wanted.slice(0, Math.max(1, Math.min(3, wanted.length - 2)));
  const alike = [...names.index().beginning(start)].filter(({ name }) => Math.abs(name.length - wanted.length) <= 2).map(({ name }) => name);
  return [...new Set([...near, ...similar(symbol, alike)])].slice(0, 5);
}

/** The first of many texts in order, without sorting all of them. */
export function smallest(texts: ReadonlySet<string>, limit: number): string[] {
  if (texts.size <= 4 * limit) return [...texts].sort().slice(0, limit);
  let kept: string[] = [];
  let bound: string | undefined;
  for (const text of texts) {
    if (bound !== undefined && text >= bound) continue;
    kept.push(text);
    if (kept.length < 4 * limit) continue;
    kept = kept.sort().slice(0, limit);
    bound = kept.at(-1);
  }
  return kept.sort().slice(0, limit);
}

export function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'is');
}
