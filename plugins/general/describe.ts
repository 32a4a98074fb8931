import { Absent } from '../../src/memory/absent.js';
import { ArrayView } from '../../src/object/array.js';
import { Pointer } from '../../src/object/pointer.js';
import { Struct } from '../../src/object/struct.js';
import type { StructType } from '../../src/object/struct-type.js';
import { Timestamp } from '../../src/object/time.js';
import { arg } from '../../src/plugin/args.js';
import { bindArguments } from '../../src/plugin/bind.js';
import { col, type Column } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin, type Plugin } from '../../src/plugin/plugin.js';
import { similar } from '../../src/plugin/similar.js';
import { wordsOf } from '../../src/plugin/words.js';
import type { Profile } from '../../src/symbols/profile.js';
import { resolverIn } from '../../src/session/spaces.js';
import { kernelIfAny } from './kernel-if-any.js';

interface Field {
  readonly $depth: number;
  readonly Field: string;
  readonly Type: string;
  readonly doc: string | null;
}

export const describe = definePlugin({
  name: 'describe',
  needs: 'none',
  topic: 'session',
  summary: 'the columns of a command with their types, down into the members of structs',
  notes:
    "Columns are known from the command's declaration. With an image open, struct columns are opened with the kernel's own types, down to max_depth; " +
    'a struct that contains itself is not opened again. With args the command is run, and the types are those of its first row.',
  args: {
    plugin_name: arg.string.required('the command', { positional: true, completes: 'plugin' }),
    args: arg.string('run it with these arguments, as typed behind it, and describe its first row', { positional: true }),
    max_depth: arg.int('levels of members to open', { default: 1, positional: true, least: 0 }),
  },
  columns: {
    Field: col.string('name of the column or member', { tree: true }),
    Type: col.string('its type; of a member as C writes it'),
    doc: col.string('what a column means'),
  },
  examples: [{ line: 'describe pslist' }, { line: 'describe lsof max_depth=0', doc: 'only the columns' }],
  async *collect(context, args) {
    const plugin = await find(context, args.plugin_name);
    const kernel = await kernelIfAny(context);
    const row = args.args === undefined ? undefined : await firstRow(context, plugin, args.args);
    if (args.args !== undefined && !row) context.note(`${plugin.name} ${args.args} gave no row: types are as declared.`);
    for (const [name, column] of Object.entries(plugin.columns)) {
      const value = row?.[name];
      const doc = column.doc.replace(/\s{2,}/g, '; ');
      yield { $depth: 0, Field: name, Type: value === undefined || value === null || value instanceof Absent ? declared(column) : typeName(value), doc };
      const struct = value instanceof Struct ? value.$struct : kernel && column.struct !== undefined && kernel.profile.has(column.struct) ? kernel.profile.struct(column.struct) : undefined;
      if (struct && kernel) yield* members(kernel.profile, struct, 1, args.max_depth, new Set([struct.name]));
    }
    if (!kernel && Object.values(plugin.columns).some((column) => column.struct !== undefined)) {
      context.note('Members of structs are known once an image is open.');
    }
  },
});

async function find(context: PluginContext, name: string): Promise<Plugin> {
  const { registry } = context.session;
  const kernel = await kernelIfAny(context);
  const entry = registry.find(name, kernel?.os) ?? registry.named(name)[0];
  if (entry) return registry.load(entry);
  const near = similar(name, registry.list().map((known) => known.name))[0];
  throw new PluginError(`There is no command ${name}.`, near === undefined ? 'plugins' : `describe ${near}`);
}

async function firstRow(context: PluginContext, plugin: Plugin, text: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { session, signal } = context;
  const { args } = await bindArguments(plugin, wordsOf(text.split(/\s+/).filter((word) => word !== ''), plugin.name), {
    resolve: async (expression, space) => (await resolverIn(session, space)).address(expression),
  });
  for await (const row of session.run(plugin, args, { signal })) return row;
  return undefined;
}

/** Members of a struct, and of the structs that they are or point to. */
function* members(profile: Profile, struct: StructType, depth: number, most: number, above: ReadonlySet<string>): Generator<Field> {
  if (depth > most) return;
  for (const [name, { type }] of struct.members) {
    yield { $depth: depth, Field: name, Type: profile.compiler.describe(type), doc: null };
    const inner = profile.structBehind(type, struct.name);
    if (inner && !above.has(inner.name)) yield* members(profile, inner, depth + 1, most, new Set([...above, inner.name]));
  }
}

function declared(column: Column): string {
  return column.struct ?? column.type;
}

function typeName(value: unknown): string {
  if (value instanceof Struct) return value.$type;
  if (value instanceof Timestamp) return 'time';
  if (value instanceof Pointer) return 'pointer';
  if (value instanceof ArrayView || Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  return { string: 'string', number: 'int', bigint: 'int', boolean: 'bool' }[typeof value as 'string'] ?? 'any';
}
