import type { Arg } from '../plugin/args.js';
import type { Paint } from '../render/paint.js';
import type { Column } from '../plugin/columns.js';
import type { PluginEntry } from '../plugin/registry.js';
import { type Parameter, parameters } from '../session/parameters.js';
import { type HelpStyle, PLAIN, table, title, widths, WIDTH, wrap } from './help-text.js';

const TYPE_WORDS: Readonly<Record<Arg['type'], string>> = {
  int: 'number',
  address: 'address',
  string: 'text',
  bool: 'yes/no',
  regex: 'regex',
  ints: 'numbers',
  addresses: 'addresses',
  strings: 'texts',
  choice: 'one of',
  choices: 'any of',
  path: 'path',
};

/** The order of topics in the overview; what is not here comes after. */
const TOPICS = ['processes', 'network', 'files', 'kernel', 'memory', 'profile', 'session'];

/** What help shows of a command besides its declaration. */
export interface HelpExtras {
  /** what its examples print, by their lines */
  readonly outputs?: ReadonlyMap<string, string>;
  /** where it is written, and the part of it that does the work: for `command??` */
  readonly source?: { readonly path: string; readonly lines: string; readonly code: string };
}

/**
 * Help of one command: purpose, arguments with types and defaults, columns with their meaning and unit, examples with what they
 * print on the sample image.
 * @param level 2 (`command??`): also how it works and where that is written
 */
export function commandHelp(entry: PluginEntry, level: 1 | 2 = 1, { width = WIDTH, paint = PLAIN }: HelpStyle = {}, { outputs, source }: HelpExtras = {}): string {
  const heading = (text: string): string => paint.bold(text);
  const parts = [...title(entry.name, entry.summary, width, heading), ...wrap(usage(entry), width - 2).map((line) => `  ${line}`)];
  const facts = [needs(entry)];
  if (entry.aliases && entry.aliases.length > 0) facts.push(`also called ${entry.aliases.join(', ')}`);
  parts.push(paint.dim(`  ${facts.join('; ')}`));
  const args = Object.entries(entry.args);
  if (args.length > 0) {
    parts.push('', heading('arguments'), ...table(args.map(([name, arg]) => [argName(name, arg), argType(arg), argDoc(arg)]), width, [], paint.cyan));
  }
  const columns = Object.entries(entry.columns);
  if (columns.length > 0) {
    parts.push('', heading('columns'), ...table(columns.map(([name, column]) => [name, columnType(column), columnDoc(column)]), width, [], paint.cyan));
  }
  if (level === 2 && entry.notes !== undefined) parts.push('', heading('how it works'), ...wrap(entry.notes, width - 2).map((line) => `  ${line}`));
  parts.push('', heading(entry.examples.length === 1 ? 'example' : 'examples'), ...examples(entry, { width, paint }, outputs));
  if (level === 2 && source) parts.push('', heading(`source: ${source.path}, ${source.lines}`), ...source.code.split('\n').map((line) => `  ${line}`.trimEnd()));
  if (level === 1) parts.push('', paint.dim(`${entry.name}?? says how it works.`));
  return `${parts.join('\n')}\n`;
}

/** Example lines, each with what it prints where that is kept. */
function examples(entry: PluginEntry, { width, paint }: { readonly width: number; readonly paint: Paint }, outputs: ReadonlyMap<string, string> | undefined): string[] {
  if (!outputs || outputs.size === 0) return table(entry.examples.map((example) => [example.line, example.doc ?? '']), width, [], paint.cyan);
  return entry.examples.flatMap(({ line, doc }, index) => {
    const lead = doc === undefined ? paint.cyan(line) : `${paint.cyan(line)}   ${paint.dim(`# ${doc}`)}`;
    const output = outputs.get(line);
    const shown = output === undefined || output === '' ? [] : output.split('\n').map((text) => `    ${cut(text, width - 4)}`.trimEnd());
    return [...(index > 0 && shown.length > 0 ? [''] : []), `  ${lead}`, ...shown];
  });
}

/** Outputs are made for a wide terminal; on a narrow one their lines end earlier. */
function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, Math.max(1, width - 1)).trimEnd()}…` : line;
}

/** Commands by topic. @param entries all of them; @param full with a sentence each, rather than names alone */
export function overview(entries: readonly PluginEntry[], { width = WIDTH, paint = PLAIN }: HelpStyle = {}, full = true): string {
  const topics = new Map<string, PluginEntry[]>();
  for (const entry of entries) topics.set(entry.topic, [...(topics.get(entry.topic) ?? []), entry]);
  const rank = (topic: string): number => (TOPICS.includes(topic) ? TOPICS.indexOf(topic) : TOPICS.length);
  const sorted = [...topics.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  if (!full) return `${table(sorted.map((topic) => [topic, (topics.get(topic) ?? []).map((entry) => entry.name).join(' ')]), width, [], paint.bold).join('\n')}\n`;
  const names = Math.max(0, ...entries.map((entry) => entry.name.length));
  const parts = sorted.flatMap((topic) => [
    '',
    paint.bold(topic),
    ...table((topics.get(topic) ?? []).map((entry) => [entry.name.padEnd(names), entry.summary]), width, [], paint.cyan),
  ]);
  return `${parts.slice(1).join('\n')}\n`;
}

/** `rekall --help`: how it is called, the global flags, the commands. */
export function programHelp(entries: readonly PluginEntry[], { width = WIDTH, paint = PLAIN }: HelpStyle = {}): string {
  const flags = (Object.entries(parameters) as [string, Parameter][]).map(([name, parameter]) => {
    const choices = parameter.choices?.join('|') ?? '';
    const wide = choices.length > MOST_CHOICES;
    return [
      `${parameter.short === undefined ? '    ' : `-${parameter.short}, `}--${name}`,
      wide ? 'choice' : choices !== '' ? choices : parameter.type === 'bool' ? '' : parameter.type,
      (wide ? `${parameter.doc}: ${choices}` : parameter.doc) + (parameter.default === undefined || parameter.type === 'bool' ? '' : ` (${String(parameter.default)})`),
    ];
  });
  return [
    'rekall [flags] [command [arguments]]',
    '',
    'Opens a memory image and runs one command, or the console where no command is given; commands on standard input run one by one.',
    'Flags may also stand after the command, and in ~/.rekallrc (YAML).',
    '',
    paint.bold('flags'),
    ...table(flags, width),
    ...table([['    --version', '', 'the version'], ['-h, --help', '', 'this help; rekall COMMAND -h: help of a command']], width, widths(flags)),
    '',
    paint.bold('examples'),
    ...table(
      [
        ['rekall -f memory.raw', 'the console'],
        ['rekall -f memory.raw pslist --format json', 'one command'],
        ["printf 'pslist\\nlsmod\\n' | rekall -f memory.raw", 'several'],
      ],
      width,
    ),
    '',
    paint.bold('commands'),
    '',
    overview(entries, { width, paint }),
  ].join('\n');
}

/** `pslist [pids …] [proc_regex=regex] …` */
function usage(entry: PluginEntry): string {
  const words = Object.entries(entry.args).map(([name, arg]) => {
    const list = arg.type === 'ints' || arg.type === 'addresses' || arg.type === 'strings' || arg.type === 'choices';
    const shown = arg.positional === true ? `${name}${list ? ' …' : ''}` : `${name}=…`;
    return arg.required ? shown : `[${shown}]`;
  });
  return [entry.name, ...words].join(' ');
}

function needs(entry: PluginEntry): string {
  if (Array.isArray(entry.needs)) return `reads ${entry.needs.map((system) => ({ linux: 'Linux', windows: 'Windows', darwin: 'macOS' })[system as 'linux']).join(', ')}`;
  return { kernel: 'reads any kernel', image: 'reads any image', none: 'needs no image' }[entry.needs as 'kernel'];
}

function argName(name: string, arg: Arg): string {
  return arg.short === undefined ? name : `${name}, -${arg.short}`;
}

/** More choices than fit beside the name stand in the sentence. */
const MOST_CHOICES = 30;

function choicesOf(arg: Arg): string {
  return arg.choices ? `${TYPE_WORDS[arg.type]} ${arg.choices.join(', ')}` : '';
}

function argType(arg: Arg): string {
  const choices = choicesOf(arg);
  return choices === '' ? TYPE_WORDS[arg.type] : choices.length <= MOST_CHOICES ? choices : arg.type === 'choices' ? 'choices' : 'choice';
}

function argDoc(arg: Arg): string {
  const choices = choicesOf(arg);
  const facts = [choices.length > MOST_CHOICES ? `${arg.doc}: ${choices}` : arg.doc];
  if (arg.required) facts.push('(required)');
  else if (arg.default !== undefined) facts.push(`(default: ${Array.isArray(arg.default) ? arg.default.join(', ') : String(arg.default)})`);
  return facts.join(' ');
}

function columnType(column: Column): string {
  return column.struct ?? column.type;
}

function columnDoc(column: Column): string {
  // Declarations may set the source off with spaces; help wraps it as text.
  const doc = column.doc.replace(/\s{2,}/g, '; ');
  return `${doc}${column.unit === undefined ? '' : `, in ${column.unit}`}${column.hidden === true ? ' [hidden]' : ''}`;
}
