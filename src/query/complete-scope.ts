/** What a half-typed query has in scope at a place: the sources of the selects around it, also those behind the place. */
import type { Query } from '../../grammar/efilter-tree.js';
import type { Scanned } from '../../grammar/efilter-scan.js';
import { PluginError } from '../plugin/error.js';
import type { Catalog, CatalogTable } from './catalog.js';
import { columnType, type Type, types } from './types.js';

/** A source with its columns, as far as they are known. */
export interface ScopeSource {
  readonly name: string;
  readonly alias: string | undefined;
  readonly columns: ReadonlyMap<string, Type>;
}

const OPENS = new Set(['LParen', 'LBracket']);
const CLOSES = new Set(['RParen', 'RBracket']);
/** What ends the sources of a select. */
const BEHIND_SOURCES = new Set(['where', 'group', 'having', 'order', 'limit', 'offset', 'union', 'except', 'intersect', 'Semicolon', 'then', 'else', 'end']);
const JOINS = new Set(['Comma', 'join', 'inner', 'left', 'outer', 'cross']);

/** Looks at the tokens of a text around a place. */
export class QueryScope {
  constructor(
    private readonly text: string,
    private readonly tokens: readonly Scanned[],
    /** index of the token that is being typed */
    private readonly at: number,
    private readonly catalog: Catalog,
  ) {}

  /** Sources in scope, the innermost select's first. */
  async sources(): Promise<ScopeSource[]> {
    const found: ScopeSource[] = [];
    for (let level = this.levelAround(this.at); ; level = this.levelAround(level.from - 1)) {
      const from = this.fromOf(level);
      if (from !== undefined) found.push(...(await this.sourcesBehind(from, level.to)));
      if (level.from <= 0) return found;
    }
  }

  /** The columns of the tables that `with` and the text's own names stand for. */
  async tableNamed(name: string): Promise<ReadonlyMap<string, Type> | undefined> {
    const common = this.commonTable(name);
    if (common !== undefined) return this.columnsOfText(common);
    const view = this.catalog.definitions?.views.get(name);
    if (view) {
      const columns = await this.columnsOfQuery(view.query);
      return view.columns ? new Map(view.columns.map((column, index) => [column, [...columns.values()][index] ?? types.any])) : columns;
    }
    const table = await tableOf(this.catalog, name);
    return table?.columns && new Map(Object.entries(table.columns).map(([column, declared]) => [column, columnType(declared)]));
  }

  /** Names that `with` gives in this text. */
  commonTables(): string[] {
    return this.tokens.flatMap((token, index) => (token.kind === 'Name' && this.startsTable(index) ? [nameOf(token)] : []));
  }

  private startsTable(index: number): boolean {
    const before = this.tokens[index - 1]?.kind;
    if (before !== 'with' && before !== 'Comma') return false;
    const after = this.tokens[index + 1]?.kind;
    return after === 'as' && this.tokens[index + 2]?.kind === 'LParen';
  }

  private commonTable(name: string): string | undefined {
    const index = this.tokens.findIndex((token, at) => token.kind === 'Name' && nameOf(token) === name && this.startsTable(at));
    return index === -1 ? undefined : this.inside(index + 2);
  }

  /** The text between the bracket at an index and its partner. */
  private inside(open: number): string | undefined {
    const close = this.partner(open);
    const [from, to] = [this.tokens[open], this.tokens[close]];
    return from && to ? this.text.slice(from.end, to.start) : undefined;
  }

  private partner(open: number): number {
    let depth = 0;
    for (let index = open; index < this.tokens.length; index++) {
      const kind = this.tokens[index]?.kind ?? '';
      if (OPENS.has(kind)) depth++;
      else if (CLOSES.has(kind) && --depth === 0) return index;
    }
    return this.tokens.length;
  }

  /** The tokens within the innermost bracket around an index, as first and one past the last. */
  private levelAround(index: number): { readonly from: number; readonly to: number } {
    let depth = 0;
    let from = Math.min(index, this.tokens.length) - 1;
    for (; from >= 0; from--) {
      const kind = this.tokens[from]?.kind ?? '';
      if (CLOSES.has(kind)) depth++;
      else if (OPENS.has(kind) && --depth < 0) break;
    }
    return { from: from + 1, to: from < 0 ? this.tokens.length : this.partner(from) };
  }

  /** The `from` of the select that the place belongs to, within a level: the last select before the place, and its own clauses. */
  private fromOf({ from, to }: { readonly from: number; readonly to: number }): number | undefined {
    const limit = this.at > to ? to : this.at;
    let start = from;
    let depth = 0;
    for (let index = from; index < to; index++) {
      const kind = this.tokens[index]?.kind ?? '';
      if (OPENS.has(kind)) depth++;
      else if (CLOSES.has(kind)) depth--;
      else if (depth === 0 && (kind === 'select' || kind === 'SelectAny') && index <= limit) start = index;
    }
    depth = 0;
    for (let index = start; index < to; index++) {
      const kind = this.tokens[index]?.kind ?? '';
      if (OPENS.has(kind)) depth++;
      else if (CLOSES.has(kind)) depth--;
      else if (depth === 0 && kind === 'from') return index;
      else if (depth === 0 && index > start && kind === 'select') return undefined;
    }
    return undefined;
  }

  private async sourcesBehind(from: number, to: number): Promise<ScopeSource[]> {
    const found: ScopeSource[] = [];
    for (let index = from + 1; index < to; ) {
      const token = this.tokens[index];
      if (!token || BEHIND_SOURCES.has(token.kind)) break;
      if (JOINS.has(token.kind)) {
        index++;
        continue;
      }
      if (token.kind === 'on' || token.kind === 'using') {
        index = this.nextJoin(index + 1, to);
        continue;
      }
      const source = await this.sourceAt(index);
      index = source.next;
      if (source.found) found.push(source.found);
    }
    return found;
  }

  /** Behind a join's condition. A comma in it stands in brackets. */
  private nextJoin(index: number, to: number): number {
    let at = index;
    for (let depth = 0; at < to; at++) {
      const kind = this.tokens[at]?.kind ?? '';
      if (OPENS.has(kind)) depth++;
      else if (CLOSES.has(kind)) depth--;
      else if (depth === 0 && (JOINS.has(kind) || BEHIND_SOURCES.has(kind))) break;
    }
    return at;
  }

  private async sourceAt(index: number): Promise<{ readonly next: number; readonly found: ScopeSource | undefined }> {
    const token = this.tokens[index];
    let next = index + 1;
    let columns: ReadonlyMap<string, Type> | undefined;
    let name = '';
    if (token?.kind === 'LParen') {
      columns = await this.columnsOfText(this.inside(index) ?? '');
      next = this.partner(index) + 1;
    } else if (token?.kind === 'Name' && index !== this.at) {
      name = nameOf(token);
      columns = await this.tableNamed(name);
      if (this.tokens[next]?.kind === 'LParen') next = this.partner(next) + 1;
    }
    while (this.tokens[next]?.kind === 'Dot') {
      columns = undefined;
      next += 2;
    }
    if (this.tokens[next]?.kind === 'as') next++;
    const alias = this.tokens[next]?.kind === 'Name' && next !== this.at ? this.tokens[next++] : undefined;
    const known = columns || alias ? { name, alias: alias && nameOf(alias), columns: columns ?? new Map<string, Type>() } : undefined;
    return { next, found: known };
  }

  /** The columns of a query that stands in this text, where it is complete. */
  private async columnsOfText(text: string): Promise<ReadonlyMap<string, Type>> {
    const { parseQuery } = await import('../../grammar/efilter.js');
    try {
      const statement = parseQuery(text);
      return statement.kind === 'evaluate' && statement.value.kind === 'subquery' ? await this.columnsOfQuery(statement.value.query) : new Map();
    } catch (error) {
      // It is being typed.
      if (error instanceof Error && error.name === 'QuerySyntaxError') return new Map();
      throw error;
    }
  }

  private async columnsOfQuery(query: Query, depth = 0): Promise<Map<string, Type>> {
    const columns = new Map<string, Type>();
    if (depth > 8) return columns;
    if (query.kind === 'with') return this.columnsOfQuery(query.body, depth + 1);
    if (query.kind === 'set') return this.columnsOfQuery(query.left, depth + 1);
    const sources: { alias: string | undefined; name: string; columns: ReadonlyMap<string, Type> }[] = [];
    for (const { value, alias } of query.from) {
      const name = value.kind === 'call' || value.kind === 'name' ? value.name : '';
      const inner = value.kind === 'subquery' ? await this.columnsOfQuery(value.query, depth + 1) : name === '' ? undefined : await this.tableNamed(name);
      sources.push({ alias, name, columns: inner ?? new Map() });
    }
    for (const item of query.items) {
      if (item.kind === 'star') {
        for (const { alias, name, columns: own } of sources) if (item.table === undefined || item.table === (alias ?? name)) for (const [column, type] of own) columns.set(column, type);
        continue;
      }
      const { value, as } = item;
      const name = as ?? (value.kind === 'name' || value.kind === 'member' || value.kind === 'call' ? value.name : `column_${columns.size + 1}`);
      const type = value.kind === 'name' ? sources.map(({ columns: own }) => own.get(value.name)).find((one) => one !== undefined) : undefined;
      columns.set(name, type ?? types.any);
    }
    return columns;
  }
}

/** A table of the catalog; undefined where there is none that could be used here. */
export async function tableOf(catalog: Catalog, name: string): Promise<CatalogTable | undefined> {
  try {
    return await catalog.table(name);
  } catch (error) {
    // That a table cannot be used is told when the query runs.
    if (error instanceof PluginError) return undefined;
    throw error;
  }
}

export function nameOf({ text }: Scanned): string {
  return text.startsWith('`') ? text.slice(1, -1).replaceAll('``', '`') : text;
}
