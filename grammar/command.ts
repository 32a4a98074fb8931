import { createToken, EmbeddedActionsParser, EOF, type IToken, Lexer } from 'chevrotain';
import { type Argument, type Command, LineError, type Place, type Redirect as Target, type Statement, type Value } from './command-tree.js';
import { anyName, isJavaScript, isQuery, type Known, queryEnd, queryTail } from './line-kind.js';

/**
 * The command line's grammar:
 *
 *     line      := [statement] (';' [statement])* [comment]
 *     statement := NAME? '?' | NAME? '??' | '?' value+ (the command `help`) | QUERY | JAVASCRIPT | command
 *     command   := NAME argument* ['>' value | '>>' value] ['|' the rest of the line]
 *     argument  := value | NAME '=' value
 *     value     := piece+ (without space between) (',' piece+)* | '[' [value (',' value)*] ']'
 *     piece     := WORD | 'text' | "text"
 *
 * A word is anything without space, quotes, `,`, `;`, `|` or `>`; so `linux!init_task+0x10`, `C:\Windows`, `ba.h`, `--flag` and
 * `-D.` are words. `#` at the start of a word begins a comment. Which statement is a query and which is JavaScript says
 * `line-kind.ts`.
 */

/** What is known of names while a line is read. */
let known: Known = anyName;

/** A pattern that looks ahead to the end of the line, which the lexer takes as a function only. */
function anchored(sticky: RegExp): (text: string, offset: number) => RegExpExecArray | null {
  return (text, offset) => {
    sticky.lastIndex = offset;
    return sticky.exec(text);
  };
}

/** A token from one offset to another, in the form of a regular expression's match. */
function match(text: string, start: number, end: number): RegExpExecArray {
  return Object.assign([text.slice(start, end)] as [string], { index: start, input: text }) as RegExpExecArray;
}

const Space = createToken({ name: 'Space', pattern: /\s+/, group: Lexer.SKIPPED });
const Comment = createToken({ name: 'Comment', pattern: /#[^\n]*/, group: Lexer.SKIPPED });
/** Before a statement the comments of all three languages are comments; `--n` may be JavaScript. */
const StatementComment = createToken({
  name: 'StatementComment',
  pattern: (text, offset) => {
    const found = anchored(/#[^\n]*|\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/|--([\w$]*)[^\n]*/y)(text, offset);
    return found?.[1] !== undefined && found[1] !== '' && known.variable(found[1]) ? null : found;
  },
  line_breaks: true,
  group: Lexer.SKIPPED,
});
const Separator = createToken({ name: 'Separator', pattern: Lexer.NA });
const Semicolon = createToken({ name: 'Semicolon', pattern: ';', pop_mode: true, categories: [Separator] });
/** In the mode where a statement may begin there is nothing to leave. */
const BareSemicolon = createToken({ name: 'BareSemicolon', pattern: ';', categories: [Separator] });
const Query = createToken({ name: 'Query', pattern: (text, offset) => (isQuery(text, offset, known) ? match(text, offset, queryEnd(text, offset)) : null), line_breaks: true });
const JavaScript = createToken({ name: 'JavaScript', pattern: (text, offset) => (isJavaScript(text, offset, known) ? match(text, offset, text.length) : null), line_breaks: true });
const CommandName = createToken({ name: 'CommandName', pattern: /[A-Za-z_][\w-]*/, push_mode: 'arguments' });
const HelpMark = createToken({ name: 'HelpMark', pattern: /\?{1,2}/, push_mode: 'arguments' });
/** Help directly behind a name, and nothing after it. */
const NamedHelp = createToken({ name: 'NamedHelp', pattern: anchored(/[A-Za-z_][\w-]*\s*\?{1,2}(?=\s*(?:;|#|$))/y), line_breaks: false });

const Named = createToken({ name: 'Named', pattern: /[A-Za-z_][\w-]*=/ });
/** Escapes are those of JavaScript; what is none stays as it is, so that `"\d+"` is a regular expression. */
const DoubleQuoted = createToken({ name: 'DoubleQuoted', pattern: /"(?:[^"\\]|\\[^])*"/, line_breaks: true });
/** Here only `\'` is an escape: `'C:\temp'` is a path. */
const SingleQuoted = createToken({ name: 'SingleQuoted', pattern: /'(?:[^'\\]|\\[^])*'/, line_breaks: true });
const OpenQuote = createToken({ name: 'OpenQuote', pattern: /["'][^]*/, line_breaks: true });
const Append = createToken({ name: 'Append', pattern: '>>' });
const Redirect = createToken({ name: 'Redirect', pattern: '>' });
const Filter = createToken({ name: 'Filter', pattern: /\|[^]*/, line_breaks: true });
const Comma = createToken({ name: 'Comma', pattern: ',' });
/** A bracket opens a list where its partner ends a word; otherwise it belongs to a word (`[ab].*`). */
const ListStart = createToken({ name: 'ListStart', pattern: anchored(/\[(?=[^[\]]*\](?:[\s;|>#]|$))/y), line_breaks: false, push_mode: 'list' });
const ListEnd = createToken({ name: 'ListEnd', pattern: ']', pop_mode: true });
const Word = createToken({ name: 'Word', pattern: /[^\s'"`,;|>]+/ });
const ListWord = createToken({ name: 'ListWord', pattern: /[^\s'"`,;|>[\]]+/ });

/** Shared with the content assist (`assist.ts`), as {@link parser} is. */
export const lexer = new Lexer(
  {
    modes: {
      statement: [Space, StatementComment, BareSemicolon, Query, NamedHelp, JavaScript, CommandName, HelpMark],
      arguments: [Space, Comment, Semicolon, DoubleQuoted, SingleQuoted, OpenQuote, Append, Redirect, Filter, Comma, ListStart, Named, Word],
      list: [Space, DoubleQuoted, SingleQuoted, OpenQuote, Comma, ListEnd, ListWord],
    },
    defaultMode: 'statement',
  },
  { positionTracking: 'onlyOffset' },
);

const tokens = [
  ...[Space, Comment, StatementComment, Separator, Semicolon, BareSemicolon, Query, NamedHelp, JavaScript, CommandName, HelpMark, Named],
  ...[DoubleQuoted, SingleQuoted, OpenQuote, Append, Redirect, Filter, Comma, ListStart, ListEnd, Word, ListWord],
];

class CommandParser extends EmbeddedActionsParser {
  /** the line that is parsed */
  source = '';

  constructor() {
    super(tokens, { recoveryEnabled: false, maxLookahead: 1 });
    this.performSelfAnalysis();
  }

  readonly line = this.RULE('line', (): Statement[] => {
    const statements: Statement[] = [];
    this.OPTION(() => statements.push(this.SUBRULE(this.statement)));
    this.MANY(() => {
      this.CONSUME(Separator);
      this.OPTION1(() => statements.push(this.SUBRULE1(this.statement)));
    });
    return statements;
  });

  private readonly statement = this.RULE('statement', (): Statement =>
    this.OR<Statement>([
      { ALT: () => this.query(this.CONSUME(Query)) },
      { ALT: () => this.javascript(this.CONSUME(JavaScript)) },
      { ALT: () => this.help(this.CONSUME(NamedHelp)) },
      { ALT: () => this.SUBRULE(this.about) },
      { ALT: () => this.SUBRULE(this.command) },
    ]),
  );

  /** `?`, or `? words`: what `help words` says. */
  private readonly about = this.RULE('about', (): Statement => {
    const mark = this.CONSUME(HelpMark);
    const args: Argument[] = [];
    this.MANY(() => args.push(this.SUBRULE(this.argument)));
    if (args.length === 0) return this.help(mark);
    return this.ACTION(() => ({ kind: 'command', name: 'help', at: placeOf(mark), args, start: mark.startOffset, end: placeOf(this.LA(0)).end }));
  });

  private readonly command = this.RULE('command', (): Command => {
    const name = this.CONSUME(CommandName);
    const args: Argument[] = [];
    this.MANY(() => args.push(this.SUBRULE(this.argument)));
    const redirect = this.OPTION(() => {
      const append = this.OR([
        { ALT: () => (this.CONSUME(Append), true) },
        { ALT: () => (this.CONSUME(Redirect), false) },
      ]);
      return { path: this.SUBRULE(this.value), append };
    });
    const filter = this.OPTION1(() => this.CONSUME(Filter).image.slice(1).trim());
    return this.ACTION(() => ({
      kind: 'command',
      name: name.image,
      at: placeOf(name),
      args,
      ...(redirect ? { redirect } : {}),
      ...(filter === undefined ? {} : { filter }),
      start: name.startOffset,
      end: placeOf(this.LA(0)).end,
    }));
  });

  private readonly argument = this.RULE('argument', (): Argument =>
    this.OR<Argument>([
      {
        ALT: () => {
          const name = this.CONSUME(Named);
          // `name= value` leaves the name without a value: the words are apart.
          const value = this.OPTION({ GATE: () => this.adjacent(), DEF: () => this.SUBRULE(this.value) });
          return this.ACTION(() => {
            const { start, end } = placeOf(name);
            const given = value ?? { text: '', quoted: false, start: end, end };
            return { kind: 'named', name: name.image.slice(0, -1), value: given, start, end: given.end };
          });
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE1(this.value);
          return this.ACTION(() => ({ kind: 'word', value, start: value.start, end: value.end }));
        },
      },
    ]),
  );

  private readonly value = this.RULE('value', (): Value =>
    this.OR<Value>([
      { ALT: () => this.SUBRULE(this.list) },
      {
        ALT: () => {
          const items = [this.SUBRULE(this.word)];
          this.MANY(() => {
            this.CONSUME(Comma);
            items.push(this.SUBRULE1(this.word));
          });
          return this.ACTION(() => this.joined(items, (items[0] as Value).start, (items.at(-1) as Value).end));
        },
      },
    ]),
  );

  /** `[1, 2]` */
  private readonly list = this.RULE('list', (): Value => {
    const items: Value[] = [];
    const first = this.CONSUME(ListStart);
    this.OPTION(() => {
      items.push(this.SUBRULE(this.word));
      this.MANY(() => {
        this.CONSUME(Comma);
        items.push(this.SUBRULE1(this.word));
      });
    });
    const last = this.CONSUME(ListEnd);
    return this.ACTION(() => {
      const [start, end] = [first.startOffset, placeOf(last).end];
      return { text: this.source.slice(start, end), quoted: false, items, start, end };
    });
  });

  /** Pieces that touch each other: `linux!"a name"`. */
  private readonly word = this.RULE('word', (): Value => {
    const pieces = [this.SUBRULE(this.piece)];
    this.MANY({
      GATE: () => this.adjacent(),
      DEF: () =>
        pieces.push(
          this.OR([
            { ALT: () => this.SUBRULE1(this.piece) },
            // `x=1` behind a quote is no name any more, but text.
            { ALT: () => this.CONSUME(Named) },
          ]),
        ),
    });
    return this.ACTION(() => ({
      text: pieces.map(textOf).join(''),
      quoted: pieces.every((piece) => piece.tokenType === DoubleQuoted || piece.tokenType === SingleQuoted),
      start: (pieces[0] as IToken).startOffset,
      end: placeOf(pieces.at(-1) as IToken).end,
    }));
  });

  private readonly piece = this.RULE('piece', (): IToken =>
    this.OR([
      { ALT: () => this.CONSUME(Word) },
      { ALT: () => this.CONSUME(ListWord) },
      { ALT: () => this.CONSUME(DoubleQuoted) },
      { ALT: () => this.CONSUME(SingleQuoted) },
    ]),
  );

  private joined(items: readonly Value[], start: number, end: number): Value {
    const [only] = items;
    if (items.length === 1 && only) return only;
    return { text: this.source.slice(start, end), quoted: false, items, start, end };
  }

  private adjacent(): boolean {
    return this.LA(1).startOffset === placeOf(this.LA(0)).end;
  }

  private help(token: IToken): Statement {
    const [, name, marks = ''] = /^([\w-]*)\s*(\?+)$/.exec(token.image) ?? [];
    return { kind: 'help', ...(name ? { name } : {}), level: marks.length > 1 ? 2 : 1, ...placeOf(token) };
  }

  private query(token: IToken): Statement {
    return this.ACTION((): Statement => {
      const { start, end } = placeOf(token);
      const tail = queryTail(this.source, start, end);
      const text = this.source.slice(start, tail.end).trimEnd();
      return {
        kind: 'query',
        text,
        ...(tail.redirect ? { redirect: this.target(tail.redirect) } : {}),
        ...(tail.filter === undefined ? {} : { filter: this.source.slice(tail.filter, end).trim() }),
        start,
        end: start + text.length,
      };
    });
  }

  /** The file behind a query, which no token of its own stands for. */
  private target({ append, start, end }: { append: boolean; start: number; end: number }): Target {
    const typed = this.source.slice(start, end);
    const quoted = /^["']/.test(typed);
    return { append, path: { text: quoted ? typed.slice(1, -1) : typed, quoted, start, end } };
  }

  private javascript(token: IToken): Statement {
    const text = token.image.trimEnd();
    return { kind: 'javascript', text, start: token.startOffset, end: token.startOffset + text.length };
  }
}

export const parser = new CommandParser();

/**
 * What a line says. Throws LineError with the place of the mistake.
 * @param names what is known of names; without it every name may be a command's
 */
export function parseLine(source: string, names: Known = anyName): Statement[] {
  const lexed = tokenize(source, names);
  const open = lexed.tokens.find((token) => token.tokenType === OpenQuote);
  if (open) throw new LineError('This quote is never closed.', { start: open.startOffset, end: open.startOffset + 1 }, true);
  const strange = lexed.errors[0];
  if (strange) {
    const at = { start: strange.offset, end: strange.offset + 1 };
    const character = source[strange.offset] ?? '';
    const first = source.slice(0, strange.offset).trim() === '' || /;\s*$/.test(source.slice(0, strange.offset));
    throw new LineError(first ? `A line begins with the name of a command, not with '${character}'.` : `'${character}' means nothing here; put it in quotes.`, at);
  }
  parser.source = source;
  parser.input = lexed.tokens;
  const statements = parser.line();
  const mistake = parser.errors[0];
  if (mistake) throw new LineError(...explain(mistake.token, 'previousToken' in mistake ? (mistake.previousToken as IToken) : undefined, source));
  return statements;
}

/** The tokens of a line: also for the content assist. */
export function tokenize(source: string, names: Known = anyName): ReturnType<Lexer['tokenize']> {
  const before = known;
  known = names;
  try {
    return lexer.tokenize(source);
  } finally {
    known = before;
  }
}

function explain(token: IToken, before: IToken | undefined, source: string): [string, Place] {
  const after = before && !Number.isNaN(before.startOffset) ? ` after '${before.image}'` : '';
  if (token.tokenType === EOF) return [`Something is missing${after}: the line ends here.`, { start: source.length, end: source.length + 1 }];
  return [`'${token.image}' was not expected${after}.`, placeOf(token)];
}

function placeOf(token: IToken): Place {
  return { start: token.startOffset, end: token.startOffset + token.image.length };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\', '"': '"', "'": "'" };

/** The text of a piece of a word, without quotes and with its escapes replaced. */
export function textOf(piece: IToken): string {
  if (piece.tokenType === SingleQuoted) return piece.image.slice(1, -1).replaceAll("\\'", "'");
  if (piece.tokenType !== DoubleQuoted) return piece.image;
  return piece.image.slice(1, -1).replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^]))/g, (whole, byte?: string, unit?: string, character?: string) => {
    const code = byte ?? unit;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return ESCAPES[character ?? ''] ?? whole;
  });
}
