/** The last step of a build, run when the compiler was content. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

writeFileSync(join(root, 'dist', '.built'), '');
