/**
 * Which of the three languages a statement is in: a command, a query or JavaScript.
 *
 * **A query** begins, in letters of either case, with
 * - `select` (also behind opening parentheses), `explain`, or `any` with what it asks about behind it,
 * - `with NAME`, `create view`, `create or replace view`, `drop view`,
 * - `let`, where JavaScript cannot read the text (`let x = select …`, `let f(x) = …`).
 * It is none where it is assigned to, called or asked for a member (`select = 1`, `any(x)`, `explain.y`).
 * A query ends at a `;` outside of its quotes and comments.
 *
 * **JavaScript** is what begins
 * - with anything but a letter or `_`: `(`, `[`, `{`, a digit, a quote, an operator, `$`;
 * - with a name that is assigned to (`x = 1`, `x += 1`, `x => 1`), or directly followed by what only JavaScript puts there
 *   (`x(`, `x.y`, `x[0]`, `x?.y`, a template), even where the name is also a command's: `pslist().rows()`;
 * - with a reserved word of JavaScript (`const`, `await`, `for` …), or a variable that exists there (`x + 1`, `_`).
 * All the rest of the text belongs to it, `;` too.
 *
 * **A command** is everything else. A name that is a command's wins over a variable's where a space, the end, `>` or `|` follows it;
 * a name that is nobody's is a command that does not exist, so that it is told which there are.
 *
 * Comments begin with `#` (commands), `//` or `/*` (JavaScript) and `--` (queries); before a statement each of them is one.
 */

/** What is known of names where the line was typed. */
export interface Known {
  /** the name of a command (`-` and `_` are the same) */
  command(name: string): boolean;
  /** a variable of JavaScript */
  variable(name: string): boolean;
  /** What a JavaScript engine thinks of a text: `incomplete` where more of it may make it right. */
  javascript(text: string): 'complete' | 'incomplete' | 'no';
}

/** Where nothing is known every name may be a command's. */
export const anyName: Known = { command: () => true, variable: () => false, javascript: () => 'no' };

const QUERY = [
  /(?:\(\s*)*select(?![\w$-]|\s*(?:=(?![=~])|\.|,|\)))/iy,
  /explain(?![\w$-]|[(.]|\s*=(?!=))/iy,
  /any(?:\s+(?=[\w"'({[])(?!in\b|instanceof\b|is\b)|\s*\(\s*(?=select\b))/iy,
  /with\s+[A-Za-z_]/iy,
  /(?:create(?:\s+or\s+replace)?|drop)\s+view(?![\w$-])/iy,
];
const LET = /let(?=[\s(])/iy;

const RESERVED = new Set(
  (
    'async await break case class const continue debugger delete do export false finally for function if import let new null return super ' +
    'switch this throw true try typeof undefined var void while with yield'
  ).split(' '),
);

const COMMAND_NAME = /[A-Za-z_][\w-]*/y;
const VARIABLE_NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
/** `x = 1`, `x += 1`, `x => 1`; `==` is none of them */
const ASSIGNED = /\s*(?:(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])?=(?![=~])|=>)/y;
/** what stands directly behind a name in JavaScript only */
const JAVASCRIPT_TAIL = /[([`]|\.(?!\.)|\?\.|\+\+|--(?!\w)/y;
const END = /\s*(?:$|;|#)/y;
/** begins no statement of any language */
const NO_START = /[*,)\]}=|><&%:;?#\\@^]/;

/** True where a query begins at an offset. */
export function isQuery(text: string, offset: number, known: Known): boolean {
  if (QUERY.some((pattern) => at(pattern, text, offset) !== undefined)) return true;
  const word = at(LET, text, offset);
  return word !== undefined && (word !== 'let' || known.javascript(text.slice(offset)) === 'no');
}

/** True where JavaScript begins at an offset at which no query and no help begins. */
export function isJavaScript(text: string, offset: number, known: Known): boolean {
  const variable = at(VARIABLE_NAME, text, offset);
  if (variable === undefined) return offset < text.length && !NO_START.test(text[offset] ?? '');
  const command = at(COMMAND_NAME, text, offset);
  if (command === undefined) return true;
  const behindCommand = offset + command.length;
  const behind = offset + variable.length;
  if (at(ASSIGNED, text, behind) !== undefined && !/\s/.test(text[behind] ?? ''))
    return behind === behindCommand || known.variable(variable);
  const next = text[behindCommand] ?? '';
  const spaced = next === '' || /\s/.test(next);
  if (spaced && at(ASSIGNED, text, behindCommand) !== undefined) return true;
  if (known.command(command) && (spaced || /[;>|"',]/.test(next))) return false;
  if (RESERVED.has(variable) && behind === behindCommand) return true;
  if (at(JAVASCRIPT_TAIL, text, behind) !== undefined) return true;
  if (known.variable(variable)) return true;
  if (spaced || at(END, text, behindCommand) !== undefined || /[>|"',!@\\]/.test(next)) return false;
  return known.javascript(text.slice(offset)) === 'complete';
}

/** One past the end of the query that begins at an offset: at a `;` outside of quotes and comments, or at the end of the text. */
export function queryEnd(text: string, offset: number): number {
  for (let index = offset; index < text.length; index++) {
    const character = text[index];
    if (character === ';') return index;
    if (character === '"' || character === "'") index = closing(text, index);
    else index = comment(text, index) ?? index;
  }
  return text.length;
}

/** What stands behind a query: a file for its rows, or a filter. Offsets in the text; `end` is where the query itself ends. */
export interface QueryTail {
  readonly end: number;
  /** `>` or `>>`, and where the path stands, with its quotes */
  readonly redirect?: { readonly append: boolean; readonly start: number; readonly end: number };
  /** where the text behind `|` begins */
  readonly filter?: number;
}

/** Endings of files that rows are written to. */
const FILES = 'json|ndjson|jsonl|csv|tsv|txt|text|md|log|data|out|parquet|sqlite|db|duckdb';
const REDIRECT = new RegExp(
  String.raw`(?:(?<append>>>)\s*(?<any>"[^"\n]*"|'[^'\n]*'|[^\s"'|]+)|>\s*(?<file>"[^"\n]*\.(?:${FILES})"|'[^'\n]*\.(?:${FILES})'|(?:~|\.{0,2})/[^\s"'|]*|[^\s"'|()]+\.(?:${FILES})))\s*$`,
  'd',
);

/**
 * Tells a comparison from a redirection. `| filter` is the text behind the first `|` that is no `||`. `>> file` always is a
 * redirection, as no operator is written so; `> file` is one at the end of the query where the file is written as one: it begins with
 * `/`, `./`, `../` or `~/`, or ends in the ending of a format (`.json`, `.csv`, `.txt` …).
 */
export function queryTail(text: string, offset: number, end: number): QueryTail {
  let bar: number | undefined;
  for (let index = offset; index < end && bar === undefined; index++) {
    const character = text[index];
    if (character === '"' || character === "'") index = closing(text, index);
    else if (character === '|' && text[index + 1] === '|') index++;
    else if (character === '|') bar = index;
    else index = comment(text, index) ?? index;
  }
  const found = REDIRECT.exec(text.slice(offset, bar ?? end)) as
    (RegExpExecArray & { indices: { groups: Record<string, [number, number] | undefined> } }) | null;
  const place = found?.indices.groups['any'] ?? found?.indices.groups['file'];
  return {
    end: found ? offset + found.index : (bar ?? end),
    ...(found && place
      ? {
          redirect: {
            append: found.groups?.['append'] !== undefined,
            start: offset + place[0],
            end: offset + place[1],
          },
        }
      : {}),
    ...(bar === undefined ? {} : { filter: bar + 1 }),
  };
}

/** Index of the quote that closes the one at `start`, or of the last character. */
function closing(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === text[start]) return index;
  }
  return text.length - 1;
}

/** Index of the last character of a comment that begins here. */
function comment(text: string, start: number): number | undefined {
  const mark = text.slice(start, start + 2);
  const end = mark === '--' ? text.indexOf('\n', start) : mark === '/*' ? text.indexOf('*/', start + 2) + 1 : undefined;
  return end === undefined || end > 0 ? end : text.length - 1;
}

function at(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}
