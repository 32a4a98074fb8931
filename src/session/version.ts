import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** This build, by its time. What an older one made of the same bytes may be wrong. */
export function build(): string {
  return String(statSync(join(root, 'dist', 'program.js'), { throwIfNoEntry: false })?.mtimeMs);
}

/** This release, as package.json states it. */
export function version(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}
