/**
 * Which words are keywords. A word is one only where it can be: `limit` behind a value ends a query, but in `select limit from x()`, or
 * behind a dot, an `as` or before the colon of an argument, it is a name. What decides is mostly whether a value is expected at that place.
 */
import type { IToken, TokenType } from 'chevrotain';
import * as t from './efilter-tokens.js';
import { QuerySyntaxError } from './efilter-tree.js';

/** Where a word is a keyword: given what stands around it. */
interface Word {
  readonly type: TokenType;
  /** true: a value is expected behind it */
  readonly opens: boolean;
  readonly when: (at: Surroundings) => boolean;
}

/** A place among the tokens, and what is known of it. */
class Surroundings {
  tokens: IToken[] = [];
  index = 0;
  /** a value (or a prefix of one) is expected here */
  value = true;

  /** The type of the token before this one (`back` = 1), undefined at the beginning. */
  before(back = 1): TokenType | undefined {
    return this.tokens[this.index - back]?.tokenType;
  }

  after(ahead = 1): TokenType | undefined {
    return this.tokens[this.index + ahead]?.tokenType;
  }

  /** The following word in lower case, or ''. */
  word(ahead = 1): string {
    const token = this.tokens[this.index + ahead];
    return token?.tokenType === t.Name ? token.image.toLowerCase() : '';
  }
}

const BEGINS = new Set<TokenType>([t.Name, t.Quoted, t.Text, t.Numeral, t.Placeholder, t.LParen, t.LBracket]);
/** Words that cannot begin a value. */
const NEVER_FIRST = new Set(['from', 'where', 'and', 'or', 'in', 'as', 'is', 'like', 'between', 'isa', 'order', 'group', 'union', 'except', 'intersect']);

/** Whether a value may begin behind this place. */
function opensValue(at: Surroundings): boolean {
  const next = at.after();
  return next !== undefined && BEGINS.has(next) && !NEVER_FIRST.has(at.word());
}

const always = (): boolean => true;
const behindValue = (at: Surroundings): boolean => !at.value;
const behind =
  (...types: readonly TokenType[]) =>
  (at: Surroundings): boolean =>
    types.includes(at.before() as TokenType);
/** `left join`: otherwise the name of a source. */
const joins = (at: Surroundings): boolean => !at.value && (at.word() === 'join' || at.word() === 'outer');

/** Behind a value (`opens`: and before one) an operator. `not in`, `not like` and `not between` are made of two tokens below. */
const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['select', { type: t.Select, opens: true, when: always }],
  ['from', { type: t.From, opens: true, when: always }],
  ['where', { type: t.Where, opens: true, when: always }],
  ['and', { type: t.Operator, opens: true, when: always }],
  ['or', { type: t.Operator, opens: true, when: always }],
  ['in', { type: t.Operator, opens: true, when: always }],
  ['not', { type: t.Prefix, opens: true, when: always }],
  ['like', { type: t.Operator, opens: true, when: behindValue }],
  ['isa', { type: t.Operator, opens: true, when: behindValue }],
  ['is', { type: t.Is, opens: true, when: behindValue }],
  ['between', { type: t.Between, opens: true, when: behindValue }],
  ['group', { type: t.Group, opens: false, when: (at) => !at.value || at.word() === 'by' }],
  ['order', { type: t.Order, opens: false, when: (at) => !at.value || at.word() === 'by' }],
  ['by', { type: t.By, opens: true, when: behind(t.Group, t.Order) }],
  ['having', { type: t.Having, opens: true, when: behindValue }],
  ['limit', { type: t.Limit, opens: true, when: behindValue }],
  ['offset', { type: t.Offset, opens: true, when: behindValue }],
  ['asc', { type: t.Asc, opens: false, when: behindValue }],
  ['desc', { type: t.Desc, opens: false, when: behindValue }],
  ['nulls', { type: t.Nulls, opens: false, when: (at) => !at.value && (at.word() === 'first' || at.word() === 'last') }],
  ['first', { type: t.First, opens: false, when: behind(t.Nulls) }],
  ['last', { type: t.Last, opens: false, when: behind(t.Nulls) }],
  ['as', { type: t.As, opens: true, when: behindValue }],
  ['distinct', { type: t.Distinct, opens: true, when: (at) => opensSelection(at) || (at.before() === t.LParen && at.before(2) === t.Name && begins(at)) }],
  ['all', { type: t.All, opens: true, when: (at) => at.before() === t.Union || at.before() === t.Except || at.before() === t.Intersect || opensSelection(at) }],
  ['union', { type: t.Union, opens: true, when: behindValue }],
  ['except', { type: t.Except, opens: true, when: behindValue }],
  ['intersect', { type: t.Intersect, opens: true, when: behindValue }],
  ['join', { type: t.Join, opens: true, when: (at) => !at.value || behind(t.Inner, t.Left, t.Outer, t.Cross)(at) }],
  ['inner', { type: t.Inner, opens: false, when: joins }],
  ['left', { type: t.Left, opens: false, when: joins }],
  ['cross', { type: t.Cross, opens: false, when: joins }],
  ['outer', { type: t.Outer, opens: false, when: behind(t.Left) }],
  ['on', { type: t.On, opens: true, when: behindValue }],
  ['using', { type: t.Using, opens: false, when: (at) => !at.value && at.after() === t.LParen }],
  ['null', { type: t.Null, opens: false, when: (at) => at.after() !== t.LParen }],
  ['true', { type: t.True, opens: false, when: (at) => at.after() !== t.LParen }],
  ['false', { type: t.False, opens: false, when: (at) => at.after() !== t.LParen }],
  ['case', { type: t.Case, opens: true, when: begins }],
  ['when', { type: t.When, opens: true, when: (at) => !at.value || at.before() === t.Case }],
  ['then', { type: t.Then, opens: true, when: behindValue }],
  ['else', { type: t.Else, opens: true, when: behindValue }],
  ['end', { type: t.End, opens: false, when: behindValue }],
  ['if', { type: t.If, opens: true, when: (at) => begins(at) || (at.before() === t.View && at.word() === 'exists') }],
  ['let', { type: t.Let, opens: true, when: (at) => (at.after() === t.Name && !NEVER_FIRST.has(at.word())) || at.after() === t.Quoted || at.after() === t.LParen }],
  ['any', { type: t.Any, opens: true, when: isAny }],
  ['exists', { type: t.Exists, opens: true, when: (at) => at.after() === t.LParen || (at.before() === t.If && at.before(2) === t.View) }],
  ['with', { type: t.With, opens: true, when: (at) => (at.after() === t.Name || at.after() === t.Quoted) && (at.word(2) === 'as' || at.after(2) === t.LParen) }],
  ['create', { type: t.Create, opens: false, when: (at) => at.index === 0 && (at.word() === 'view' || at.word() === 'or') }],
  ['drop', { type: t.Drop, opens: false, when: (at) => at.index === 0 && at.word() === 'view' }],
  ['view', { type: t.View, opens: false, when: behind(t.Create, t.Drop, t.Replace) }],
  ['replace', { type: t.Replace, opens: false, when: (at) => at.before(2) === t.Create }],
  ['explain', { type: t.Explain, opens: true, when: (at) => at.index === 0 && begins(at) }],
  ['analyze', { type: t.Analyze, opens: true, when: (at) => at.before() === t.Explain && begins(at) }],
]);

/** All words that are keywords somewhere, for guesses, completion and colours. */
export const KEYWORDS: readonly string[] = [...WORDS.keys()];

/** Words that are keywords even where a value is expected; as names they need backticks there. */
const BEFORE_VALUES = new Set([
  ...['select', 'from', 'where', 'and', 'or', 'in', 'not', 'distinct', 'all', 'any', 'exists', 'if', 'case', 'when', 'let', 'with'],
  ...['null', 'true', 'false', 'create', 'drop', 'explain'],
]);

/** Whether a name may stand without backticks where a value is expected. */
export function isPlainName(name: string): boolean {
  const word = name.toLowerCase();
  return /^[A-Za-z_$][\w$]*$/.test(name) && !BEFORE_VALUES.has(word) && !NEVER_FIRST.has(word);
}

/** Whether a word behind a value is a name rather than an operator or the beginning of a clause. */
export function isKeyword(word: string): boolean {
  return WORDS.has(word.toLowerCase());
}

function begins(at: Surroundings): boolean {
  return opensValue(at) || at.after() === t.Sign || (at.after() === t.Asterisk && at.before() === t.Select);
}

/** `distinct` and `all` directly behind `select`; a column of that name is followed by no value. */
function opensSelection(at: Surroundings): boolean {
  return at.before() === t.Select && begins(at);
}

/** `any select …`, `any from …`, `any pslist() where …`; but `any(src, condition)` is a call, and `any` alone a name. */
function isAny(at: Surroundings): boolean {
  const token = at.tokens[at.index] as IToken;
  const next = at.tokens[at.index + 1];
  if (next?.tokenType === t.LParen && next.startOffset === token.startOffset + 3) return false;
  return at.word() === 'from' || (at.after() !== t.LBracket && opensValue(at));
}

/** Words before which `not` is part of an operator. */
const NEGATED: Readonly<Record<string, TokenType>> = { in: t.Operator, like: t.Operator, between: t.NotBetween };

/** A bracket that is open: what a `name =` in it means. */
interface Level {
  /** the parenthesis of a call, whose arguments may have names */
  call: boolean;
  /** forms whose second argument is a condition: `filter(x, a = b)` compares */
  readonly compares: boolean;
}

const CONDITIONS = new Set(['map', 'filter', 'sort', 'any', 'each', 'cast']);
const TOP: Level = { call: false, compares: false };

const at = new Surroundings();
/** Words as they are usually typed, found without making lower case of them. */
const spelt = new Map<string, Word | null>();

function wordOf(image: string): Word | undefined {
  const known = spelt.get(image);
  if (known !== undefined) return known ?? undefined;
  const word = WORDS.get(image.toLowerCase());
  // Names come from whoever writes queries: what is remembered of them is bounded.
  if (spelt.size < 4096) spelt.set(image, word ?? null);
  return word;
}

/** Sets the types of tokens by what they are where they stand. Works in place; may join two tokens (`not in`), so the array is the result. */
export function settleWords(tokens: IToken[]): IToken[] {
  at.tokens = tokens;
  at.value = true;
  const levels: Level[] = [];
  let level = TOP;
  let joined = false;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] as IToken;
    at.index = index;
    switch (token.tokenType) {
      case t.Name: {
        const word = wordOf(token.image);
        if (namesArgument(tokens, index, level)) retype(token, t.ArgumentName);
        else if (word === undefined || isName(word, token)) {
          if (!at.value) refuse(token);
          at.value = false;
        }
        else if (word.type === t.Prefix && !at.value && NEGATED[at.word()] !== undefined) {
          joined = true;
          const next = tokens[index + 1] as IToken;
          retype(next, NEGATED[at.word()] as TokenType);
          next.endOffset = next.startOffset + next.image.length - 1;
          next.startOffset = token.startOffset;
          next.image = `not ${next.image}`;
          token.tokenTypeIdx = -1;
          at.value = true;
          index++;
        } else {
          retype(token, word.type);
          if (word.type === t.Select || word.type === t.Let) level.call &&= false;
          if (word.type === t.Any && at.word() === 'from' && at.before() === t.Select) retype(tokens[index - 1] as IToken, t.SelectAny);
          at.value = word.opens;
        }
        break;
      }
      case t.Quoted:
        retype(token, namesArgument(tokens, index, level) ? t.ArgumentName : t.Name);
        at.value = false;
        break;
      case t.Text:
      case t.Numeral:
      case t.Placeholder:
        at.value = false;
        break;
      case t.LParen: {
        const before = tokens[index - 1];
        const call = before !== undefined && before.tokenType === t.Name;
        levels.push(level);
        level = { call, compares: call && CONDITIONS.has(before.image.toLowerCase()) };
        at.value = true;
        break;
      }
      case t.LBracket:
        levels.push(level);
        level = { call: false, compares: false };
        at.value = true;
        break;
      case t.RParen:
      case t.RBracket:
        level = levels.pop() ?? { call: false, compares: false };
        at.value = false;
        break;
      case t.Sign:
        retype(token, at.value ? t.Prefix : t.Operator);
        at.value = true;
        break;
      case t.Asterisk:
        if (at.value || tokens[index - 1]?.tokenType === t.Dot) {
          retype(token, t.Star);
          at.value = false;
        } else {
          retype(token, t.Operator);
          at.value = true;
        }
        break;
      default:
        at.value = true;
    }
  }
  at.tokens = [];
  return joined ? tokens.filter((token) => token.tokenTypeIdx !== -1) : tokens;
}

/** `name:` or `name =` at the beginning of an argument. */
function namesArgument(tokens: readonly IToken[], index: number, level: Level): boolean {
  if (!level.call) return false;
  const before = tokens[index - 1]?.tokenType;
  if (before !== t.LParen && before !== t.Comma) return false;
  const after = tokens[index + 1]?.tokenType;
  return after === t.Colon || (after === t.Equals && !level.compares);
}

/** A word that could be a keyword, but is a name here. */
function isName(word: Word, token: IToken): boolean {
  const before = at.before();
  if (before === t.Dot) return true;
  if (at.value && at.after() === t.Colon) return word.type !== t.Null && word.type !== t.True && word.type !== t.False;
  // `as select` begins a view's query; everything else behind `as` names a column.
  if (before === t.As) return word.type !== t.Select && word.type !== t.With;
  if (before === t.View && word.type !== t.If) return true;
  return !word.when(at) || token.image.charCodeAt(0) === 96;
}

/** Joins of SQL that are not there, and would otherwise be taken for the name of a source. Throws QuerySyntaxError. */
function refuse(token: IToken): void {
  const next = at.word();
  if (next !== 'join' && next !== 'outer') return;
  const word = token.image.toLowerCase();
  const advice = JOINS[word];
  if (advice !== undefined) throw new QuerySyntaxError(`There is no ${word} join: ${advice}.`, { start: token.startOffset, end: token.startOffset + token.image.length });
}

const JOINS: Readonly<Record<string, string>> = {
  right: 'swap the two sources, and use left join',
  full: 'a left join, and union with what only the other source has, gives the same',
  natural: 'say which columns are equal, with using (…)',
};

function retype(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx as number;
}
