import type { Arg } from '../plugin/args.js';
import { describeStruct } from '../object/describe.js';
import { Struct } from '../object/struct.js';
import type { PluginEntry } from '../plugin/registry.js';
import { parameters, type Parameter } from '../session/parameters.js';
import type { Session } from '../session/session.js';
import { PER_COMMAND } from './command.js';
import { builtins, type Shell } from './shell.js';

/** What TAB offers: texts that may stand in the place of the fragment, which ends the line. */
export interface Completion {
  readonly matches: readonly string[];
  readonly fragment: string;
}

/** More names than these help nobody. */
const MOST = 200;
const NOTHING: Completion = { matches: [], fragment: '' };

/**
 * Completes the end of a line: names of commands that fit the image, of arguments, choices, running processes, symbols, structs and
 * files.
 */
export async function complete(shell: Shell, line: string): Promise<Completion> {
  const statement = lastStatement(line);
  const words = statement.trimStart().split(/\s+/);
  const fragment = words.at(-1) ?? '';
  const name = words[0] ?? '';
  if (words.length === 1) return starting(fragment, [...commandNames(shell), ...Object.keys(builtins)]);
  if (name === 'help' || name === '?') return starting(fragment, [...commandNames(shell), ...topics(shell)]);
  if (/^>>?$/.test(words.at(-2) ?? '')) return starting(fragment, files(shell, fragment));
  const entry = shell.session.registry.find(name, shell.system);
  if (!entry) return NOTHING;
  const assigned = /^(?:--)?([A-Za-z_][\w-]*)=(.*)$/s.exec(fragment);
  if (assigned) return values(shell, argumentOf(entry, assigned[1] ?? ''), assigned[2] ?? '');
  const before = /^--([\w-]+)$/.exec(words.at(-2) ?? '')?.[1];
  const flagged = before === undefined ? undefined : argumentOf(entry, before);
  if (flagged && flagged.type !== 'bool') return values(shell, flagged, fragment);
  if (fragment.startsWith('-')) return starting(fragment, flagNames(entry));
  const positional = await values(shell, positionalOf(entry, words.slice(1, -1)), fragment);
  const names = Object.keys(entry.args).map((arg) => `${arg}=`);
  return { matches: [...positional.matches, ...starting(fragment, names).matches], fragment: positional.fragment };
}

/** The text behind the last `;` that stands in no quotes. */
function lastStatement(line: string): string {
  let quote = '';
  let start = 0;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ';') start = at + 1;
  }
  return line.slice(start);
}

/** Names that begin with what was typed; `-` is `_`. */
function starting(fragment: string, names: Iterable<string>): Completion {
  const lower = fragment.toLowerCase();
  const found = new Set<string>();
  for (const name of names) {
    if (found.size >= MOST) break;
    const folded = name.toLowerCase();
    if (folded.startsWith(lower) || (!lower.startsWith('-') && folded.startsWith(lower.replaceAll('-', '_')))) found.add(name);
  }
  return { matches: [...found].sort(), fragment };
}

function commandNames(shell: Shell): string[] {
  return shell.commands().map((entry) => entry.name);
}

function topics(shell: Shell): string[] {
  return shell.commands().map((entry) => entry.topic);
}

function flagNames(entry: PluginEntry): string[] {
  return [...Object.keys(entry.args), ...PER_COMMAND].map((name) => `--${name}`);
}

/** The argument of a name, or the parameter in an argument's form. */
function argumentOf(entry: PluginEntry, name: string): Arg | undefined {
  const wanted = name.replaceAll('-', '_');
  const own = entry.args[wanted];
  if (own) return own;
  const parameter = (parameters as Readonly<Record<string, Parameter>>)[wanted];
  if (!parameter) return undefined;
  const type = parameter.type === 'list' ? 'strings' : parameter.type;
  return { type: wanted === 'output' ? 'path' : type, doc: parameter.doc, required: false, ...(parameter.choices ? { choices: parameter.choices } : {}) };
}

/** The positional argument that the next word belongs to. */
function positionalOf(entry: PluginEntry, given: readonly string[]): Arg | undefined {
  const positional = Object.values(entry.args).filter((arg) => arg.positional === true);
  const plain = given.filter((word) => !word.startsWith('-') && !/^[A-Za-z_][\w-]*=/.test(word)).length;
  const last = positional.at(-1);
  return positional[plain] ?? (last && /s$/.test(last.type) ? last : undefined);
}

async function values(shell: Shell, arg: Arg | undefined, typed: string): Promise<Completion> {
  if (!arg) return { matches: [], fragment: typed };
  const list = /^(?:ints|addresses|strings|choices)$/.test(arg.type);
  const fragment = (list ? typed.split(',').at(-1) : typed)?.replace(/^["']/, '') ?? '';
  return starting(fragment, await candidates(shell, arg, fragment));
}

async function candidates(shell: Shell, arg: Arg, fragment: string): Promise<Iterable<string>> {
  if (arg.choices) return arg.choices;
  if (arg.type === 'bool') return ['yes', 'no'];
  const { session } = shell;
  const completes = arg.completes ?? (arg.type === 'path' ? 'path' : undefined);
  switch (completes) {
    case 'plugin':
      return commandNames(shell);
    case 'path':
      return files(shell, fragment);
    case 'pid':
      return (await processes(session)).flatMap(({ pid }) => (pid === undefined ? [] : [String(pid)]));
    case 'process':
      return (await processes(session)).flatMap(({ name }) => (name === undefined || !/^[\w.:/-]+$/.test(name) ? [] : [name]));
    case 'symbol':
      return symbols(session, fragment);
    case 'struct':
      return session.detected ? session.detected.profile.types.structNames() : [];
    default:
      return [];
  }
}

/** Processes by whichever command lists them on this system; read once per session. */
async function processes(session: Session): Promise<{ readonly name?: string; readonly pid?: number }[]> {
  const { detected } = session;
  const entry = detected ? session.registry.find('pslist', detected.os) : undefined;
  if (!entry) return [];
  return session.memo('completion: processes', async () => {
    const plugin = await session.registry.load(entry);
    const defaults = Object.fromEntries(Object.entries(plugin.args).map(([name, arg]) => [name, arg.default]));
    const column = Object.entries(plugin.columns).find(([, { type }]) => type === 'struct')?.[0] ?? '';
    const rows = await session.run(plugin, defaults, { columns: new Set([column]) }).rows();
    return rows.flatMap((row) => (row[column] instanceof Struct ? [describeStruct(row[column])] : []));
  });
}

async function symbols(session: Session, fragment: string): Promise<string[]> {
  // A prefix of two letters says too little among hundreds of thousands.
  if (!session.detected || !/^\*?[\w.$!@-]{2,}$/.test(fragment)) return [];
  const star = fragment.startsWith('*') ? '*' : '';
  const wanted = fragment.slice(star.length);
  const names: string[] = [];
  for (const symbol of (await session.resolver()).search(`${wanted}*`)) {
    names.push(`${star}${wanted.includes('!') ? `${symbol.module}!` : ''}${symbol.name}`);
    if (names.length >= MOST) break;
  }
  return names;
}

/** Files and folders that a path may go on with. */
function files(shell: Shell, fragment: string): string[] {
  const folder = fragment.slice(0, fragment.lastIndexOf('/') + 1);
  const listed = shell.host.files?.(shell.session.path(folder === '' ? '.' : folder)) ?? [];
  return listed.map(({ name, folder: isFolder }) => `${folder}${name}${isFolder ? '/' : ''}`);
}
