import type { Column, ColumnType } from '../plugin/columns.js';
import { cellWidth } from './width.js';

/** Least cells of a column, by its type: so that rows that come later rarely need more. */
const LEAST: Partial<Record<ColumnType, number>> = { address: 14, physical: 10, int: 3, size: 6, time: 20, bool: 5 };
/** Columns whose cells may be cut, unless they are declared `whole`: a cut number would be another number. */
const TEXT: ReadonlySet<ColumnType> = new Set(['string', 'list', 'any']);
/** What a text keeps while others can give way, what it keeps in the end, and where a minor one is better left out. */
const ENOUGH = 24;
const SCANT = 12;
const MINOR_ENOUGH = 16;
/** Lines below a row's first are indented by so much. */
export const INDENT = 4;
export const GAP = '  ';
/** Bytes a line of a hex dump where there is little room. */
export const NARROW_DUMP = 8;

/** A column in a line of the table. */
export interface Place {
  /** which column */
  readonly index: number;
  readonly width: number;
  /** no cell so far is wider */
  readonly whole: boolean;
}

/** A line of the table: each row has as many, and more where cells have several lines. */
export interface Line {
  readonly indent: number;
  readonly places: readonly Place[];
}

/** What columns have given up. */
interface Terms {
  /** cells beyond what the rows so far need */
  slack: boolean;
  /** headings on one line */
  headings: boolean;
  /** hex dumps of as many bytes a line as they have */
  dumps: boolean;
  /** the last text is wrapped */
  wraps: boolean;
  /** most that a minor text keeps, and most that others keep */
  minor: number;
  text: number;
  /** addresses of objects that have names */
  short: boolean;
  readonly left: Set<number>;
  /** the last text keeps no more than its heading needs: what is longer stands below its row */
  below: boolean;
  /** it has no place beside the others */
  apart: boolean;
}

/**
 * Where the columns of a table stand on a terminal. Where they do not fit, each of these is tried in turn until they do, and what was
 * given up for nothing is taken back: cells beyond what the rows need; headings on one line; hex dumps of many bytes a line; the last text, which is
 * wrapped; other texts, which are cut; columns declared minor, which are left out; addresses of objects that have names, too; the last text's place:
 * what is longer stands below its row. Columns that do not fit even so go on below. Numbers and addresses are never cut.
 */
export class Layout {
  lines: readonly Line[] = [];
  /** columns that are left out */
  leftOut: readonly number[] = [];
  /** whether objects that have names show these alone */
  short = false;
  /** whether hex dumps are to have {@link NARROW_DUMP} bytes a line */
  narrow = false;
  /** the column whose texts are wrapped, or stand below their rows */
  flow: number | undefined;
  /** whether it has a place of its own beside the others that is wide enough for sentences */
  roomy = false;
  private readonly steps: readonly ((terms: Terms) => void)[];
  private readonly given: boolean[];
  private readonly titles: readonly { readonly width: number; readonly least: number }[];
  private readonly declared: readonly number[];
  /** cells that the rows so far need, as they are and where they are brief */
  private readonly needs: number[];
  private readonly shortNeeds: number[];
  /** what texts needed when the heading was written: later ones are not worth another heading */
  private first: readonly number[] | undefined;
  private changed = true;

  /**
   * @param room cells of a terminal's line; undefined: not a terminal, everything has its place
   * @param all nothing may be left out: it goes on below
   */
  constructor(
    private readonly columns: readonly (readonly [string, Column])[],
    private readonly room: number | undefined,
    all = false,
  ) {
    this.titles = columns.map(([name, column]) => {
      const title = column.title ?? name;
      return { width: cellWidth(title), least: titleParts(title).reduce((most, part) => Math.max(most, cellWidth(part)), 0) };
    });
    this.declared = columns.map(([, column]) => Math.max(column.width ?? 0, LEAST[column.type] ?? 0));
    this.needs = columns.map(() => 0);
    this.shortNeeds = columns.map(() => 0);
    const minor = all ? [] : [...columns.keys()].filter((index) => columns[index]?.[1].minor === true);
    this.steps = [
      (terms) => (terms.slack = false),
      (terms) => (terms.headings = false),
      (terms) => (terms.dumps = false),
      (terms) => (terms.wraps = true),
      (terms) => (terms.minor = MINOR_ENOUGH),
      (terms) => (terms.text = ENOUGH),
      ...minor.reverse().map((index) => (terms: Terms) => terms.left.add(index)),
      (terms) => (terms.short = !all),
      // A short one is no better off there.
      (terms) => (terms.below = this.flows),
      (terms) => (terms.apart = this.flows),
      (terms) => (terms.text = terms.minor = SCANT),
    ];
    this.given = this.steps.map(() => false);
  }

  /** Takes note of a cell. @param short cells of the same where it is brief: an object that has a name without its address, a hex dump in narrow lines */
  see(index: number, width: number, short = width): void {
    if (width > (this.needs[index] as number)) {
      this.needs[index] = width;
      this.changed = true;
    }
    if (short > (this.shortNeeds[index] as number)) {
      this.shortNeeds[index] = short;
      this.changed = true;
    }
  }

  /** Finds the places of the columns. @returns whether others than before are shown, or elsewhere: the heading is to be written again */
  settle(): boolean {
    if (!this.changed) return false;
    this.changed = false;
    const { room } = this;
    if (room === undefined) {
      this.lines = [{ indent: 0, places: this.columns.map((_, index) => ({ index, width: this.least(index, terms()), whole: true })) }];
      return false;
    }
    const before = this.first ? [...this.given] : undefined;
    this.flow ??= this.flowing();
    let now = this.terms();
    for (let step = 0; step < this.steps.length && !this.fits(now, room); step++) {
      this.given[step] = true;
      now = this.terms();
    }
    if (!before) this.takeBack(room);
    now = this.terms();
    this.first ??= [...this.needs];
    const structure = this.shape();
    this.lines = this.laidOut(now, room);
    this.leftOut = [...now.left].sort((a, b) => a - b);
    this.short = now.short;
    this.narrow = !now.dumps;
    this.roomy = !now.below;
    return before !== undefined && structure !== this.shape();
  }

  /** Which columns stand on which line. */
  private shape(): string {
    return `${this.short} ${this.lines.map(({ places }) => places.map(({ index }) => index).join()).join(' ')}`;
  }

  /** Takes back what turns out not to be needed, what is missed most first. */
  private takeBack(room: number): void {
    // What the last text lacks is for it.
    const last = this.terms().below ? 3 : 1;
    for (let step = this.steps.length - 1; step >= last; step--) {
      if (this.given[step] !== true) continue;
      this.given[step] = false;
      if (!this.fits(this.terms(), room)) this.given[step] = true;
    }
  }

  private terms(): Terms {
    const now = terms();
    for (let step = 0; step < this.steps.length; step++) if (this.given[step] === true) this.steps[step]?.(now);
    return now;
  }

  /** The text that is wrapped rather than cut: the last one that is long. */
  private flowing(): number | undefined {
    const texts = [...this.columns.keys()].filter((index) => {
      const [, column] = this.columns[index] as (typeof this.columns)[number];
      return TEXT.has(column.type) && column.minor !== true && column.lines !== true && column.whole !== true;
    });
    return texts.findLast((index) => (this.needs[index] as number) > ENOUGH) ?? texts.at(-1);
  }

  private get flows(): boolean {
    return this.flow !== undefined && ((this.first ?? this.needs)[this.flow] as number) > ENOUGH;
  }

  private isText(index: number): boolean {
    const [, column] = this.columns[index] as (typeof this.columns)[number];
    return TEXT.has(column.type) && column.whole !== true;
  }

  private need(index: number, now: Terms): number {
    const title = this.titles[index] as { readonly width: number; readonly least: number };
    return Math.max(this.content(index, now), now.headings ? title.width : title.least);
  }

  /** Cells that the rows so far need. */
  private content(index: number, { short, dumps }: Terms): number {
    const brief = this.columns[index]?.[1].type === 'bytes' ? !dumps : short;
    return (brief ? this.shortNeeds[index] : this.needs[index]) as number;
  }

  /** Fewest cells of a column on some terms. */
  private least(index: number, now: Terms): number {
    const need = this.need(index, now);
    if (!this.isText(index)) return now.slack ? Math.max(need, this.declared[index] as number) : need;
    const limit = index === this.flow && now.wraps ? (now.below ? SCANT : ENOUGH) : this.columns[index]?.[1].minor === true ? now.minor : now.text;
    const title = this.titles[index] as { readonly width: number; readonly least: number };
    // What later rows need more may be cut or wrapped.
    const known = limit === Infinity ? need : Math.min(limit, need, Math.max(this.first?.[index] ?? need, 1));
    const least = Math.max(known, now.headings ? title.width : title.least);
    return now.slack ? Math.max(least, this.declared[index] as number) : least;
  }

  private kept(now: Terms): number[] {
    return [...this.columns.keys()].filter((index) => !now.left.has(index) && !(now.apart && index === this.flow));
  }

  private fits(now: Terms, room: number): boolean {
    return this.total(this.kept(now), now) <= room;
  }

  private total(indices: readonly number[], now: Terms): number {
    return indices.reduce((sum, index) => sum + this.least(index, now) + GAP.length, -GAP.length);
  }

  private laidOut(now: Terms, room: number): Line[] {
    const rows: number[][] = [[]];
    for (const index of this.kept(now)) {
      const row = rows.at(-1) as number[];
      const width = room - (rows.length === 1 ? 0 : INDENT);
      if (row.length > 0 && this.total([...row, index], now) > width) rows.push([index]);
      else row.push(index);
    }
    if (now.apart && this.flow !== undefined) {
      if (rows[0]?.length === 0) rows.pop();
      rows.push([this.flow]);
    }
    return rows.map((indices, line) => {
      const indent = line === 0 ? 0 : INDENT;
      return { indent, places: this.shared(indices, now, room - indent) };
    });
  }

  /** The widths of columns on a line: what is left beyond the least goes to texts, the narrowest first, then to where it was taken. */
  private shared(indices: readonly number[], now: Terms, room: number): Place[] {
    const widths = indices.map((index) => this.least(index, now));
    let over = room - this.total(indices, now);
    const raise = (at: readonly number[], wanted: (index: number) => number): void => {
      let open = at.filter((place) => (widths[place] as number) < wanted(indices[place] as number));
      while (over > 0 && open.length > 0) {
        const level = Math.min(...open.map((place) => widths[place] as number));
        for (const place of open.filter((one) => widths[one] === level)) {
          if (over === 0) return;
          widths[place] = level + 1;
          over--;
        }
        open = open.filter((place) => (widths[place] as number) < wanted(indices[place] as number));
      }
    };
    const all = [...indices.keys()];
    const minor = (place: number): boolean => this.columns[indices[place] as number]?.[1].minor === true;
    const text = (place: number): boolean => this.isText(indices[place] as number);
    const need = (index: number): number => this.need(index, now);
    const below = (place: number): boolean => now.below && indices[place] === this.flow;
    raise(all.filter((place) => text(place) && !minor(place) && !below(place)), need);
    raise(all.filter(below), need);
    raise(all.filter((place) => text(place) && minor(place)), need);
    raise(all, (index) => Math.max(this.need(index, { ...now, headings: true }), this.isText(index) ? 0 : (this.declared[index] as number)));
    // No column is wider than the line, whatever it holds.
    return indices.map((index, place) => {
      const width = Math.min(widths[place] as number, Math.max(1, room));
      return { index, width, whole: this.content(index, now) <= width };
    });
  }
}

function terms(): Terms {
  return { slack: true, headings: true, dumps: true, wraps: false, minor: Infinity, text: Infinity, short: false, left: new Set(), below: false, apart: false };
}

/** Where a heading may go on in the next line: `thread_count`, `NumberOfObjects`. */
function titleParts(title: string): string[] {
  return title.split(/(?<=[A-Za-z0-9][_ ./])|(?<=[a-z])(?=[A-Z])/);
}

/** A heading in lines of so many cells. */
export function titleLines(title: string, cells: number): string[] {
  if (cellWidth(title) <= cells) return [title];
  const lines: string[] = [];
  let line = '';
  for (const part of titleParts(title)) {
    if (line !== '' && cellWidth(line) + cellWidth(part.trimEnd()) > cells) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += part;
  }
  return [...lines, line];
}
