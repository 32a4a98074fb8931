import { scan, type Scanned } from '../../grammar/efilter-scan.js';
import type { Arg } from '../plugin/args.js';
import type { Catalog } from './catalog.js';
import { nameOf, QueryScope, type ScopeSource, tableOf } from './complete-scope.js';
import { memberTypeOf, type Type } from './types.js';

/** What may replace the text from an offset up to the cursor. */
export interface QueryCompletion {
  readonly matches: readonly string[];
  readonly from: number;
}

/** Keywords behind a value, by the clause that it stands in. */
const IN_EXPRESSIONS = ['and', 'or', 'in', 'not in', 'like', 'between', 'is null', 'is not null'];
const TAILS = ['order by', 'limit', 'offset', 'union', 'union all', 'except', 'intersect'];
const BEHIND: Readonly<Record<string, readonly string[]>> = {
  select: ['from', 'as', ...IN_EXPRESSIONS],
  from: ['where', 'join', 'left join', 'cross join', 'on', 'using', 'as', 'group by', ...TAILS],
  on: ['where', 'join', 'left join', 'cross join', 'group by', ...TAILS, ...IN_EXPRESSIONS],
  where: [...IN_EXPRESSIONS, 'group by', ...TAILS],
  group: ['having', ...TAILS],
  having: [...IN_EXPRESSIONS, ...TAILS],
  order: ['asc', 'desc', 'nulls first', 'nulls last', 'limit', 'offset'],
  limit: ['offset', 'order by', 'union', 'except', 'intersect'],
  offset: ['limit', 'order by', 'union', 'except', 'intersect'],
  case: ['when', ...IN_EXPRESSIONS],
  when: ['then', ...IN_EXPRESSIONS],
  then: ['else', 'when', 'end', ...IN_EXPRESSIONS],
  if: ['then', ...IN_EXPRESSIONS],
  else: ['end', ...IN_EXPRESSIONS],
};
const BEFORE_VALUES = ['not', 'case', 'if', 'exists', 'any', 'null', 'true', 'false', 'let'];
const STATEMENTS = ['select', 'explain', 'explain analyze', 'with', 'let', 'create view', 'create or replace view', 'drop view'];
const CLAUSES = new Set([...Object.keys(BEHIND), 'using', 'with', 'create', 'drop', 'let', 'join']);
/** Behind these a value is complete. */
const VALUES = new Set(['Name', 'Text', 'Numeral', 'Placeholder', 'RParen', 'RBracket', 'Star', 'null', 'true', 'false', 'end', 'asc', 'desc', 'first', 'last']);

/**
 * Completes a half-typed query at the cursor: keywords that fit, tables behind `from` and `join`, arguments and their values inside of a
 * call, columns and aliases of the sources in scope (also of those behind the cursor), members behind a dot through structs and pointers,
 * functions, views and names of the session; columns of all tables where a select names none yet. Never throws on text, however little sense it makes.
 */
export async function completeQuery(text: string, cursor: number, catalog: Catalog): Promise<QueryCompletion> {
  const fragment = /[A-Za-z_$][\w$]*$/.exec(text.slice(0, cursor))?.[0] ?? '';
  const from = cursor - fragment.length;
  const head = scan(text.slice(0, from));
  const open = head.at(-1);
  if (open?.kind === 'OpenComment') return { matches: [], from };
  if (open?.kind === 'OpenText') return inQuotes(text, cursor, catalog);
  // A comment that ends with the line hides what is typed in it.
  if (/(?:--|(?<![\w#])#)[^\n]*$/.test(text.slice(open?.end ?? 0, cursor))) return { matches: [], from };
  // The word under the cursor is one name, whatever it will be.
  const behind = /^[\w$]*/.exec(text.slice(cursor))?.[0] ?? '';
  const whole = `${text.slice(0, from)}${PLACE}${text.slice(cursor + behind.length)}`;
  const tokens = scan(whole);
  const at = tokens.findIndex((token) => token.start === from);
  if (at === -1) return { matches: [], from };
  const scope = new QueryScope(whole, tokens, at, catalog);
  const place = new Place(tokens, at, scope, catalog);
  const candidates = await place.candidates(fragment);
  const typed = fragment.toLowerCase();
  return { matches: [...new Set(candidates)].filter((candidate) => candidate.toLowerCase().startsWith(typed) && candidate !== fragment), from };
}

/** Stands for the word under the cursor: a name that is no keyword. */
const PLACE = '__cursor__';

/** A value in quotes: of an argument that has choices. */
async function inQuotes(text: string, cursor: number, catalog: Catalog): Promise<QueryCompletion> {
  const head = scan(text.slice(0, cursor));
  const open = head.at(-1) as Scanned;
  const from = open.start + 1;
  const typed = text.slice(from, cursor).toLowerCase();
  const whole = `${text.slice(0, open.start)}${PLACE}`;
  const tokens = scan(whole);
  const at = tokens.length - 1;
  const place = new Place(tokens, at, new QueryScope(whole, tokens, at, catalog), catalog);
  const arg = await place.argument();
  const quote = text[open.start] ?? '"';
  return { from, matches: (arg?.choices ?? []).filter((choice) => choice.toLowerCase().startsWith(typed)).map((choice) => choice + quote) };
}

/** The place of the cursor among the tokens. */
class Place {
  constructor(
    private readonly tokens: readonly Scanned[],
    private readonly at: number,
    private readonly scope: QueryScope,
    private readonly catalog: Catalog,
  ) {}

  private kind(back: number): string {
    return this.tokens[this.at - back]?.kind ?? '';
  }

  async candidates(fragment: string): Promise<string[]> {
    const before = this.kind(1);
    if (before === '') return [...STATEMENTS, ...(fragment === '' ? [] : await this.functions())];
    if (before === 'Semicolon') return [];
    if (before === 'Dot') return this.members();
    if (before === 'explain') return ['analyze', 'select', 'with', 'let'];
    if (before === 'as') return this.kind(2) === 'create' || this.clause() === 'create' ? ['select', 'with'] : [];
    if (before === 'view') return this.kind(2) === 'drop' ? this.views() : [];
    if (before === 'order' || before === 'group') return ['by'];
    if (before === 'nulls') return ['first', 'last'];
    if (before === 'is') return ['null', 'not null'];
    if (before === 'left') return ['join', 'outer join'];
    if (before === 'inner' || before === 'cross' || before === 'outer') return ['join'];
    if (before === 'union') return ['select', 'all'];
    if (before === 'except' || before === 'intersect' || before === 'all') return ['select'];
    if (before === 'with' || before === 'let') return [];
    const clause = this.clause();
    if (before === 'from' || before === 'join' || (before === 'Comma' && clause === 'from')) return this.tables();
    const call = this.call();
    if (call !== undefined && (before === 'LParen' || before === 'Comma')) {
      const table = await tableOf(this.catalog, call.name);
      if (table) return Object.keys(table.args).filter((name) => !call.given.has(name)).map((name) => `${name}: `);
    }
    if (before === 'Colon' || before === 'Equals') {
      const arg = await this.argument();
      const values = arg ? valuesOf(arg) : [];
      if (values.length > 0) return values;
    }
    if (clause === 'using') return this.columns();
    if (VALUES.has(before)) return this.operators(clause);
    return [...(await this.values(fragment)), ...this.keywordsBeforeValues(before)];
  }

  /** What the argument takes whose value is at the cursor. */
  async argument(): Promise<Arg | undefined> {
    const call = this.call();
    const name = this.tokens[this.at - 2];
    if (call === undefined || name?.kind !== 'ArgumentName') return undefined;
    return (await tableOf(this.catalog, call.name))?.args[nameOf(name)];
  }

  /** The call whose arguments the cursor is among, and the names that it has been given. */
  private call(): { readonly name: string; readonly given: ReadonlySet<string> } | undefined {
    const given = new Set<string>();
    let depth = 0;
    for (let index = this.at - 1; index >= 0; index--) {
      const token = this.tokens[index] as Scanned;
      if (token.kind === 'RParen' || token.kind === 'RBracket') depth++;
      else if (token.kind === 'LParen' || token.kind === 'LBracket') {
        if (depth > 0) depth--;
        else {
          const name = this.tokens[index - 1];
          return token.kind === 'LParen' && name?.kind === 'Name' ? { name: nameOf(name), given } : undefined;
        }
      } else if (depth === 0 && token.kind === 'ArgumentName') given.add(nameOf(token));
      else if (depth === 0 && token.kind === 'select') return undefined;
    }
    return undefined;
  }

  /** The keyword that opens the clause of the cursor, in its bracket. */
  private clause(): string {
    let depth = 0;
    for (let index = this.at - 1; index >= 0; index--) {
      const { kind } = this.tokens[index] as Scanned;
      if (kind === 'RParen' || kind === 'RBracket') depth++;
      else if ((kind === 'LParen' || kind === 'LBracket') && --depth < 0) return this.tokens[index - 1]?.kind === 'using' ? 'using' : '';
      else if (depth === 0 && CLAUSES.has(kind)) return kind === 'join' ? 'from' : kind;
    }
    return '';
  }

  private operators(clause: string): string[] {
    // Behind `from pslist() p left` the words of joins are complete.
    const fitting = BEHIND[clause] ?? [...IN_EXPRESSIONS, ...(clause === '' ? ['union', 'except', 'intersect'] : [])];
    const before = this.tokens[this.at - 1]?.kind;
    if (clause === 'select' && before === 'Star') return ['from'];
    return [...fitting];
  }

  private keywordsBeforeValues(before: string): string[] {
    if (before === 'select') return ['distinct', '*', ...BEFORE_VALUES];
    return before === 'LParen' ? ['select', ...BEFORE_VALUES] : BEFORE_VALUES;
  }

  private async tables(): Promise<string[]> {
    const named = [...this.catalog.names()].map((name) => (name === '_' ? name : `${name}()`));
    return [...this.scope.commonTables(), ...this.views(), ...named.sort(), 'any'];
  }

  private views(): string[] {
    return [...(this.catalog.definitions?.views.keys() ?? [])];
  }

  private async columns(): Promise<string[]> {
    return (await this.scope.sources()).flatMap(({ columns }) => [...columns.keys()].map(quoted));
  }

  /** What a value may begin with: columns and aliases first, then names of the session, then functions. */
  private async values(fragment: string): Promise<string[]> {
    const sources = await this.scope.sources();
    const own = sources.flatMap(({ columns }) => [...columns.keys()].map(quoted));
    const aliases = sources.flatMap(({ alias, name }) => (alias ?? name) || []).map(quoted);
    const defined = [...(this.catalog.definitions?.variables ?? [])].map(([name, { bindings }]) => (bindings[0]?.parameters ? `${name}(` : name));
    const named = fragment === '' ? [] : await this.functions();
    // Who writes from left to right has named no table yet: any may be meant.
    if (sources.length === 0 && fragment !== '' && this.clause() === 'select') own.push(...(await this.allColumns()));
    return [...own, ...aliases, ...this.selected(), ...defined, ...named];
  }

  /** The columns of all tables. */
  private async allColumns(): Promise<string[]> {
    const names = new Set<string>();
    for (const table of this.catalog.names()) for (const column of Object.keys((await tableOf(this.catalog, table))?.columns ?? {})) names.add(column);
    return [...names].sort().map(quoted);
  }

  /** Names that the select gives its columns, which `order by`, `group by` and `having` may use. */
  private selected(): string[] {
    const clause = this.clause();
    if (clause !== 'order' && clause !== 'group' && clause !== 'having') return [];
    return this.tokens.slice(0, this.at).flatMap((token, index) => (token.kind === 'Name' && this.tokens[index - 1]?.kind === 'as' ? [quoted(nameOf(token))] : []));
  }

  private async functions(): Promise<string[]> {
    const { library } = await import('./functions/index.js');
    return library.names().map((name) => `${name}(`);
  }

  /** Members of what stands before the dot. */
  private async members(): Promise<string[]> {
    const { memberNames } = await import('./values/member.js');
    const path = this.pathBefore();
    if (!path) return [];
    const sources = await this.scope.sources();
    const [first = '', ...rest] = path;
    const source = sources.find(({ alias, name }) => (alias ?? name) === first);
    let type: Type | undefined;
    let steps = rest;
    if (source && !(source.alias === undefined && source.columns.has(first))) {
      const [column, ...further] = rest;
      if (column === undefined) return [...source.columns.keys()].map(quoted).concat(['*']);
      type = source.columns.get(column);
      steps = further;
    } else type = columnNamed(sources, first);
    for (const step of steps) type = type && (await this.memberOf(type, step));
    return type ? memberNames(type, await this.membersOf(type)).map(quoted) : [];
  }

  private async memberOf(type: Type, name: string): Promise<Type | undefined> {
    const { memberType } = await import('./values/member.js');
    return memberType(type, name, await this.membersOf(type));
  }

  private async membersOf(type: Type): Promise<ReadonlyMap<string, Type> | undefined> {
    const { structOf } = await import('./values/member.js');
    const struct = structOf(type);
    const members = struct === undefined ? undefined : await this.catalog.members?.(struct);
    return members && new Map([...members].map(([name, member]) => [name, memberTypeOf(member)]));
  }

  /** `p.proc.mm` before the dot; keys in brackets are passed over. */
  private pathBefore(): string[] | undefined {
    const path: string[] = [];
    let index = this.at - 2;
    for (;;) {
      while (this.tokens[index]?.kind === 'RBracket') {
        let depth = 0;
        do {
          const kind = this.tokens[index]?.kind;
          if (kind === 'RBracket' || kind === 'RParen') depth++;
          else if (kind === 'LBracket' || kind === 'LParen') depth--;
          index--;
        } while (depth > 0 && index >= 0);
      }
      const token = this.tokens[index];
      if (token?.kind !== 'Name') return undefined;
      path.unshift(nameOf(token));
      if (this.tokens[index - 1]?.kind !== 'Dot') return path;
      index -= 2;
    }
  }
}

function columnNamed(sources: readonly ScopeSource[], name: string): Type | undefined {
  for (const { columns } of sources) {
    const type = columns.get(name);
    if (type) return type;
  }
  return undefined;
}

function valuesOf(arg: Arg): string[] {
  if (arg.choices) return arg.choices.map((choice) => `"${choice}"`);
  return arg.type === 'bool' ? ['true', 'false'] : [];
}

function quoted(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}
