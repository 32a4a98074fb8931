import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Pair } from 'yaml';
import { UsageError } from '../plugin/error.js';
import { didYouMean } from '../plugin/similar.js';
import { assign, parameterNames, parameterOf, parameterValue } from './flags.js';
import { parameterNamed, type ParameterName, type ParameterValues } from './parameters.js';

/** What a configuration file says. */
export interface Config {
  /** the file, or undefined where there is none */
  readonly path: string | undefined;
  readonly values: Partial<ParameterValues>;
  /** where each value stands: `file:line` */
  readonly origins: Readonly<Partial<Record<ParameterName, string>>>;
  /** variables for the environment */
  readonly environment: Readonly<Record<string, string>>;
  /** what is strange in it, but harms nothing: `file:line: …` */
  readonly warnings: readonly string[];
}

/**
 * Reads the first configuration file there is: `.rekallrc` in the current folder, in the home folder, `/etc/rekallrc`. YAML; keys
 * are the names of parameters (also those of older releases, `profile_path`), and `environment`, a map of variables.
 * Throws UsageError that names file and line.
 */
export async function loadConfig(home: string, places = [join(process.cwd(), '.rekallrc'), join(home, '.rekallrc'), '/etc/rekallrc']): Promise<Config> {
  const path = places.find((place) => existsSync(place));
  if (path === undefined) return { path, values: {}, origins: {}, environment: {}, warnings: [] };
  const config = await parseConfig(readFileSync(path, 'utf8'), path, home);
  return trusted(path, home) ? config : withoutPrograms(config, path);
}

/** What a configuration says of programs to run. */
const PROGRAMS: readonly ParameterName[] = ['plugin_path', 'pager'];

/** True for a configuration of the analyst's or of the machine. One that came with the evidence, in its folder, is neither. */
function trusted(path: string, home: string): boolean {
  const folder = resolve(path, '..');
  return folder === resolve(home) || folder === '/etc' || folder !== process.cwd();
}

/** A configuration without what would run programs; the warnings say so. */
function withoutPrograms(config: Config, path: string): Config {
  const values = { ...config.values };
  const named = PROGRAMS.filter((name) => values[name] !== undefined);
  for (const name of named) Reflect.deleteProperty(values, name);
  const refused = [...named, ...(Object.keys(config.environment).length > 0 ? ['environment'] : [])];
  if (refused.length === 0) return config;
  const sentence = `${path}: ${refused.join(', ')} is not taken from a folder that is worked in, since it runs programs: put it into ~/.rekallrc.`;
  return { ...config, values, environment: {}, warnings: [...config.warnings, sentence] };
}

/** Reads the text of a configuration file; @param home what a relative cache folder stands in, as it always did */
export async function parseConfig(text: string, path: string, home: string): Promise<Config> {
  const { isMap, isPair, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineOf = (offset: number | undefined): number => (offset === undefined ? 1 : lines.linePos(offset).line);
  const fail = (message: string, offset: number | undefined): never => {
    throw new UsageError(`${path}:${lineOf(offset)}: ${message}`);
  };
  const broken = document.errors[0];
  if (broken) fail((broken.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''), broken.pos[0]);
  const values: Partial<ParameterValues> = {};
  const warnings: string[] = [];
  const environment: Record<string, string> = {};
  const origins: Partial<Record<ParameterName, string>> = {};
  if (document.contents === null) return { path, values, origins, environment, warnings };
  if (!isMap(document.contents)) return fail('expected lines of the form `name: value`.', 0);
  for (const item of document.contents.items) {
    if (!isPair(item)) continue;
    const key = String(item.key);
    const at = offsetOf(item);
    const value: unknown = toPlain(item);
    if (key === 'environment') {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) fail('environment is a map of variables and their values.', at);
      for (const [variable, content] of Object.entries(value as object)) environment[variable] = String(content);
      continue;
    }
    const name = parameterNamed(key);
    if (name === undefined) {
      warnings.push(`${path}:${lineOf(at)}: ${key} is no parameter.${didYouMean(key, parameterNames())}`);
      continue;
    }
    if (value === null) continue;
    const list = Array.isArray(value);
    if ((typeof value === 'object' && !list) || (list && parameterOf(name).type !== 'list')) fail(`${key} is one value (${parameterOf(name).type}).`, at);
    const texts = (list ? (value as unknown[]) : [value]).map((one) => (typeof one === 'boolean' ? (one ? 'yes' : 'no') : String(one)));
    const parsed = parameterValue(name, texts, (message) => fail(message, at));
    const isCache = name === 'cache_dir' && typeof parsed === 'string' && !isAbsolute(parsed) && !parsed.startsWith('~');
    origins[name] = `${path}:${lineOf(at)}`;
    assign(values, name, isCache ? join(home, parsed) : parsed);
  }
  return { path, values, origins, environment, warnings };

  function toPlain(pair: Pair): unknown {
    const node = pair.value as { toJS?(document: unknown): unknown } | null;
    return node?.toJS?.(document) ?? null;
  }
}

/** Where the key of a pair stands in the text. */
function offsetOf(pair: Pair): number | undefined {
  const { range } = pair.key as { range?: readonly [number, number, number] | null };
  return range?.[0];
}
