import { ProfileError } from '../error.js';
import { objectOf, parseExactJson, type JsonObject } from '../json.js';

/** Tokens of Python literals: strings, numbers, names, and punctuation. Comments and blanks fall between. */
const TOKEN = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|-?0[xX][0-9a-fA-F]+|-?\d+(?:\.\d+)?|[A-Za-z_]\w*|[[\]{}(),:=]|#[^\n]*/g;

const WORDS: ReadonlyMap<string, string> = new Map([
  ['None', 'null'],
  ['True', 'true'],
  ['False', 'false'],
]);

/**
 * The dictionaries that a Python file assigns to names (`mac_types = {…}`), as Volatility 2's profiles hold vtypes. The file
 * is read, never run: only literals are understood (strings, numbers, lists, dictionaries, None).
 *
 * @throws ProfileError where it is more than that
 */
export function pythonDictionaries(text: string, path: string): ReadonlyMap<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const tokens = [...text.matchAll(TOKEN)].map(([token]) => token).filter((token) => !token.startsWith('#'));
  for (let i = 0; i + 2 < tokens.length; i++) {
    const [name, equals, open] = [tokens[i], tokens[i + 1], tokens[i + 2]];
    if (equals !== '=' || open !== '{' || name === undefined) continue;
    const end = closing(tokens, i + 2);
    if (end < 0) throw notLiteral(path, 'a dictionary has no end');
    found.set(name, dictionary(tokens.slice(i + 2, end + 1), path));
    i = end;
  }
  return found;
}

/** Index of the bracket that closes the one at `start`; -1 where there is none. */
function closing(tokens: readonly string[], start: number): number {
  let depth = 0;
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i] as string;
    if (token === '{' || token === '[' || token === '(') depth++;
    else if ((token === '}' || token === ']' || token === ')') && --depth === 0) return i;
  }
  return -1;
}

/** The same in JSON: Python's strings, hexadecimal numbers, trailing commas and keys of any type are what differs. */
function dictionary(tokens: readonly string[], path: string): JsonObject {
  const json: string[] = [];
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1];
    if (token === ',' && (next === '}' || next === ']' || next === ')')) continue;
    if (token === '(') json.push('[');
    else if (token === ')') json.push(']');
    // Python 2 writes long integers with an L behind.
    else if (token === 'L') continue;
    else json.push(next === ':' ? key(token) : value(token, path));
  }
  try {
    const parsed = objectOf(parseExactJson(json.join(' ')));
    if (parsed) return parsed;
  } catch (error) {
    // Brackets in a hundred thousand brackets end in a RangeError.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw notLiteral(path, error.message, error);
  }
  throw notLiteral(path, 'no dictionary');
}

function key(token: string): string {
  if (token.startsWith("'") || token.startsWith('"')) return text(token);
  return JSON.stringify(String(number(token) ?? token));
}

function value(token: string, path: string): string {
  if (/^[[\]{},:]$/.test(token)) return token;
  if (token.startsWith("'") || token.startsWith('"')) return text(token);
  const exact = number(token);
  if (exact !== undefined) return String(exact);
  const word = WORDS.get(token);
  if (word === undefined) throw notLiteral(path, `it calls or names ${token}`);
  return word;
}

function text(token: string): string {
  return JSON.stringify(token.slice(1, -1).replace(/\\(.)/gs, '$1'));
}

function number(token: string): bigint | number | undefined {
  if (/^-?\d+\.\d+$/.test(token)) return Number(token);
  const match = /^(-?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(token);
  if (!match?.[2]) return undefined;
  return match[1] === '-' ? -BigInt(match[2]) : BigInt(match[2]);
}

function notLiteral(path: string, why: string, cause?: Error): ProfileError {
  return new ProfileError(`${path} holds vtypes that are not plain Python literals: ${why}.`, 'Only data is read, no code is run. Give the profile as JSON.', { cause });
}
