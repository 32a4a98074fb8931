import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root } from './root.js';

/** A file or folder of the shared test data, or why the test is skipped. */
export function sharedData(...parts: string[]): { path: string; skip: string | false } {
  const path = join(process.env['REKALL_SHARED'] ?? join(root, '..', 'shared'), 'data', ...parts);
  return { path, skip: existsSync(path) ? false : `no shared data: ${join(...parts)}` };
}

/** A file or folder of the lab, or why the test is skipped. */
export function labFile(...parts: string[]): { path: string; skip: string | false } {
  const path = join(process.env['REKALL_LAB'] ?? join(homedir(), 'lab'), ...parts);
  return { path, skip: existsSync(path) ? false : `no lab file: ${join(...parts)}` };
}
