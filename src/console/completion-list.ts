import { escapeText } from '../render/escape.js';
import { cut } from '../render/width.js';

/** A text that TAB offers. */
export interface Candidate {
  readonly text: string;
  /** what it is, in the list: the process of a pid, the sentence of an argument */
  readonly hint?: string;
  /** what follows it when it is the only one; a space where nothing is said */
  readonly after?: string;
}

/** What TAB offers at a place of a line. */
export interface Completion {
  /** offset in the line from which a candidate replaces what is typed */
  readonly start: number;
  readonly candidates: readonly Candidate[];
  /** further ones that are not named: the list would be too long to read */
  readonly more?: number;
  /** what all begin with, where not all are named */
  readonly shared?: string;
  /** the texts are words of the command line: those that need quotes get them. Gives the quote that is open already. */
  readonly quote?: '"' | "'" | '';
}

/** More names than these help nobody. */
export const MOST = 120;

/** Candidates that begin with what was typed, case ignored and `-` as `_`; sorted as given. */
export function starting(fragment: string, candidates: Iterable<Candidate | string>): Candidate[] {
  const lower = fragment.toLowerCase();
  const dashed = lower.startsWith('-') ? lower : lower.replaceAll('-', '_');
  const found = new Map<string, Candidate>();
  for (const one of candidates) {
    const candidate = typeof one === 'string' ? { text: one } : one;
    const folded = candidate.text.toLowerCase();
    if ((folded.startsWith(lower) || folded.startsWith(dashed)) && !found.has(candidate.text)) found.set(candidate.text, candidate);
  }
  return [...found.values()];
}

export interface ListStyle {
  /** cells of the terminal's line */
  readonly width?: number | undefined;
  /** hints are dimmed */
  readonly colors?: boolean;
  /** what stands behind the cursor */
  readonly rest?: string;
}

/**
 * A completion as Node's readline takes it: texts, and the part of the line that they replace. Where one text remains, or all begin
 * with more than what is typed, readline inserts that; otherwise it lists them, at the second TAB, and may as well list their hints.
 */
export function forReadline(line: string, completion: Completion, { width = 80, colors = false, rest = '' }: ListStyle = {}): [string[], string] {
  const { candidates, start, quote, more = 0 } = completion;
  const fragment = line.slice(start);
  const [only] = candidates;
  if (!only) return [[], fragment];
  const anyQuoted = quote !== undefined && (quote !== '' || candidates.some(({ text }) => needsQuotes(text)));
  const insertion = ({ text }: Candidate, close: boolean): string => (anyQuoted ? quoted(text, quote === '' ? undefined : quote, close) : text);
  if (candidates.length === 1 && more === 0) {
    // A folder, a name with `=`: it goes on, and so does its quote.
    const after = only.after ?? ' ';
    const open = only.text.endsWith('/') && after === '';
    const tail = rest.startsWith(after.trim() === '' ? ' ' : after) || (anyQuoted && !open && /^["']/.test(rest)) ? '' : after;
    return [[insertion(only, !open && !/^["']/.test(rest)) + tail], fragment];
  }
  const texts = candidates.map((candidate) => insertion(candidate, false));
  const shared = more === 0 ? commonPrefix(texts) : (completion.shared ?? '');
  if (more > 0 && shared.length > fragment.length && shared.toLowerCase().startsWith(fragment.toLowerCase())) return [[shared, `${shared} `], fragment];
  if (shared.length > fragment.length && shared.toLowerCase().startsWith(fragment.toLowerCase())) return [texts, fragment];
  // Readline inserts what its list has in common; a first line of another kind keeps it from that, where the texts are no continuation.
  const unlike = !texts.every((text) => text.startsWith(fragment)) || more > 0;
  const room = Math.max(20, width - 2);
  const longest = Math.min(Math.max(...texts.map((text) => text.length)), Math.floor(room / 2));
  const shown = candidates.map(({ hint }, index) => {
    if (hint === undefined || hint === '') return texts[index] as string;
    const name = escapeText(texts[index] as string).padEnd(longest);
    const said = cut(escapeText(hint), Math.max(8, room - name.length - 2));
    return `${name}  ${colors ? `\x1b[2m${said}\x1b[22m` : said}`;
  });
  const left = more > 0 ? [`… ${more} more`] : [];
  return [[...(unlike && left.length === 0 ? [`${candidates.length} fit:`] : []), ...shown, ...left], fragment];
}

function needsQuotes(text: string): boolean {
  return text === '' || /[\s'"`,;|>]/.test(text) || /^[#[]/.test(text);
}

/** A text in quotes, so that the command line's grammar gives it back. */
function quoted(text: string, quote: '"' | "'" | undefined, close: boolean): string {
  // In single quotes a backslash is itself: paths of Windows, regular expressions.
  const mark = quote ?? (text.includes('\\') && !text.includes("'") ? "'" : '"');
  const inner = mark === "'" ? text.replaceAll("'", "\\'") : text.replace(/["\\]/g, '\\$&');
  return mark + inner + (close ? mark : '');
}

export function commonPrefix(texts: readonly string[]): string {
  let shared = texts[0] ?? '';
  for (const text of texts) {
    let length = 0;
    while (length < shared.length && shared[length] === text[length]) length++;
    shared = shared.slice(0, length);
  }
  return shared;
}
