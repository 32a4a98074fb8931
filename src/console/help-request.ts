import { explainCommand, knownCommands, listed, TITLES } from '../plugin/elsewhere.js';
import { UsageError } from '../plugin/error.js';
import type { OperatingSystem } from '../plugin/plugin.js';
import { fits, type PluginEntry } from '../plugin/registry.js';
import { didYouMean } from '../plugin/similar.js';
import { colorsOn, paintFor } from '../render/paint.js';
import { terminalWidth } from '../render/sink.js';
import { parameterNamed, parameters, type Parameter } from '../session/parameters.js';
import { commandHelp, overview } from './help.js';
import { exampleOutputs } from './help-examples.js';
import { functionHelp, functionNames, functions } from './help-functions.js';
import { pages, pageText } from './help-pages.js';
import { foundText, searchHelp } from './help-search.js';
import { sourceOf } from './help-source.js';
import { type HelpStyle, table, title } from './help-text.js';
import { builtins, type Shell } from './shell.js';

/** What was asked of the help. */
export interface Question {
  /** `pslist`, `processes`, `search kaslr`; empty: everything in short */
  readonly words: readonly string[];
  /** 2: also how it works */
  readonly level: 1 | 2;
  /** the line, and where the first word stands in it, for mistakes */
  readonly place?: { readonly line: string; readonly start: number; readonly end: number };
}

/**
 * The answer to a question: of a command, a topic, a parameter of the session or a function of queries its help; of other words what
 * has to do with them. Throws UsageError where nothing has.
 */
export async function answer(shell: Shell, { words, level, place }: Question): Promise<string> {
  const { session, host } = shell;
  const width = terminalWidth(host.output);
  const paint = paintFor(colorsOn(session.parameters.colors, host.output));
  const style: HelpStyle = { width, paint };
  const [first, ...others] = words;
  if (first === undefined) return start(shell, style);
  if (first === 'search' && others.length > 0) return search(shell, others, style, place);
  if (others.length > 0) return search(shell, words, style, place);
  if (first === 'commands') return overview(shell.commands(), style);

  const own = session.registry.named(first);
  if (own.length > 0) {
    const fitting = own.filter((entry) => shell.system === undefined || fits(entry, shell.system));
    const texts: string[] = [];
    for (const entry of fitting.length > 0 ? fitting : own) texts.push(await ofCommand(entry, level, style, session.parameters.highlighting_style));
    return texts.join('\n');
  }
  const builtin = builtins[first];
  if (builtin !== undefined) return `${first} — ${builtin}\n`;
  const page = pages().find(({ name }) => name === first || `${name}s` === first || name === `${first}s`);
  const ofTopic = topicCommands(shell.commands(), first);
  if (ofTopic.length > 0) return overview(ofTopic, style) + (page ? `\n${pageText(page, style)}` : '');
  if (page) return pageText(page, style);
  const elsewhere = topicCommands(session.registry.list(), first);
  if (elsewhere.length > 0) {
    const systems = [...new Set(elsewhere.flatMap(({ needs }) => (Array.isArray(needs) ? (needs as readonly OperatingSystem[]) : [])))].map((system) => TITLES[system]);
    return `None of these works on this image: they read ${listed(systems)}.\n${overview(elsewhere, style)}`;
  }
  const parameter = parameterNamed(first);
  if (parameter !== undefined) return ofParameter(parameter, parameters[parameter], style);
  const ofFunction = await functionHelp(first, style);
  if (ofFunction !== undefined) return ofFunction;
  return search(shell, words, style, place);
}

/** Commands of a topic, which may be named by a word of its own or one that goes on from it: `network`, `networking`, `process`. */
function topicCommands(entries: readonly PluginEntry[], word: string): PluginEntry[] {
  const exactly = entries.filter(({ topic }) => topic === word);
  if (exactly.length > 0) return exactly;
  const stem = stemOf(word);
  return stem.length < 3 ? [] : entries.filter(({ topic }) => stemOf(topic) === stem);
}

function stemOf(word: string): string {
  return word.toLowerCase().replace(/ies$/, 'y').replace(/(ing|es|s)+$/, '').replace(/e$/, '');
}

/** Everything in a screenful. */
function start(shell: Shell, style: HelpStyle): string {
  const bold = style.paint?.bold ?? ((text: string) => text);
  return [
    'A line is a command, a query (select …) or JavaScript. TAB completes; ↑ and Ctrl-R find earlier lines; Ctrl-C stops.',
    '',
    overview(shell.commands(), style, false),
    bold('help on'),
    ...table(
      [
        ['COMMAND?', 'arguments, columns and examples of a command; COMMAND?? how it works'],
        ['help processes', 'commands of a topic, with a sentence each; help commands: all of them'],
        ['? kaslr', 'what has to do with a word: help search kaslr'],
        [`help ${pages()[0]?.name ?? 'commands'}`, `pages: ${pages().map(({ name }) => name).join(', ')}`],
      ],
      style.width ?? 100,
      [],
      style.paint?.cyan,
    ),
    '',
  ].join('\n');
}

async function ofCommand(entry: PluginEntry, level: 1 | 2, style: HelpStyle, highlighting: string): Promise<string> {
  const source = level === 2 ? await sourceOf(entry, style.paint?.colors === true, highlighting) : undefined;
  return commandHelp(entry, level, style, { outputs: exampleOutputs(entry), ...(source ? { source } : {}) });
}

function ofParameter(name: string, parameter: Parameter, { paint, width = 100 }: HelpStyle): string {
  const facts = [
    ['type', parameter.choices ? `one of ${parameter.choices.join(', ')}` : parameter.type],
    ...(parameter.default === undefined ? [] : [['default', String(parameter.default)]]),
    ['on the command line', `--${name}${parameter.short === undefined ? '' : `, -${parameter.short}`}`],
    ...(parameter.aliases ? [['also called', parameter.aliases.join(', ')]] : []),
  ];
  return [...title(name, `${parameter.doc} (a parameter of the session)`, width, paint?.bold ?? ((text) => text)), ...table(facts, width), ''].join('\n');
}

async function search(shell: Shell, words: readonly string[], style: HelpStyle, place: Question['place']): Promise<string> {
  const { registry } = shell.session;
  const [word = ''] = words;
  const explained = words.length === 1 ? explainCommand(word, registry, shell.session.detected) : undefined;
  const missing = [...knownCommands().values()].filter(({ name }) => registry.named(name).length === 0 && !(explained && name === word.toLowerCase()));
  const found = searchHelp(words, { commands: shell.commands(), pages: pages(), functions: await functions(), elsewhere: missing });
  if (found.length > 0) return `${explained ? `${explained.message}\n\n` : ''}${foundText(words, found, style)}`;
  if (explained) throw new UsageError(explained.message, place);
  const names = [...registry.list().map((entry) => entry.name), ...Object.keys(builtins), ...pages().map(({ name }) => name), ...Object.keys(parameters), ...(await functionNames())];
  throw new UsageError(`Nothing is known of ${words.join(' ')}.${didYouMean(word, names)}`, place);
}
