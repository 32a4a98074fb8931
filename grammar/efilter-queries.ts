/**
 * The grammar of queries and statements.
 *
 *     statement := ['explain' ['analyze']] body | 'create' ['or' 'replace'] 'view' NAME ['(' names ')'] 'as' whole
 *                | 'drop' 'view' ['if' 'exists'] NAME
 *     whole     := query | '(' whole ')' rest
 *     query     := select rest | 'with' NAME ['(' names ')'] 'as' '(' whole ')' (',' …)* whole
 *     rest      := (('union' ['all'] | 'except' | 'intersect') term)* tail
 *     term      := select | '(' whole ')'
 *     select    := 'select' ['distinct' | 'all'] items ['from' sources] ['where' expression] ['group' 'by' expressions] ['having' expression]
 *     items     := ('*' | NAME '.' '*' | expression [alias]) (',' …)*
 *     sources   := source ((',' | ['inner' | 'left' ['outer'] | 'cross'] 'join') source ['on' expression | 'using' '(' names ')'])*
 *     source    := postfix [alias]
 *     alias     := ['as'] NAME
 *     tail      := ('order' 'by' keys | 'limit' expression | 'offset' expression)*                 each once, in any order
 *     keys      := expression ['asc' | 'desc'] ['nulls' ('first' | 'last')] (',' …)*
 */
import type { IToken, ParserMethod } from 'chevrotain';
import { type Alternatives, ExpressionGrammar, placeOf } from './efilter-expressions.js';
import { nameOf, textOf } from './efilter-literals.js';
import * as t from './efilter-tokens.js';
import {
  type Expression,
  type Order,
  type Query,
  type QueryStatement,
  QuerySyntaxError,
  type Select,
  type SelectItem,
  type SetOperation,
  type Source,
  type Tail,
  type With,
} from './efilter-tree.js';

type Building<T> = { -readonly [K in keyof T]: T[K] };
type SetOperator = SetOperation['operator'];
type Joining = NonNullable<Source['join']>;

export class QueryGrammar extends ExpressionGrammar {
  constructor(validate = false) {
    super(validate);
    this.performSelfAnalysis();
  }

  /** Reads a statement. Throws QuerySyntaxError for what the grammar alone cannot say; for the rest, `errors` and `mistake` are set. */
  parse(tokens: IToken[]): QueryStatement {
    this.begin(tokens);
    const statement = this.statement();
    if (this.errors.length === 0 && this.star) throw new QuerySyntaxError(`'.*' stands for columns of a select, not for a value.`, this.star);
    return statement;
  }

  readonly statement = this.RULE('statement', (): QueryStatement => {
    const start = this.LA(1).startOffset;
    const statement = this.OR<QueryStatement>([
      {
        ALT: () => {
          this.CONSUME(t.Explain);
          const analyze = this.OPTION(() => this.CONSUME(t.Analyze)) !== undefined;
          const value = this.SUBRULE(this.body);
          return this.ACTION(() => {
            if (this.open) this.bodyless();
            return { kind: 'explain', analyze, value, start, end: this.last() };
          });
        },
      },
      { ALT: () => this.SUBRULE(this.createView) },
      { ALT: () => this.SUBRULE(this.dropView) },
      {
        ALT: () => {
          const value = this.SUBRULE1(this.body);
          return this.ACTION(() => {
            if (this.open && this.open === value) return { kind: 'define', bindings: this.open.bindings, start, end: this.last() };
            if (this.open) this.bodyless();
            return { kind: 'evaluate', value, start, end: this.last() };
          });
        },
      },
    ]);
    this.MANY(() => this.CONSUME(t.Semicolon));
    return statement;
  });

  private readonly createView = this.RULE('createView', (): QueryStatement => {
    const start = this.CONSUME(t.Create).startOffset;
    const replace = this.OPTION(() => (this.CONSUME(t.Operator), this.CONSUME(t.Replace)));
    this.CONSUME(t.View);
    const name = this.CONSUME(t.Name);
    const columns = this.OPTION1(() => this.SUBRULE(this.columns));
    this.CONSUME(t.As);
    const query = this.SUBRULE(this.whole);
    return this.ACTION(() => {
      if (this.open) this.bodyless();
      return { kind: 'create-view', name: nameOf(name), ...(columns ? { columns } : {}), replace: replace !== undefined, query, start, end: this.last() };
    });
  });

  private readonly dropView = this.RULE('dropView', (): QueryStatement => {
    const start = this.CONSUME(t.Drop).startOffset;
    this.CONSUME(t.View);
    const ifExists = this.OPTION(() => (this.CONSUME(t.If), this.CONSUME(t.Exists))) !== undefined;
    const name = this.CONSUME(t.Name);
    return this.ACTION(() => ({ kind: 'drop-view', name: nameOf(name), ifExists, start, end: this.last() }));
  });

  /** One name at least. */
  private readonly columns = this.RULE('columns', (): string[] => {
    const start = this.LA(1).startOffset;
    const names = this.SUBRULE(this.names);
    return this.ACTION(() => {
      if (names.length === 0) throw new QuerySyntaxError('Here the names of columns are missing.', { start, end: this.last() }, ['a column']);
      return names;
    });
  });

  private readonly whole: ParserMethod<[], Query> = this.RULE('whole', (): Query => {
    const start = this.LA(1).startOffset;
    return this.OR<Query>([
      { ALT: () => this.SUBRULE(this.query) },
      {
        ALT: () => {
          const query = this.SUBRULE(this.enclosed);
          return this.SUBRULE(this.rest, { ARGS: [query, start, true] });
        },
      },
    ]);
  });

  private readonly enclosed: ParserMethod<[], Query> = this.RULE('enclosed', (): Query => {
    this.CONSUME(t.LParen);
    this.enter();
    const query = this.SUBRULE(this.whole);
    this.leave();
    this.CONSUME(t.RParen);
    return query;
  });

  protected readonly query: ParserMethod<[], Query> = this.RULE('query', (): Query => this.OR(this.queries));

  private readonly queries: Alternatives<Query> = [
    {
      ALT: () => {
        const { startOffset: start } = this.LA(1);
        const select = this.SUBRULE(this.select);
        return this.RECORDING_PHASE || this.goesOn() ? this.SUBRULE(this.rest, { ARGS: [select, start, false] }) : select;
      },
    },
    {
      ALT: () => {
        const { startOffset: start } = this.CONSUME(t.With);
        const tables: With['tables'][number][] = [];
        this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => tables.push(this.SUBRULE(this.table)) });
        this.enter();
        const body = this.SUBRULE(this.whole);
        this.leave();
        return this.ACTION(() => ({ kind: 'with', tables, body, start, end: this.last() }));
      },
    },
  ];

  private readonly table: ParserMethod<[], With['tables'][number]> = this.RULE('table', () => {
    const name = this.CONSUME(t.Name);
    const columns = this.OPTION(() => this.SUBRULE(this.columns));
    this.CONSUME(t.As);
    const query = this.SUBRULE(this.enclosed);
    return this.ACTION(() => ({ name: nameOf(name), ...(columns ? { columns } : {}), query, start: name.startOffset, end: this.last() }));
  });

  /** `intersect` binds tighter than the others, as the standard has it. */
  protected readonly rest: ParserMethod<[Query, number, boolean], Query> = this.RULE('rest', (first: Query, start: number, enclosed: boolean): Query => {
    let query = first;
    let own = !enclosed;
    this.MANY(() => {
      const operator = this.SUBRULE(this.setOperator);
      const from = this.LA(1).startOffset;
      let right = this.SUBRULE(this.term);
      if (this.RECORDING_PHASE || operator !== 'intersect') {
        this.MANY1(() => {
          this.CONSUME(t.Intersect);
          const next = this.SUBRULE1(this.term);
          right = this.ACTION(() => combined('intersect', right, next, from, this.last()));
        });
      }
      const left = query;
      query = this.ACTION(() => combined(operator, left, right, start, this.last()));
      own = true;
    });
    if (this.RECORDING_PHASE || this.goesOn()) {
      const tail = this.SUBRULE(this.tail);
      query = this.ACTION(() => tailed(query, tail, own, start, this.last()));
    }
    return query;
  });

  private readonly term: ParserMethod<[], Query> = this.RULE('term', (): Query =>
    this.OR<Query>([{ ALT: () => this.SUBRULE(this.select) }, { ALT: () => this.SUBRULE(this.enclosed) }]),
  );

  private readonly setOperator = this.RULE('setOperator', (): SetOperator =>
    this.OR<SetOperator>([
      {
        ALT: () => {
          this.CONSUME(t.Union);
          return this.OPTION(() => this.CONSUME(t.All)) ? 'union all' : 'union';
        },
      },
      { ALT: () => (this.CONSUME(t.Except), 'except') },
      { ALT: () => (this.CONSUME(t.Intersect), 'intersect') },
    ]),
  );

  private readonly tail = this.RULE('tail', (): Tail => {
    const tail: Building<Tail> = { orderBy: [] };
    this.AT_LEAST_ONE(() => {
      this.OR([
        {
          ALT: () => {
            const token = this.CONSUME(t.Order);
            this.CONSUME(t.By);
            if (tail.orderBy.length > 0) twice(token, 'order by');
            tail.orderBy = this.SUBRULE(this.orderBy);
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(t.Limit);
            if (tail.limit !== undefined) twice(token, 'limit');
            tail.limit = this.SUBRULE(this.expression);
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(t.Offset);
            if (tail.offset !== undefined) twice(token, 'offset');
            tail.offset = this.SUBRULE1(this.expression);
          },
        },
      ]);
    });
    return tail;
  });

  private readonly orderBy = this.RULE('orderBy', (): Order[] => {
    const keys: Order[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => {
        const start = this.LA(1).startOffset;
        const value = this.SUBRULE(this.expression);
        let descending = false;
        this.OPTION(() => {
          this.OR([{ ALT: () => this.CONSUME(t.Asc) }, { ALT: () => (this.CONSUME(t.Desc), (descending = true)) }]);
        });
        const nulls = this.OPTION1(() => {
          this.CONSUME(t.Nulls);
          return this.OR1<'first' | 'last'>([{ ALT: () => (this.CONSUME(t.First), 'first') }, { ALT: () => (this.CONSUME(t.Last), 'last') }]);
        });
        this.ACTION(() => keys.push({ value, descending, ...(nulls ? { nulls } : {}), start, end: this.last() }));
      },
    });
    return keys;
  });

  private readonly select: ParserMethod<[], Select> = this.RULE('select', (): Select => {
    const start = this.CONSUME(t.Select).startOffset;
    let distinct = false;
    this.OPTION(() => {
      this.OR([{ ALT: () => (this.CONSUME(t.Distinct), (distinct = true)) }, { ALT: () => this.CONSUME(t.All) }]);
    });
    const items: SelectItem[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => items.push(this.SUBRULE(this.item)) });
    const from = this.OPTION1(() => (this.CONSUME(t.From), this.SUBRULE(this.sources))) ?? [];
    const where = this.OPTION2(() => (this.CONSUME(t.Where), this.SUBRULE(this.expression)));
    const groupBy: Expression[] = [];
    this.OPTION3(() => {
      this.CONSUME(t.Group);
      this.CONSUME(t.By);
      this.AT_LEAST_ONE_SEP1({ SEP: t.Comma, DEF: () => groupBy.push(this.SUBRULE1(this.expression)) });
    });
    const having = this.OPTION4(() => (this.CONSUME(t.Having), this.SUBRULE2(this.expression)));
    return this.ACTION(() => {
      const end = this.last();
      return { kind: 'select', distinct, items, from, ...(where ? { where } : {}), groupBy, ...(having ? { having } : {}), orderBy: [], start, end };
    });
  });

  private readonly item = this.RULE('item', (): SelectItem => this.OR(this.items));

  private readonly items: Alternatives<SelectItem> = [
    {
      ALT: () => {
        const { startOffset: start } = this.CONSUME(t.Star);
        return { kind: 'star', start, end: start + 1 };
      },
    },
    {
      ALT: () => {
        const { startOffset: start } = this.LA(1);
        const value = this.SUBRULE(this.expression);
        const as = this.OPTION(() => this.SUBRULE(this.alias));
        return this.ACTION((): SelectItem => {
          const end = this.last();
          if (this.star === undefined || value !== this.star) return { kind: 'column', value, ...(as === undefined ? {} : { as }), start, end };
          this.star = undefined;
          const table = value.kind === 'member' && value.object.kind === 'name' ? value.object.name : '';
          if (as !== undefined) throw new QuerySyntaxError(`${table}.* is several columns and cannot have one name.`, { start, end });
          return { kind: 'star', table, start, end };
        });
      },
    },
  ];

  private readonly alias = this.RULE('alias', (): string => this.OR(this.aliases));

  private readonly aliases: Alternatives<string> = [
    { ALT: () => (this.CONSUME(t.As), this.OR1(this.aliasNames)) },
    { ALT: () => this.nameOf(this.CONSUME1(t.Name)) },
  ];

  private readonly aliasNames: Alternatives<string> = [{ ALT: () => this.nameOf(this.CONSUME(t.Name)) }, { ALT: () => this.textOf(this.CONSUME(t.Text)) }];

  protected readonly sources = this.RULE('sources', (): Source[] => {
    const sources = [this.SUBRULE(this.source, { ARGS: [undefined] })];
    this.MANY(() => {
      const kind = this.SUBRULE(this.joinKind);
      sources.push(this.SUBRULE1(this.source, { ARGS: [kind] }));
    });
    return sources;
  });

  private readonly joinKind = this.RULE('joinKind', (): Joining['kind'] =>
    this.OR<Joining['kind']>([
      { ALT: () => (this.CONSUME(t.Comma), 'cross') },
      { ALT: () => (this.CONSUME(t.Join), 'inner') },
      { ALT: () => (this.CONSUME(t.Inner), this.CONSUME1(t.Join), 'inner') },
      { ALT: () => (this.CONSUME(t.Cross), this.CONSUME2(t.Join), 'cross') },
      {
        ALT: () => {
          this.CONSUME(t.Left);
          this.OPTION(() => this.CONSUME(t.Outer));
          this.CONSUME3(t.Join);
          return 'left';
        },
      },
    ]),
  );

  private readonly source: ParserMethod<[Joining['kind'] | undefined], Source> = this.RULE('source', (kind: Joining['kind'] | undefined): Source => {
    const start = this.LA(1).startOffset;
    const value = this.SUBRULE(this.postfix);
    const alias = this.OPTION(() => this.SUBRULE(this.alias));
    let on: Expression | undefined;
    let using: string[] | undefined;
    this.OPTION1(() => {
      this.OR([{ ALT: () => (this.CONSUME(t.On), (on = this.SUBRULE(this.expression))) }, { ALT: () => (this.CONSUME(t.Using), (using = this.SUBRULE(this.columns))) }]);
    });
    return this.ACTION(() => {
      const end = this.last();
      if (kind === undefined && (on || using)) throw new QuerySyntaxError(`'${on ? 'on' : 'using'}' says how a source is joined to the one before; this is the first.`, on ?? { start, end });
      const join = kind === undefined ? undefined : { kind, ...(on ? { on } : {}), ...(using ? { using } : {}) };
      return { value, ...(alias === undefined ? {} : { alias }), ...(join ? { join } : {}), start, end };
    });
  });

  private nameOf(token: IToken): string {
    return this.RECORDING_PHASE ? '' : nameOf(token);
  }

  private textOf(token: IToken): string {
    return this.RECORDING_PHASE ? '' : textOf(token.image);
  }

  private bodyless(): never {
    const end = this.open?.end ?? 0;
    throw new QuerySyntaxError(`After the names that 'let' gives, the value is missing in which they are used.`, { start: this.open?.start ?? 0, end }, ['a value', 'a query']);
  }
}

function combined(operator: SetOperator, left: Query, right: Query, start: number, end: number): SetOperation {
  return { kind: 'set', operator, left, right, orderBy: [], start, end };
}

/** A query with its tail. One in parentheses keeps what is within them, and is a source of the whole. */
function tailed(query: Query, tail: Tail, own: boolean, start: number, end: number): Query {
  if (own && query.kind !== 'with') return { ...query, ...tail, end };
  const value: Expression = { kind: 'subquery', query, start: query.start, end: query.end };
  return { kind: 'select', distinct: false, items: [{ kind: 'star', start, end: start }], from: [{ value, start, end: query.end }], groupBy: [], ...tail, start, end };
}

function twice(token: IToken, clause: string): never {
  throw new QuerySyntaxError(`'${clause}' stands here for the second time.`, placeOf(token));
}
