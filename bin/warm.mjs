/**
 * The last step of packing: runs what most sessions begin with, and keeps what the engine compiled for it beside the script (`bin/program.mjs`). Each
 * image is opened twice, since a second open does other things than the first.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, load } from './program.mjs';
import { root } from './setup.mjs';

const { main } = await load('src/cli.js');
const home = mkdtempSync(join(tmpdir(), 'rekall-build-'));
try {
  const images = [join('linux-6.1-tiny', 'image.kdump'), join('windows-sample', 'image.elf')].map((name) => join(root, 'fixtures', name)).filter((path) => existsSync(path));
  const opens = images.flatMap((path) => [1, 2].map(() => ['-f', path, 'pslist']));
  for (const line of [['version'], ['help'], ...opens]) await main(['--home', home, '--cache_dir', join(home, 'cache'), ...line]);
  if (process.exitCode) process.exit();
  await load('src/console/interactive.js');
  keep();
} finally {
  rmSync(home, { recursive: true });
}
