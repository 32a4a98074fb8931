import { createRequire } from 'node:module';

/** Printable ASCII: one cell each. */
const PLAIN = /^[\x20-\x7e]*$/;

type StringWidth = (text: string) => number;
let measure: StringWidth | undefined;

/** Cells that a text takes on a terminal. The library for wide and combining characters is loaded with the first text that needs it. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  measure ??= (createRequire(import.meta.url)('string-width') as { default: StringWidth }).default;
  return measure(text);
}

/** Text padded with spaces to a width. */
export function pad(text: string, width: number, right: boolean): string {
  const missing = width - textWidth(text);
  if (missing <= 0) return text;
  return right ? ' '.repeat(missing) + text : text + ' '.repeat(missing);
}

/** Text that takes at most `width` cells, with … where something was cut. Lines within are cut one by one. */
export function cut(text: string, width: number): string {
  if (text.includes('\n')) return text.split('\n').map((line) => cut(line, width)).join('\n');
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = textWidth(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return `${kept}…`;
}
