import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: tests run compiled, from `dist/test/support/`. */
export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Where the lab's images and their truth are (fixtures/lab/README.md). */
export const lab = process.env['REKALL_LAB'] ?? join(homedir(), 'lab');
