import type { IToken } from 'chevrotain';
import { parseLine, parser, textOf, tokenize } from './command.js';
import { type Argument, LineError } from './command-tree.js';
import { anyName, type Known, queryTail } from './line-kind.js';

/** What may stand at the end of a line that is being typed. */
export type Role =
  /** the first word of a statement */
  | 'statement'
  /** a new word of a command: a value, `name=value` or a flag */
  | 'argument'
  /** a value: of the name before it (`pids=`), or one more of a list (`1,`) */
  | 'value'
  /** the file behind `>` */
  | 'redirect'
  /** text that is not the command line's own */
  | 'filter'
  | 'query'
  | 'javascript'
  | 'comment';

/** The end of a line, as the grammar sees it. Positions are UTF-16 offsets in the line. */
export interface Assist {
  readonly role: Role;
  /** the command of the statement, where its name stands before the fragment */
  readonly command?: string;
  /** the complete arguments before the one that is being typed */
  readonly args: readonly Argument[];
  /** the name of `name=…` that is being typed */
  readonly name?: string;
  /** elements of the list that is being typed, before the fragment */
  readonly items: readonly string[];
  /** the word that is being typed, without its quotes */
  readonly text: string;
  /** where it begins, with its opening quote */
  readonly start: number;
  /** the quote that is open at the end; empty where none is */
  readonly quote: '"' | "'" | '';
}

const PIECES = new Set(['Word', 'ListWord', 'DoubleQuoted', 'SingleQuoted', 'OpenQuote']);

/**
 * Says what may stand at the end of a line: the tokens before the word that is being typed go to the parser's content assist, and
 * the rules it would be in say what that word is. Never throws; undefined where nothing sensible can be said.
 * @param known what is known of names, as where the line is run
 */
export function assistLine(line: string, known: Known = anyName): Assist | undefined {
  const { tokens } = tokenize(line, known);
  const last = tokens.at(-1);
  const nothing = { args: [], items: [], text: '', start: line.length, quote: '' } as const;
  if (last?.tokenType.name === 'Query') return queryPlace(line, last) ?? { ...nothing, role: 'query', text: last.image, start: last.startOffset };
  if (last?.tokenType.name === 'JavaScript') return { ...nothing, role: 'javascript', text: last.image, start: last.startOffset };
  if (last?.tokenType.name === 'Filter') return { ...nothing, role: 'filter' };
  // Behind a comment the line is at its end: the lexer skipped what stands there.
  if (/(?:^|\s)#/.test(line.slice(last ? endOf(last) : 0))) return { ...nothing, role: 'comment' };

  // The word that is being typed: the pieces that touch each other and the end.
  let first = tokens.length;
  let edge = line.length;
  while (first > 0) {
    const token = tokens[first - 1] as IToken;
    const part = PIECES.has(token.tokenType.name) || (token.tokenType.name === 'CommandName' && first === tokens.length);
    if (endOf(token) !== edge || !part) break;
    edge = token.startOffset;
    first--;
  }
  const word = tokens.slice(first);
  const before = tokens.slice(0, first);
  const fragment = { text: word.map(typed).join(''), start: edge, quote: openQuote(word.at(-1)) };
  const role = roleAfter(before, edge);
  if (role === undefined) return undefined;
  if (role === 'statement') return { role, args: [], items: [], ...fragment };

  // The argument that is being typed begins at its name, or at the first element of its list.
  let from = first;
  const items: string[] = [];
  let name: string | undefined;
  if (role === 'value') {
    while (from > 0 && isListPart(tokens[from - 1] as IToken)) from--;
    for (const token of tokens.slice(from, first)) if (PIECES.has(token.tokenType.name)) items.push(typed(token));
    const named = tokens[from - 1];
    if (named?.tokenType.name === 'Named' && endOf(named) === (tokens[from]?.startOffset ?? line.length)) {
      name = named.image.slice(0, -1);
      from--;
    }
  }
  const opened = statementStart(tokens, from);
  const command = commandOf(tokens[opened]);
  if (command === undefined) return undefined;
  // A list that is not closed yet is a word to the lexer.
  const bracket = fragment.quote === '' && line[edge] === '[' ? 1 : 0;
  if (bracket > 0) Object.assign(fragment, { text: fragment.text.slice(1), start: edge + 1 });
  if (items[0]?.startsWith('[') === true) items[0] = items[0].slice(1);
  return { role: bracket > 0 && role === 'argument' ? 'value' : role, command, args: argumentsOf(line, known, tokens, opened, role === 'redirect' ? redirectStart(tokens, from) : from), ...(name === undefined ? {} : { name }), items, ...fragment };
}

/** Behind a query: the file of its rows, or a filter. Undefined within the query. */
function queryPlace(line: string, query: IToken): Assist | undefined {
  const tail = queryTail(line, query.startOffset, endOf(query));
  const place = { args: [], items: [], text: '', start: line.length, quote: '' } as const;
  if (tail.filter !== undefined) return { ...place, role: 'filter' };
  // A path that is not written out yet is a comparison to the grammar; what looks like one is completed as one.
  const path = /(?:>>\s*|[^->=]>\s+)(?<quote>["']?)(?<text>(?:~|\.{1,2})?\/[^"'\s|]*|[^"'\s|/()]*)$/.exec(query.image);
  if (!path?.groups || !(path[0].startsWith('>>') || /^[~./]/.test(path.groups['text'] ?? ''))) return undefined;
  const { quote = '', text = '' } = path.groups;
  return { ...place, role: 'redirect', text, quote: quote as '"', start: line.length - text.length - quote.length };
}

/** Which role the grammar gives to a word at `at` behind these tokens. */
function roleAfter(before: readonly IToken[], at: number): Role | undefined {
  const last = before.at(-1);
  const paths = parser.computeContentAssist('line', [...before]);
  const rules = (type: string): readonly string[][] => paths.filter((path) => path.nextTokenType.name === type).map((path) => path.ruleStack);
  if (rules('CommandName').length > 0) return 'statement';
  const words = rules('Word').length > 0 ? rules('Word') : rules('ListWord');
  if (words.length === 0) return undefined;
  if (words.every((stack) => !stack.includes('argument'))) return 'redirect';
  const touches = last !== undefined && endOf(last) === at;
  // A name's value is optional in the grammar, so a new argument may follow as well: what touches the name is its value.
  if (last?.tokenType.name === 'Named') return touches ? 'value' : 'argument';
  return rules('Named').some((stack) => stack.at(-1) === 'argument') ? 'argument' : 'value';
}

/** The command that a statement begins with: `? words` is `help words`. */
function commandOf(token: IToken | undefined): string | undefined {
  if (token?.tokenType.name === 'HelpMark') return 'help';
  return token?.tokenType.name === 'CommandName' ? token.image : undefined;
}

function isListPart(token: IToken): boolean {
  return PIECES.has(token.tokenType.name) ? true : ['Comma', 'ListStart'].includes(token.tokenType.name);
}

/** Index of the first token of the statement that a token stands in. */
function statementStart(tokens: readonly IToken[], from: number): number {
  let at = from;
  while (at > 0 && !/Semicolon$/.test(tokens[at - 1]?.tokenType.name ?? '')) at--;
  return at;
}

/** Index of the `>` before a token. */
function redirectStart(tokens: readonly IToken[], from: number): number {
  let at = from;
  while (at > 0 && !/^(?:Redirect|Append)$/.test(tokens[at]?.tokenType.name ?? '')) at--;
  return at;
}

/** The arguments of a command up to a token, as the parser reads them; none where it cannot. */
function argumentsOf(line: string, known: Known, tokens: readonly IToken[], opened: number, until: number): readonly Argument[] {
  const from = tokens[opened]?.startOffset ?? 0;
  const end = tokens[until]?.startOffset ?? line.length;
  try {
    // Blank before, so that places are those of the line.
    const [statement] = parseLine(' '.repeat(from) + line.slice(from, end), known);
    return statement?.kind === 'command' ? statement.args : [];
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return [];
  }
}

function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

function openQuote(token: IToken | undefined): '"' | "'" | '' {
  return token?.tokenType.name === 'OpenQuote' ? (token.image[0] as '"') : '';
}

/** The text of a piece; of a quote that is still open too. */
function typed(token: IToken): string {
  return token.tokenType.name === 'OpenQuote' ? token.image.slice(1) : textOf(token);
}
