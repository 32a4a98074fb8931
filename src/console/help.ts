import type { Arg } from '../plugin/args.js';
import type { Column } from '../plugin/columns.js';
import type { PluginEntry } from '../plugin/registry.js';
import { type Parameter, parameters } from '../session/parameters.js';

/** Cells that help is written for, when the terminal does not say. */
const WIDTH = 100;

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

/**
 * Help of one command: purpose, arguments with types and defaults, columns with their meaning and unit, examples.
 * @param level 2 (`command??`): also how it works
 */
export function commandHelp(entry: PluginEntry, level: 1 | 2 = 1, width = WIDTH): string {
  const parts = [`${entry.name} — ${entry.summary}`, ...wrap(usage(entry), width - 2).map((line) => `  ${line}`)];
  const facts = [needs(entry)];
  if (entry.aliases && entry.aliases.length > 0) facts.push(`also called ${entry.aliases.join(', ')}`);
  parts.push(`  ${facts.join('; ')}`);
  const args = Object.entries(entry.args);
  if (args.length > 0) {
    parts.push('', 'arguments', ...table(args.map(([name, arg]) => [argName(name, arg), argType(arg), argDoc(arg)]), width));
  }
  const columns = Object.entries(entry.columns);
  if (columns.length > 0) {
    parts.push('', 'columns', ...table(columns.map(([name, column]) => [name, columnType(column), columnDoc(column)]), width));
  }
  if (level === 2 && entry.notes !== undefined) parts.push('', 'how it works', ...wrap(entry.notes, width - 2).map((line) => `  ${line}`));
  parts.push('', entry.examples.length === 1 ? 'example' : 'examples');
  parts.push(...table(entry.examples.map((example) => [example.line, example.doc ?? '']), width));
  if (level === 1 && entry.notes !== undefined) parts.push('', `${entry.name}?? says how it works.`);
  return `${parts.join('\n')}\n`;
}

/** Commands by topic, a line each. */
export function overview(entries: readonly PluginEntry[], width = WIDTH): string {
  const topics = new Map<string, PluginEntry[]>();
  for (const entry of entries) topics.set(entry.topic, [...(topics.get(entry.topic) ?? []), entry]);
  const rank = (topic: string): number => (TOPICS.includes(topic) ? TOPICS.indexOf(topic) : TOPICS.length);
  const sorted = [...topics.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const names = Math.max(0, ...entries.map((entry) => entry.name.length));
  const parts = sorted.flatMap((topic) => [
    '',
    topic,
    ...table((topics.get(topic) ?? []).map((entry) => [entry.name.padEnd(names), entry.summary]), width),
  ]);
  return `${parts.slice(1).join('\n')}\n`;
}

/** `rekall --help`: how it is called, the global flags, the commands. */
export function programHelp(entries: readonly PluginEntry[], width = WIDTH): string {
  const flags = (Object.entries(parameters) as [string, Parameter][]).map(([name, parameter]) => [
    `${parameter.short === undefined ? '    ' : `-${parameter.short}, `}--${name}`,
    parameter.choices?.join('|') ?? (parameter.type === 'bool' ? '' : parameter.type),
    parameter.doc + (parameter.default === undefined || parameter.type === 'bool' ? '' : ` (${String(parameter.default)})`),
  ]);
  return [
    'rekall [flags] [command [arguments]]',
    '',
    'Opens a memory image and runs one command, or the console where no command is given; commands on standard input run one by one.',
    'Flags may also stand after the command, and in ~/.rekallrc (YAML).',
    '',
    'flags',
    ...table(flags, width),
    ...table([['    --version', '', 'the version'], ['-h, --help', '', 'this help; rekall COMMAND -h: help of a command']], width, widths(flags)),
    '',
    'examples',
    ...table(
      [
        ['rekall -f memory.raw', 'the console'],
        ['rekall -f memory.raw pslist --format json', 'one command'],
        ["printf 'pslist\\nlsmod\\n' | rekall -f memory.raw", 'several'],
      ],
      width,
    ),
    '',
    'commands',
    '',
    overview(entries, width),
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

function argType(arg: Arg): string {
  return arg.choices ? `${TYPE_WORDS[arg.type]} ${arg.choices.join(', ')}` : TYPE_WORDS[arg.type];
}

function argDoc(arg: Arg): string {
  const facts = [arg.doc];
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

function widths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
}

/** Rows whose last column is wrapped. */
function table(rows: readonly (readonly string[])[], width: number, least: readonly number[] = []): string[] {
  const sizes = widths(rows).map((size, column) => Math.min(Math.max(size, least[column] ?? 0), 44));
  return rows.flatMap((row) => {
    const first = row.slice(0, -1).map((cell, column) => cell.padEnd(sizes[column] ?? 0));
    const lead = `  ${first.join('  ')}  `;
    const lines = wrap(row.at(-1) ?? '', Math.max(24, width - lead.length));
    return lines.map((line, index) => ((index === 0 ? lead : ' '.repeat(lead.length)) + line).trimEnd());
  });
}

/** Words in lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  lines.push(line);
  return lines;
}
