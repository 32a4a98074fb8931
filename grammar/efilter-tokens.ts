/**
 * The words and signs of the query language. Words are lexed as `Name`; `efilter-words.ts` then says which of them are keywords
 * where they stand, because plugins have columns named `limit`, `end` or `type`.
 */
import { createToken, Lexer, type TokenType } from 'chevrotain';

/** A pattern that looks behind, which the lexer takes as a function only. */
function sticky(pattern: RegExp): (text: string, offset: number) => RegExpExecArray | null {
  return (text, offset) => {
    pattern.lastIndex = offset;
    return pattern.exec(text);
  };
}

const Space = createToken({ name: 'Space', pattern: /\s+/, group: Lexer.SKIPPED });
const DashComment = createToken({ name: 'DashComment', pattern: /--[^\n]*/, group: Lexer.SKIPPED });
/** Not within a word: `a#b` is a slip, not half a line of comment. */
const HashComment = createToken({
  name: 'HashComment',
  pattern: sticky(/(?<![\w#])#[^\n]*/y),
  start_chars_hint: ['#'],
  line_breaks: false,
  group: Lexer.SKIPPED,
});
const BlockComment = createToken({ name: 'BlockComment', pattern: /\/\*[^]*?\*\//, line_breaks: true, group: Lexer.SKIPPED });
export const OpenComment = createToken({ name: 'OpenComment', pattern: /\/\*[^]*/, line_breaks: true });

export const Name = createToken({ name: 'Name', pattern: /[A-Za-z_$][\w$]*/ });
/** A name in backticks; a backtick in it is doubled. */
export const Quoted = createToken({ name: 'Quoted', pattern: /`(?:[^`]|``)+`/, line_breaks: true });
export const Text = createToken({ name: 'Text', pattern: /"[^"\\]*(?:\\[^][^"\\]*)*"|'[^'\\]*(?:\\[^][^'\\]*)*'/, line_breaks: true });
export const OpenText = createToken({ name: 'OpenText', pattern: /["'`][^]*/, line_breaks: true });
/** With whatever letters follow, so that `12ab` is one mistake and not a number with an alias. */
export const Numeral = createToken({ name: 'Numeral', pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\w*/ });
/** `{name}`, `{0}`, `{}`, `?` */
export const Placeholder = createToken({ name: 'Placeholder', pattern: /\{\s*\w*\s*\}|\?/, line_breaks: true });

export const LParen = createToken({ name: 'LParen', pattern: '(' });
export const RParen = createToken({ name: 'RParen', pattern: ')' });
export const LBracket = createToken({ name: 'LBracket', pattern: '[' });
export const RBracket = createToken({ name: 'RBracket', pattern: ']' });
export const Comma = createToken({ name: 'Comma', pattern: ',' });
export const Dot = createToken({ name: 'Dot', pattern: '.' });
export const Colon = createToken({ name: 'Colon', pattern: ':' });
export const Semicolon = createToken({ name: 'Semicolon', pattern: ';' });
/** Between two values; words such as `and` become one. */
export const Operator = createToken({ name: 'Operator', pattern: /=~|==|!=|!~|<>|<=|>=|\|\||[<>/%]/ });
export const Equals = createToken({ name: 'Equals', pattern: '=' });
export const Sign = createToken({ name: 'Sign', pattern: /[-+]/ });
export const Asterisk = createToken({ name: 'Asterisk', pattern: '*' });

/** Made of others by `settleWords`: before a value `not`, `-`, `+`; the `*` of `select *`; the name before `:` or `=` in a call. */
export const Prefix = createToken({ name: 'Prefix', pattern: Lexer.NA });
export const Star = createToken({ name: 'Star', pattern: Lexer.NA });
export const ArgumentName = createToken({ name: 'ArgumentName', pattern: Lexer.NA });
/** The `select` of `select any from …`, which is no query but true or false. */
export const SelectAny = createToken({ name: 'SelectAny', pattern: Lexer.NA });

const keyword = (name: string): TokenType => createToken({ name, pattern: Lexer.NA });
export const Select = keyword('select');
export const From = keyword('from');
export const Where = keyword('where');
export const Group = keyword('group');
export const Order = keyword('order');
export const By = keyword('by');
export const Having = keyword('having');
export const Limit = keyword('limit');
export const Offset = keyword('offset');
export const Asc = keyword('asc');
export const Desc = keyword('desc');
export const Nulls = keyword('nulls');
export const First = keyword('first');
export const Last = keyword('last');
export const As = keyword('as');
export const Distinct = keyword('distinct');
export const All = keyword('all');
export const Union = keyword('union');
export const Except = keyword('except');
export const Intersect = keyword('intersect');
export const Join = keyword('join');
export const Inner = keyword('inner');
export const Left = keyword('left');
export const Outer = keyword('outer');
export const Cross = keyword('cross');
export const On = keyword('on');
export const Using = keyword('using');
export const Is = keyword('is');
export const Between = keyword('between');
export const NotBetween = keyword('not between');
export const Null = keyword('null');
export const True = keyword('true');
export const False = keyword('false');
export const Case = keyword('case');
export const When = keyword('when');
export const Then = keyword('then');
export const Else = keyword('else');
export const End = keyword('end');
export const If = keyword('if');
export const Let = keyword('let');
export const Any = keyword('any');
export const Exists = keyword('exists');
export const With = keyword('with');
export const Create = keyword('create');
export const Drop = keyword('drop');
export const View = keyword('view');
export const Replace = keyword('replace');
export const Explain = keyword('explain');
export const Analyze = keyword('analyze');

const signs = [LParen, RParen, LBracket, RBracket, Comma, Dot, Colon, Semicolon, Operator, Equals, Sign, Asterisk];
const made = [Prefix, Star, ArgumentName, SelectAny];
const keywords = [
  ...[Select, From, Where, Group, Order, By, Having, Limit, Offset, Asc, Desc, Nulls, First, Last, As, Distinct, All],
  ...[Union, Except, Intersect, Join, Inner, Left, Outer, Cross, On, Using, Is, Between, NotBetween, Null, True, False],
  ...[Case, When, Then, Else, End, If, Let, Any, Exists, With, Create, Drop, View, Replace, Explain, Analyze],
];

/** What the parser knows. */
export const tokens: TokenType[] = [Name, Quoted, Text, OpenText, OpenComment, Numeral, Placeholder, ...signs, ...made, ...keywords];

export const lexer = new Lexer(
  [Space, DashComment, HashComment, BlockComment, OpenComment, Name, Text, Numeral, Quoted, OpenText, Placeholder, ...signs],
  { positionTracking: 'onlyOffset', ensureOptimizations: true, skipValidations: true },
);
