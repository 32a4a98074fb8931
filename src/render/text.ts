import { Absent } from '../memory/absent.js';
import type { Column, ColumnType, Row } from '../plugin/columns.js';
import { GAP, INDENT, Layout, type Line, NARROW_DUMP, type Place, titleLines } from './layout.js';
import { eachLine, type Paint, paintFor } from './paint.js';
import { headingLabel, type Renderer, type RenderStyle, type Sink, type Table, visible } from './renderer.js';
import { bytesText, cellText, lineText } from './value.js';
import { cellWidth, cut, loadWidths, needsWidths, pad } from './width.js';
import { wrap, wrapLines } from './wrap.js';

type Cell = readonly string[];

const RIGHT: ReadonlySet<ColumnType> = new Set(['int', 'float', 'size', 'duration', 'physical']);
/** A tree deeper than this is shown at this depth: names must stay visible. */
const DEEPEST = 40;
/** A text that is wrapped takes so many lines at most. */
const MOST_LINES = 8;
/** What takes more than these in a narrow column stands below the row. */
const FEW_LINES = 3;
/** An object that has a name, below what a tree indents it with. */
const NAMED = /^((?:\. )*)0x[0-9a-f]+ (?=.)/;
/** What says nothing: a line below a row that holds nothing else is left out. */
const NOTHING = /^(?:-|)$/;
const NONE: Cell = [''];

/**
 * A table aligned by its content. Columns are sized from their declaration and from the first batch of rows, and grow when a later
 * row needs more; so rows are shown as they come. On a terminal that is too narrow columns give way as {@link Layout} says, and a
 * line below the table names those that were left out; elsewhere everything is shown.
 */
export class TextRenderer implements Renderer {
  readonly shown: readonly string[];
  private readonly columns: readonly [string, Column][];
  private readonly dividers: readonly [string, Column][];
  private readonly room: number | undefined;
  private readonly layout: Layout;
  /** columns of objects, some of which have names */
  private readonly named = new Set<number>();
  private heading: string | undefined;
  private started = false;
  private readonly paint: Paint;

  constructor(
    private readonly table: Table,
    private readonly sink: Sink,
    private readonly style: RenderStyle,
  ) {
    this.paint = paintFor(style.colors === true);
    const all = visible(table.columns, style.full);
    this.shown = all.map(([name]) => name);
    this.dividers = all.filter(([, column]) => column.divider === true);
    this.columns = all.filter(([, column]) => column.divider !== true);
    this.room = sink.width;
    this.layout = new Layout(this.columns, this.room, style.full);
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
    for (const cells of table) for (let index = 0; index < cells.length; index++) this.see(index, cells[index] as Cell);
    const moved = this.layout.settle();
    let text = this.started ? (moved ? `\n${this.head()}` : '') : this.head();
    this.started = true;
    for (let index = 0; index < batch.length; index++) {
      const heading = headings[index] as string;
      if (this.dividers.length > 0 && heading !== this.heading) {
        text += `${this.heading === undefined ? '' : '\n'}${this.emphasise(wrapLines(heading, this.room))}\n`;
        this.heading = heading;
      }
      text += this.row(table[index] as Cell[], batch[index] as Row);
    }
    await this.sink.write(text);
  }

  async end(): Promise<void> {
    // A table without rows says so in its notes; its heading still tells what was asked for.
    if (!this.started && this.columns.length > 0) {
      this.layout.settle();
      await this.sink.write(this.head());
    }
    const left = this.leftOut();
    if (left !== '') await this.sink.write(left);
  }

  private see(index: number, cell: Cell): void {
    const [, { type }] = this.columns[index] as [string, Column];
    for (const line of cell) {
      const width = cellWidth(line);
      let brief = width;
      if (this.room !== undefined && type === 'bytes') brief = Math.min(width, NARROW_DUMP * 4 + 1);
      if (this.room !== undefined && type === 'struct') {
        const named = NAMED.exec(line);
        if (named) this.named.add(index);
        if (named) brief = width - named[0].length + (named[1] as string).length;
      }
      this.layout.see(index, width, brief);
    }
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
    const { lines } = this.layout;
    const titles = lines.map((line) => {
      const parts = line.places.map(({ index, width }) => {
        const [name, column] = this.columns[index] as [string, Column];
        return titleLines(column.title ?? name, width);
      });
      const height = Math.max(1, ...parts.map((part) => part.length));
      // The last words of a heading stand above their column.
      return this.lines(line, parts.map((part) => [...Array<string>(height - part.length).fill(''), ...part]), (text) => this.emphasise(text));
    });
    const [first] = lines;
    const rule = first?.places.map(({ width }) => ['-'.repeat(Math.min(width, this.style.full ? 60 : 40))]) ?? [];
    return titles.join('') + (first ? this.lines(first, rule, (text) => this.paint.dim(text)) : '');
  }

  /** A row, which has as many lines as its highest cells, and more where they do not fit beside each other. */
  private row(cells: readonly Cell[], row: Row): string {
    let text = '';
    let below: Cell | undefined;
    for (const [at, line] of this.layout.lines.entries()) {
      const fitted = line.places.map((place) => {
        const cell = this.fitted(cells[place.index] as Cell, place, row);
        if (cell) return cell;
        below = cells[place.index];
        return NONE;
      });
      if (at === 0 || fitted.some((cell) => !cell.every((part) => NOTHING.test(part)))) text += this.lines(line, fitted, undefined, row);
    }
    if (below === undefined) return text;
    const margin = ' '.repeat(INDENT);
    return text + this.wrapped(below, Math.max(1, (this.room as number) - INDENT)).map((line) => `${margin}${line}\n`).join('');
  }

  /** A cell as its column has room for it; undefined where it stands better below its row. */
  private fitted(cell: Cell, { index, width, whole }: Place, row: Row): Cell | undefined {
    const shown = this.brief(cell, index, row);
    if (whole || shown.every((line) => cellWidth(line) <= width)) return shown;
    const { flow, roomy, lines } = this.layout;
    if (index !== flow) return shown.map((line) => cut(line, width));
    const wrapped = this.wrapped(shown, width);
    if (lines[0]?.places.length === 1) return wrapped;
    // A path or a symbol is to be copied in one piece, and a narrow column makes much of a few words.
    const fits = roomy && shown.every((line) => line.split(' ').every((word) => cellWidth(word) <= width)) && (wrapped.length <= FEW_LINES || width * 2 > (this.room as number));
    return fits ? wrapped : undefined;
  }

  /** A cell that says the same in less room, where the layout asks for that. */
  private brief(cell: Cell, index: number, row: Row): Cell {
    if (this.layout.short && this.named.has(index)) return cell.map((line) => line.replace(NAMED, '$1'));
    const [name, column] = this.columns[index] as [string, Column];
    return this.layout.narrow && column.type === 'bytes' ? (bytesText(row[name], NARROW_DUMP) ?? cell) : cell;
  }

  private wrapped(cell: Cell, width: number): Cell {
    // What cannot be shown need not be wrapped.
    const most = 4 * width * MOST_LINES;
    const lines = cell.flatMap((line) => wrap(line.length > most ? `${line.slice(0, most)} …` : line, width));
    return lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES - 1), cut(`${lines[MOST_LINES - 1] ?? ''} …`, width)];
  }

  /** Cells side by side, the lines of each below one another. @param row what the cells show, where they are values */
  private lines({ indent, places }: Line, cells: readonly Cell[], paint: ((text: string) => string) | undefined, row?: Row): string {
    const height = cells.reduce((most, cell) => Math.max(most, cell.length), 1);
    const margin = ' '.repeat(indent);
    let text = '';
    for (let at = 0; at < height; at++) {
      const laid: string[] = [];
      for (let place = 0; place < places.length; place++) {
        const { index, width } = places[place] as Place;
        const [, column] = this.columns[index] as [string, Column];
        const part = cells[place]?.[at] ?? '';
        if (RIGHT.has(column.type) && column.tree !== true) laid.push(pad(part, width, true));
        else laid.push(place === places.length - 1 ? part : pad(part, width));
      }
      const whole = (margin + laid.join(GAP)).trimEnd();
      // Nothing has room in a few cells: what is cut then is marked, as everywhere.
      const line = this.room !== undefined && whole.length > this.room ? cut(whole, this.room) : whole;
      if (this.style.colors !== true || line !== whole) text += line;
      else if (paint) text += paint(line);
      else text += row && at === 0 ? this.painted(margin, laid, places, row, line) : line;
      text += '\n';
    }
    return text;
  }

  /** A row in colours: addresses, and dim what is not there. @param line the same as plain text */
  private painted(margin: string, laid: readonly string[], places: readonly Place[], row: Row, line: string): string {
    let text = margin;
    let done = margin.length;
    for (let place = 0; place < laid.length; place++) {
      const gap = place === 0 ? '' : GAP;
      done += gap.length;
      // Blanks at the end of the line are not there.
      const cell = line.slice(done, done + (laid[place] as string).length);
      if (cell === '') break;
      const [name, column] = this.columns[(places[place] as Place).index] as [string, Column];
      text += gap + this.paintCell(cell, row[name], column);
      done += cell.length;
    }
    return text;
  }

  private paintCell(cell: string, value: unknown, column: Column): string {
    const { dim, cyan } = this.paint;
    if (value instanceof Absent || value === null || value === undefined) return dim(cell);
    if (column.type === 'address' || column.type === 'struct' || column.type === 'physical') return cell.replace(/0x[0-9a-f]+/, cyan);
    return cell;
  }

  /** What says which columns there is no room for, and how they are seen; empty where there is room for all. */
  private leftOut(): string {
    const { leftOut, short } = this.layout;
    const name = (index: number): string => this.columns[index]?.[0] ?? '';
    const objects = short ? [...this.named].filter((index) => !leftOut.includes(index)).sort((a, b) => a - b) : [];
    const parts = [
      ...leftOut.map(name),
      ...(objects.length > 0 ? [`the addresses of ${objects.map(name).join(' and ')}`] : []),
    ];
    if (parts.length === 0) return '';
    const sentence = `Left out, for want of room: ${parts.join(', ')}. ${this.table.wide ?? 'format=wide'} shows all.`;
    return `${eachLine(wrapLines(sentence, this.room), (line) => this.paint.dim(line))}\n`;
  }

  private emphasise(text: string): string {
    return eachLine(text, (line) => this.paint.bold(line));
  }
}
