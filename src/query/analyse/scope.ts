import type { Expression, Place } from '../../../grammar/efilter-tree.js';
import { didYouMean } from '../../plugin/similar.js';
import { QueryError } from '../error.js';
import type { Field, Scalar, Shared, Variable } from '../plan/logical.js';
import type { Position } from './context.js';

/** A source of a select: what stands before the dot, and its columns. */
export interface SourceColumns {
  /** alias, or the name of its table; undefined for a sub-query without one */
  readonly alias: string | undefined;
  readonly fields: readonly Field[];
  /** of a list whose elements are no rows: its one column, which the alias means as well */
  readonly element?: Field;
}

/** What a bare name may be. */
export type Meaning =
  | { readonly kind: 'field'; readonly field: Field }
  | { readonly kind: 'source'; readonly source: SourceColumns }
  | { readonly kind: 'element'; readonly variable: Variable }
  | { readonly kind: 'value'; readonly value: Scalar }
  | { readonly kind: 'definition'; readonly definition: ValueDefinition }
  | { readonly kind: 'function'; readonly definition: FunctionDefinition }
  | { readonly kind: 'shared'; readonly table: SharedTable };

/**
 * `let x = …`, or a parameter of a function with its argument: analysed where it is used, since a sub-query may be one value or many
 * there, and only once for each of these.
 */
export interface ValueDefinition {
  readonly name: string;
  readonly value: Expression;
  readonly position: Position;
  /**
   * `expression`: it may depend on the row, and is kept in a variable while the expression is computed; `query`: it is computed once,
   * before the first row that needs it
   */
  readonly level: 'expression' | 'query';
  readonly uses: Map<ValueMode, { readonly scalar: Scalar; readonly variable?: Variable }>;
}

/** What a sub-query is where it stands: one value, the values of its column, its rows. */
export type ValueMode = 'scalar' | 'list' | 'rows';

/** `let f(x) = …`, with the place in whose scope its free names are looked up. */
export interface FunctionDefinition {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly body: Expression;
  readonly position: Position;
}

/** A table of a `with`. */
export interface SharedTable {
  readonly shared: Shared;
  /** its columns, under the names that the `with` gives them */
  readonly fields: readonly Field[];
}

/**
 * Names and what they stand for. Scopes are nested; a name is looked up from the row outward, so that a column hides a variable, and a
 * variable a plugin.
 */
export class Scope {
  private readonly names = new Map<string, Meaning>();
  /** columns of the row, of a select */
  sources: readonly SourceColumns[] = [];
  /** columns that `using` made one: the field that a bare name means */
  readonly merged = new Map<string, Field>();
  /** the element whose members are in scope, of an argument that is computed for each element */
  element: Variable | undefined;
  /** names of the select's items, which where, group by and having may use as long as no column has them */
  aliases: ((name: string) => Promise<Scalar> | undefined) | undefined;

  constructor(
    readonly parent?: Scope,
    /** what the session knows by a name, of the outermost scope */
    private readonly session?: (name: string, place: Place) => Meaning | undefined,
  ) {}

  define(name: string, meaning: Meaning): void {
    this.names.set(name, meaning);
  }

  /** What a name means in this scope alone. Throws where it may mean several columns. */
  own(name: string, place: Place): Meaning | undefined {
    const field = this.column(name, place);
    if (field) return { kind: 'field', field };
    const source = this.sources.find((candidate) => candidate.alias === name);
    if (source?.element) return { kind: 'field', field: source.element };
    return this.names.get(name) ?? (source ? { kind: 'source', source } : this.session?.(name, place));
  }

  /** The function that a name means in this scope alone: columns cannot be called, and hide none. */
  callable(name: string, place: Place): FunctionDefinition | undefined {
    const meaning = this.names.get(name) ?? this.session?.(name, place);
    return meaning?.kind === 'function' ? meaning.definition : undefined;
  }

  /** The table of a `with` that a name means in this scope alone. */
  table(name: string): SharedTable | undefined {
    const meaning = this.names.get(name);
    return meaning?.kind === 'shared' ? meaning.table : undefined;
  }

  /** The scopes from this one outward. */
  *outward(): Generator<Scope> {
    yield this;
    if (this.parent) yield* this.parent.outward();
  }

  source(alias: string): SourceColumns | undefined {
    return this.sources.find((source) => source.alias === alias);
  }

  /** The one column of this scope that a name means when capitals do not count: what means nothing otherwise may be that. */
  folded(name: string): Field | undefined {
    const found = this.sources.flatMap(({ fields }) => sameLetters(fields, name));
    return found.length === 1 ? found[0] : undefined;
  }

  /** Names that may be meant: columns, aliases, variables. */
  visible(): string[] {
    const names: string[] = [];
    for (const scope of this.outward()) {
      for (const source of scope.sources) {
        names.push(...source.fields.map((field) => field.name));
        if (source.alias !== undefined) names.push(source.alias);
      }
      names.push(...scope.names.keys());
    }
    return [...new Set(names)];
  }

  private column(name: string, place: Place): Field | undefined {
    const merged = this.merged.get(name);
    if (merged) return merged;
    const found = this.sources.flatMap((source) => source.fields.filter((field) => field.name === name).map((field) => ({ source, field })));
    if (found.length < 2) return found[0]?.field;
    const which = found.map(({ source }) => (source.alias === undefined ? `a sub-query's ${name}` : `${source.alias}.${name}`));
    throw new QueryError(`${name} may be ${listed(which, 'or')}.`, place);
  }
}

/** Fields whose name differs in capitals at most. */
export function sameLetters(fields: readonly Field[], name: string): Field[] {
  const wanted = name.toLowerCase();
  return fields.filter((field) => field.name.toLowerCase() === wanted);
}

/** `a, b and c` */
export function listed(names: readonly string[], word = 'and'): string {
  if (names.length < 2) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1) ?? ''}`;
}

/** What exists, as errors tell it: at most so many names, then how many more. */
export function existing(names: readonly string[], most = 24): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** The error for a column that is not there. */
export function unknownColumn(name: string, of: string | undefined, columns: readonly string[], place: Place, next?: string): QueryError {
  const where = of === undefined ? '' : ` in ${of}`;
  const has = columns.length === 0 ? '' : ` It has ${existing(columns)}.`;
  return new QueryError(`No column ${name}${where}.${didYouMean(name, columns)}${has}`, place, next);
}
