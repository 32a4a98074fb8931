import { isPlain } from './escape.js';

type Measure = (text: string) => number;
let measure: Measure | undefined;

/** True where the text is not ASCII and what it is measured with is not loaded: {@link loadWidths} comes first. */
export function needsWidths(text: string): boolean {
  return !measure && !isPlain(text);
}

/** Loads what text beyond ASCII is measured with. */
export async function loadWidths(): Promise<void> {
  measure ??= (await import('string-width')).default;
}

/** Cells that an escaped text takes on a terminal. Texts that are not ASCII must have been prepared for. */
export function cellWidth(text: string): number {
  // Nothing but ASCII has been seen so far where the library was not loaded.
  return !measure || isPlain(text) ? text.length : measure(text);
}

/** A text cut to a number of cells, with `…` where something is missing: in the middle of a path, whose end says most, at the end of others. */
export function cut(text: string, cells: number): string {
  if (cellWidth(text) <= cells) return text;
  // A blank tells a sentence from a path.
  const behind = cells >= PATH_LEAST && /[\\/]/.test(text) && !/[ ,]/.test(text) ? Math.floor((cells - 1) * 0.6) : 0;
  return `${beginning(text, cells - 1 - behind)}…${behind > 0 ? ending(text, behind) : ''}`;
}

/** Paths are cut in the middle from so many cells. */
const PATH_LEAST = 12;

function beginning(text: string, cells: number): string {
  if (isPlain(text)) return text.slice(0, Math.max(0, cells));
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += cellWidth(character);
    if (used > cells) break;
    kept += character;
  }
  return kept;
}

function ending(text: string, cells: number): string {
  if (isPlain(text)) return text.slice(-cells);
  let kept = '';
  let used = 0;
  for (const character of [...text].reverse()) {
    const width = cellWidth(character);
    used += width;
    if (used > cells) break;
    kept = character + kept;
  }
  // A mark that combines has lost what it combines with.
  return kept.replace(/^\p{M}+/u, '');
}

/** A text filled up with spaces to a number of cells. */
export function pad(text: string, cells: number, right = false): string {
  const missing = cells - cellWidth(text);
  if (missing <= 0) return text;
  return right ? ' '.repeat(missing) + text : text + ' '.repeat(missing);
}
