import { Absent } from '../memory/absent.js';
import { describeStruct } from '../object/describe.js';
import { Struct } from '../object/struct.js';
import type { Arg, Completes } from '../plugin/args.js';
import { PluginError, UsageError } from '../plugin/error.js';
import type { PluginEntry } from '../plugin/registry.js';
import { type Parameter, parameters } from '../session/parameters.js';
import type { Session } from '../session/session.js';
import { PrefixIndex } from '../symbols/prefix-index.js';
import type { TypeDescriptor } from '../symbols/types.js';
import { type Candidate, commonPrefix, MOST, starting } from './completion-list.js';
import { memberCandidates, membersOf } from './completion-members.js';
import type { Shell } from './shell.js';

/** What fits a value that is being typed. */
export interface Values {
  readonly candidates: readonly Candidate[];
  readonly more?: number;
  readonly shared?: string;
}

/** Where a value stands: whose it is, and what else the line says. */
export interface ValuePlace {
  readonly entry: PluginEntry;
  readonly name: string;
  readonly arg: Arg;
  /** values of the command's other arguments, as typed */
  readonly others: ReadonlyMap<string, string>;
}

const NONE: Values = { candidates: [] };

/** A parameter of the session in an argument's form. */
export function parameterArg(name: string): Arg | undefined {
  const parameter = (parameters as Readonly<Record<string, Parameter>>)[name];
  if (!parameter) return undefined;
  const type = parameter.type === 'list' ? 'strings' : parameter.type;
  const isPath = /^(?:output|filename|profile|repository_path|cache_dir|home|dump_dir)$/.test(name);
  return { type: isPath && type === 'string' ? 'path' : type, doc: parameter.doc, required: false, ...(parameter.choices ? { choices: parameter.choices } : {}), ...(isPath ? { completes: 'path' } : {}) };
}

/** Values of an argument that begin with what is typed. */
export async function valuesFor(shell: Shell, place: ValuePlace, fragment: string): Promise<Values> {
  const { arg } = place;
  const { default: standard } = arg;
  if (arg.choices) {
    const isDefault = (choice: string): boolean => (Array.isArray(standard) ? (standard as unknown[]).includes(choice) : standard === choice);
    return { candidates: starting(fragment, arg.choices.map((text) => ({ text, ...(isDefault(text) ? { hint: 'the default' } : {}) }))) };
  }
  if (arg.type === 'bool') return { candidates: starting(fragment, ['yes', 'no']) };
  const isAddress = arg.type === 'address' || arg.type === 'addresses';
  const completes = arg.completes ?? (arg.type === 'path' ? 'path' : isAddress ? 'symbol' : undefined);
  return completes === undefined ? NONE : named(shell, completes, place, fragment);
}

async function named(shell: Shell, completes: Completes, place: ValuePlace, fragment: string): Promise<Values> {
  const { session } = shell;
  switch (completes) {
    case 'plugin':
      return { candidates: starting(fragment, commandCandidates(shell)) };
    case 'topic':
      return { candidates: starting(fragment, [...commandCandidates(shell), ...shell.commands().map((entry) => entry.topic)]) };
    case 'parameter':
      return { candidates: starting(fragment, Object.entries(parameters as Readonly<Record<string, Parameter>>).map(([text, { doc }]) => ({ text, hint: doc }))) };
    case 'path':
      return { candidates: pathCandidates(shell, fragment) };
    case 'pid':
      return { candidates: pidCandidates(await processes(session), fragment) };
    case 'process':
      return { candidates: starting(fragment, nameCandidates(await processes(session), place.arg.type === 'regex')) };
    case 'space':
      return { candidates: starting(fragment, await spaceCandidates(session, fragment)) };
    case 'session':
      return { candidates: sessionCandidates(session, fragment) };
    case 'object_type':
      return { candidates: starting(fragment, (await structCells(session, 'object_types')).filter((cell): cell is string => typeof cell === 'string').sort()) };
    case 'module':
      return { candidates: starting(fragment, await modules(session)) };
    case 'symbol':
      return symbolValues(session, fragment);
    case 'struct':
      return structValues(session, fragment);
    case 'member':
      return { candidates: memberOffsets(session, place.others.get('target') ?? place.others.get('struct') ?? '', fragment) };
  }
}

/** Commands that fit the image, with what they show. */
export function commandCandidates(shell: Shell): Candidate[] {
  return shell.commands().map((entry) => ({ text: entry.name, hint: entry.summary }));
}

interface Process {
  readonly name?: string;
  readonly pid?: number;
}

/** The struct cells of a command, as the session's image has them; read once per session, and never before a kernel was found. */
async function structCells(session: Session, command: string): Promise<readonly unknown[]> {
  const { detected } = session;
  const entry = detected ? session.registry.find(command, detected.os) : undefined;
  if (!entry) return [];
  return session.memo(`completion: ${command}`, async () => {
    const plugin = await session.registry.load(entry);
    const defaults = Object.fromEntries(Object.entries(plugin.args).map(([name, arg]) => [name, arg.default]));
    const column = Object.entries(plugin.columns).find(([name, { type }]) => (command === 'pslist' ? type === 'struct' : name === 'name'))?.[0] ?? '';
    const rows = await session.run(plugin, defaults, { columns: new Set([column]) }).rows();
    return rows.map((row) => row[column]);
  });
}

/** Processes by whichever command lists them on this system. */
async function processes(session: Session): Promise<Process[]> {
  return (await structCells(session, 'pslist')).flatMap((cell) => (cell instanceof Struct ? [describeStruct(cell)] : []));
}

async function modules(session: Session): Promise<string[]> {
  if (session.detected?.os === 'windows') return (await session.resolver()).modules().map(({ name }) => name).filter((name) => !/^vad_0x/.test(name)).sort();
  return [...new Set((await structCells(session, 'lsmod')).filter((cell): cell is string => typeof cell === 'string'))].sort();
}

/** Pids by their digits, or by the name of their process. */
function pidCandidates(all: readonly Process[], fragment: string): Candidate[] {
  const candidates = all.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ text: String(pid), hint: name ?? '(unreadable)' }]));
  const found = starting(fragment, candidates);
  if (found.length > 0 || /^\d/.test(fragment)) return found;
  return candidates.filter(({ hint }) => hint.toLowerCase().startsWith(fragment.toLowerCase()));
}

function nameCandidates(all: readonly Process[], regex: boolean): Candidate[] {
  const pids = new Map<string, number[]>();
  for (const { name, pid } of all) if (name !== undefined && /^[\x20-\x7e]+$/.test(name)) pids.set(name, [...(pids.get(name) ?? []), ...(pid === undefined ? [] : [pid])]);
  return [...pids].map(([name, ids]) => ({
    text: regex ? name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : name,
    hint: ids.length > 6 ? `${ids.slice(0, 6).join(', ')} and ${ids.length - 6} more` : ids.join(', '),
  }));
}

async function spaceCandidates(session: Session, fragment: string): Promise<Candidate[]> {
  const spaces: Candidate[] = [
    { text: 'K', hint: 'the kernel' },
    { text: 'P', hint: 'physical memory' },
    { text: 'pid@', hint: 'a process: pid@1', after: '' },
  ];
  if (!/^pid@/i.test(fragment)) return spaces;
  return (await processes(session)).flatMap(({ name, pid }) => (pid === undefined ? [] : [{ text: `pid@${pid}`, ...(name === undefined ? {} : { hint: name }) }]));
}

/** Ids of the console's sessions, by their digits or the names of their images. */
function sessionCandidates(session: Session, fragment: string): Candidate[] {
  const candidates = (session.group?.list() ?? [session]).map((one) => ({ text: String(one.id), hint: `${one.name}${one === session ? ' (current)' : ''}` }));
  const found = starting(fragment, candidates);
  return found.length > 0 ? found : candidates.filter(({ hint }) => hint.toLowerCase().startsWith(fragment.toLowerCase()));
}

/**
 * What the end of an address expression may become: `init_t`, `linux!init_t`, `*linux!mod`, `loop!`, names of the libraries of the
 * process context, and members of what has a type (`linux!init_task.co`). What stands before stays.
 */
async function symbolValues(session: Session, fragment: string): Promise<Values> {
  const { detected } = session;
  const parts = /^(|.*[^\w.$@!\\])(?:([\w.$@\\-]+)!)?([\w.$@]*)$/s.exec(fragment);
  if (!detected || !parts || /^\d/.test(parts[3] ?? '')) return NONE;
  const [, before = '', module, name = ''] = parts;
  const resolver = await session.resolver();
  const own = resolver.kernelName;
  if (module !== undefined && !resolver.isKernel(module)) {
    const texts = resolver.complete(fragment, MOST + 1);
    return texts.length > 0 ? { candidates: starting(fragment, texts.slice(0, MOST)), ...(texts.length > MOST ? { more: texts.length - MOST } : {}) } : members(session, fragment);
  }
  const index = session.memo('completion: symbols', () => new PrefixIndex(detected.profile.symbols.allNames?.() ?? symbolNames(detected.profile.symbols.symbols())));
  const lead = before + (module === undefined ? '' : `${module}!`);
  // A bare beginning may be a module's name too; without any there is too much to offer.
  const names = [own, ...resolver.modules().map((one) => one.name)].filter((one, at, all) => all.indexOf(one) === at && !/^map_0x/.test(one));
  const modules = module !== undefined ? [] : starting(name, names.map((one) => ({ text: `${one}!`, hint: one === own ? 'the kernel' : 'a module', after: '' })));
  const extra = modules.map((one) => ({ ...one, text: before + one.text }));
  if (name === '' && module === undefined) return { candidates: extra };
  const found = indexed(index, name, lead);
  if (found.candidates.length === 0 && extra.length === 0) return members(session, fragment);
  if (extra.length === 0) return found;
  const shared = found.shared === undefined ? {} : { shared: commonPrefix([found.shared, ...extra.map(({ text }) => text)]) };
  return { ...found, candidates: [...extra, ...found.candidates], ...shared };
}

/** Members of what an expression before the last dot means, where its type is known. */
async function members(session: Session, fragment: string): Promise<Values> {
  const [, expression, lead = ''] = /^(.*[\w)\]])(\.|->)\w*$/s.exec(fragment) ?? [];
  const { detected } = session;
  if (expression === undefined || !detected) return NONE;
  let type: TypeDescriptor | undefined;
  try {
    type = (await (await session.resolver()).locate(expression)).type;
  } catch (error) {
    // Not an address, or one of which nothing can be read: nothing to offer.
    if (!(error instanceof UsageError || error instanceof PluginError || error instanceof Absent)) throw error;
  }
  const struct = type && detected.profile.structBehind(type, '');
  return struct ? { candidates: starting(fragment, membersOf(detected.profile, struct).map((member) => ({ ...member, text: `${expression}${lead}${member.text}` }))) } : NONE;
}

/** Names that a kernel gives: compilers add parts (`.isra.0`) that nobody asks for by name, and mark what is no name at all (`__pfx_`). */
function* symbolNames(symbols: Iterable<{ readonly name: string }>): Generator<string> {
  for (const { name } of symbols) yield name;
}

function indexed(index: PrefixIndex, name: string, lead: string): Values {
  const { names, total, last } = index.starting(name, MOST);
  const candidates = names.map((text) => ({ text: lead + text }));
  if (total <= names.length || last === undefined) return { candidates };
  return { candidates, more: total - names.length, shared: lead + commonPrefix([names[0] ?? '', last]) };
}

/** Structs by name, and their members behind a dot: `task_struct.mm.pg`. */
async function structValues(session: Session, fragment: string): Promise<Values> {
  const { detected } = session;
  if (!detected) return NONE;
  const module = /^([\w.$-]+)!/.exec(fragment)?.[1];
  const names = module === undefined ? undefined : (await session.resolver()).moduleNamed(module);
  // A module's own types: those of a Linux module's BTF, or of the PDB of a Windows library.
  if (names?.compiler && names.compiler !== detected.profile.compiler) {
    const { types } = names.compiler;
    return indexed(session.memo(`completion: structs of ${names.name} at ${names.start}`, () => new PrefixIndex(types.structNames())), fragment.slice(fragment.indexOf('!') + 1), `${module}!`);
  }
  const { profile } = detected;
  const lead = /^(?:linux|nt)!/i.exec(fragment)?.[0] ?? '';
  const typed = fragment.slice(lead.length);
  const dot = typed.lastIndexOf('.');
  if (dot >= 0) {
    const path = typed.slice(0, dot);
    return { candidates: starting(fragment, memberCandidates(profile, path).map((member) => ({ ...member, text: `${lead}${path}.${member.text}` }))) };
  }
  const index = session.memo('completion: structs', () => new PrefixIndex(profile.types.structNames()));
  return indexed(index, typed, lead);
}

/** Offsets of the members of the struct that the line names, by number or by the member's name. */
function memberOffsets(session: Session, struct: string, fragment: string): Candidate[] {
  const { detected } = session;
  if (!detected || struct === '') return [];
  const members = memberCandidates(detected.profile, struct.replace(/^\w+!/, ''));
  const candidates = members.map((member) => ({ text: String(member.offset), hint: `${member.text}  ${member.hint ?? ''}` }));
  const found = starting(fragment, candidates);
  return found.length > 0 ? found : candidates.filter(({ hint }) => hint.toLowerCase().startsWith(fragment.toLowerCase()));
}

/** Files and folders that a path may go on with; those that begin with a dot only where a dot is typed. */
export function pathCandidates(shell: Shell, fragment: string): Candidate[] {
  if (fragment === '~') return [{ text: '~/', after: '' }];
  const cut = fragment.lastIndexOf('/') + 1;
  const [folder, typed] = [fragment.slice(0, cut), fragment.slice(cut)];
  const listed = shell.host.files?.(shell.session.path(folder === '' ? '.' : folder)) ?? [];
  return listed
    .filter(({ name }) => name.startsWith(typed) && (typed.startsWith('.') || !name.startsWith('.')))
    .map(({ name, folder: isFolder }) => ({ text: `${folder}${name}${isFolder ? '/' : ''}`, ...(isFolder ? { after: '' } : {}) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1));
}
