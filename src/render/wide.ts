import type { Column, Row } from '../plugin/columns.js';
import { type Paint, paintFor } from './paint.js';
import { type Renderer, type RenderStyle, type Sink, type Table, visible } from './renderer.js';
import { cellText, type ValueStyle } from './value.js';
import { cellWidth, loadWidths, needsWidths, pad } from './width.js';

/** Everything of a row, one column a line, rows apart by an empty line: nothing is hidden and nothing is cut. */
export class WideRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly [string, Column][];
  private readonly style: ValueStyle;
  private readonly paint: Paint;
  private first = true;

  constructor(
    table: Table,
    private readonly sink: Sink,
    style: RenderStyle,
  ) {
    this.columns = visible(table.columns, true);
    this.shown = this.columns.map(([name]) => name);
    this.style = style;
    this.paint = paintFor(style.colors === true);
  }

  async begin(): Promise<void> {
    if (this.shown.some(needsWidths)) await loadWidths();
  }

  async rows(batch: readonly Row[]): Promise<void> {
    const longest = Math.max(0, ...this.shown.map(cellWidth));
    let text = '';
    for (const row of batch) {
      if (!this.first) text += '\n';
      this.first = false;
      for (const [name, column] of this.columns) {
        const value = cellText(row[name], column, this.style);
        const lines = typeof value === 'string' ? [value] : value;
        const depth = column.tree === true ? '. '.repeat(row.$depth ?? 0) : '';
        text += `${this.paint.cyan(pad(name, longest))}  ${depth}${lines.join(`\n${' '.repeat(longest + 2)}`)}`.trimEnd() + '\n';
      }
    }
    await this.sink.write(text);
  }

  async end(): Promise<void> {
    return Promise.resolve();
  }
}
