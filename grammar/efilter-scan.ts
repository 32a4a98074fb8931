import { endOf } from './efilter-precedence.js';
import { lexer, OpenComment, OpenText } from './efilter-tokens.js';
import { type Place, QuerySyntaxError } from './efilter-tree.js';
import { settleWords } from './efilter-words.js';

/** A token of a text that is being typed. */
export interface Scanned extends Place {
  /** a keyword in lower case, or `Name`, `Text`, `Numeral`, `Operator`, `Prefix`, `LParen`, `Comma`, `ArgumentName` … (`efilter-tokens.ts`) */
  readonly kind: string;
  readonly text: string;
}

/** Tokens of a text that need not make sense. Never throws; what follows a sign that is none is left out. */
export function scan(text: string): readonly Scanned[] {
  const { tokens } = lexer.tokenize(text);
  let settled = tokens;
  try {
    settled = settleWords(tokens);
  } catch (error) {
    // A word that the language refuses: what was told before it stands.
    if (!(error instanceof QuerySyntaxError)) throw error;
  }
  return settled.map((token) => ({
    kind: token.tokenType === OpenText ? 'OpenText' : token.tokenType === OpenComment ? 'OpenComment' : token.tokenType.name,
    text: token.image,
    start: token.startOffset,
    end: endOf(token),
  }));
}
