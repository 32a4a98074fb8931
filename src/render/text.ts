import { Absent } from '../memory/absent.js';
import type { Column, ColumnType, Row } from '../plugin/columns.js';
import { type Paint, paintFor } from './paint.js';
import { headingLabel, type Renderer, type RenderStyle, type Sink, type Table, visible } from './renderer.js';
import { cellText, lineText } from './value.js';
import { cellWidth, cut, loadWidths, needsWidths, pad } from './width.js';

/** Least cells of a column, by its type: so that rows that come later rarely need more. */
const LEAST: Partial<Record<ColumnType, number>> = { address: 14, physical: 10, int: 3, size: 6, time: 20, bool: 5 };
const RIGHT: ReadonlySet<ColumnType> = new Set(['int', 'float', 'size', 'duration', 'physical']);
/** Cells that the last column keeps on a narrow terminal, and those that are declared less important. */
const LAST_LEAST = 12;
const MINOR_LEAST = 8;
/** Columns whose cells may be cut: a cut number would be another number. */
const TEXT: ReadonlySet<ColumnType> = new Set(['string', 'list', 'any']);
/** A tree deeper than this is shown at this depth: names must stay visible. */
const DEEPEST = 40;
const GAP = '  ';

type Cell = readonly string[];

/**
 * A table aligned by its content. Columns are sized from their declaration and from the first batch of rows, and grow when a later
 * row needs more; so rows are shown as they come. On a terminal that is too narrow, columns of text that are declared less
 * important are cut, then the last one; elsewhere nothing is.
 */
export class TextRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly [string, Column][];
  private readonly dividers: readonly [string, Column][];
  private readonly widths: number[];
  /** cells that the rows so far take of {@link widths} */
  private readonly used: number[];
  /** {@link widths} as they fit the terminal */
  private fitted: readonly number[];
  private heading: string | undefined;
  private started = false;
  private readonly paint: Paint;

  constructor(
    table: Table,
    private readonly sink: Sink,
    private readonly style: RenderStyle,
  ) {
    this.paint = paintFor(style.colors === true);
    const all = visible(table.columns, style.full);
    this.shown = all.map(([name]) => name);
    this.dividers = all.filter(([, column]) => column.divider === true);
    this.columns = all.filter(([, column]) => column.divider !== true);
    this.widths = this.columns.map(([name, column]) =>
      Math.max((column.title ?? name).length, column.width ?? 0, LEAST[column.type] ?? 0),
    );
    this.used = this.columns.map(([name, column]) => (column.title ?? name).length);
    this.fitted = this.fit();
  }

  async begin(): Promise<void> {
    if (this.columns.some(([name, column]) => needsWidths(column.title ?? name))) await loadWidths();
  }

  async rows(batch: readonly Row[]): Promise<void> {
    // A table all of whose columns are hidden says what it has to say in its notes.
    if (batch.length === 0 || this.shown.length === 0) return;
    const headings = batch.map((row) => this.headingOf(row));
    const table = batch.map((row) => this.columns.map(([name, column]) => this.cell(row, name, column)));
    if (headings.some(needsWidths) || table.some((cells) => cells.some((cell) => cell.some(needsWidths)))) await loadWidths();
    for (const cells of table) {
      for (let index = 0; index < cells.length; index++) {
        for (const line of cells[index] as Cell) {
          const width = cellWidth(line);
          if (width > (this.used[index] as number)) this.used[index] = width;
          if (width > (this.widths[index] as number)) this.widths[index] = width;
        }
      }
    }
    this.fitted = this.fit();
    let text = this.started ? '' : this.head();
    this.started = true;
    for (let index = 0; index < batch.length; index++) {
      const heading = headings[index] as string;
      if (this.dividers.length > 0 && heading !== this.heading) {
        text += `${this.heading === undefined ? '' : '\n'}${this.emphasise(heading)}\n`;
        this.heading = heading;
      }
      text += this.line(table[index] as Cell[], batch[index] as Row);
    }
    await this.sink.write(text);
  }

  async end(): Promise<void> {
    // A table without rows says so in its notes; its heading still tells what was asked for.
    if (!this.started && this.columns.length > 0) await this.sink.write(this.head());
  }

  private cell(row: Row, name: string, column: Column): Cell {
    const value = cellText(row[name], column, this.style);
    const lines = typeof value === 'string' ? [value] : value;
    const depth = column.tree === true ? Math.min(row.$depth ?? 0, DEEPEST) : 0;
    return depth > 0 ? lines.map((line) => '. '.repeat(depth) + line) : lines;
  }

  private headingOf(row: Row): string {
    if (this.dividers.length === 0) return '';
    return this.dividers
      .map(([name, column]) => `${headingLabel(name, column)}${lineText(row[name], column.type, this.style)}`)
      .join(GAP);
  }

  private head(): string {
    const titles = this.columns.map(([name, column]) => column.title ?? name);
    const rule = this.fitted.map((width) => '-'.repeat(Math.min(width, this.style.full ? 60 : 40)));
    return `${this.emphasise(this.layOut(titles))}\n${this.paint.dim(this.layOut(rule))}\n`;
  }

  /** A row, which has as many lines as its highest cell. */
  private line(cells: readonly Cell[], row: Row): string {
    const height = cells.reduce((most, cell) => Math.max(most, cell.length), 1);
    let text = '';
    for (let line = 0; line < height; line++) {
      text += this.layOut(
        cells.map((cell) => cell[line] ?? ''),
        line === 0 ? row : undefined,
      );
      text += '\n';
    }
    return text;
  }

  private layOut(parts: readonly string[], row?: Row): string {
    const laid = parts.map((part, index) => {
      const [, column] = this.columns[index] as [string, Column];
      const last = index === parts.length - 1;
      const width = this.fitted[index] as number;
      const shown = width < (this.widths[index] as number) ? cut(part, width) : part;
      if (RIGHT.has(column.type) && column.tree !== true) return pad(shown, width, true);
      return last ? shown : pad(shown, width);
    });
    const line = laid.join(GAP).trimEnd();
    // A table that is too wide even with its text at its least must not wrap: `wide` shows all of it.
    const room = this.sink.width ?? Infinity;
    const shown = cellWidth(line) > room ? cutLine(line, room) : line;
    return this.style.colors === true && row ? this.painted(laid, row, shown) : shown;
  }

  /** A row in colours: addresses, and dim what is not there. A cell that is cut has none. */
  private painted(laid: readonly string[], row: Row, shown: string): string {
    let text = '';
    let done = 0;
    for (let index = 0; index < laid.length; index++) {
      const gap = index === 0 ? '' : GAP;
      const cell = shown.startsWith(gap + laid[index], done) ? (laid[index] as string) : shown.slice(done + gap.length) === (laid[index] as string).trimEnd() ? (laid[index] as string).trimEnd() : undefined;
      if (cell === undefined) break;
      const [name, column] = this.columns[index] as [string, Column];
      text += gap + this.paintCell(cell, row[name], column);
      done += gap.length + cell.length;
    }
    return text + shown.slice(done);
  }

  private paintCell(cell: string, value: unknown, column: Column): string {
    const { dim, cyan } = this.paint;
    if (value instanceof Absent || value === null || value === undefined) return dim(cell);
    if (column.type === 'address' || column.type === 'struct' || column.type === 'physical') return cell.replace(/0x[0-9a-f]+/, cyan);
    return cell;
  }

  /** Cells of each column: what it needs, and less where that is more than the terminal has. */
  private fit(): number[] {
    const fitted = [...this.widths];
    const room = this.sink.width;
    if (room === undefined) return fitted;
    let excess = fitted.reduce((sum, width) => sum + width, 0) + GAP.length * (fitted.length - 1) - room;
    const narrow = (index: number, least: number): void => {
      const taken = Math.max(0, Math.min(excess, (fitted[index] as number) - least));
      fitted[index] = (fitted[index] as number) - taken;
      excess -= taken;
    };
    const texts = [...fitted.keys()].filter((index) => TEXT.has(this.columns[index]?.[1].type ?? 'int'));
    // What is blank so far costs nothing; then what says least.
    for (const index of texts) narrow(index, this.used[index] as number);
    for (const index of texts) if (this.columns[index]?.[1].minor === true) narrow(index, MINOR_LEAST);
    if (texts.includes(fitted.length - 1)) narrow(fitted.length - 1, LAST_LEAST);
    return fitted;
  }

  private emphasise(text: string): string {
    return this.paint.bold(text);
  }
}

/** A line cut to a width; blanks before the mark say nothing. */
function cutLine(line: string, room: number): string {
  return cut(line, room).replace(/(\S) {2,}…$/, '$1 …');
}
