/**
 * What a query says, before anybody knows which tables, columns and functions there are. Plain data; every node knows its place in
 * the text (UTF-16 offsets), so that errors can point at it. `grammar/efilter.ts` makes these trees.
 */
import type { Place } from './command-tree.js';

export type { Place } from './command-tree.js';

export type Expression =
  | Literal
  | Parameter
  | Name
  | Member
  | Index
  | Call
  | Unary
  | Binary
  | Between
  | NullTest
  | Case
  | List
  | Tuple
  | Pair
  | Let
  | Subquery;

/** Whole numbers are `bigint` only where a JavaScript number would not be exact. */
export interface Literal extends Place {
  readonly kind: 'literal';
  readonly value: string | number | bigint | boolean | null;
}

/** `{name}`, `{0}`, `{}` and `?` (these two numbered from 0 in order): a value bound from outside, never text. */
export interface Parameter extends Place {
  readonly kind: 'parameter';
  readonly name: string | number;
}

/** A bare name: a column, a `let` variable, a named view, a saved value. */
export interface Name extends Place {
  readonly kind: 'name';
  readonly name: string;
}

/** `object.name` */
export interface Member extends Place {
  readonly kind: 'member';
  readonly object: Expression;
  readonly name: string;
  /** place of the name alone */
  readonly at: Place;
}

/** `object[key]` */
export interface Index extends Place {
  readonly kind: 'index';
  readonly object: Expression;
  readonly key: Expression;
}

/** `name(a, b: c)`: a function, or a plugin (its rows). `count(*)` has `star`. */
export interface Call extends Place {
  readonly kind: 'call';
  readonly name: string;
  /** place of the name alone */
  readonly at: Place;
  readonly args: readonly CallArgument[];
  readonly star?: boolean;
  /** `count(distinct x)` */
  readonly distinct?: boolean;
}

export interface CallArgument extends Place {
  readonly name?: string;
  /** place of the name, where there is one */
  readonly at?: Place;
  readonly value: Expression;
  /** written `name = value`: for a function that has no argument of that name, a comparison */
  readonly equals?: true;
}

export interface Unary extends Place {
  readonly kind: 'unary';
  readonly operator: 'not' | '-' | '+';
  readonly operand: Expression;
}

/** `=` is `==`, `<>` is `!=`; `!~` is `not =~`. */
export type BinaryOperator =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '=~'
  | '!~'
  | 'in'
  | 'not in'
  | 'like'
  | 'not like'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '||';

export interface Binary extends Place {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  /** place of the operator */
  readonly at: Place;
}

/** `x [not] between low and high` */
export interface Between extends Place {
  readonly kind: 'between';
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
  readonly negated: boolean;
}

/** `x is [not] null` */
export interface NullTest extends Place {
  readonly kind: 'is-null';
  readonly operand: Expression;
  readonly negated: boolean;
}

/** `case [x] when a then b … [else c] end`, and `if a then b [else if …] [else c]` (then `operand` is absent, and `style` is `if`). */
export interface Case extends Place {
  readonly kind: 'case';
  readonly style: 'case' | 'if';
  readonly operand?: Expression;
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
  readonly otherwise?: Expression;
}

/** `(a, b)`: a repeated value. `(a)` is a alone. */
export interface List extends Place {
  readonly kind: 'list';
  readonly items: readonly Expression[];
}

/** `[a, b]` */
export interface Tuple extends Place {
  readonly kind: 'tuple';
  readonly items: readonly Expression[];
}

/** `key: value` where it is no named argument: an element of `bind(…)` or `dict(…)`. */
export interface Pair extends Place {
  readonly kind: 'pair';
  readonly key: Expression;
  readonly value: Expression;
}

/** `name = value` or `name(a, b) = value` */
export interface Binding extends Place {
  readonly name: string;
  readonly at: Place;
  /** parameters of a function */
  readonly parameters?: readonly string[];
  readonly value: Expression;
}

/** `let x = 1, f(y) = y * 2 body`: later bindings see earlier ones. */
export interface Let extends Place {
  readonly kind: 'let';
  readonly bindings: readonly Binding[];
  readonly body: Expression;
}

/** A query in the place of a value, a source or an argument. */
export interface Subquery extends Place {
  readonly kind: 'subquery';
  readonly query: Query;
  /** `any select …`, `any from …`: whether there is a row; `exists (…)` likewise */
  readonly any?: boolean;
}

export type Query = Select | SetOperation | With;

/** `*`, `t.*`, or an expression with or without `as name`. */
export type SelectItem =
  | ({ readonly kind: 'star'; readonly table?: string } & Place)
  | ({ readonly kind: 'column'; readonly value: Expression; readonly as?: string } & Place);

/** What stands behind `from`: plugin calls, views, sub-queries, lists: any expression that has rows. */
export interface Source extends Place {
  readonly value: Expression;
  /** `from pslist() p`, `from pslist() as p` */
  readonly alias?: string;
  /** how it is joined to what stands before it; the first has none; a comma is `cross` */
  readonly join?: { readonly kind: 'inner' | 'left' | 'cross'; readonly on?: Expression; readonly using?: readonly string[] };
}

export interface Order extends Place {
  readonly value: Expression;
  readonly descending: boolean;
  /** `nulls first`, `nulls last`; absent: nulls come first ascending, last descending (as SQLite does) */
  readonly nulls?: 'first' | 'last';
}

/** What may end any query. */
export interface Tail {
  readonly orderBy: readonly Order[];
  readonly limit?: Expression;
  readonly offset?: Expression;
}

export interface Select extends Place, Tail {
  readonly kind: 'select';
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  /** empty for `select 1 + 1` */
  readonly from: readonly Source[];
  readonly where?: Expression;
  readonly groupBy: readonly Expression[];
  readonly having?: Expression;
}

export interface SetOperation extends Place, Tail {
  readonly kind: 'set';
  readonly operator: 'union' | 'union all' | 'except' | 'intersect';
  readonly left: Query;
  readonly right: Query;
}

/** `with x [(a, b)] as (…), y as (…) body` */
export interface With extends Place {
  readonly kind: 'with';
  readonly tables: readonly ({ readonly name: string; readonly columns?: readonly string[]; readonly query: Query } & Place)[];
  readonly body: Query;
}

/** A whole line of the query language. */
export type QueryStatement =
  /** a query, or any other expression: `hex(4096)`, `let x = 1 select …` */
  | ({ readonly kind: 'evaluate'; readonly value: Expression } & Place)
  | ({ readonly kind: 'explain'; readonly analyze: boolean; readonly value: Expression } & Place)
  /** `create [or replace] view name [(a, b)] as query` */
  | ({ readonly kind: 'create-view'; readonly name: string; readonly columns?: readonly string[]; readonly replace: boolean; readonly query: Query } & Place)
  | ({ readonly kind: 'drop-view'; readonly name: string; readonly ifExists: boolean } & Place)
  /** `let x = …`, `let f(x) = …` without a body: kept by the session */
  | ({ readonly kind: 'define'; readonly bindings: readonly Binding[] } & Place);

/** A query that cannot be read, with the place of the mistake. */
export class QuerySyntaxError extends Error {
  override readonly name = 'QuerySyntaxError';

  readonly place: Place;

  constructor(
    message: string,
    place: Place,
    /** what could stand there: keywords, `a column`, `a plugin` … */
    readonly expected: readonly string[] = [],
  ) {
    super(message);
    this.place = { start: place.start, end: place.end };
  }
}
