import type { Column, ColumnType, Row } from '../plugin/columns.js';
import { headingLabel, type Renderer, type RenderStyle, type Sink, type Table, visible } from './renderer.js';
import { lineText } from './value.js';
import { cellWidth, loadWidths, needsWidths, pad } from './width.js';

const RIGHT: ReadonlySet<ColumnType> = new Set(['int', 'float', 'size', 'duration', 'physical']);
/** Columns are aligned in the source as long as they need no more cells than this: Markdown does not need it, people do. */
const ALIGNED = 60;
/** Bytes of a cell that are shown. */
const BYTES = 64;

/**
 * A table of GitHub Flavored Markdown. Cells are escaped: as on a terminal, and so that nothing in them is markup, a link or the end of a
 * cell; they are never cut, except bytes. A divider begins a new table under its heading.
 */
export class MarkdownRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly [string, Column][];
  private readonly dividers: readonly [string, Column][];
  private widths: number[] | undefined;
  private heading: string | undefined;

  constructor(
    table: Table,
    private readonly sink: Sink,
    private readonly style: RenderStyle,
  ) {
    const all = visible(table.columns, style.full);
    this.shown = all.map(([name]) => name);
    this.dividers = all.filter(([, column]) => column.divider === true);
    this.columns = all.filter(([, column]) => column.divider !== true);
  }

  async begin(): Promise<void> {
    return Promise.resolve();
  }

  async rows(batch: readonly Row[]): Promise<void> {
    const cells = batch.map((row) => this.columns.map(([name, column]) => this.cell(row, name, column)));
    const headings = batch.map((row) => this.headingOf(row));
    if ([...cells, ...headings, this.columns.map(([name]) => name)].flat().some(needsWidths)) await loadWidths();
    const first = this.widths === undefined;
    this.widths ??= this.columns.map(([name, column], index) =>
      Math.max(
        3,
        ...[markdownText(column.title ?? name), ...cells.map((line) => line[index] ?? '')]
          .map(cellWidth)
          .filter((width) => width <= ALIGNED),
      ),
    );
    let text = first && this.dividers.length === 0 ? this.head() : '';
    for (const [index, line] of cells.entries()) {
      const heading = headings[index] ?? '';
      if (this.dividers.length > 0 && heading !== this.heading) {
        text += `${this.heading === undefined ? '' : '\n'}**${heading}**\n\n${this.head()}`;
        this.heading = heading;
      }
      text += this.line(line);
    }
    await this.sink.write(text);
  }

  async end(): Promise<void> {
    if (this.widths !== undefined) return;
    this.widths = this.columns.map(([name, column]) => Math.max(3, cellWidth(markdownText(column.title ?? name))));
    await this.sink.write(this.head());
  }

  private cell(row: Row, name: string, column: Column): string {
    const value = row[name];
    const depth = column.tree === true ? '. '.repeat(Math.min(row.$depth ?? 0, 40)) : '';
    if (value instanceof Uint8Array && value.length > BYTES) {
      return `${lineText(value.subarray(0, BYTES), column.type, this.style)}… (${value.length} bytes)`;
    }
    return depth + markdownText(lineText(value, column.type, this.style));
  }

  private headingOf(row: Row): string {
    return this.dividers
      .map(([name, column]) =>
        markdownText(`${headingLabel(name, column)}${lineText(row[name], column.type, this.style)}`),
      )
      .join(' ');
  }

  private head(): string {
    const rule = this.columns.map(([, column], index) => {
      const dashes = '-'.repeat((this.widths?.[index] ?? 3) - 1);
      return this.right(column) ? `${dashes}:` : `${dashes}-`;
    });
    return `${this.line(this.columns.map(([name, column]) => markdownText(column.title ?? name)))}| ${rule.join(' | ')} |\n`;
  }

  private line(cells: readonly string[]): string {
    const padded = cells.map((cell, index) =>
      pad(cell, this.widths?.[index] ?? 3, this.right(this.columns[index]?.[1])),
    );
    return `| ${padded.join(' | ')} |\n`;
  }

  private right(column: Column | undefined): boolean {
    return column !== undefined && RIGHT.has(column.type) && column.tree !== true;
  }
}

/**
 * A line of text that Markdown shows as it is: no emphasis, code, HTML, entity or link in it (GFM makes links of `http:`, `www.` and
 * addresses by itself), and no end of a cell.
 */
export function markdownText(text: string): string {
  return text
    .replace(/[\\`*~[\]|!]/g, '\\$&')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/:(?=\/\/)/g, '\\:')
    .replace(/\b(www)\./gi, '$1\\.')
    .replaceAll('@', '\\@');
}
