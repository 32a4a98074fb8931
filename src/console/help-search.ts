import type { KnownCommand } from '../plugin/elsewhere.js';
import type { PluginEntry } from '../plugin/registry.js';
import { type Parameter, parameters } from '../session/parameters.js';
import type { Page } from './help-pages.js';
import { type HelpStyle, PLAIN, table, WIDTH } from './help-text.js';

/** What was found: a command, a page, a parameter, a function, with the place that holds the words. */
export interface Found {
  readonly kind: 'command' | 'topic' | 'parameter' | 'function' | 'elsewhere';
  readonly name: string;
  /** its sentence, or the place where the words stand */
  readonly about: string;
  readonly score: number;
}

/** A function of the query language, as far as help needs to know it. */
export interface FunctionFacts {
  readonly name: string;
  readonly summary: string;
}

/** What help is searched in. */
export interface Corpus {
  readonly commands: readonly PluginEntry[];
  readonly pages: readonly Page[];
  readonly functions: readonly FunctionFacts[];
  /** commands of other tools; found by their names and what they did */
  readonly elsewhere: readonly KnownCommand[];
}

/** Texts of one thing, with what a hit there is worth. */
type Field = readonly [worth: number, text: string, label?: string];

/** Where all of some words stand, the best first: in a name, another name, the sentence, an argument or column, the notes, the text of a page. */
export function searchHelp(words: readonly string[], { commands, pages, functions, elsewhere }: Corpus): Found[] {
  const wanted = words.map((word) => word.toLowerCase()).filter((word) => word !== '');
  if (wanted.length === 0) return [];
  const found: Found[] = [];
  const look = (kind: Found['kind'], name: string, about: string, fields: readonly Field[]): void => {
    let score = 0;
    let label = about;
    for (const word of wanted) {
      const best = hit(word, name, fields);
      if (!best) return;
      score += best.score;
      if (best.label !== undefined) label = `${about} [${best.label}]`;
    }
    found.push({ kind, name, about: label, score });
  };
  for (const entry of commands) look('command', entry.name, entry.summary, fieldsOf(entry));
  for (const page of pages) look('topic', page.name, page.summary, [[50, page.summary], ...page.text.split('\n').map((line): Field => [12, line, line.trim().replace(/`/g, '')])]);
  for (const [name, parameter] of Object.entries(parameters as Readonly<Record<string, Parameter>>)) look('parameter', name, parameter.doc, [[40, parameter.doc], [60, (parameter.aliases ?? []).join(' ')]]);
  for (const { name, summary } of functions) look('function', name, summary, [[40, summary]]);
  for (const { name, what, tool } of elsewhere) look('elsewhere', name, `${tool}'s: ${what}`, [[6, what]]);
  // What is not here comes last, however well its name fits.
  return found.sort((a, b) => Number(a.kind === 'elsewhere') - Number(b.kind === 'elsewhere') || b.score - a.score || (a.name < b.name ? -1 : 1));
}

function fieldsOf(entry: PluginEntry): Field[] {
  return [
    [70, (entry.aliases ?? []).join(' ')],
    [50, entry.summary],
    [30, entry.topic],
    ...Object.entries(entry.args).flatMap(([name, arg]): Field[] => [[28, name, `argument ${name}`], [18, `${arg.doc} ${(arg.choices ?? []).join(' ')}`, `argument ${name}`]]),
    ...Object.entries(entry.columns).flatMap(([name, column]): Field[] => [[26, name, `column ${name}`], [16, column.doc, `column ${name}`]]),
    [14, entry.notes ?? '', `${entry.name}??`],
    ...entry.examples.map(({ line, doc = '' }): Field => [10, `${line} ${doc}`, line]),
  ];
}

/** The best place of a word; whole words and beginnings of words count more than letters within. */
function hit(word: string, name: string, fields: readonly Field[]): { readonly score: number; readonly label?: string } | undefined {
  let best = name === word ? { score: 200 } : name.startsWith(word) ? { score: 120 } : name.includes(word) ? { score: 100 } : undefined;
  for (const [worth, text, label] of fields) {
    const at = text.toLowerCase().indexOf(word);
    if (at < 0) continue;
    const score = worth * (/[a-z0-9]/i.test(text[at - 1] ?? '') ? 0.6 : 1);
    if (!best || score > best.score) best = { score, ...(label === undefined ? {} : { label }) };
  }
  return best;
}

/** Hits that are shown. */
const SHOWN = 20;

/** The hits as a list. */
export function foundText(words: readonly string[], found: readonly Found[], { width = WIDTH, paint = PLAIN }: HelpStyle = {}): string {
  const shown = found.slice(0, SHOWN);
  const rows = shown.map(({ kind, name, about }) => [name, kind === 'elsewhere' ? 'not here' : kind, about]);
  const left = found.length > shown.length ? [paint.dim(`  … ${found.length - shown.length} more: further words make it fewer`)] : [];
  return `${[`What has to do with ${words.join(' ')}:`, ...table(rows, width, [], paint.cyan), ...left].join('\n')}\n`;
}
