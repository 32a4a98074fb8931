import type { Column, Columns, Row } from '../plugin/columns.js';
import { cellText, type TextStyle } from './cell.js';
import type { Renderer, RenderOptions, Write } from './renderer.js';
import { cut, pad, textWidth } from './width.js';

/** Least widths by type, so that rows that come later fit too. */
const LEAST: Readonly<Record<string, number>> = { address: 14, physical: 10, time: 20, struct: 14, bool: 5, int: 5 };
const RIGHT = new Set(['int', 'size', 'float', 'duration']);
const GAP = '  ';
/** A string column is not sized wider than this by the first batch, unless it is the last. */
const WIDEST = 60;

interface Shown {
  readonly name: string;
  readonly column: Column;
  width: number;
}

/**
 * An aligned table. Columns are as wide as their headings, what their type needs, and what the first batch of rows
 * holds; a wider cell later shifts its own line only. On a terminal, lines are cut at its width.
 */
export class TextRenderer implements Renderer {
  private columns: Shown[] = [];
  private divider: Shown | undefined;
  private lastDivider: string | undefined;
  private headed = false;
  private readonly style: TextStyle;

  constructor(
    private readonly write: Write,
    private readonly options: RenderOptions = {},
  ) {
    this.style = { timezone: options.timezone ?? 'UTC' };
  }

  begin(columns: Columns): void {
    const all = Object.entries(columns).map(([name, column]) => ({ name, column, width: 0 }));
    this.divider = all.find((shown) => shown.column.divider === true);
    this.columns = all.filter(({ column }) => column.divider !== true && (column.hidden !== true || this.options.full === true));
    for (const shown of this.columns) {
      shown.width = Math.max(textWidth(this.title(shown)), LEAST[shown.column.type] ?? 0, shown.column.width ?? 0);
    }
  }

  rows(batch: readonly Row[]): void {
    const lines = batch.map((row) => this.columns.map((shown) => this.text(row, shown)));
    if (!this.headed) {
      this.fit(lines);
      this.head();
    }
    const out: string[] = [];
    for (const [index, cells] of lines.entries()) {
      const row = batch[index] as Row;
      const divider = this.divider ? cellText(row[this.divider.name], this.divider.column, this.style) : undefined;
      if (divider !== this.lastDivider && divider !== undefined) {
        out.push(this.clip(`${this.lastDivider === undefined ? '' : '\n'}${'*'.repeat(5)} ${divider} ${'*'.repeat(5)}`));
        this.lastDivider = divider;
      }
      out.push(this.line(cells));
    }
    this.write(`${out.join('\n')}\n`);
  }

  end(): void {
    if (!this.headed) this.head();
  }

  private title({ name, column }: Shown): string {
    return column.title ?? name;
  }

  private text(row: Row, { name, column }: Shown): string {
    const text = cellText(row[name], column, this.style);
    return column.tree === true ? `${'. '.repeat(Math.min(64, row.$depth ?? 0))}${text}` : text;
  }

  private fit(lines: readonly string[][]): void {
    for (const [index, shown] of this.columns.entries()) {
      const last = index === this.columns.length - 1;
      if (last) continue;
      for (const cells of lines) {
        const width = textWidth(cells[index] ?? '');
        if (width > shown.width) shown.width = Math.min(width, Math.max(WIDEST, shown.width));
      }
    }
  }

  private head(): void {
    this.headed = true;
    if (this.columns.length === 0) return;
    const titles = this.line(this.columns.map((shown) => this.title(shown)));
    const rule = this.line(this.columns.map((shown) => '-'.repeat(shown.width)));
    this.write(`${titles}\n${rule}\n`);
  }

  private line(cells: readonly string[]): string {
    const parts = cells.map((cell, index) => {
      const { column, width } = this.columns[index] as Shown;
      if (index === cells.length - 1 && !RIGHT.has(column.type)) return cell;
      return pad(cell, width, RIGHT.has(column.type));
    });
    return this.clip(parts.join(GAP).trimEnd());
  }

  private clip(line: string): string {
    const { terminalWidth } = this.options;
    return terminalWidth === undefined ? line : cut(line, terminalWidth);
  }
}

/** Every column of a row on a line of its own: for rows wider than any terminal. */
export class WideRenderer implements Renderer {
  private columns: [string, Column][] = [];
  private width = 0;
  private readonly style: TextStyle;

  constructor(
    private readonly write: Write,
    options: RenderOptions = {},
  ) {
    this.style = { timezone: options.timezone ?? 'UTC' };
  }

  begin(columns: Columns): void {
    this.columns = Object.entries(columns);
    this.width = Math.max(0, ...this.columns.map(([name]) => name.length));
  }

  rows(batch: readonly Row[]): void {
    const out = batch.map((row) => {
      const lines = this.columns.map(([name, column]) => `${name.padEnd(this.width)}  ${cellText(row[name], column, this.style)}`);
      return `${lines.join('\n')}\n\n`;
    });
    this.write(out.join(''));
  }

  end(): void {
    // Nothing is left to say: each row was whole.
  }
}
