import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, or the installed package. */
export const home = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** What the examples of a command print on the sample image, by their lines; empty where nothing is kept of it. */
export function exampleOutputs(command: string): ReadonlyMap<string, string> {
  const path = join(home, 'fixtures', 'examples', `${command}.txt`);
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
