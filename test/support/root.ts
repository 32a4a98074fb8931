import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: tests run compiled, from `dist/test/support/`. */
export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
