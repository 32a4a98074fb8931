import { createToken, EmbeddedActionsParser, EOF, type IToken, Lexer, type TokenType } from 'chevrotain';
import type { AddressExpression, CastNode, PathStep, TypeExpression } from './address-tree.js';
import { LineError, type Place } from './command-tree.js';

/**
 * The grammar of addresses and of types:
 *
 *     address   := product (('+' | '-') product)*
 *     product   := unary ('*' unary)*
 *     unary     := ('*' | '&' | '-') unary | primary ('.' MEMBER | '->' MEMBER | '[' address ']')*
 *     primary   := NUMBER | name | '(' address ')' | '(' type ')' castee
 *     castee    := NUMBER | name | '(' address ')' | '*' castee
 *     name      := [MODULE '!'] (NAME | QUOTED)
 *     type      := [MODULE '!'] NAME+ step* '*'* ('[' NUMBER ']')*
 *     step      := '.' MEMBER | '->' MEMBER | '[' NUMBER ']'
 *
 * A name has letters, digits and `_ . $ @ \`. A dash in it is a minus, unless somebody knows the name with it
 * (`ld-linux-x86-64!_dl_open`); what names do not allow stands in quotes (`go!'main.(*T).run'`).
 */

/** Tells whether a word with a dash is a name here. */
export type KnownName = (word: string) => boolean;

let isKnown: KnownName = () => false;

const WORD = /[\w$@\\][\w.$@\\]*(?:-[\w.$@\\]+)*/y;
const MODULE = /[\w.$@\\/:-]+(?=!)/y;
const NUMBER = /(?:0x[0-9a-f]+|\d+)(?![\w$@\\!])/iy;

function match(sticky: RegExp, text: string, offset: number): string | undefined {
  sticky.lastIndex = offset;
  return sticky.exec(text)?.[0];
}

/** A module: up to its `!`, dashes included; from the last operator that looks like one where that is no name. */
function moduleAt(text: string, offset: number): RegExpExecArray | null {
  const whole = match(MODULE, text, offset);
  if (whole === undefined || isKnown(whole) || !whole.includes('-')) return found(whole);
  const first = whole.slice(0, whole.indexOf('-'));
  // `_end-ext4!init` is a difference where `_end` is a name and `_end-ext4` is none.
  return isKnown(first) || /^(?:0x[0-9a-f]+|\d+)$/i.test(first) || first === '' ? null : found(whole);
}

/** The longest name with dashes that is known, or what stands before the first dash. */
function wordAt(text: string, offset: number): RegExpExecArray | null {
  let word = match(WORD, text, offset);
  while (word?.includes('-') === true && !isKnown(word)) word = word.slice(0, word.lastIndexOf('-'));
  return found(word);
}

function found(text: string | undefined): RegExpExecArray | null {
  return text === undefined || text === '' ? null : (Object.assign([text], { index: 0, input: text }) as RegExpExecArray);
}

const Space = createToken({ name: 'Space', pattern: /\s+/, group: Lexer.SKIPPED });
const Module = createToken({ name: 'Module', pattern: moduleAt, line_breaks: false });
const NumberToken = createToken({ name: 'Number', pattern: (text: string, offset: number) => found(match(NUMBER, text, offset)), line_breaks: false });
const Name = createToken({ name: 'Name', pattern: wordAt, line_breaks: false });
const Quoted = createToken({ name: 'Quoted', pattern: /'[^']*'|"[^"]*"|`[^`]*`/ });
const Member = createToken({ name: 'Member', pattern: /(?:\.|->)[A-Za-z_][\w$]*/ });
const Bang = createToken({ name: 'Bang', pattern: '!' });
const Plus = createToken({ name: 'Plus', pattern: '+' });
const Minus = createToken({ name: 'Minus', pattern: '-' });
const Star = createToken({ name: 'Star', pattern: '*' });
const Ampersand = createToken({ name: 'Ampersand', pattern: '&' });
const Open = createToken({ name: 'Open', pattern: '(' });
const Close = createToken({ name: 'Close', pattern: ')' });
const OpenIndex = createToken({ name: 'OpenIndex', pattern: '[' });
const CloseIndex = createToken({ name: 'CloseIndex', pattern: ']' });

const tokens = [Space, Module, NumberToken, Name, Quoted, Member, Bang, Plus, Minus, Star, Ampersand, Open, Close, OpenIndex, CloseIndex];
const lexer = new Lexer(tokens, { positionTracking: 'onlyOffset' });

/** Deeper brackets than these nobody writes; a parser that recurses must end. */
const DEEPEST = 64;

class AddressParser extends EmbeddedActionsParser {
  constructor() {
    super(tokens, { recoveryEnabled: false, maxLookahead: 1 });
    this.performSelfAnalysis();
  }

  readonly address = this.RULE('address', (): AddressExpression => {
    let left = this.SUBRULE(this.product);
    this.MANY(() => {
      const operator = this.OR([{ ALT: () => this.CONSUME(Plus) }, { ALT: () => this.CONSUME(Minus) }]);
      const right = this.SUBRULE1(this.product);
      left = this.ACTION(() => ({ kind: 'binary', operator: operator.image as '+' | '-', left, right, start: left.start, end: right.end }));
    });
    return left;
  });

  private readonly product = this.RULE('product', (): AddressExpression => {
    let left = this.SUBRULE(this.unary);
    this.MANY(() => {
      this.CONSUME(Star);
      const right = this.SUBRULE1(this.unary);
      left = this.ACTION(() => ({ kind: 'binary', operator: '*', left, right, start: left.start, end: right.end }));
    });
    return left;
  });

  private readonly unary = this.RULE('unary', (): AddressExpression =>
    this.OR<AddressExpression>([
      {
        ALT: () => {
          const token = this.SUBRULE(this.prefix);
          const operand = this.SUBRULE1(this.unary);
          return this.ACTION(() => ({ kind: 'unary', operator: token.image as '*' | '&' | '-', operand, start: token.startOffset, end: operand.end }));
        },
      },
      { ALT: () => this.SUBRULE(this.postfix) },
    ]),
  );

  private readonly prefix = this.RULE('prefix', (): IToken =>
    this.OR([{ ALT: () => this.CONSUME(Star) }, { ALT: () => this.CONSUME(Ampersand) }, { ALT: () => this.CONSUME(Minus) }]),
  );

  private readonly postfix = this.RULE('postfix', (): AddressExpression => {
    let object = this.SUBRULE(this.primary);
    this.MANY(() => {
      object = this.OR<AddressExpression>([
        {
          ALT: () => {
            const token = this.CONSUME(Member);
            return this.ACTION(() => {
              const { name, ...at } = memberOf(token);
              return { kind: 'member', object, name, at, start: object.start, end: at.end };
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(OpenIndex);
            const index = this.SUBRULE(this.address);
            const close = this.CONSUME(CloseIndex);
            return this.ACTION(() => ({ kind: 'index', object, index, start: object.start, end: placeOf(close).end }));
          },
        },
      ]);
    });
    return object;
  });

  private readonly primary = this.RULE('primary', (): AddressExpression =>
    this.OR<AddressExpression>([
      { GATE: () => this.isCast(), ALT: () => this.SUBRULE(this.cast) },
      { ALT: () => this.SUBRULE(this.simple) },
    ]),
  );

  private readonly simple = this.RULE('simple', (): AddressExpression =>
    this.OR<AddressExpression>([
      { ALT: () => this.number(this.CONSUME(NumberToken)) },
      { ALT: () => this.SUBRULE(this.name) },
      {
        ALT: () => {
          this.CONSUME(Open);
          const inner = this.SUBRULE(this.address);
          this.CONSUME(Close);
          return inner;
        },
      },
    ]),
  );

  private readonly cast = this.RULE('cast', (): CastNode => {
    const open = this.CONSUME(Open);
    const type = this.SUBRULE(this.type);
    this.CONSUME(Close);
    const operand = this.SUBRULE(this.castee);
    return this.ACTION(() => ({ kind: 'cast', type, operand, start: open.startOffset, end: operand.end }));
  });

  private readonly castee = this.RULE('castee', (): AddressExpression =>
    this.OR<AddressExpression>([
      { ALT: () => this.SUBRULE(this.simple) },
      {
        ALT: () => {
          const star = this.CONSUME(Star);
          const operand = this.SUBRULE(this.castee);
          return this.ACTION(() => ({ kind: 'unary', operator: '*', operand, start: star.startOffset, end: operand.end }));
        },
      },
    ]),
  );

  private readonly name = this.RULE('name', (): AddressExpression => {
    const module = this.OPTION(() => {
      const token = this.CONSUME(Module);
      this.CONSUME(Bang);
      return token;
    });
    const symbol = this.OR([{ ALT: () => this.CONSUME(Name) }, { ALT: () => this.CONSUME(Quoted) }]);
    return this.ACTION(() => {
      const at = placeOf(symbol);
      const text = symbol.tokenType === Quoted ? symbol.image.slice(1, -1) : symbol.image;
      return { kind: 'name', ...(module ? { module: module.image } : {}), symbol: text, at, start: (module ?? symbol).startOffset, end: at.end };
    });
  });

  readonly type = this.RULE('type', (): TypeExpression => {
    const module = this.OPTION(() => {
      const token = this.CONSUME(Module);
      this.CONSUME(Bang);
      return token;
    });
    const words: IToken[] = [];
    this.AT_LEAST_ONE(() => words.push(this.CONSUME(Name)));
    const steps: PathStep[] = [];
    this.MANY(() => steps.push(this.SUBRULE(this.step)));
    let pointers = 0;
    this.MANY1(() => {
      this.CONSUME(Star);
      pointers++;
    });
    const dimensions: number[] = [];
    this.MANY2(() => {
      this.CONSUME(OpenIndex);
      const size = this.CONSUME(NumberToken);
      this.CONSUME(CloseIndex);
      this.ACTION(() => dimensions.push(Number(BigInt(size.image))));
    });
    return this.ACTION(() => {
      const end = placeOf(this.LA(0)).end;
      return { kind: 'type', ...(module ? { module: module.image } : {}), ...typeName(words, steps), pointers, dimensions: [...trailing(steps), ...dimensions], start: (module ?? (words[0] as IToken)).startOffset, end };
    });
  });

  private readonly step = this.RULE('step', (): PathStep =>
    this.OR<PathStep>([
      {
        ALT: () => {
          const token = this.CONSUME(Member);
          return this.ACTION(() => ({ kind: 'member', ...memberOf(token) }));
        },
      },
      {
        ALT: () => {
          const open = this.CONSUME(OpenIndex);
          const index = this.CONSUME(NumberToken);
          const close = this.CONSUME(CloseIndex);
          return this.ACTION(() => ({ kind: 'index', index: Number(BigInt(index.image)), start: open.startOffset, end: placeOf(close).end }));
        },
      },
    ]),
  );

  private number(token: IToken): AddressExpression {
    return this.ACTION(() => ({ kind: 'number', value: BigInt(token.image.toLowerCase()), ...placeOf(token) }));
  }

  /** A type in brackets, and behind it something that no operator joins to it. */
  private isCast(): boolean {
    if (this.LA(1).tokenType !== Open) return false;
    let at = 2;
    const inside: TokenType[] = [Name, Module, Bang, Member, Star, OpenIndex, NumberToken, CloseIndex];
    while (inside.includes(this.LA(at).tokenType)) at++;
    if (at === 2 || this.LA(at).tokenType !== Close) return false;
    const first = this.LA(2).tokenType;
    if (first !== Name && first !== Module) return false;
    const next = this.LA(at + 1).tokenType;
    if (next === Name || next === Module || next === Quoted || next === NumberToken || next === Open) return true;
    return next === Star && this.LA(at - 1).tokenType === Star;
  }
}

const WORDS_OF_C = new Set(['struct', 'union', 'enum', 'class']);

/** The name that words are, and the path that dots in the last of them are. */
function typeName(words: readonly IToken[], steps: readonly PathStep[]): Pick<TypeExpression, 'name' | 'at' | 'path'> {
  const named = words.filter((word, index) => index === words.length - 1 || !WORDS_OF_C.has(word.image));
  const last = named.at(-1) as IToken;
  const [head = '', ...members] = last.image.split('.');
  const path: PathStep[] = [];
  let start = last.startOffset + head.length + 1;
  for (const name of members) {
    path.push({ kind: 'member', name, start, end: start + name.length });
    start += name.length + 1;
  }
  path.push(...(path.length + steps.filter(({ kind }) => kind === 'member').length > 0 ? steps : []));
  const name = [...named.slice(0, -1).map((word) => word.image), head].join(' ');
  return { name, at: { start: (named[0] as IToken).startOffset, end: last.startOffset + head.length }, path };

}

/** `task_struct[4]`: without a member among them, steps are the dimensions of an array. */
function trailing(steps: readonly PathStep[]): number[] {
  return steps.every((step) => step.kind === 'index') ? steps.map((step) => (step.kind === 'index' ? step.index : 0)) : [];
}

function memberOf(token: IToken): { readonly name: string } & Place {
  const name = token.image.replace(/^(?:\.|->)/, '');
  const { end } = placeOf(token);
  return { name, start: end - name.length, end };
}

const parser = new AddressParser();

/**
 * What an address says.
 * @param known tells which words with a dash are names
 * @throws {LineError} with the place of the mistake
 */
export function parseAddress(source: string, known: KnownName = () => false): AddressExpression {
  return parse(source, known, () => parser.address());
}

/** What a type says. Throws LineError with the place of the mistake. */
export function parseType(source: string): TypeExpression {
  return parse(source, () => false, () => parser.type());
}

function parse<T>(source: string, known: KnownName, rule: () => T): T {
  isKnown = known;
  const lexed = lexer.tokenize(source);
  isKnown = () => false;
  const strange = lexed.errors[0];
  if (strange) {
    const character = source[strange.offset] ?? '';
    const message = /["'`]/.test(character) ? 'This quote is never closed.' : `'${character}' means nothing here.`;
    throw new LineError(message, { start: strange.offset, end: strange.offset + 1 });
  }
  const deep = tooDeep(lexed.tokens);
  if (deep) throw new LineError(`More than ${DEEPEST} brackets and signs inside each other are too many.`, placeOf(deep));
  parser.input = lexed.tokens;
  const tree = rule();
  const mistake = parser.errors[0];
  if (mistake) throw new LineError(...explain(mistake.token, source));
  return tree;
}

/** The token at which brackets, or a row of signs, are too deep for a parser that recurses. */
function tooDeep(all: readonly IToken[]): IToken | undefined {
  let brackets = 0;
  let signs = 0;
  for (const token of all) {
    const { tokenType } = token;
    if (tokenType === Open || tokenType === OpenIndex) brackets++;
    else if (tokenType === Close || tokenType === CloseIndex) brackets--;
    signs = tokenType === Star || tokenType === Minus || tokenType === Ampersand ? signs + 1 : 0;
    if (brackets > DEEPEST || signs > DEEPEST) return token;
  }
  return undefined;
}

function explain(token: IToken, source: string): [string, Place] {
  if (token.tokenType !== EOF) return [`'${token.image}' was not expected here.`, placeOf(token)];
  const end = source.trimEnd().length;
  return [source.trim() === '' ? 'An address is missing: a number, or a name such as linux!init_task+0x10.' : 'Something is missing at the end.', { start: end, end: end + 1 }];
}

function placeOf(token: IToken): Place {
  return { start: token.startOffset, end: token.startOffset + token.image.length };
}
