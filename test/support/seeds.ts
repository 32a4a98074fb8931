import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';

/** The documents that the project began with, and what stands in them. */
const folder = join(process.env['REKALL_SHARED'] ?? join(root, '..', 'shared'), 'seeds');
export const seedsSkip = existsSync(folder) ? false : 'no seed documents';

const texts = seedsSkip === false ? readdirSync(folder).sort().map((name) => readFileSync(join(folder, name), 'utf8')) : [];
/** What the blog says of profiles and detection, and the slides of the workshop. */
export const blog = texts.find((text) => text.includes('Kernel Debugging Block')) ?? '';
export const slides = texts.find((text) => text.includes('Workshop')) ?? '';

/** A line that is typed at a shell, and what follows it in the document. */
export interface ShellLine {
  readonly line: string;
  /** the lines behind it, up to the next one of a shell */
  readonly printed: readonly string[];
}

const PROMPT = /^\s*(?:[\w.]+)?\$ +(\S.*)$/;
/** Slides show lines without a prompt. */
const BARE = /^\s*(?:[●○■] +)?(rekall(?: +-.*)?)$/;

/** Lines typed at a shell, continued ones as one. */
export function* shellLines(document: string): Generator<ShellLine> {
  const lines = document.split('\n').map((line) => line.trimEnd());
  for (let at = 0; at < lines.length; at++) {
    let typed = typedIn(lines[at] ?? '');
    if (typed === undefined) continue;
    while (typed.endsWith('\\')) typed = `${typed.slice(0, -1).trimEnd()} ${(lines[++at] ?? '').trim()}`;
    const end = lines.findIndex((line, index) => index > at && typedIn(line) !== undefined);
    yield { line: typed, printed: lines.slice(at + 1, end < 0 ? undefined : end) };
  }
}

function typedIn(line: string): string | undefined {
  return PROMPT.exec(line)?.[1]?.trim() ?? BARE.exec(line)?.[1];
}

/** Headings of the first table in lines: words with two blanks or one between them, above a line of dashes. */
export function headings(printed: readonly string[]): readonly string[] {
  const rule = printed.findIndex((line) => /^-{6,}[ -]*$/.test(line));
  const [title = '', dashes = ''] = rule > 0 ? [printed[rule - 1], printed[rule]] : [];
  // A heading stands above its dashes, as far as the columns are ruled; what is wider is cut at two blanks.
  return [...dashes.matchAll(/-+/g)].map(({ index }, place, all) => title.slice(index, all[place + 1]?.index).trim()).filter((name) => name !== '');
}

/** Queries in a text: from their first word to a blank line. */
export function* queries(document: string): Generator<string> {
  for (const [, text = ''] of document.matchAll(/(?:^|\n|')\s*(select\s[^]*?)(?=\n\s*\n|', *\n|\n\s*(?:labels|image_type):)/gi)) yield text.replace(/\s*\n\s*/g, ' ').trim();
}

/** Definitions of artifacts in YAML: from a name on, as long as lines look like such. */
export function* artifacts(document: string): Generator<string> {
  const lines = document.split('\n').map((line) => line.trimEnd());
  for (let at = 0; at < lines.length; at++) {
    if (!/^name: \w+$/.test(lines[at] ?? '')) continue;
    const end = lines.findIndex((line, index) => index > at && !/^(?:$|\s|- |\w+:(?: |$))/.test(line));
    yield lines.slice(at, end < 0 ? undefined : end).join('\n');
  }
}

/** Words of a document that stand where a command's name would: `the vad plugin`, `● vtop - …`, `from modules()`, `plugins.search(`, `glob "…"`, and all words that are typed. */
export function commandsNamed(document: string): string[] {
  const found = new Set<string>();
  const forms = [/(?:^|\s)(\w+)\splugins?\b/g, /^[●○■]? ?(\w+) -\s/gm, /\bfrom\s+(\w+)\(/g, /plugins\.(\w+)\(/g, /^(\w+) "/gm];
  for (const form of forms) for (const [, name] of document.matchAll(form)) if (name !== undefined) found.add(name.toLowerCase());
  for (const { line } of shellLines(document)) for (const word of line.startsWith('rekall ') ? line.split(/\s+/).slice(1) : []) found.add(word);
  return [...found].sort();
}
