/** One step behind a value: `.name`, `[…]`, `(…)`. */
export type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'index'; readonly text: string }
  | { readonly kind: 'call'; readonly text: string };

/** A value as it is written: `plugins.pslist().first`, `(await x).y[0]`. */
export interface Chain {
  /** the name that it begins with, or what stands in parentheses there */
  readonly root: { readonly name: string } | { readonly inner: Chain };
  readonly steps: readonly Step[];
  /** `await` stands before it, in its parentheses */
  readonly awaited: boolean;
}

const NAME_CHARACTER = /[\p{L}\p{N}_$]/u;
const PARTNERS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/**
 * The value that ends where a text ends: names, members, elements and calls, read backwards until something else stands there.
 * Undefined where there is none, or one of a kind that says nothing of its type (a literal, a template).
 */
export function chainBefore(text: string): Chain | undefined {
  let at = text.length;
  for (;;) {
    const before = text[at - 1] ?? '';
    if (PARTNERS[before] !== undefined) {
      const open = opening(text, at - 1);
      if (open === undefined) return undefined;
      at = open;
    } else if (NAME_CHARACTER.test(before)) {
      while (at > 0 && NAME_CHARACTER.test(text[at - 1] ?? '')) at--;
    } else if (before === '.') at--;
    else if (before === '?' && text[at] === '.') at--;
    else break;
  }
  return parseChain(text.slice(at));
}

/** Reads a chain from its beginning; undefined where it is none. */
export function parseChain(text: string): Chain | undefined {
  const trimmed = text.trim();
  const awaited = /^await\s+/.exec(trimmed)?.[0];
  if (awaited !== undefined) {
    const chain = parseChain(trimmed.slice(awaited.length));
    return chain && { ...chain, awaited: true };
  }
  let rest = trimmed;
  let root: Chain['root'] | undefined;
  if (rest.startsWith('(')) {
    const close = closing(rest, 0);
    const inner = close === undefined ? undefined : parseChain(rest.slice(1, close));
    if (close === undefined || !inner) return undefined;
    root = { inner };
    rest = rest.slice(close + 1);
  } else {
    const name = /^[\p{L}_$][\p{L}\p{N}_$]*/u.exec(rest)?.[0];
    if (name === undefined) return undefined;
    root = { name };
    rest = rest.slice(name.length);
  }
  const steps: Step[] = [];
  while (rest !== '') {
    const member = /^\??\.([\p{L}_$][\p{L}\p{N}_$]*)/u.exec(rest);
    if (member) {
      steps.push({ kind: 'member', name: member[1] ?? '' });
      rest = rest.slice(member[0].length);
      continue;
    }
    const bracket = /^(?:\?\.)?[([]/.exec(rest)?.[0];
    if (bracket === undefined) return undefined;
    const close = closing(rest, bracket.length - 1);
    if (close === undefined) return undefined;
    const inside = rest.slice(bracket.length, close);
    const quoted = /^\s*(["'])([^"'\\]*)\1\s*$/.exec(inside)?.[2];
    if (bracket.endsWith('(')) steps.push({ kind: 'call', text: inside });
    else steps.push(quoted === undefined ? { kind: 'index', text: inside } : { kind: 'member', name: quoted });
    rest = rest.slice(close + 1);
  }
  return { root, steps, awaited: false };
}

/** A bracket that is open where the text ends. */
export interface OpenBracket {
  readonly bracket: '(' | '[' | '{';
  readonly at: number;
}

/** Where a text ends: the brackets that are open, and the string that is. */
export interface Surroundings {
  readonly open: readonly OpenBracket[];
  /** a string that is open begins here */
  readonly string?: number;
  /** in a comment nothing is completed */
  readonly comment: boolean;
}

/** Reads a text up to its end. Templates count as strings. */
export function surroundings(text: string): Surroundings {
  const open: OpenBracket[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'" || character === '`') {
      const end = stringEnd(text, at);
      if (end === undefined) return { open, string: at, comment: false };
      at = end;
    } else if (text.startsWith('//', at)) {
      const end = text.indexOf('\n', at);
      if (end < 0) return { open, comment: true };
      at = end;
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) return { open, comment: true };
      at = end + 1;
    } else if (character === '(' || character === '[' || character === '{') open.push({ bracket: character, at });
    else if (PARTNERS[character] !== undefined) open.pop();
  }
  return { open, comment: false };
}

function stringEnd(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[start]) return at;
  }
  return undefined;
}

/** The bracket that closes the one at `start`. */
function closing(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'" || character === '`') {
      const end = stringEnd(text, at);
      if (end === undefined) return undefined;
      at = end;
    } else if ('([{'.includes(character)) depth++;
    else if (PARTNERS[character] !== undefined && --depth === 0) return at;
  }
  return undefined;
}

/** The bracket that the one at `end` closes. */
function opening(text: string, end: number): number | undefined {
  const { open } = surroundings(text.slice(0, end));
  return open.at(-1)?.at;
}
