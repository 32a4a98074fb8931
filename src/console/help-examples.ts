import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fits, type PluginEntry } from '../plugin/registry.js';

/** The checkout, or the installed package. */
export const home = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Where the output of a command's examples is kept, below `fixtures/examples/`: those of other systems than the sample's in a folder of theirs. */
export function outputFile(entry: PluginEntry): string {
  const [system = ''] = Array.isArray(entry.needs) ? (entry.needs as readonly string[]) : [];
  return fits(entry, 'linux') ? `${entry.name}.txt` : join(system, `${entry.name}.txt`);
}

/** What the examples of a command print on the sample image, by their lines; empty where nothing is kept of it. */
export function exampleOutputs(entry: PluginEntry): ReadonlyMap<string, string> {
  const path = join(home, 'fixtures', 'examples', outputFile(entry));
  return existsSync(path) ? parseExamples(readFileSync(path, 'utf8')) : new Map();
}

/** Reads `> line` and the indented output below it. */
export function parseExamples(text: string): Map<string, string> {
  const outputs = new Map<string, string>();
  for (const part of text.split(/^> /m).slice(1)) {
    const [line = '', ...output] = part.trimEnd().split('\n');
    outputs.set(line, output.map((shown) => shown.replace(/^ {2}/, '')).join('\n'));
  }
  return outputs;
}
