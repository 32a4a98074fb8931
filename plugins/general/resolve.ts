import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError, UsageError } from '../../src/plugin/error.js';
import type { TypeCompiler } from '../../src/object/compiler.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { Located, Resolver } from '../../src/session/resolver/resolver.js';
import { resolverIn, findSpace } from '../../src/session/spaces.js';
import type { TypeDescriptor } from '../../src/symbols/types.js';
import { showValue } from './show-value.js';

/** Names with * or ? in them; a star in front of a name reads a pointer. */
const PATTERN = /^[\w.$@\\*?-]*(?:![\w.$@*?]*)?$/;

/** Between an export that is forwarded and what it leads to. */
const LEADS_TO = ' -> ';

function isPattern(text: string): boolean {
  return PATTERN.test(text) && !/^(?:0x[0-9a-f]+|\d+)\*/i.test(text) && (/[?]/.test(text) || /.\*/.test(text.replace(/^\*+/, '.')));
}

export const addressResolver = definePlugin({
  name: 'address_resolver',
  needs: 'kernel',
  topic: 'profile',
  summary: 'names to addresses and addresses to names',
  notes:
    'A number gives the symbol at or below it; a name with * or ? gives all that match. Everywhere an address is asked for one may write module!name+offset, ' +
    '*name (the pointer there), name.member, (type)address.member, sums and products in brackets. Modules are linux, the kernel modules and, in a process context, ' +
    'the programs and libraries that the process has mapped, whose symbols are read from their own tables in memory. Types of globals come from the profile; BTF has none, and those of ' +
    'a few well-known globals are known. Of a constant that the profile has rules for ($DYNAMIC_CONSTANTS) a note says in which instruction of which function it was found. What cannot be typed as a name stands in quotes: go!\'main.(*T).run\'.',
  args: {
    symbol: arg.strings('names, patterns, addresses', { positional: true, completes: 'symbol' }),
    download_profile: arg.string('a module of Windows whose profile is loaded first, as load_profile does', { completes: 'module' }),
    address_space: arg.space('whose names, and where pointers are read'),
  },
  columns: {
    Symbol: col.string('module!name, with the distance to it'),
    Offset: col.address('the address'),
    kind: col.string('letter of nm: T text, D data, B bss, R read-only, I stands for another …'),
    type: col.string('type of what lies there, where it is known'),
  },
  examples: [{ line: 'address_resolver linux!init_task' }, { line: 'address_resolver "linux!*_task_struct"' }, { line: 'address_resolver linux!init_task.comm' }],
  async *collect(context, args) {
    const resolver = await resolverIn(context.session, args.address_space);
    if (args.download_profile !== undefined) {
      const { takeProfile } = await import('../windows/load_profile.js');
      await takeProfile(context.session, resolver, args.download_profile);
    } else if (!args.symbol) throw new PluginError('Which symbol or address?', context.kernel.os === 'linux' ? 'address_resolver "linux!init_*"' : 'address_resolver "nt!Ps*"');
    for (const text of args.symbol ?? []) {
      if (isPattern(text)) {
        await resolver.ready(text);
        yield* matching(context, resolver, text);
      } else {
        const found = await resolver.locate(text);
        await resolver.readyAt(found.address);
        yield* located(resolver, text, found);
        if (found.derived) context.note(found.derived.said);
      }
    }
    for (const note of resolver.notes) context.note(note);
  },
});

function* matching(context: PluginContext, resolver: Resolver, text: string) {
  let count = 0;
  for (const symbol of resolver.search(text)) {
    count++;
    const led = symbol.kind === 'I' ? resolver.moduleNamed(symbol.module)?.forwarded?.(symbol.name) : undefined;
    yield { Symbol: [`${symbol.module}!${symbol.name}`, ...(led?.steps ?? [])].join(LEADS_TO), Offset: symbol.address, kind: symbol.kind, type: () => typeText(resolver, symbol.module, symbol.name) };
  }
  if (count === 0) context.note(`No symbol matches ${text}.`);
}

/** One row for each symbol at the address, or one for the nearest. */
function* located(resolver: Resolver, text: string, found: Located) {
  const { address, type, compiler, via, derived } = found;
  if (derived) {
    yield { Symbol: derived.name, Offset: address, kind: null, type: type && compiler ? compiler.describe(type) : null };
    return;
  }
  if (via) {
    yield { Symbol: via.join(LEADS_TO), Offset: address, kind: 'I', type: type && compiler ? compiler.describe(type) : null };
    return;
  }
  const near = resolver.place(address);
  const stated = type && compiler ? compiler.describe(type) : null;
  for (const name of resolver.names(address)) {
    const symbol = near?.names.at(address).find((one) => name.endsWith(`!${one.name}`));
    yield { Symbol: name, Offset: address, kind: (symbol ?? near?.symbol)?.kind ?? null, type: stated };
  }
  if (!near && resolver.names(address).length === 0) yield { Symbol: text, Offset: address, kind: null, type: stated };
}

function typeText(resolver: Resolver, module: string, symbol: string): string | null {
  const names = resolver.moduleNamed(module);
  const type = names?.type?.(symbol);
  return type && names?.compiler ? names.compiler.describe(type) : null;
}

export const lookup = definePlugin({
  name: 'lookup',
  needs: 'kernel',
  topic: 'profile',
  summary: "a global variable's value, read as a type",
  notes: 'The type is the one given, or the one that is known of the global or member (from DWARF, ISF, $CONSTANT_TYPES; of BTF kernels for well-known globals); without either the pointer-sized number there.',
  args: {
    constant: arg.string.required('symbol, module!symbol, or any expression for an address', { positional: true, completes: 'symbol' }),
    target: arg.string('type to read it as: a struct, String, Pointer, Array, unsigned int, list_head[2]', { positional: true, completes: 'struct' }),
    target_args: arg.string('more of the type, as JSON: {"length": 64} of a String, {"target": "_EPROCESS"} of a Pointer, {"target": …, "count": 4} of an Array', { positional: true }),
    address_space: arg.space(),
  },
  columns: { field: col.any('the value'), address: col.address('where it is'), type: col.string('what it was read as') },
  examples: [{ line: 'lookup linux_banner String' }, { line: 'lookup init_task task_struct' }, { line: 'lookup init_task.comm' }],
  async *collect(context, args) {
    const { space } = await findSpace(context.session, args.address_space);
    const resolver = await resolverIn(context.session, args.address_space);
    const { address, type, compiler, derived } = await resolver.locate(args.constant);
    if (derived) context.note(derived.said);
    const target = args.target?.trim();
    const more = typeArgs(args.target_args);
    if (target !== undefined && /^string$/i.test(target)) {
      yield { field: () => space.readCString(address, more.length ?? LONGEST_STRING).toString('utf8'), address, type: target };
    } else if (target !== undefined && /^pointer$/i.test(target) && more.target === undefined) {
      yield { field: () => space.readPointer(address), address, type: target };
    } else if (target !== undefined) {
      const named = await typeWith(resolver, target, more);
      yield { field: () => showValue(named.compiler, named.type, space, address, resolver), address, type: named.compiler.describe(named.type) };
    } else if (type && compiler) {
      yield { field: () => showValue(compiler, type, space, address), address, type: compiler.describe(type) };
    } else {
      yield { field: () => space.readPointer(address), address, type: 'unsigned long' };
    }
  },
});

/** What else is said of a type. */
interface TypeArgs {
  readonly target?: string;
  readonly count?: number;
  readonly length?: number;
}

const LONGEST_STRING = 1024;
const MOST_ELEMENTS = 100_000;

/** Reads the JSON of `target_args`. Throws PluginError. */
function typeArgs(text: string | undefined): TypeArgs {
  if (text === undefined) return {};
  const parsed = orUndefined(() => JSON.parse(text) as unknown);
  const { target, count, length, ...others } = (typeof parsed === 'object' && parsed !== null ? parsed : { wrong: parsed }) as Record<string, unknown>;
  const isSize = (value: unknown): boolean => value === undefined || (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_ELEMENTS);
  if (Object.keys(others).length > 0 || !(target === undefined || typeof target === 'string') || !isSize(count) || !isSize(length)) {
    throw new PluginError(`target_args is JSON with target (a type), count and length (up to ${MOST_ELEMENTS}), not ${text}.`, `lookup nt!PsInitialSystemProcess Pointer '{"target": "_EPROCESS"}'`);
  }
  return { ...(target === undefined ? {} : { target: target as string }), ...(count === undefined ? {} : { count: count as number }), ...(length === undefined ? {} : { length: length as number }) };
}

function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** A type by its name; a Pointer and an Array have what they lead to or consist of beside it. */
async function typeWith(resolver: Resolver, target: string, { target: inner, count }: TypeArgs): Promise<{ readonly type: TypeDescriptor; readonly compiler: TypeCompiler }> {
  const kind = /^(pointer|array)$/i.exec(target)?.[1]?.toLowerCase();
  if (kind === undefined || inner === undefined) return typeOf(resolver, target);
  const { type, compiler } = await typeOf(resolver, inner);
  return { compiler, type: kind === 'pointer' ? { kind, target: type } : { kind: 'array', target: type, count: count ?? 1 } };
}

async function typeOf(resolver: Resolver, target: string): ReturnType<Resolver['type']> {
  try {
    return await resolver.type(target);
  } catch (error) {
    if (!(error instanceof UsageError) || !/no struct/.test(error.message)) throw error;
    throw new UsageError(`No type ${target}: expected a struct, enum or typedef of the profile, String, Pointer or an integer of C. ${error.message}`, error.place, error.next);
  }
}

