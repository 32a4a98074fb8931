import { type Paint, paintFor } from '../render/paint.js';
import { wrap as wrapWords } from '../render/wrap.js';

/** Cells that help is written for, when the terminal does not say. */
export const WIDTH = 100;

/** How help is written. */
export interface HelpStyle {
  readonly width?: number | undefined;
  readonly paint?: Paint;
}

export const PLAIN = paintFor(false);

/** Words in lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  return wrapWords(text.replace(/\s+/g, ' '), width);
}

/** `name — what it is`, on several lines where it is long. */
export function title(name: string, sentence: string, width: number, emphasise: (text: string) => string): string[] {
  const [first = '', ...others] = wrap(`${name} — ${sentence}`, width);
  return [emphasise(name) + first.slice(name.length), ...others.map((line) => `  ${line}`)];
}

/** The widest text of each column. */
export function widths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
}

/**
 * Rows whose last column is wrapped, indented by two.
 * @param least least widths of the columns
 * @param first what is made of the first column's texts, once they are aligned
 */
export function table(rows: readonly (readonly string[])[], width: number, least: readonly number[] = [], first: (text: string) => string = (text) => text): string[] {
  const sizes = widths(rows).map((size, column) => Math.min(Math.max(size, least[column] ?? 0), 44));
  return rows.flatMap((row) => {
    const leading = row.slice(0, -1).map((cell, column) => cell.padEnd(sizes[column] ?? 0));
    const lead = `  ${leading.join('  ')}  `;
    const painted = `  ${[first(leading[0] ?? ''), ...leading.slice(1)].join('  ')}  `;
    const lines = wrap(row.at(-1) ?? '', Math.max(24, width - lead.length));
    return lines.map((line, index) => ((index === 0 ? painted : ' '.repeat(lead.length)) + line).trimEnd());
  });
}
