/**
 * `npm test [-- PATTERN …]`: sets the checkout up and runs the compiled tests, all or those whose path contains a pattern.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const folder = join(root, 'dist', 'test');
const patterns = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true })
  .map((name) => join(folder, name))
  .filter((path) => path.endsWith('.test.js'))
  .filter((path) => patterns.length === 0 || patterns.some((pattern) => relative(folder, path).includes(pattern)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`No test matches ${patterns.join(' ')}.\n`);
  process.exit(1);
}
// Node leaves one processor idle, which is half of two. Each file may take a few hundred megabytes.
const atOnce = Math.min(availableParallelism(), 8);
// Maps of the sources are read for each module of each file. Who looks for a fault names its file.
const maps = patterns.length > 0 ? ['--enable-source-maps'] : [];
const done = spawnSync(process.execPath, [...maps, '--test', `--test-concurrency=${atOnce}`, '--test-reporter=spec', ...files], { cwd: root, stdio: ['ignore', 1, 2] });
process.exit(done.status ?? 1);
