import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it. Node's own `recursive` never ends where a file system answers ENOENT although the folder above is
 * there (`/proc`, Node 20). Throws the file system's error.
 */
export function makeFolders(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolders(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** What the file system said against a file, as words: `permission denied`, without its code and the call that failed. */
export function fileProblem(error: Error): string {
  return error.message.replace(/^[A-Z]+: /, '').replace(/,.*/s, '');
}
