import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PluginError } from './error.js';
import type { OperatingSystem, Plugin } from './plugin.js';

/** All of a declaration but its code: what help, completion and argument parsing need without loading the plugin. */
export interface PluginEntry extends Omit<Plugin, 'collect' | 'applies' | 'columnsFor'> {
  /** module below the compiled `plugins/` folder, and the name it exports the plugin under; of a user's plugin its file */
  readonly file: string;
  readonly exportName: string;
}

/** Where the code of an entry comes from when it first runs. */
export type LoadPlugin = (entry: PluginEntry) => Promise<Plugin>;

/** The parts of a declaration that are data. */
export function describeEntry(plugin: Plugin, file: string, exportName: string): PluginEntry {
  const { collect: _collect, applies: _applies, columnsFor: _columnsFor, ...data } = plugin;
  return { ...data, file, exportName };
}

/** Entries as JSON. Values that it has no form for stand as they would be typed. */
export function manifestJson(entries: readonly PluginEntry[]): string {
  return JSON.stringify(entries, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `0x${value.toString(16)}`;
    return value instanceof RegExp ? value.source : value;
  });
}

/**
 * The commands there are. The build writes their declarations to a manifest, so that starting up reads one file and loads
 * only the command that is run.
 */
export class Registry {
  private readonly loaded = new Map<PluginEntry, Plugin>();
  /** commands that a user's files bring, by file */
  private readonly brought = new Map<string, { readonly entries: readonly PluginEntry[]; readonly load: LoadPlugin }>();
  /** all that can be called: the user's hide the built-in ones of the same name */
  private entries: readonly PluginEntry[];

  constructor(
    private readonly own: PluginEntry[],
    private readonly folder: string,
  ) {
    this.entries = own;
  }

  /** The built-in commands. */
  static builtIn(): Registry {
    const folder = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'plugins');
    const manifest = join(folder, 'manifest.json');
    if (!existsSync(manifest)) throw new PluginError('the build is not complete (no plugin manifest)', 'npm run build');
    return new Registry(JSON.parse(readFileSync(manifest, 'utf8')) as PluginEntry[], folder);
  }

  list(): readonly PluginEntry[] {
    return this.entries;
  }

  /** Adds a command at run time; one of the same name for the same systems is replaced. */
  add(plugin: Plugin): PluginEntry {
    const entry = describeEntry(plugin, '', plugin.name);
    const same = this.own.findIndex((other) => sameCommand(other, entry));
    if (same >= 0) this.own.splice(same, 1);
    this.own.push(entry);
    this.loaded.set(entry, plugin);
    this.arrange();
    return entry;
  }

  /**
   * Takes the commands of a user's file, in the place of those that it brought before. A built-in command of the same name for the same
   * systems is hidden as long as the file brings it.
   */
  bring(file: string, entries: readonly PluginEntry[], load: LoadPlugin): void {
    this.brought.delete(file);
    if (entries.length > 0) this.brought.set(file, { entries, load });
    this.arrange();
  }

  /** The files whose commands were taken. */
  get userFiles(): readonly string[] {
    return [...this.brought.keys()];
  }

  /** The user's file that a command comes from; undefined for a built-in one. */
  fileOf(entry: PluginEntry): string | undefined {
    for (const [file, { entries }] of this.brought) if (entries.includes(entry)) return file;
    return undefined;
  }

  /** True for a user's command that hides a built-in one. */
  isHiding(entry: PluginEntry): boolean {
    return this.fileOf(entry) !== undefined && this.own.some((other) => sameCommand(entry, other));
  }

  private arrange(): void {
    const brought = [...this.brought.values()].flatMap(({ entries }) => entries);
    this.entries = [...this.own.filter((entry) => !brought.some((other) => sameCommand(entry, other))), ...brought];
  }

  /** All commands of a name (or alias): several systems may have one each. `-` and `_` are the same. */
  named(name: string): readonly PluginEntry[] {
    const wanted = name.replaceAll('-', '_').toLowerCase();
    return this.entries.filter((entry) => entry.name === wanted || (entry.aliases ?? []).includes(wanted));
  }

  /** The command of a name that fits a system, or undefined; with no system given, the only or first one. */
  find(name: string, os?: OperatingSystem): PluginEntry | undefined {
    const all = this.named(name);
    return all.find((entry) => fits(entry, os)) ?? (os === undefined ? all[0] : undefined);
  }

  async load(entry: PluginEntry): Promise<Plugin> {
    const known = this.loaded.get(entry);
    if (known) return known;
    const file = this.fileOf(entry);
    if (file !== undefined) {
      const plugin = await this.brought.get(file)?.load(entry);
      if (!plugin) throw new PluginError(`${file} no longer brings ${entry.name}.`, `load_plugin ${file}`);
      this.loaded.set(entry, plugin);
      return plugin;
    }
    const module = (await import(pathToFileURL(join(this.folder, entry.file)).href)) as Record<string, Plugin>;
    const plugin = module[entry.exportName];
    if (!plugin) throw new PluginError(`${entry.file} no longer exports ${entry.exportName}`, 'npm run build');
    this.loaded.set(entry, plugin);
    return plugin;
  }
}

function sameCommand(a: PluginEntry, b: PluginEntry): boolean {
  return a.name === b.name && JSON.stringify(a.needs) === JSON.stringify(b.needs);
}

/** True where a command can run on a system; one that needs no kernel fits all. */
export function fits(entry: { readonly needs: Plugin['needs'] }, os: OperatingSystem | undefined): boolean {
  return !Array.isArray(entry.needs) || (os !== undefined && (entry.needs as readonly OperatingSystem[]).includes(os));
}

