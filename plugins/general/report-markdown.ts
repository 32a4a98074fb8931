import { version } from '../../src/session/version.js';
import type { Exchange, ImageFacts, Transcript } from '../../src/session/transcript.js';

export interface MarkdownOptions {
  /** lines of an output at most; 0: all */
  readonly lines: number;
  /** SHA-256 of image files by path */
  readonly hashes: ReadonlyMap<string, string>;
  readonly timezone: string;
  /** exchanges that the document holds already, to which these are added; without any it begins with a title */
  readonly earlier: readonly Exchange[];
  /** the document is not empty */
  readonly continued: boolean;
}

/** A line of output is cut behind so many characters: a table in one line of JSON helps nobody. */
const LONGEST = 2000;

/** A conversation as a document. */
export function markdown(transcript: Transcript, exchanges: readonly Exchange[], options: MarkdownOptions): string {
  const parts: string[] = options.continued ? [] : [title(exchanges, options)];
  let session = options.earlier.at(-1)?.session;
  const described = new Set(options.earlier.map((exchange) => exchange.session));
  for (const exchange of exchanges) {
    if (exchange.line.trim() === '') continue;
    const prose = comment(exchange.line);
    if (exchange.session !== session) {
      session = exchange.session;
      parts.push(`## ${inline(`[${session}] ${exchange.name}`)}`);
      const facts = transcript.facts.get(session);
      if (facts && !described.has(session)) parts.push(factsTable(facts, options));
      if (facts) described.add(session);
    }
    if (prose === undefined) parts.push(section(exchange, transcript.output(exchange), options));
    else {
      // Comments that follow one another are one paragraph.
      const last = parts.at(-1) ?? '';
      if (last.startsWith(PROSE) && !prose.startsWith('#')) parts[parts.length - 1] = `${last}\n${prose}`;
      else parts.push(prose.startsWith('#') ? prose : `${PROSE}${prose}`);
    }
  }
  return `${parts.map((part) => part.replace(PROSE, '')).join('\n\n')}\n`;
}

/** Marks a part as the analyst's own text while the parts are put together. */
const PROSE = '\0';

function title(exchanges: readonly Exchange[], { timezone }: MarkdownOptions): string {
  const [first, last] = [exchanges[0], exchanges.at(-1)];
  const time = first && last ? `${moment(first.at, timezone)} to ${moment(last.at, timezone)} (${timezone})` : 'nothing was typed';
  return `# Conversation with Rekall\n\n${time} · Rekall ${version()} · Node ${process.versions.node} · ${process.platform} ${process.arch}`;
}

function factsTable(facts: ImageFacts, { hashes }: MarkdownOptions): string {
  const hash = hashes.get(facts.path);
  const rows: [string, string][] = [
    ['image', inline(facts.path)],
    ['memory', `${facts.bytes.toLocaleString('en')} bytes, ${facts.format}`],
    ...(hash === undefined ? [] : [['SHA-256', inline(hash)] satisfies [string, string]]),
    ['fingerprint', inline(facts.fingerprint)],
    ['kernel', facts.kernel],
    ['banner', inline(facts.banner)],
    ['page tables', inline(`0x${facts.dtb.toString(16)}`)],
    ['profile', facts.profile === undefined ? 'from the image itself' : inline(facts.profile)],
  ];
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value.replaceAll('|', '\\|')} |`)].join('\n');
}

/** A line and its output. */
function section(exchange: Exchange, output: string, { lines, timezone }: MarkdownOptions): string {
  const typed = exchange.line.trim();
  const [first = '', ...more] = typed.split('\n');
  const facts = [moment(exchange.at, timezone).slice(11), `${exchange.ms ?? 0} ms`];
  if (exchange.rows !== undefined) facts.push(`${exchange.rows.toLocaleString('en')} ${exchange.rows === 1 ? 'row' : 'rows'}`);
  if (exchange.failed) facts.push('failed');
  const parts = [`### ${inline(more.length === 0 ? first : `${first} …`)}`, `*${facts.join(' · ')}*`];
  if (more.length > 0) parts.push(fence(typed, ''));
  const shown = cut(printable(output), exchange, lines);
  if (shown !== '') parts.push(fence(shown, 'text'));
  return parts.join('\n\n');
}

/** The output's first lines, with a note of what is not there. */
function cut(output: string, exchange: Exchange, most: number): string {
  const lines = output.replace(/\n+$/, '').split('\n').map((line) => (line.length > LONGEST ? `${line.slice(0, LONGEST)} … (${(line.length - LONGEST).toLocaleString('en')} more characters)` : line));
  const limit = most === 0 ? Infinity : most;
  const missing = Math.max(lines.length, exchange.lines) - Math.min(lines.length, limit);
  if (missing <= 0) return lines.join('\n');
  const rows = exchange.rows === undefined ? '' : `; ${exchange.rows.toLocaleString('en')} rows in all`;
  return [...lines.slice(0, limit), `… ${missing.toLocaleString('en')} more lines${rows}`].join('\n');
}

/** The text of a line that is a comment; a heading where it begins with `##`. */
function comment(line: string): string | undefined {
  const found = /^\s*(#+)\s?(.*)$/s.exec(line);
  if (!found) return undefined;
  const [, marks = '', text = ''] = found;
  return marks.length > 1 ? `${marks} ${text}` : text;
}

/** Code in a line of text. */
function inline(text: string): string {
  const ticks = '`'.repeat(longestRun(text) + 1);
  const space = /^`|`$/.test(text) ? ' ' : '';
  return `${ticks}${space}${printable(text).replaceAll('\n', ' ')}${space}${ticks}`;
}

/** A block of code that nothing in it can end. */
function fence(text: string, language: string): string {
  const ticks = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${ticks}${language}\n${text}\n${ticks}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

/** Control characters and marks that change the direction of text, spelt out: a document is shown by programs that nobody knows here. */
function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** `2026-11-25 14:03:11` in a time zone */
function moment(date: Date, timezone: string): string {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
  return parts.format(date);
}
