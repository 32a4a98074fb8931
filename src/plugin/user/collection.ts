import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { version } from '../../session/version.js';
import { PluginError } from '../error.js';
import type { Plugin } from '../plugin.js';
import { describeEntry, manifestJson, type PluginEntry, type Registry } from '../registry.js';
import { makeFolders } from '../../memory/folders.js';

/** Raised when what is kept changes its form. */
const FORM = 1;
const FILE = 'user-plugins.json';

/** What is kept of a file between two starts. */
interface Known {
  /** size and time of the file */
  readonly stamp: string;
  readonly entries: readonly PluginEntry[];
  /** why it could not be loaded */
  readonly fault?: string;
}

/** What came of loading a file. */
export interface Brought {
  readonly file: string;
  readonly entries: readonly PluginEntry[];
  /** why it brings nothing */
  readonly fault: string | undefined;
  /** built-in commands that it hides */
  readonly hides: readonly string[];
}

/**
 * The plugins of a user's files and folders. Their declarations are kept beside the image caches by size and time of the file, so that a start
 * loads none of them: their code is loaded when it first runs.
 */
export class UserPlugins {
  /** @param cache folder of the cache; undefined: nothing is kept, and every file is loaded at once */
  constructor(
    private readonly registry: Registry,
    private readonly cache: string | undefined,
  ) {}

  /** Takes the plugins of files and folders. What is wrong with one of them is told in its result; the others are taken all the same. */
  async take(paths: readonly string[]): Promise<Brought[]> {
    const kept = this.read();
    const results: Brought[] = [];
    const now: Record<string, Known> = {};
    for (const path of paths) {
      const { files, fault } = filesOf(path);
      if (fault !== undefined) results.push({ file: resolve(path), entries: [], fault, hides: [] });
      for (const { file, sole } of files) {
        const { stampOf } = await import('./load.js');
        const stamp = stampOf(file);
        const before = kept[file];
        const known = before?.stamp === stamp ? before : await this.look(file, stamp, sole);
        now[file] = known;
        results.push(this.bring(file, known));
      }
    }
    if (Object.entries(now).some(([file, known]) => kept[file] !== known)) this.write({ ...kept, ...now });
    return results;
  }

  /** Loads a file or the files of a folder anew. */
  async reload(path: string): Promise<Brought[]> {
    const { files, fault } = filesOf(path);
    if (fault !== undefined) throw new PluginError(fault);
    const { stampOf } = await import('./load.js');
    const now: Record<string, Known> = {};
    const results: Brought[] = [];
    for (const { file, sole } of files) {
      now[file] = await this.look(file, stampOf(file), sole);
      results.push(this.bring(file, now[file]));
    }
    this.write({ ...this.read(), ...now });
    return results;
  }

  /** Loads a file for its declarations. */
  private async look(file: string, stamp: string, sole: boolean): Promise<Known> {
    const { loadPluginFile, NO_PLUGIN } = await import('./load.js');
    try {
      const exported = await loadPluginFile(file, this.cache);
      const clash = this.clash(file, exported.map(({ plugin }) => plugin));
      if (clash !== undefined) return { stamp, entries: [], fault: `${file}: ${clash}` };
      return { stamp, entries: JSON.parse(manifestJson(exported.map(({ plugin, exportName }) => describeEntry(plugin, file, exportName)))) as PluginEntry[] };
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      // In a folder there may be files that plugins share.
      return { stamp, entries: [], ...(error.next === NO_PLUGIN && !sole ? {} : { fault: error.message }) };
    }
  }

  /** Two commands of a file, or its other names and somebody else's, must not be the same. */
  private clash(file: string, plugins: readonly Plugin[]): string | undefined {
    const others = this.registry.list().filter((entry) => this.registry.fileOf(entry) !== file);
    const seen = new Set<string>();
    for (const { name, aliases = [] } of plugins) {
      for (const one of [name, ...aliases]) {
        if (seen.has(one)) return `two commands are called ${one}.`;
        seen.add(one);
      }
      const foreign = [...aliases, name].find((one) => others.some((entry) => entry.aliases?.includes(one) === true || (one !== name && entry.name === one)));
      if (foreign !== undefined) return `${foreign} is a name of another command.`;
    }
    return undefined;
  }

  private bring(file: string, known: Known): Brought {
    const others = this.registry.list().filter((entry) => this.registry.fileOf(entry) !== file);
    const hides = known.entries.filter((entry) => others.some((other) => other.name === entry.name && JSON.stringify(other.needs) === JSON.stringify(entry.needs)));
    this.registry.bring(file, known.entries, (entry) => this.load(file, entry));
    return { file, entries: known.entries, fault: known.fault, hides: hides.map((entry) => entry.name) };
  }

  /** The code of a command. */
  private async load(file: string, entry: PluginEntry): Promise<Plugin> {
    const { loadPluginFile } = await import('./load.js');
    const exported = await loadPluginFile(file, this.cache);
    const found = exported.find(({ plugin }) => plugin.name === entry.name && JSON.stringify(plugin.needs) === JSON.stringify(entry.needs));
    if (!found) throw new PluginError(`${file} no longer brings ${entry.name}.`, `load_plugin ${file}`);
    // A declaration may have changed without its file: by what it imports.
    const declared = manifestJson(exported.map(({ plugin, exportName }) => describeEntry(plugin, file, exportName)));
    const known = this.registry.list().filter((one) => this.registry.fileOf(one) === file);
    if (declared !== manifestJson(known)) await this.reload(file);
    return found.plugin;
  }

  private read(): Readonly<Record<string, Known>> {
    if (this.cache === undefined) return {};
    try {
      const stored = JSON.parse(readFileSync(join(this.cache, FILE), 'utf8')) as { form?: unknown; version?: unknown; files?: Readonly<Record<string, Known>> };
      return stored.form === FORM && stored.version === version() ? (stored.files ?? {}) : {};
    } catch (error) {
      // None yet, or a damaged one: nothing is known.
      if (!(error instanceof SyntaxError) && !(error instanceof Error && 'code' in error)) throw error;
      return {};
    }
  }

  private write(files: Readonly<Record<string, Known>>): void {
    if (this.cache === undefined) return;
    const present = Object.fromEntries(Object.entries(files).filter(([file]) => existsSync(file)));
    const temporary = join(this.cache, `${FILE}.${process.pid}.tmp`);
    try {
      makeFolders(this.cache);
      writeFileSync(temporary, JSON.stringify({ form: FORM, version: version(), files: present }));
      renameSync(temporary, join(this.cache, FILE));
    } catch (error) {
      // A home that cannot be written is no reason to fail.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
}

/** Plugin files of a path: itself, or those in the folder; names that begin with `_` or `.`, and declarations of types, are not. */
function filesOf(path: string): { readonly files: readonly { readonly file: string; readonly sole: boolean }[]; readonly fault?: string } {
  const full = resolve(path);
  if (!existsSync(full)) return { files: [], fault: `There is no file or folder ${full} (plugin_path).` };
  if (!statSync(full).isDirectory()) return { files: [{ file: full, sole: true }] };
  const names = readdirSync(full, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && /\.m?[jt]s$/.test(entry.name) && !/^[._]|\.d\.m?ts$|\.test\.m?[jt]s$/.test(entry.name))
    .map((entry) => entry.name);
  return { files: names.sort().map((name) => ({ file: join(full, name), sole: false })) };
}
