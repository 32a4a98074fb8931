import type { Assist } from '../../grammar/assist.js';
import { queryEnd } from '../../grammar/line-kind.js';
import type { Arg } from '../plugin/args.js';
import { type Slot, slotOf } from '../plugin/bind.js';
import type { PluginEntry } from '../plugin/registry.js';
import { PER_COMMAND } from './command.js';
import { type Candidate, type Completion, starting } from './completion-list.js';
import { commandCandidates, parameterArg, pathCandidates, valuesFor, type ValuePlace } from './completion-values.js';
import { builtins, type Shell } from './shell.js';

/**
 * Completes a line at the cursor. The grammar says what may stand there, the declarations which names and values; names of commands
 * that fit the image, of arguments not yet given, choices, running processes, symbols, structs and their members, files. Detects
 * nothing: what an image would tell is offered once its kernel is known.
 * @param cursor offset in the line, its end by default
 */
export async function complete(shell: Shell, line: string, cursor = line.length): Promise<Completion> {
  const text = line.slice(0, cursor);
  const { assistLine } = await import('../../grammar/assist.js');
  const assist = assistLine(text, shell.known);
  const nothing = { start: cursor, candidates: [] };
  if (!assist) return nothing;
  switch (assist.role) {
    case 'statement':
      return statement(shell, assist);
    case 'redirect':
      return { start: assist.start, quote: assist.quote, candidates: pathCandidates(shell, assist.text) };
    case 'argument':
    case 'value':
      return words(shell, text, assist);
    case 'query':
      return query(shell, line, assist, cursor);
    case 'javascript':
      return (await import('./completion-javascript.js')).completeJavaScript(shell, assist.text, assist.start);
    default:
      return nothing;
  }
}

/** What a statement of another language may begin with. */
const BEGINNINGS: readonly Candidate[] = [
  { text: 'select', hint: 'a query: select name, pid from pslist()' },
  { text: 'explain', hint: 'how a query would be run' },
  { text: 'session', hint: 'JavaScript: the session', after: '.' },
  { text: 'await', hint: 'JavaScript: waits for a promise' },
  { text: 'const', hint: 'JavaScript: a constant' },
];

/** Inside of a query, whose text behind the cursor (up to its `;`) says which tables there are. */
async function query(shell: Shell, line: string, { start }: Assist, cursor: number): Promise<Completion> {
  const [{ completeQuery }, { completionCatalog }] = await Promise.all([import('../query/complete.js'), import('../query/session/catalog.js')]);
  const text = line.slice(start, Math.max(cursor, queryEnd(line, start)));
  const { matches, from } = await completeQuery(text, cursor - start, completionCatalog(shell.session));
  // A table, a function, a member goes on; a keyword or a column is complete.
  return { start: start + from, candidates: matches.map((match) => ({ text: match, after: /[\w*]$/.test(match) && !/^\./.test(line.slice(cursor)) ? ' ' : '' })) };
}

/** The first word: a command, or a name of JavaScript where no command begins so. */
async function statement(shell: Shell, { text, start }: Assist): Promise<Completion> {
  const candidates = commandNames(shell, text);
  if (candidates.length > 0 || text === '') return { start, candidates };
  return (await import('./completion-javascript.js')).completeJavaScript(shell, text, start);
}

function commandNames(shell: Shell, fragment: string): Candidate[] {
  const own = Object.entries(builtins).map(([text, hint]) => ({ text, hint }));
  const found = starting(fragment, [...commandCandidates(shell), ...own, ...(fragment === '' ? [] : BEGINNINGS)]);
  // Among aliases only where no name fits: there are many.
  if (found.length > 0 || fragment === '') return found.sort((a, b) => (a.text < b.text ? -1 : 1));
  return starting(fragment, shell.commands().flatMap((entry) => (entry.aliases ?? []).map((text) => ({ text, hint: `${entry.name}: ${entry.summary}` }))));
}

/** A word behind a command: a value, a name, a flag. */
async function words(shell: Shell, line: string, assist: Assist): Promise<Completion> {
  const { start, quote } = assist;
  const entry = shell.session.registry.find(assist.command ?? '', shell.system) ?? builtinEntry(assist.command ?? '');
  if (!entry) return { start, candidates: [] };
  const slot = slotOf(entry, { line, args: assist.args });
  const others = typedValues(assist, entry);
  const value = async (name: string, arg: Arg, fragment: string): ReturnType<typeof valuesFor> => {
    const place: ValuePlace = { entry, name, arg, others };
    const found = await valuesFor(shell, place, fragment);
    // An element of a list is not given twice.
    return assist.items.length > 0 ? { ...found, candidates: found.candidates.filter(({ text }) => !assist.items.includes(text)) } : found;
  };
  const named = assist.name ?? assignedFlag(assist)?.name;
  if (named !== undefined) {
    const arg = argumentNamed(entry, named);
    const inner = assignedFlag(assist);
    const from = inner ? start + assist.text.length - inner.value.length : start;
    return { start: from, quote, ...(arg ? await value(arg.name, arg.arg, inner?.value ?? assist.text) : { candidates: [] }) };
  }
  const target = targetOf(slot);
  if (slot.flag && target) return { start, quote, ...(await value(target.name, target.arg, assist.text)) };
  if (assist.text.startsWith('-') && quote === '') return { start, candidates: starting(assist.text, flags(entry, slot)) };
  const values = target ? await value(target.name, target.arg, assist.text) : { candidates: [] };
  const names = assist.role === 'argument' && quote === '' ? argumentNames(entry, slot, assist.text) : [];
  return { start, quote, ...values, candidates: [...values.candidates, ...names] };
}

/** `help` and its like are no plugins, but take words as they do. */
function builtinEntry(name: string): PluginEntry | undefined {
  if (name !== 'help') return undefined;
  const about: Arg = { type: 'strings', doc: 'a command or a topic', required: false, positional: true, completes: 'topic' };
  return { name, needs: 'none', topic: 'session', summary: builtins[name] ?? '', args: { about }, columns: {}, examples: [{ line: name }], file: '', exportName: '' };
}

/** `--name=value` that is being typed. */
function assignedFlag({ text, role }: Assist): { readonly name: string; readonly value: string } | undefined {
  const parts = role === 'argument' ? /^--([A-Za-z_][\w-]*)=(.*)$/s.exec(text) : null;
  return parts ? { name: parts[1] ?? '', value: parts[2] ?? '' } : undefined;
}

function argumentNamed(entry: PluginEntry, typed: string): { readonly name: string; readonly arg: Arg } | undefined {
  const name = typed.replaceAll('-', '_').toLowerCase();
  const found = Object.keys(entry.args).find((known) => known.replaceAll('-', '_').toLowerCase() === name);
  const arg = found === undefined ? parameterArg(name) : entry.args[found];
  return arg ? { name: found ?? name, arg } : undefined;
}

function targetOf(slot: Slot): { readonly name: string; readonly arg: Arg } | undefined {
  if (slot.argument) return slot.argument;
  const arg = slot.parameter === undefined ? undefined : parameterArg(slot.parameter);
  return arg && slot.parameter !== undefined ? { name: slot.parameter, arg } : undefined;
}

/** `name=` of the arguments that the line has not given; those of the session only where they are asked for. */
function argumentNames(entry: PluginEntry, slot: Slot, fragment: string): Candidate[] {
  const own = Object.entries(entry.args).filter(([name]) => !slot.given.has(name));
  const found = starting(fragment, own.map(([name, arg]) => ({ text: `${name}=`, hint: arg.doc, after: '' })));
  return found.length > 0 || fragment === '' ? found : starting(fragment, sessionNames().map(([name, hint]) => ({ text: `${name}=`, hint, after: '' })));
}

function flags(entry: PluginEntry, slot: Slot): Candidate[] {
  const own = Object.entries(entry.args).filter(([name]) => !slot.given.has(name));
  return [...own.map(([name, arg]) => ({ text: `--${name}`, hint: arg.doc })), ...sessionNames().map(([name, hint]) => ({ text: `--${name}`, hint }))];
}

/** Parameters that may be given to one command. */
function sessionNames(): [string, string][] {
  return [...PER_COMMAND].map((name) => [name, parameterArg(name)?.doc ?? '']);
}

/** The values of the other arguments, as typed: what a member's offset is one of depends on the struct. */
function typedValues(assist: Assist, entry: PluginEntry): Map<string, string> {
  const values = new Map<string, string>();
  const positional = Object.entries(entry.args).filter(([, arg]) => arg.positional === true).map(([name]) => name);
  for (const argument of assist.args) {
    if (argument.kind === 'named') values.set(argument.name, argument.value.text);
    else if (!argument.value.text.startsWith('-')) {
      const name = positional.shift();
      if (name !== undefined) values.set(name, argument.value.text);
    }
  }
  return values;
}
