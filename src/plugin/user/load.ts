import { existsSync, readFileSync, statSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { declarationFaults, isPlugin } from '../check.js';
import { PluginError } from '../error.js';
import type { Plugin } from '../plugin.js';
import { didYouMean } from '../similar.js';
import { CACHE, frame, MARK, userModules, userPlace } from './place.js';

/** What to do about a file that exports no plugin; by it such a file is told from others. */
export const NO_PLUGIN = 'export default definePlugin({ … })';

/** Endings of plugin files. */
export const EXTENSIONS: readonly string[] = ['.ts', '.mts', '.js', '.mjs'];

const library = import.meta.resolve('../../index.js');
let hooked = false;
let loads = 0;

/** A plugin of a file, and the name it is exported under. */
export interface Exported {
  readonly plugin: Plugin;
  readonly exportName: string;
}

/**
 * Loads a user's plugin file, also again: its present text counts, and that of what it imports from beside it. Throws PluginError with
 * file and line: what cannot be read or compiled, what fails as it is loaded, declarations that are wrong, a file without plugins.
 * @param cache folder for compiled TypeScript; undefined: none is kept
 */
export async function loadPluginFile(path: string, cache: string | undefined): Promise<Exported[]> {
  if (!existsSync(path)) throw new PluginError(`There is no file ${path}.`);
  if (!EXTENSIONS.includes(extname(path)) || path.endsWith('.d.ts')) {
    throw new PluginError(`${path} is no plugin file: those end in ${EXTENSIONS.join(', ')}.`);
  }
  if (!hooked) {
    hooked = true;
    // Stacks of plugins in TypeScript speak of the lines that were written.
    process.setSourceMapsEnabled(true);
    register('./hooks.js', { parentURL: import.meta.url, data: { library } });
  }
  userModules.add(path);
  const url = pathToFileURL(path);
  url.searchParams.set(MARK, String(++loads));
  if (cache !== undefined) url.searchParams.set(CACHE, join(cache, 'plugins'));
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(url.href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw await explained(error, path);
  }
  const found = Object.entries(module).filter((entry): entry is [string, Plugin] => isPlugin(entry[1]));
  if (found.length === 0) throw new PluginError(`${path} exports no plugin.`, NO_PLUGIN);
  const wrong = found.flatMap(([, plugin]) => declarationFaults(plugin).map((sentence) => `${path}:${lineOf(path, plugin.name)}: ${plugin.name}: ${sentence}.`));
  if (wrong.length > 0) throw new PluginError(wrong.join('\n'));
  const seen = new Set<Plugin>();
  return found.flatMap(([exportName, plugin]) => {
    // The same plugin may be exported by name and as the default.
    if (seen.has(plugin)) return [];
    seen.add(plugin);
    return [{ plugin, exportName }];
  });
}

/** Size and time of a file, by which a change is noticed. */
export function stampOf(path: string): string {
  const { mtimeMs, size } = statSync(path);
  return `${mtimeMs} ${size}`;
}

/** What went wrong as a file was loaded, with file and line. */
async function explained(error: unknown, path: string): Promise<PluginError> {
  if (!(error instanceof Error)) return new PluginError(`${path}: it threw ${String(error)} as it was loaded.`);
  const [message = ''] = error.message.split('\n');
  // What the hooks say has its place in the message.
  if (/^\S.*:\d+: /.test(message) && error.name === 'SyntaxError') return new PluginError(message);
  // A syntax error has its place in the first line of the stack, as node shows it.
  const [head = ''] = (error.stack ?? '').split('\n');
  const at = frame(head);
  const missing = /does not provide an export named '([^']+)'/.exec(message)?.[1];
  const hint = missing === undefined || !message.includes("'rekall'") ? '' : didYouMean(missing, Object.keys((await import(library)) as object));
  // With source maps on, node does not say where a syntax error in JavaScript is.
  const syntax = error.name === 'SyntaxError' && !at ? await syntaxFault(path) : undefined;
  if (syntax !== undefined) return new PluginError(syntax);
  const place = at && existsSync(at.file) ? `${at.file}:${at.line}` : (userPlace(error) ?? path);
  const said = message.replace(/ imported from .*$/, '').replace(/'file:\/\/([^'?]*)[^']*'/g, (_, file: string) => fileURLToPath(`file://${file}`));
  return new PluginError(`${place}: ${error.name === 'Error' ? '' : `${error.name}: `}${said}${/[.!?]$/.test(said) ? '' : '.'}${hint}`);
}

/** The first syntax error in a file or in what it imports from beside it: `file:line: what`. */
async function syntaxFault(path: string, seen = new Set<string>()): Promise<string | undefined> {
  if (seen.has(path) || !existsSync(path)) return undefined;
  seen.add(path);
  const { default: ts } = await import('typescript');
  const text = readFileSync(path, 'utf8');
  const { diagnostics = [] } = ts.transpileModule(text, { fileName: path, reportDiagnostics: true, compilerOptions: { allowJs: true } });
  const [first] = diagnostics;
  if (first) {
    const { line } = first.file && first.start !== undefined ? first.file.getLineAndCharacterOfPosition(first.start) : { line: 0 };
    return `${path}:${line + 1}: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`;
  }
  for (const { fileName } of ts.preProcessFile(text).importedFiles) {
    if (!fileName.startsWith('.')) continue;
    const fault = await syntaxFault(resolve(dirname(path), fileName), seen);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The line in which a plugin states its name. */
function lineOf(path: string, name: string): number {
  const lines = readFileSync(path, 'utf8').split('\n');
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const at = lines.findIndex((line) => new RegExp(`\\bname:\\s*['"\`]${quoted}['"\`]`).test(line));
  return at < 0 ? 1 : at + 1;
}
