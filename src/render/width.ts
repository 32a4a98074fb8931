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

/** A text cut to a number of cells, the last of which is then `…`. */
export function cut(text: string, cells: number): string {
  if (cellWidth(text) <= cells) return text;
  if (isPlain(text)) return `${text.slice(0, Math.max(0, cells - 1))}…`;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const width = cellWidth(character);
    if (used + width > cells - 1) break;
    kept += character;
    used += width;
  }
  return `${kept}…`;
}

/** A text filled up with spaces to a number of cells. */
export function pad(text: string, cells: number, right = false): string {
  const missing = cells - cellWidth(text);
  if (missing <= 0) return text;
  return right ? ' '.repeat(missing) + text : text + ' '.repeat(missing);
}
