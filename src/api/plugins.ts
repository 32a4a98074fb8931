import type { Columns, Row } from '../plugin/columns.js';
import { PluginError } from '../plugin/error.js';
import { bindValues, checkNames } from '../plugin/values.js';
import { fits, type PluginEntry } from '../plugin/registry.js';
import { didYouMean } from '../plugin/similar.js';
import type { Session } from '../session/session.js';
import { resolverIn } from '../session/spaces.js';
import { pluginHelp, signature } from './help.js';
import type { Plugins } from './plugin-types.js';
import { Table, type TableOptions } from './table.js';

/**
 * A command as a function. Arguments are given by name in an object; the one that the command takes first may be given alone:
 * `plugins.maps({ pids: [1] })`, `plugins.maps(1)`. The call itself does nothing: the table starts when its rows are asked for.
 */
export interface PluginFunction<A extends object = Readonly<Record<string, unknown>>, F = unknown, R extends object = Row> {
  (args?: A, options?: TableOptions): Table<R>;
  (first: F, options?: TableOptions): Table<R>;
  /** what the command does, takes and gives */
  readonly help: string;
  readonly columns: Columns;
}

/**
 * The commands of a session as properties. Those that fit the image are enumerable (for completion); all others can be called too,
 * and say why they do not work here. Commands that are added later appear.
 */
export function pluginsOf(session: Session): Plugins {
  const made = new Map<string, PluginFunction>();
  const functionOf = (name: string): PluginFunction | undefined => {
    const entry = entryOf(session, name);
    if (!entry) return undefined;
    let known = made.get(name);
    if (!known) made.set(name, (known = createFunction(session, name)));
    return known;
  };
  const target = Object.create(null) as Plugins;
  // What is shown of a proxy is its target.
  const names = (): string[] => [...new Set(fitting(session).map((entry) => entry.name))].sort();
  Object.defineProperty(target, Symbol.for('nodejs.util.inspect.custom'), { configurable: true, value: () => `[plugins: ${names().join(', ')}]` });
  return new Proxy(target, {
    get: (_target, name) => {
      if (name === Symbol.toStringTag) return 'Plugins';
      return typeof name === 'string' ? functionOf(name) : undefined;
    },
    has: (_target, name) => typeof name === 'string' && entryOf(session, name) !== undefined,
    ownKeys: names,
    getOwnPropertyDescriptor: (_target, name) => {
      const value = typeof name === 'string' ? functionOf(name) : undefined;
      return value ? { value, enumerable: true, configurable: true, writable: false } : undefined;
    },
    set: (_target, name) => {
      throw new PluginError(`${String(name)} cannot be put here: plugins come from declarations.`, 'load_plugin FILE');
    },
  });
}

/** A command by its name, as a function. Throws PluginError with near names where there is none. */
export function pluginNamed(session: Session, name: string): PluginFunction {
  const { registry } = session;
  if (registry.named(name).length === 0) {
    throw new PluginError(`No plugin ${name}.${didYouMean(name, registry.list().flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]))}`, 'plugins');
  }
  return createFunction(session, name);
}

/** Commands that fit the image, or all while nothing is known of it. */
function fitting(session: Session): PluginEntry[] {
  const os = session.detected?.os;
  return session.registry.list().filter((entry) => os === undefined || fits(entry, os));
}

function entryOf(session: Session, name: string): PluginEntry | undefined {
  const { registry } = session;
  return registry.find(name, session.detected?.os) ?? registry.named(name)[0];
}

function createFunction(session: Session, name: string): PluginFunction {
  /** The declaration at the moment: a plugin may be loaded anew. */
  const entry = (): PluginEntry => {
    const found = entryOf(session, name);
    if (!found) throw new PluginError(`There is no plugin ${name} any more.`, 'plugins');
    return found;
  };
  const call = (given?: unknown, options: TableOptions = {}): Table => {
    const declared = entry();
    const values = given === undefined ? {} : isArguments(given) ? given : { [firstOf(declared)]: given };
    // A mistake is told where it was made and not where the rows are read; before the system is known, one that no command of the name has.
    const os = session.detected?.os;
    const possible = session.registry.named(name).filter((one) => os === undefined || fits(one, os));
    if (!possible.some((one) => Object.keys(values).every((key) => Object.hasOwn(one.args, key)))) checkNames(declared, values);
    return new Table(
      titleOf(name, values),
      declared.columns,
      async ({ signal, columns, onProgress }) => {
        const plugin = await session.plugin(name);
        const args = await bindValues(plugin, values, {
          resolve: async (expression, space) => (await resolverIn(session, space)).address(expression),
          path: (text) => session.path(text),
        });
        return session.run(plugin, args, { signal, ...(columns ? { columns } : {}), ...(onProgress ? { onProgress } : {}) });
      },
      options,
    );
  };
  Object.defineProperties(call, {
    name: { value: name },
    help: { get: () => pluginHelp(entry()) },
    columns: { get: () => entry().columns },
    toString: { value: () => signature(entry()) },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: () => pluginHelp(entry()) },
  });
  return call as PluginFunction;
}

/** An object of arguments, rather than a value for the first of them. */
function isArguments(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (the console evaluates JavaScript in one) have another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function firstOf(entry: PluginEntry): string {
  const first = Object.entries(entry.args).find(([, arg]) => arg.positional === true)?.[0];
  if (first === undefined) throw new PluginError(`${entry.name} takes its arguments by name: ${entry.name}({ … }).`, `help ${entry.name}`);
  return first;
}

function titleOf(name: string, values: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(values).map(([key, value]) => `${key}: ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`);
  return `${name}(${given.length === 0 ? '' : `{ ${given.join(', ')} }`})`;
}
