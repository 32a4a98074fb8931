import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This release, as package.json states it. */
export function version(): string {
  const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}
