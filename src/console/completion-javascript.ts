import { Table } from '../api/table.js';
import { Struct } from '../object/struct.js';
import type { StructType } from '../object/struct-type.js';
import type { Arg } from '../plugin/args.js';
import type { Columns } from '../plugin/columns.js';
import type { PluginEntry } from '../plugin/registry.js';
import { Result } from '../session/result.js';
import type { Profile } from '../symbols/profile.js';
import { type Candidate, type Completion, starting } from './completion-list.js';
import { membersAlong, membersOf } from './completion-members.js';
import { valuesFor } from './completion-values.js';
import { type Chain, chainBefore, type Step, surroundings } from './javascript-chain.js';
import type { Shell } from './shell.js';

/** What is known of a value that has not been computed. */
type Kind =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'plugin'; readonly entry: PluginEntry }
  | { readonly kind: 'table' | 'rows' | 'row'; readonly columns: Columns }
  | { readonly kind: 'struct'; readonly struct: StructType }
  /** a method of one of these, before it is called */
  | { readonly kind: 'method'; readonly of: Kind; readonly name: string };

/**
 * Completes JavaScript: members of values that are there, columns of rows and members of structs also where nothing was run yet
 * (`(await plugins.pslist().first()).proc.`), arguments of commands in their calls, names. Nothing of what is typed is run.
 * @param text the statement up to the cursor; @param offset where it begins in the line
 */
export async function completeJavaScript(shell: Shell, text: string, offset: number): Promise<Completion> {
  const nothing = { start: offset + text.length, candidates: [] };
  const around = surroundings(text);
  if (around.comment) return nothing;
  const argument = await inCall(shell, text, offset);
  if (argument) return argument;
  if (around.string !== undefined) return nothing;
  const [, member] = /(?:\.|\?\.)\s*([\p{L}_$][\p{L}\p{N}_$]*)?$/u.exec(text) ?? [];
  const fragment = member ?? /[\p{L}_$][\p{L}\p{N}_$]*$/u.exec(text)?.[0] ?? '';
  const start = text.length - fragment.length;
  const dot = /\??\.\s*$/.exec(text.slice(0, start));
  if (dot && !/\d$/.test(text.slice(0, dot.index))) {
    const chain = chainBefore(text.slice(0, dot.index));
    const kind = chain && (await kindOf(shell, chain));
    return { start: offset + start, candidates: kind ? starting(fragment, membersOfKind(shell, kind, fragment)) : [] };
  }
  return { start: offset + start, candidates: fragment === '' ? [] : await names(shell, text, fragment) };
}

/** Names that exist: what node's REPL knows, and the commands, which are functions here. */
async function names(shell: Shell, text: string, fragment: string): Promise<Candidate[]> {
  const engine = await shell.engine();
  const [known, completed] = await engine.complete(fragment);
  const own = completed === fragment ? known.filter((name) => name !== '' && !name.includes('.')) : [];
  const commands = new Map(shell.commands().map((entry) => [entry.name, entry]));
  const all = new Set([...own, ...commands.keys()]);
  const before = text.slice(0, text.length - fragment.length);
  if (/(?:^|[\s;{(=])$/.test(before)) for (const word of ['await', 'const', 'let', 'for', 'session', 'plugins', 'query']) all.add(word);
  return starting(
    fragment,
    [...all].sort().map((name) => {
      const object = name === 'session' || name === 'plugins';
      const entry = object ? undefined : commands.get(name);
      if (entry) return { text: name, hint: entry.summary, after: '(' };
      return { text: name, after: /^(?:await|const|let|for|return|new|typeof)$/.test(name) ? ' ' : object ? '.' : '' };
    }),
  );
}

/** Within `plugins.pslist({ … })`: names of arguments and their values. */
async function inCall(shell: Shell, text: string, offset: number): Promise<Completion | undefined> {
  const { open, string } = surroundings(text);
  const call = callAround(shell, text, open.map(({ at }) => at));
  if (!call) return undefined;
  const { entry, from } = call;
  const inside = text.slice(from);
  const parts = splitArguments(inside);
  const current = parts.at(-1) ?? '';
  const given = new Set(parts.slice(0, -1).map((part) => /^\s*["']?([\w$]+)/.exec(part)?.[1] ?? ''));
  const valued = /^\s*["']?([\w$]+)["']?\s*:\s*(?:\[(?:.*,)?\s*)?(.*)$/s.exec(current);
  if (!valued) {
    const fragment = /[\w$]*$/.exec(current)?.[0] ?? '';
    if (string !== undefined || current.trim() !== fragment) return undefined;
    const found = Object.entries(entry.args).filter(([name]) => !given.has(name));
    return { start: offset + text.length - fragment.length, candidates: starting(fragment, found.map(([name, arg]) => ({ text: name, hint: arg.doc, after: ': ' }))) };
  }
  const [, name = '', typed = ''] = valued;
  const arg = entry.args[name];
  if (!arg || (string === undefined && /[^\w$-]/.test(typed))) return undefined;
  return { start: offset + text.length - typed.length, candidates: await argumentValues(shell, entry, name, arg, typed) };
}

/** Values as JavaScript writes them: numbers bare, texts in quotes. */
async function argumentValues(shell: Shell, entry: PluginEntry, name: string, arg: Arg, typed: string): Promise<Candidate[]> {
  if (arg.type === 'bool') return starting(typed, [{ text: 'true', after: '' }, { text: 'false', after: '' }]);
  const quote = /^["'`]/.exec(typed)?.[0] ?? '"';
  const { candidates } = await valuesFor(shell, { entry, name, arg, others: new Map() }, typed.replace(/^["'`]/, ''));
  const numbers = arg.type === 'int' || arg.type === 'ints';
  return candidates.map((candidate) => ({
    ...candidate,
    text: numbers ? candidate.text : `${quote}${candidate.text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${candidate.after === '' ? '' : quote}`,
    after: '',
  }));
}

/** The command whose object of arguments is open at the end of a text, and where the object's inside begins. */
function callAround(shell: Shell, text: string, open: readonly number[]): { readonly entry: PluginEntry; readonly from: number } | undefined {
  for (let index = open.length - 1; index > 0; index--) {
    const [brace, bracket] = [open[index] ?? 0, open[index - 1] ?? 0];
    if (text[brace] !== '{' || text[bracket] !== '(' || text.slice(bracket + 1, brace).trim() !== '') continue;
    const name = /(?:^|[^\w$.])(?:(?:session\s*\.\s*)?plugins\s*\.\s*)?([A-Za-z_]\w*)\s*$/.exec(text.slice(0, bracket))?.[1];
    const entry = name === undefined ? undefined : shell.session.registry.find(name, shell.system);
    if (entry) return { entry, from: brace + 1 };
  }
  return undefined;
}

/** Parts of an object between the commas that stand in no bracket and no string. */
function splitArguments(inside: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < inside.length; at++) {
    if (inside[at] !== ',') continue;
    const { open, string } = surroundings(inside.slice(from, at));
    if (open.length > 0 || string !== undefined) continue;
    parts.push(inside.slice(from, at));
    from = at + 1;
  }
  return [...parts, inside.slice(from)];
}

/** What a chain is, as far as it can be told without running anything. */
async function kindOf(shell: Shell, chain: Chain): Promise<Kind | undefined> {
  let kind = 'inner' in chain.root ? await kindOf(shell, chain.root.inner) : await rootKind(shell, chain.root.name, chain.steps[0]);
  for (const step of chain.steps) {
    if (!kind) return undefined;
    kind = stepped(shell, kind, step);
  }
  return kind;
}

async function rootKind(shell: Shell, name: string, next: Step | undefined): Promise<Kind | undefined> {
  const entry = shell.session.registry.find(name, shell.system);
  if (entry && next?.kind === 'call') return { kind: 'plugin', entry };
  const engine = await shell.engine();
  return engine.variable(name) ? { kind: 'value', value: engine.value(name) } : undefined;
}

/** What a step makes of a value. */
function stepped(shell: Shell, of: Kind, step: Step): Kind | undefined {
  switch (of.kind) {
    case 'plugin':
      return step.kind === 'call' ? { kind: 'table', columns: of.entry.columns } : undefined;
    case 'method':
      return step.kind === 'call' ? called(of.of, of.name) : undefined;
    case 'table':
      return step.kind === 'member' ? { kind: 'method', of, name: step.name } : undefined;
    case 'rows':
      if (step.kind === 'index') return { kind: 'row', columns: of.columns };
      return step.kind === 'member' ? { kind: 'method', of, name: step.name } : undefined;
    case 'row':
      return step.kind === 'member' ? cell(shell, of.columns, step.name) : undefined;
    case 'struct':
      return step.kind === 'member' ? structMember(shell, of.struct, step.name) : step.kind === 'index' ? of : undefined;
    case 'value':
      return steppedValue(shell, of.value, step);
  }
}

/** What a method gives, promises counted as what they promise. */
function called(of: Kind, name: string): Kind | undefined {
  if (of.kind === 'table') return name === 'rows' ? { kind: 'rows', columns: of.columns } : name === 'first' ? { kind: 'row', columns: of.columns } : undefined;
  if (of.kind !== 'rows') return undefined;
  if (/^(?:at|find|findLast|pop|shift)$/.test(name)) return { kind: 'row', columns: of.columns };
  return /^(?:filter|slice|sort|reverse|toSorted|toReversed|concat)$/.test(name) ? of : undefined;
}

function cell(shell: Shell, columns: Columns, name: string): Kind | undefined {
  const column = columns[name];
  const profile = profileOf(shell);
  if (column?.struct !== undefined && profile?.has(column.struct) === true) return { kind: 'struct', struct: profile.struct(column.struct) };
  const examples: Readonly<Record<string, unknown>> = { string: '', int: 0, size: 0, float: 0, physical: 0, address: 0n, bool: true, list: [] };
  return column && column.type in examples ? { kind: 'value', value: examples[column.type] } : undefined;
}

function structMember(shell: Shell, struct: StructType, name: string): Kind | undefined {
  const profile = profileOf(shell);
  const inner = profile && membersAlong(profile, struct, [name]);
  return inner ? { kind: 'struct', struct: inner } : undefined;
}

/** A step of a value that is there. Only data is read, and what our own objects say of themselves. */
function steppedValue(shell: Shell, value: unknown, step: Step): Kind | undefined {
  if (value instanceof Struct) return step.kind === 'member' ? structMember(shell, value.$struct, step.name) : undefined;
  if (value instanceof Result) {
    if (step.kind === 'index') return { kind: 'row', columns: value.columns };
    return step.kind === 'member' && step.name === 'rows' ? { kind: 'rows', columns: value.columns } : undefined;
  }
  if (value instanceof Table) return step.kind === 'member' ? { kind: 'method', of: { kind: 'table', columns: value.columns }, name: step.name } : undefined;
  if (step.kind === 'call') {
    const entry = typeof value === 'function' ? shell.session.registry.find(value.name, shell.system) : undefined;
    return entry && 'columns' in (value as object) ? { kind: 'table', columns: entry.columns } : undefined;
  }
  const key = step.kind === 'member' ? step.name : step.text.trim();
  if (typeof value !== 'object' && typeof value !== 'function') return undefined;
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const property = Object.getOwnPropertyDescriptor(at, key);
    if (!property) continue;
    if ('value' in property) return { kind: 'value', value: property.value };
    // A getter of somebody else's may do anything.
    return isOurs(at) && property.get ? { kind: 'value', value: property.get.call(value) } : undefined;
  }
  return undefined;
}

/** Classes whose getters only tell what is known: the session of the library. */
function isOurs(prototype: object): boolean {
  return (prototype.constructor as { name?: string } | undefined)?.name === 'RekallSession';
}

function profileOf(shell: Shell): Profile | undefined {
  return shell.session.detected?.profile;
}

const STRUCT_OWN: readonly Candidate[] = [
  { text: '$address', hint: 'where it is', after: '' },
  { text: '$type', hint: 'name of the struct', after: '' },
  { text: '$has', hint: 'true where it has the member', after: '(' },
  { text: '$get', hint: 'a member by its name', after: '(' },
  { text: '$addressOf', hint: 'where a member is', after: '(' },
  { text: '$space', hint: 'the address space that it is in', after: '' },
];

const TABLE_OWN: readonly Candidate[] = [
  { text: 'rows', hint: 'all rows: await ….rows()', after: '(' },
  { text: 'first', hint: 'the first row: await ….first()', after: '(' },
  { text: 'batches', hint: 'rows as they come', after: '(' },
  { text: 'columns', hint: 'the columns, as declared', after: '' },
  { text: 'notes', hint: 'what was said beside the rows', after: '' },
  { text: 'stop', hint: 'ends it', after: '(' },
];

/** What may stand behind the dot. */
function membersOfKind(shell: Shell, of: Kind, fragment: string): Candidate[] {
  switch (of.kind) {
    case 'table':
      return [...TABLE_OWN];
    case 'rows':
      return propertiesOf([], fragment);
    case 'row':
      return columnsOf(of.columns);
    case 'struct':
      return structMembers(shell, of.struct);
    case 'plugin':
    case 'method':
      return [];
    case 'value': {
      const { value } = of;
      if (value instanceof Struct) return structMembers(shell, value.$struct);
      if (value instanceof Table) return [...TABLE_OWN];
      return propertiesOf(value, fragment);
    }
  }
}

function columnsOf(columns: Columns): Candidate[] {
  return Object.entries(columns).map(([text, column]) => ({ text, hint: column.doc, after: '' }));
}

function structMembers(shell: Shell, struct: StructType): Candidate[] {
  const profile = profileOf(shell);
  return [...(profile ? membersOf(profile, struct).map((member) => ({ ...member, after: '' })) : []), ...STRUCT_OWN];
}

/** Names of properties, own ones first, without those that only the language uses. */
function propertiesOf(value: unknown, fragment: string): Candidate[] {
  if (value === null || value === undefined) return [];
  const found = new Map<string, Candidate>();
  for (let at: object | null = Object(value) as object; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    // What every object has helps only who asks for it.
    if (fragment === '' && found.size > 0 && Object.getPrototypeOf(at) === null) break;
    for (const name of Object.getOwnPropertyNames(at).sort()) {
      if (found.has(name) || !/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) || (name === 'constructor' && fragment === '') || (name.startsWith('__') && !fragment.startsWith('_'))) continue;
      const property = Object.getOwnPropertyDescriptor(at, name);
      found.set(name, { text: name, after: typeof property?.value === 'function' ? '(' : '' });
    }
  }
  return [...found.values()];
}
