/** The query language EFilter: from text to trees (`efilter-tree.ts`). */
import { EOF, type IToken } from 'chevrotain';
import { explainMistake, strangeCharacter } from './efilter-errors.js';
import { shorten } from './efilter-literals.js';
import { MAX_DEPTH, tooDeep } from './efilter-depth.js';
import { QueryGrammar } from './efilter-queries.js';
import { Dot, lexer, OpenComment, OpenText } from './efilter-tokens.js';
import { type QueryStatement, QuerySyntaxError } from './efilter-tree.js';
import { settleWords } from './efilter-words.js';

export { legacyDifferences, type LegacyDifference } from './efilter-legacy.js';
export { KEYWORDS } from './efilter-words.js';

/** Longer texts are refused: they are no queries, and would take their time. UTF-16 units. */
export const MAX_LENGTH = 1 << 20;

const grammar = new QueryGrammar();

/**
 * What a statement says.
 * @throws QuerySyntaxError with the place of the mistake, what could stand there, and which word was perhaps meant
 */
export function parseQuery(text: string): QueryStatement {
  const tokens = settleWords(tokenize(text));
  if (tokens.length === 0) throw new QuerySyntaxError('Here a query is missing.', { start: 0, end: 1 }, ['select']);
  const statement = grammar.parse(tokens);
  if (grammar.mistake) throw explainMistake(grammar.mistake, tokens, text.length);
  if (tokens.length > MAX_DEPTH) {
    const place = tooDeep(statement);
    if (place) throw new QuerySyntaxError(`This is a chain of more than ${MAX_DEPTH} operators; a list (x in (…)) or parentheses around parts of it say the same.`, place);
  }
  return statement;
}

/**
 * Whether a console should ask for more lines: a bracket, a text or a comment is open, or the end is one where something has to follow
 * (`select name,`, `where pid ==`, `case x when 1`). What is wrong before its end is not incomplete, nor is what ends in a semicolon.
 */
export function isIncomplete(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const { tokens, errors } = lexer.tokenize(text);
  const last = tokens.at(-1);
  if (last === undefined || errors.length > 0) return false;
  if (last.tokenType === OpenText || last.tokenType === OpenComment) return true;
  // These are keywords by what follows them, which is not there yet.
  if (UNFINISHED.has(last.image.toLowerCase()) && (tokens.length === 1 || tokens.at(-2)?.tokenType !== Dot)) return true;
  try {
    const settled = settleWords(tokens);
    grammar.parse(settled);
  } catch (error) {
    // `x between 1`: what is missing is said, and it is missing at the end.
    if (error instanceof QuerySyntaxError) return error.expected.length > 0 && error.place.end >= text.trimEnd().length;
    throw error;
  }
  return grammar.mistake?.actual.tokenType === EOF;
}

const UNFINISHED = new Set(['explain', 'analyze', 'let', 'with', 'create', 'drop', 'if', 'case', 'any', 'exists', 'not', 'left', 'inner', 'cross']);

/** The tokens of a text, before words are told from keywords. Throws QuerySyntaxError. */
function tokenize(text: string): IToken[] {
  if (text.length > MAX_LENGTH) {
    throw new QuerySyntaxError(`A query may be ${MAX_LENGTH.toLocaleString('en')} characters long; this one has ${text.length.toLocaleString('en')}.`, {
      start: MAX_LENGTH,
      end: text.length,
    });
  }
  const { tokens, errors } = lexer.tokenize(text);
  const last = tokens.at(-1);
  const [strange] = errors;
  if (strange) throw strangeCharacter(text, strange.offset);
  if (last?.tokenType === OpenText) {
    const what = last.image.startsWith('`') ? 'name in backticks' : 'text';
    throw new QuerySyntaxError(`This ${what} has no closing ${last.image[0] ?? ''}: ${shorten(last.image)}`, { start: last.startOffset, end: last.startOffset + 1 });
  }
  if (last?.tokenType === OpenComment) throw new QuerySyntaxError('This comment has no closing */.', { start: last.startOffset, end: last.startOffset + 2 });
  return tokens;
}
