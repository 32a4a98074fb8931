/**
 * `npm start [-- ARGUMENTS]`: sets the checkout up and runs the program, on the sample image that ships with it unless an image (or
 * anything that needs none) is asked for.
 */
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup({ tests: false });
const args = process.argv.slice(2);
const hasImage = args.some((word) => /^(-f.*|--f(i(l(e(n(a(m(e)?)?)?)?)?)?)?(=.*)?)$/.test(word));
const sample = join(root, 'fixtures', 'linux-6.1-tiny', 'image.kdump');
await (await import('./program.mjs')).program(hasImage ? args : ['-f', sample, ...args]);
