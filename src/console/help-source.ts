import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginEntry } from '../plugin/registry.js';
import { highlighted } from '../render/highlight.js';
import type { HelpExtras } from './help.js';
import { home } from './help-examples.js';

/** Lines of code that help shows; the file has the rest. */
const MOST = 60;

/**
 * The part of a command's source that gives its rows (`collect` to the end of the declaration), with colours where they are wanted.
 * Undefined where the sources are not there: an installed package, a command loaded from elsewhere.
 */
export async function sourceOf(entry: PluginEntry, colors: boolean, style?: string): Promise<HelpExtras['source']> {
  const path = `plugins/${entry.file.replace(/\.js$/, '.ts')}`;
  const file = join(home, path);
  if (entry.file === '' || !existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const opened = lines.findIndex((line) => new RegExp(`^export const ${entry.exportName}\\b`).test(line));
  const length = lines.slice(opened).findIndex((line) => line.startsWith('}'));
  if (opened < 0 || length < 0) return undefined;
  const end = opened + length;
  const body = lines.findIndex((line, index) => index > opened && index < end && /^ {2}(?:async )?\*?(?:collect|applies)\b/.test(line));
  const from = body < 0 ? opened : body;
  const shown = lines.slice(from, Math.min(end, from + MOST));
  const left = end - from - shown.length;
  const code = await highlighted(shown.map((line) => line.replace(/^ {2}/, '')).join('\n'), 'typescript', colors, style);
  return { path, lines: `lines ${from + 1} to ${end}`, code: left > 0 ? `${code}\n… ${left} more lines` : code };
}
