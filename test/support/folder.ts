import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** A folder for what a test writes. It goes when the process ends, however the test did. */
export function temporary(): string {
  return removedAtEnd(mkdtempSync(join(tmpdir(), 'rekall-test-')));
}

/** Removes a folder when the process ends, also where it is told to end. */
export function removedAtEnd(folder: string): string {
  if (folders.length === 0) {
    process.on('exit', () => {
      for (const one of folders) rmSync(one, { recursive: true, force: true });
    });
    for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15]] as const) process.once(signal, () => process.exit(128 + number));
  }
  folders.push(folder);
  return folder;
}
