import type { Columns, Row } from '../plugin/columns.js';

/** Rows of a result that are kept for `_`: more would hold on to memory that nobody asked for. */
export const KEPT_ROWS = 100_000;

/**
 * The result of the last command, query or JavaScript: `_` in JavaScript, `from _` in queries. Rows are kept as they were shown;
 * columns that were not shown are computed when somebody asks for the rows.
 */
export class Result implements Iterable<Row> {
  private readonly kept: { readonly row: Row; readonly complete: (() => Row) | undefined }[] = [];
  private completed: Row[] | undefined;
  /** rows that came, kept or not */
  count = 0;
  /** what JavaScript gave; undefined for commands and queries */
  value: unknown;
  /** the query that gave it, for `explain _` */
  query: string | undefined;

  /**
   * @param name the command's name, `query`, or `JavaScript`
   * @param columns columns of the rows
   */
  constructor(
    readonly name: string,
    readonly columns: Columns,
    private readonly most = KEPT_ROWS,
  ) {}

  /** A result that is there already: the rows of an array. */
  static of(name: string, columns: Columns, rows: Iterable<Row>, value: unknown = undefined): Result {
    const result = new Result(name, columns);
    for (const row of rows) result.add(row);
    result.value = value;
    return result;
  }

  /**
   * Keeps a row, while there is room.
   * @param complete gives the row with all of its columns, where it has only those that were shown
   */
  add(row: Row, complete?: () => Row): void {
    this.count++;
    if (this.kept.length >= this.most) return;
    this.kept.push({ row, complete });
    this.completed = undefined;
  }

  /** True where more rows came than are kept. */
  get cut(): boolean {
    return this.count > this.kept.length;
  }

  get length(): number {
    return this.kept.length;
  }

  /** The rows, each with all columns. */
  get rows(): readonly Row[] {
    return (this.completed ??= this.kept.map(({ row, complete }) => complete?.() ?? row));
  }

  [Symbol.iterator](): Iterator<Row> {
    return this.rows[Symbol.iterator]();
  }

  toString(): string {
    return `[${this.name}: ${this.length} ${this.length === 1 ? 'row' : 'rows'}]`;
  }
}
