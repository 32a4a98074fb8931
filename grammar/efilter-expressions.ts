/**
 * The grammar of values. Words have been told from keywords before (`efilter-words.ts`), so one token of look-ahead is enough.
 *
 *     body        := expression, and if that was a query in parentheses, what may follow one: set operations and a tail
 *     expression  := prefix* postfix ((OPERATOR | 'between') prefix* postfix | 'is' ['not'] 'null')*        (efilter-precedence.ts)
 *     postfix     := atom ('.' NAME | '[' body ']')*
 *     atom        := literal | placeholder | NAME ['(' arguments ')'] | '(' elements ')' | '[' elements ']' | query
 *                  | let | conditional | case | any | 'exists' '(' body ')'
 *     arguments   := ['distinct'] [argument (',' argument)*] | '*'
 *     argument    := NAME (':' | '=') body | element
 *     element     := body [':' body]
 *     let         := 'let' bindings [body]                              without a body: a definition, if it is the whole statement
 *     bindings    := ('(' bindings ')' | NAME ['(' names ')'] '=' body) (',' …)*
 *     conditional := 'if' body 'then' body ['else' body]
 *     case        := 'case' [body] ('when' body 'then' body)+ ['else' body] 'end'
 *     any         := 'any' query | ['select'] 'any' 'from' sources ['where' expression] | 'any' postfix ['where' expression]
 */
import { EmbeddedActionsParser, type IOrAlt, type IToken, type ParserMethod } from 'chevrotain';
import { messages, type Mistake } from './efilter-errors.js';
import { nameOf, numberOf, Placeholders, textOf } from './efilter-literals.js';
import { Climb, endOf } from './efilter-precedence.js';
import * as t from './efilter-tokens.js';
import { type Binding, type CallArgument, type Case, type Expression, type Let, type Place, type Query, QuerySyntaxError, type Source, type Subquery } from './efilter-tree.js';

/** Brackets, queries and other forms within each other. Far more than anybody writes, far less than the stack holds. */
export const MAX_NESTING = 150;

/** What a rule chooses from. Those that are asked for often are made once, not at each place. */
export type Alternatives<T> = IOrAlt<T>[];

/** The rules of values. Those of queries are in `efilter-queries.ts`. */
export abstract class ExpressionGrammar extends EmbeddedActionsParser {
  /** what the message of an error is made of */
  mistake: Mistake | undefined;
  /** a `let` without a body */
  protected open: Let | undefined;
  /** a `t.*` that nobody has taken as a column of a select yet */
  protected star: Expression | undefined;
  private depth = 0;
  private readonly placeholders = new Placeholders();

  /** queries that begin with `select` or `with` */
  protected abstract readonly query: ParserMethod<[], Query>;
  /** what follows the first term of a query: set operations and the tail of the whole */
  protected abstract readonly rest: ParserMethod<[Query, number, boolean], Query>;
  protected abstract readonly sources: ParserMethod<[], Source[]>;

  constructor(validate: boolean) {
    super(t.tokens, {
      recoveryEnabled: false,
      maxLookahead: 1,
      skipValidations: !validate,
      errorMessageProvider: messages((mistake) => (this.mistake = mistake)),
    });
  }

  protected begin(tokens: IToken[]): void {
    this.mistake = undefined;
    this.open = undefined;
    this.star = undefined;
    this.depth = 0;
    this.placeholders.reset();
    this.input = tokens;
  }

  protected readonly body: ParserMethod<[], Expression> = this.RULE('body', (): Expression => {
    const start = this.LA(1).startOffset;
    const value = this.SUBRULE(this.expression);
    if (!this.RECORDING_PHASE && (value.kind !== 'subquery' || value.any === true || !this.goesOn())) return value;
    const query = this.SUBRULE(this.rest, { ARGS: [(value as Subquery).query, start, true] });
    return this.ACTION(() => ({ kind: 'subquery', query, start, end: this.last() }));
  });

  protected readonly expression: ParserMethod<[], Expression> = this.RULE('expression', (): Expression => {
    let climb: Climb | undefined;
    this.MANY(() => {
      const token = this.CONSUME(t.Prefix);
      this.ACTION(() => (climb ??= new Climb()).prefix(token));
    });
    const start = this.LA(1).startOffset;
    const first = this.SUBRULE(this.postfix);
    if (climb !== undefined) (climb as Climb).value(first, start, this.last());
    this.MANY1(() => {
      if (climb === undefined) {
        climb = new Climb();
        climb.value(first, start, this.last());
      }
      const into = climb;
      const sign = this.OR(this.signs);
      this.ACTION(() => this.apply(into, sign));
      if (!this.RECORDING_PHASE && !into.waits) return;
      this.MANY2(() => {
        const token = this.CONSUME2(t.Prefix);
        this.ACTION(() => into.prefix(token));
      });
      const from = this.LA(1).startOffset;
      const operand = this.SUBRULE1(this.postfix);
      this.ACTION(() => into.value(operand, from, this.last()));
    });
    return this.ACTION(() => (climb === undefined ? first : (climb as Climb).finish()));
  });

  /** What stands between two values, or behind one. Alternatives are made once: they are asked for with every value. */
  private readonly signs: Alternatives<IToken> = [
    { ALT: () => this.CONSUME(t.Operator) },
    { ALT: () => this.CONSUME(t.Equals) },
    { ALT: () => this.CONSUME(t.Between) },
    { ALT: () => this.CONSUME(t.NotBetween) },
    {
      ALT: () => {
        this.CONSUME(t.Is);
        this.OPTION(() => this.CONSUME1(t.Prefix));
        return this.CONSUME(t.Null);
      },
    },
  ];

  private apply(climb: Climb, sign: IToken): void {
    if (sign.tokenType === t.Between || sign.tokenType === t.NotBetween) climb.between(sign, sign.tokenType === t.NotBetween);
    else if (sign.tokenType !== t.Null) climb.infix(sign);
    else {
      const before = this.LA(-1);
      const negated = before.tokenType === t.Prefix;
      if (negated && before.image.toLowerCase() !== 'not') throw new QuerySyntaxError(`'is' is followed by null or not null.`, placeOf(before), ['null', 'not null']);
      climb.isNull(negated, endOf(sign));
    }
  }

  protected readonly postfix: ParserMethod<[], Expression> = this.RULE('postfix', (): Expression => {
    this.enter();
    const start = this.LA(1).startOffset;
    let value = this.SUBRULE(this.atom);
    this.MANY(() => {
      const step = this.OR(this.steps);
      const object = value;
      value = this.ACTION(() => ('kind' in step ? { kind: 'index', object, key: step, start, end: this.last() } : this.member(object, step, start)));
    });
    this.depth--;
    return value;
  });

  /** The name behind a dot, or the key in brackets. */
  private readonly steps: Alternatives<IToken | Expression> = [
    { ALT: () => (this.CONSUME(t.Dot), this.OR1(this.memberNames)) },
    {
      ALT: () => {
        this.CONSUME(t.LBracket);
        const key = this.SUBRULE(this.body);
        this.CONSUME(t.RBracket);
        return key;
      },
    },
  ];

  private readonly memberNames: Alternatives<IToken> = [{ ALT: () => this.CONSUME(t.Name) }, { ALT: () => this.CONSUME(t.Star) }];

  private readonly atom: ParserMethod<[], Expression> = this.RULE('atom', (): Expression => this.OR(this.atoms));

  private readonly atoms: Alternatives<Expression> = [
    {
      ALT: () => {
        const name = this.CONSUME(t.Name);
        const call = this.OPTION(() => {
          this.CONSUME(t.LParen);
          return this.SUBRULE(this.call, { ARGS: [name] });
        });
        return call ?? this.ACTION(() => ({ kind: 'name', name: nameOf(name), start: name.startOffset, end: endOf(name) }));
      },
    },
    {
      ALT: () => {
        const token = this.CONSUME(t.Numeral);
        return this.ACTION(() => numberOf(token));
      },
    },
    {
      ALT: () => {
        const { image, startOffset: start } = this.CONSUME(t.Text);
        return this.ACTION(() => ({ kind: 'literal', value: textOf(image), start, end: start + image.length }));
      },
    },
    { ALT: () => this.constant(this.CONSUME(t.Null), null) },
    { ALT: () => this.constant(this.CONSUME(t.True), true) },
    { ALT: () => this.constant(this.CONSUME(t.False), false) },
    {
      ALT: () => {
        const token = this.CONSUME(t.Placeholder);
        return this.ACTION(() => this.placeholders.parameter(token));
      },
    },
    {
      ALT: () => {
        const { startOffset: start } = this.CONSUME1(t.LParen);
        const items = this.SUBRULE(this.elements);
        this.CONSUME(t.RParen);
        const only = items[0];
        return this.ACTION(() => (items.length === 1 && only ? only : { kind: 'list', items, start, end: this.last() }));
      },
    },
    {
      ALT: () => {
        const { startOffset: start } = this.CONSUME1(t.LBracket);
        const items = this.SUBRULE1(this.elements);
        this.CONSUME1(t.RBracket);
        return this.ACTION(() => ({ kind: 'tuple', items, start, end: this.last() }));
      },
    },
    {
      ALT: () => {
        const { startOffset: start } = this.LA(1);
        const query = this.SUBRULE(this.query);
        return this.ACTION(() => ({ kind: 'subquery', query, start, end: this.last() }));
      },
    },
    { ALT: () => this.SUBRULE(this.let) },
    { ALT: () => this.SUBRULE(this.conditional) },
    { ALT: () => this.SUBRULE(this.choice) },
    { ALT: () => this.SUBRULE(this.any) },
    {
      ALT: () => {
        const { startOffset: start } = this.CONSUME(t.Exists);
        this.CONSUME2(t.LParen);
        const value = this.SUBRULE(this.body);
        this.CONSUME1(t.RParen);
        return this.ACTION(() => whetherAny(value, start, this.last()));
      },
    },
  ];

  private constant(token: IToken, value: boolean | null): Expression {
    return { kind: 'literal', value, start: token.startOffset, end: token.startOffset + token.image.length };
  }

  /** Behind the opening parenthesis. */
  private readonly call: ParserMethod<[IToken], Expression> = this.RULE('call', (name: IToken): Expression => {
    const distinct = this.OPTION(() => this.CONSUME(t.Distinct));
    const star = this.OPTION1(() => this.CONSUME(t.Star));
    const args: CallArgument[] = [];
    this.MANY_SEP({ SEP: t.Comma, DEF: () => args.push(this.SUBRULE(this.argument)) });
    // SQL's way to write it: cast(x as int)
    const type = this.OPTION2(() => {
      this.CONSUME(t.As);
      return this.CONSUME(t.Name);
    });
    this.CONSUME(t.RParen);
    return this.ACTION(() => {
      if (star && args[0]) throw new QuerySyntaxError(`Nothing can stand beside '*' here.`, args[0]);
      if (type) {
        if (name.image.toLowerCase() !== 'cast') throw new QuerySyntaxError(`Arguments are named in front: ${nameOf(type)}: value.`, placeOf(type));
        args.push({ value: { kind: 'name', name: nameOf(type), ...placeOf(type) }, ...placeOf(type) });
      }
      const at = placeOf(name);
      return { kind: 'call', name: nameOf(name), at, args, ...(star ? { star: true } : {}), ...(distinct ? { distinct: true } : {}), start: at.start, end: this.last() };
    });
  });

  private readonly argument = this.RULE('argument', (): CallArgument => this.OR(this.argumentForms));

  private readonly argumentForms: Alternatives<CallArgument> = [
    {
      ALT: () => {
        const name = this.CONSUME(t.ArgumentName);
        const sign = this.OR1(this.argumentSigns);
        const value = this.SUBRULE(this.body);
        return this.ACTION(() => {
          const at = placeOf(name);
          return { name: nameOf(name), at, value, ...(sign.tokenType === t.Equals ? { equals: true } : {}), start: at.start, end: this.last() };
        });
      },
    },
    {
      ALT: () => {
        const { startOffset: start } = this.LA(1);
        const value = this.SUBRULE(this.element);
        return this.ACTION(() => ({ value, start, end: this.last() }));
      },
    },
  ];

  private readonly argumentSigns: Alternatives<IToken> = [{ ALT: () => this.CONSUME(t.Colon) }, { ALT: () => this.CONSUME(t.Equals) }];

  private readonly elements = this.RULE('elements', (): Expression[] => {
    const items: Expression[] = [];
    this.MANY_SEP({ SEP: t.Comma, DEF: () => items.push(this.SUBRULE(this.element)) });
    return items;
  });

  private readonly element: ParserMethod<[], Expression> = this.RULE('element', (): Expression => {
    const start = this.LA(1).startOffset;
    const key = this.SUBRULE(this.body);
    return (
      this.OPTION(() => {
        this.CONSUME(t.Colon);
        const value = this.SUBRULE1(this.body);
        return this.ACTION((): Expression => ({ kind: 'pair', key, value, start, end: this.last() }));
      }) ?? key
    );
  });

  /** `(a, b)` */
  protected readonly names = this.RULE('names', (): string[] => {
    const names: string[] = [];
    this.CONSUME(t.LParen);
    this.MANY_SEP({
      SEP: t.Comma,
      DEF: () => {
        const name = this.CONSUME(t.Name);
        this.ACTION(() => names.push(nameOf(name)));
      },
    });
    this.CONSUME(t.RParen);
    return names;
  });

  private readonly let = this.RULE('let', (): Expression => {
    const start = this.CONSUME(t.Let).startOffset;
    const bindings: Binding[] = [];
    this.SUBRULE(this.bindings, { ARGS: [bindings] });
    const body = this.OPTION(() => this.SUBRULE(this.body));
    return this.ACTION(() => {
      const end = this.last();
      if (body) return { kind: 'let', bindings, body, start, end };
      const open: Let = { kind: 'let', bindings, body: { kind: 'literal', value: null, start: end, end }, start, end };
      this.open ??= open;
      return open;
    });
  });

  private readonly bindings: ParserMethod<[Binding[]], void> = this.RULE('bindings', (into: Binding[]): void => {
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => {
        this.OR([
          {
            ALT: () => {
              this.CONSUME(t.LParen);
              this.enter();
              this.SUBRULE(this.bindings, { ARGS: [into] });
              this.depth--;
              this.CONSUME(t.RParen);
            },
          },
          {
            ALT: () => {
              const name = this.CONSUME(t.Name);
              const parameters = this.OPTION(() => this.SUBRULE(this.names));
              this.CONSUME(t.Equals);
              const value = this.SUBRULE(this.body);
              this.ACTION(() => {
                const at = placeOf(name);
                into.push({ name: nameOf(name), at, ...(parameters ? { parameters } : {}), value, start: at.start, end: this.last() });
              });
            },
          },
        ]);
      },
    });
  });

  private readonly conditional = this.RULE('conditional', (): Expression => {
    const start = this.CONSUME(t.If).startOffset;
    const when = this.SUBRULE(this.body);
    this.CONSUME(t.Then);
    const then = this.SUBRULE1(this.body);
    let chained = false;
    const otherwise = this.OPTION(() => {
      this.CONSUME(t.Else);
      chained = this.LA(1).tokenType === t.If;
      return this.SUBRULE2(this.body);
    });
    return this.ACTION((): Case => {
      const end = this.last();
      const first = { when, then };
      if (otherwise === undefined) return { kind: 'case', style: 'if', branches: [first], start, end };
      if (!chained || otherwise.kind !== 'case' || otherwise.style !== 'if') return { kind: 'case', style: 'if', branches: [first], otherwise, start, end };
      const { branches, otherwise: last } = otherwise;
      return { kind: 'case', style: 'if', branches: [first, ...branches], ...(last ? { otherwise: last } : {}), start, end };
    });
  });

  private readonly choice = this.RULE('choice', (): Expression => {
    const start = this.CONSUME(t.Case).startOffset;
    const operand = this.OPTION(() => this.SUBRULE(this.body));
    const branches: { when: Expression; then: Expression }[] = [];
    this.AT_LEAST_ONE(() => {
      this.CONSUME(t.When);
      const when = this.SUBRULE1(this.body);
      this.CONSUME(t.Then);
      const then = this.SUBRULE2(this.body);
      branches.push({ when, then });
    });
    const otherwise = this.OPTION1(() => {
      this.CONSUME(t.Else);
      return this.SUBRULE3(this.body);
    });
    this.CONSUME(t.End);
    return this.ACTION(() => ({ kind: 'case', style: 'case', ...(operand ? { operand } : {}), branches, ...(otherwise ? { otherwise } : {}), start, end: this.last() }));
  });

  private readonly any = this.RULE('any', (): Expression => {
    const start = this.LA(1).startOffset;
    this.OPTION(() => this.CONSUME(t.SelectAny));
    this.CONSUME(t.Any);
    return this.OR<Expression>([
      {
        ALT: () => {
          this.CONSUME(t.From);
          const from = this.SUBRULE(this.sources);
          const where = this.OPTION1(() => (this.CONSUME(t.Where), this.SUBRULE(this.expression)));
          return this.ACTION(() => anyFrom(from, where, start, this.last()));
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.postfix);
          const where = this.OPTION2(() => (this.CONSUME1(t.Where), this.SUBRULE1(this.expression)));
          return this.ACTION(() => {
            if (where === undefined) return whetherAny(value, start, this.last());
            return anyFrom([{ value, start: value.start, end: value.end }], where, start, this.last());
          });
        },
      },
    ]);
  });

  private member(object: Expression, name: IToken, start: number): Expression {
    const at = placeOf(name);
    if (name.tokenType !== t.Star) return { kind: 'member', object, name: nameOf(name), at, start, end: at.end };
    const star: Expression = { kind: 'member', object, name: '*', at, start, end: at.end };
    if (this.star !== undefined || object.kind !== 'name') throw new QuerySyntaxError(`'.*' stands behind the name of a source, as a column of a select.`, at);
    this.star = star;
    return star;
  }

  /** Whether something that belongs to a query follows: a set operation, or the tail. */
  protected goesOn(): boolean {
    return GOES_ON.has(this.LA(1).tokenTypeIdx);
  }

  protected enter(): void {
    if (++this.depth > MAX_NESTING && !this.RECORDING_PHASE) {
      const token = this.LA(1);
      throw new QuerySyntaxError(`This is nested more than ${MAX_NESTING} levels deep.`, { start: token.startOffset, end: endOf(token) });
    }
  }

  protected leave(): void {
    this.depth--;
  }

  /** One past the last character of what has been read. */
  protected last(): number {
    return endOf(this.LA(0));
  }
}

const GOES_ON = new Set([t.Union, t.Except, t.Intersect, t.Order, t.Limit, t.Offset].map((type) => type.tokenTypeIdx as number));

export function placeOf(token: IToken): Place {
  return { start: token.startOffset, end: endOf(token) };
}

function anyFrom(from: readonly Source[], where: Expression | undefined, start: number, end: number): Subquery {
  const query: Query = { kind: 'select', distinct: false, items: [{ kind: 'star', start, end: start }], from, ...(where ? { where } : {}), groupBy: [], orderBy: [], start, end };
  return { kind: 'subquery', query, any: true, start, end };
}

/** `any x`, `exists (x)`: whether x has a row. */
function whetherAny(value: Expression, start: number, end: number): Subquery {
  if (value.kind === 'subquery' && value.any !== true) return { kind: 'subquery', query: value.query, any: true, start, end };
  return anyFrom([{ value, start: value.start, end: value.end }], undefined, start, end);
}
