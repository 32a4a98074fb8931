import { createContext, runInContext, Script } from 'node:vm';

/** Names that the console adds to those of JavaScript. */
const ADDED = new Set([
  'session',
  'plugins',
  'query',
  '_',
  'require',
  'module',
  'process',
  'console',
  'Buffer',
  'fetch',
  'setTimeout',
  'structuredClone',
  'URL',
]);
let bare: object | undefined;

/** True where JavaScript in the console has a variable of that name before anything was declared. */
export function isGlobalVariable(name: string): boolean {
  return ADDED.has(name) || variableExists(name, (bare ??= createContext()));
}

/** True where a context has a variable of a name, global or declared. */
export function variableExists(name: string, context: object): boolean {
  try {
    return runInContext(`typeof ${name}`, context) !== 'undefined';
  } catch (error) {
    // A reserved word is no variable; one that is declared but has no value yet throws ReferenceError.
    return (error as { name?: unknown }).name === 'ReferenceError';
  }
}

/** The value of a variable of a context; undefined where it has none yet. */
export function variableValue(name: string, context: object): unknown {
  try {
    return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? (runInContext(name, context) as unknown) : undefined;
  } catch (error) {
    // Declared, but its declaration failed; or a reserved word.
    if (/^(?:ReferenceError|SyntaxError)$/.test(String((error as { name?: unknown }).name))) return undefined;
    throw error;
  }
}

/** What the JavaScript engine thinks of a text; top-level await is allowed. Nothing is run. */
export function javascriptState(text: string): 'complete' | 'incomplete' | 'no' {
  const mistake = syntaxError(text);
  if (mistake === undefined) return 'complete';
  // `{a: 1, b: 2}` is an object here, not a block.
  if (/^\s*\{/.test(text) && syntaxError(`(${text}\n)`) === undefined) return 'complete';
  if (/\bawait\b/.test(text) && syntaxError(`(async () => {${text}\n})`) === undefined) return 'complete';
  return openAtEnd(text) || /end of input/.test(mistake) ? 'incomplete' : 'no';
}

function syntaxError(text: string): string | undefined {
  try {
    new Script(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return error.message;
  }
}

/** Behind these a `/` begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[([{,;=:!&|?+\-*%<>~^}\n]|\b(?:return|typeof|case|in|of|void|await))\s*$/;
const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** True where a bracket, a template or a comment is still open at the end of a text, and no bracket closes what was not opened. */
export function openAtEnd(text: string): boolean {
  const open: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (open.at(-1) === '`') {
      if (character === '\\') at++;
      else if (character === '`') open.pop();
      else if (character === '$' && text[at + 1] === '{') {
        open.push('{');
        at++;
      }
    } else if (character === '"' || character === "'") {
      const end = stringEnd(text, at);
      // A string does not go over the end of a line.
      if (end === undefined) return false;
      at = end;
    } else if (text.startsWith('//', at)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) return true;
      at = end + 1;
    } else if (character === '/' && BEFORE_REGEX.test(text.slice(Math.max(0, at - 40), at))) {
      const end = regexEnd(text, at);
      if (end === undefined) return false;
      at = end;
    } else if ('([{`'.includes(character)) open.push(character);
    else if (CLOSES[character] !== undefined && open.pop() !== CLOSES[character]) return false;
  }
  return open.length > 0;
}

/** Index of the quote that ends a string, or undefined. */
function stringEnd(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[start]) return at;
  }
  return undefined;
}

/** Index of the slash that ends a regular expression, or undefined. */
function regexEnd(text: string, start: number): number | undefined {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== '\n'; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return at;
  }
  return undefined;
}
