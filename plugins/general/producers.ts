import { Absent } from '../../src/memory/absent.js';
import { Struct } from '../../src/object/struct.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { PluginContext } from '../../src/plugin/context.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { fits, type PluginEntry } from '../../src/plugin/registry.js';
import { didYouMean } from '../../src/plugin/similar.js';
import { kernelIfAny } from './kernel-if-any.js';

/** A command with a column that holds structs of a type. */
interface Source {
  readonly entry: PluginEntry;
  readonly column: string;
  readonly producer: boolean;
}

/** The commands with a column of a type, or of that name (`proc`). Throws PluginError with near names where there is none. */
function sources(entries: readonly PluginEntry[], type: string): Source[] {
  const bare = type.replace(/^struct\s+/, '');
  const found = entries.flatMap((entry) => {
    const [column] = Object.entries(entry.columns).find(([name, one]) => one.type === 'struct' && (one.struct === bare || name === bare)) ?? [];
    return column === undefined ? [] : [{ entry, column, producer: isProducer(entry, column) }];
  });
  if (found.length > 0) return found;
  const known = entries.flatMap((entry) => Object.values(entry.columns).flatMap((column) => column.struct ?? []));
  throw new PluginError(`No command has a column of ${bare}.${didYouMean(bare, known)}`, 'info');
}

/** Commands that change the session: their row is what they chose. */
const CHANGES: ReadonlySet<string> = new Set(['cc']);

/** A command whose rows are such objects, one each, that runs without arguments and writes nothing. */
function isProducer(entry: PluginEntry, column: string): boolean {
  const columns = Object.entries(entry.columns);
  const first = columns.find(([, { type }]) => type === 'struct')?.[0];
  const args = Object.entries(entry.args);
  return first === column && !CHANGES.has(entry.name) && !columns.some(([, { divider }]) => divider === true) && !args.some(([name, { required }]) => required || name === 'dump_dir');
}

export const whichPlugin = definePlugin({
  name: 'which_plugin',
  needs: 'none',
  topic: 'session',
  summary: 'the commands whose rows have a struct of some type',
  notes: 'By the declarations of their columns. A producer gives one object a row, runs without arguments and writes no file: collect runs those.',
  args: {
    type_name: arg.string.required('a struct (task_struct), or the name of a column that holds one (proc)', { positional: true, completes: 'struct' }),
    producers_only: arg.bool('only producers', { default: false }),
  },
  columns: {
    plugin: col.string('the command'),
    column: col.string('its column'),
    producer: col.bool('true where each row is one such object'),
    summary: col.string('what the command shows'),
  },
  examples: [{ line: 'which_plugin task_struct' }, { line: 'which_plugin proc producers_only=yes' }],
  *collect(context, args) {
    const os = context.session.detected?.os;
    const entries = context.session.registry.list().filter((entry) => os === undefined || fits(entry, os));
    for (const { entry, column, producer } of sources(entries, args.type_name)) {
      if (producer || !args.producers_only) yield { plugin: entry.name, column, producer, summary: entry.summary };
    }
  },
});

export const collect = definePlugin({
  name: 'collect',
  needs: 'kernel',
  topic: 'session',
  summary: 'objects of a type from every command that gives them, each once, with who saw it',
  notes: 'Runs the producers of the type (see which_plugin) and merges their rows by the address of the object. An object that only some of them see is worth a look.',
  args: { type_name: arg.string.required('a struct (task_struct), or the name of a column that holds one (proc)', { positional: true, completes: 'struct' }) },
  columns: {
    object: col.any('the object'),
    producers: col.list('the commands that saw it'),
  },
  examples: [{ line: 'collect task_struct' }],
  async *collect(context, args) {
    const kernel = await kernelIfAny(context);
    const entries = context.session.registry.list().filter((entry) => fits(entry, kernel?.os));
    const producers = sources(entries, args.type_name).filter(({ producer }) => producer);
    if (producers.length === 0) throw new PluginError(`No command gives objects of ${args.type_name} one a row.`, `which_plugin ${args.type_name}`);
    const seen = new Map<bigint, { readonly object: Struct; readonly by: string[] }>();
    let done = 0;
    for (const source of producers) {
      context.progress(done++ / producers.length, source.entry.name);
      for await (const object of objects(context, source)) {
        const known = seen.get(object.$address);
        if (!known) seen.set(object.$address, { object, by: [source.entry.name] });
        else if (!known.by.includes(source.entry.name)) known.by.push(source.entry.name);
      }
      if (context.signal.aborted) return;
    }
    for (const { object, by } of seen.values()) yield { object, producers: by };
  },
});

/** The objects that a command gives. One that fails says so and costs its objects alone. */
async function* objects(context: PluginContext, { entry, column }: Source): AsyncGenerator<Struct> {
  const { session, signal } = context;
  try {
    const plugin = await session.registry.load(entry);
    const standard = Object.fromEntries(Object.entries(plugin.args).flatMap(([name, one]) => (one.default === undefined ? [] : [[name, one.default]])));
    for await (const row of session.run(plugin, standard, { columns: new Set([column]), signal })) {
      const object = row[column];
      if (object instanceof Struct) yield object;
    }
  } catch (error) {
    if (!(error instanceof PluginError) && !(error instanceof Absent)) throw error;
    context.note(`${entry.name} failed: ${error instanceof Absent ? error.toString() : error.message}`);
  }
}
