/** What is wrong with a query, in plain words: what was found, what could have stood there, and which word was perhaps mistyped. */
import { EOF, type IParserErrorMessageProvider, type IToken, type TokenType } from 'chevrotain';
import { nameOf, shorten } from './efilter-literals.js';
import { endOf } from './efilter-precedence.js';
import * as t from './efilter-tokens.js';
import { type Place, QuerySyntaxError } from './efilter-tree.js';
import { KEYWORDS } from './efilter-words.js';

/** Where the parser could not go on. */
export interface Mistake {
  readonly rule: string;
  readonly actual: IToken;
  readonly previous: IToken | undefined;
  /** the one token that could have stood there */
  readonly expected?: TokenType;
  /** nothing more was expected */
  readonly over?: true;
}

/** Hands over what the parser knows of a mistake; its own messages are for those who write grammars. */
export function messages(report: (mistake: Mistake) => void): IParserErrorMessageProvider {
  const given = (mistake: Mistake): string => {
    report(mistake);
    return '';
  };
  return {
    buildMismatchTokenMessage: ({ expected, actual, previous, ruleName }) => given({ rule: ruleName, actual, previous, expected }),
    buildNotAllInputParsedMessage: ({ firstRedundant, ruleName }) => given({ rule: ruleName, actual: firstRedundant, previous: undefined, over: true }),
    buildNoViableAltMessage: ({ actual, previous, ruleName }) => given({ rule: ruleName, actual: actual[0] as IToken, previous }),
    buildEarlyExitMessage: ({ actual, previous, ruleName }) => given({ rule: ruleName, actual: actual[0] as IToken, previous }),
  };
}

/** The error for a mistake among the tokens of a text. */
export function explainMistake(mistake: Mistake, tokens: readonly IToken[], length: number): QuerySyntaxError {
  const index = mistake.actual.tokenType === EOF ? tokens.length : tokens.indexOf(mistake.actual);
  const before = tokens[index - 1];
  const guess = guessed(tokens, index);
  if (guess) return guess;
  const place = mistake.actual.tokenType === EOF ? { start: length, end: length + 1 } : placeOf(mistake.actual);
  const found = mistake.actual.tokenType === EOF ? 'the query ends here' : `here stands ${shown(mistake.actual)}`;
  const after = before ? ` after ${shown(before)}` : '';
  if (mistake.actual.tokenType === t.LParen && before?.tokenType === t.Name && tokens[index - 2]?.tokenType === t.Dot) {
    return new QuerySyntaxError(`A member cannot be called: only functions and plugins are, by their bare names.`, place);
  }
  if (mistake.over && before?.tokenType === t.Semicolon) return new QuerySyntaxError('One statement at a time: another begins behind the semicolon.', place);
  if (closes(mistake.actual) && mistake.expected?.name !== 'RParen') {
    if (mistake.over) return new QuerySyntaxError(`${shown(mistake.actual)} closes what was never opened.`, place);
  }
  const expected = expectations(mistake, before);
  if (mistake.expected === t.RParen || mistake.expected === t.RBracket) {
    const opening = unclosed(tokens.slice(0, index));
    const where = opening ? `, for the ${shown(opening)} at character ${opening.startOffset + 1}` : '';
    return new QuerySyntaxError(`Expected ${expected.join(', or ')}${after}${where}; ${found}.`, place, expected);
  }
  if (expected.length > 0) return new QuerySyntaxError(`Expected ${expected.join(', or ')}${after}; ${found}.`, place, expected);
  return new QuerySyntaxError(`${shown(mistake.actual)} was not expected${after}.`, place);
}

/** A sign that begins nothing. */
export function strangeCharacter(text: string, offset: number): QuerySyntaxError {
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  const instead = INSTEAD[character];
  const visible = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `'${character}'` : `The character U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return new QuerySyntaxError(`${visible} means nothing here${instead ? `: ${instead}` : ''}.`, { start: offset, end: offset + character.length });
}

const INSTEAD: Readonly<Record<string, string>> = {
  '&': 'write and',
  '|': 'write or; || joins texts',
  '!': 'write not, or != for unequal',
  '~': '=~ searches a regular expression',
  '^': 'there are no operators on bits; functions do that',
  '{': 'a parameter is written {name}, {0} or {}',
  '#': 'a comment stands apart from the word before it',
  '\\': 'escapes belong into quotes',
  '“': 'use straight quotes',
  '”': 'use straight quotes',
  '‘': 'use straight quotes',
  '’': 'use straight quotes',
};

/** What could have stood there, in the words of whoever writes queries. */
function expectations({ rule, expected, over }: Mistake, before: IToken | undefined): string[] {
  if (expected) return [LABELS.get(expected) ?? `'${expected.name}'`];
  if (over) return [];
  const last = before?.tokenType;
  switch (rule) {
    case 'atom':
      if (last === t.From || last === t.Join) return ['a plugin such as pslist()', 'a view', 'a query in parentheses'];
      if (last === t.Where || last === t.Having || last === t.On) return ['a condition'];
      if (last === t.By) return ['a column'];
      if (last === t.Limit || last === t.Offset) return ['a number'];
      return ['a value'];
    case 'item':
    case 'select':
      return ['a column', '*'];
    case 'statement':
      return ['a query'];
    case 'term':
    case 'whole':
      return [`'select'`, 'a query in parentheses'];
    case 'alias':
      return ['a name'];
    case 'bindings':
      return ['a name'];
    case 'choice':
      return [`'when'`];
    case 'orderBy':
      return [`'first'`, `'last'`];
    case 'any':
      return [`'select'`, `'from'`];
    default:
      return [];
  }
}

const LABELS = new Map<TokenType, string>([
  [t.Name, 'a name'],
  [t.LParen, `'('`],
  [t.RParen, `')'`],
  [t.LBracket, `'['`],
  [t.RBracket, `']'`],
  [t.Comma, `','`],
  [t.Equals, `'='`],
  [t.Colon, `':'`],
]);

/** Where a name stands that looks like a mistyped keyword, just before the mistake, at it, or at the very beginning. */
function guessed(tokens: readonly IToken[], index: number): QuerySyntaxError | undefined {
  for (const [place, words] of [
    [index - 1, KEYWORDS],
    [index, KEYWORDS],
    [0, BEGINNINGS],
  ] as const) {
    const token = tokens[place];
    if (token?.tokenType !== t.Name || token.image.charCodeAt(0) === 96 || tokens[place - 1]?.tokenType === t.Dot) continue;
    if (place < index && tokens[place + 1]?.tokenType === t.LParen && place + 1 !== index) continue;
    const typed = token.image.toLowerCase();
    const word = nearest(typed, words);
    if (word === undefined) continue;
    return new QuerySyntaxError(`'${shorten(nameOf(token))}' is read as a name here. Did you mean ${word}?`, placeOf(token), [`'${word}'`]);
  }
  return undefined;
}

const BEGINNINGS = ['select', 'explain', 'create', 'drop', 'let', 'with'];

function nearest(typed: string, words: readonly string[]): string | undefined {
  if (typed.length < 3 || typed.length > 12) return undefined;
  const allowed = typed.length <= 4 ? 1 : 2;
  let best: string | undefined;
  let least = allowed + 1;
  for (const word of words) {
    if (Math.abs(word.length - typed.length) > allowed || word === typed) continue;
    const edits = distance(typed, word);
    if (edits < least && edits < word.length - 1) {
      least = edits;
      best = word;
    }
  }
  return best;
}

/** Letters inserted, removed or replaced, and neighbours swapped. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      let least = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The innermost bracket that is still open. */
function unclosed(tokens: readonly IToken[]): IToken | undefined {
  const open: IToken[] = [];
  for (const token of tokens) {
    if (token.tokenType === t.LParen || token.tokenType === t.LBracket) open.push(token);
    else if (closes(token)) open.pop();
  }
  return open.at(-1);
}

function closes(token: IToken): boolean {
  return token.tokenType === t.RParen || token.tokenType === t.RBracket;
}

function shown(token: IToken): string {
  return `'${shorten(token.image)}'`;
}

function placeOf(token: IToken): Place {
  return { start: token.startOffset, end: endOf(token) };
}
