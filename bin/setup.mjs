/**
 * Makes a checkout runnable: installs the locked dependencies when they are missing or older than the lock file, and
 * compiles when a source is newer than the last build. Uses nothing but Node, since nothing else is there yet.
 * `--force` compiles in any case.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'dist', '.built');

function run(command, args) {
  // Loaded when there is something to run: hardly ever.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  // Everything but rows goes to standard error.
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.error) throw new Error(`cannot run ${command}: ${done.error.message}`);
  if (done.status !== 0) {
    process.stderr.write(`\n${command} ${args.join(' ')} failed (exit status ${done.status}).\n`);
    process.exit(1);
  }
}

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** The latest change below a folder, in milliseconds since 1970. */
function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    // One of several hundred at every start: `join` would take as long as the system does.
    const path = `${folder}/${entry.name}`;
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

/** @param options `tests: false` where only the program is run: changes of tests alone need no build then */
export function setup({ force = false, quiet = false, tests = true } = {}) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) {
    process.stderr.write(`Rekall needs Node 20 or newer; this is ${process.versions.node}.\n`);
    process.exit(1);
  }
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (modified(installed) < modified(join(root, 'package-lock.json'))) {
    if (!quiet) process.stderr.write('Installing dependencies …\n');
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const sources = ['src', 'plugins', 'grammar', ...(tests ? ['test'] : [])].map((folder) => newest(join(root, folder)));
  const changed = Math.max(...sources, modified(join(root, 'tsconfig.json')), modified(join(root, 'package-lock.json')));
  if (force || modified(stamp) < changed) {
    if (!quiet) process.stderr.write('Building …\n');
    rmSync(stamp, { force: true });
    run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]);
    run(process.execPath, [join(root, 'bin', 'finish-build.mjs')]);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup({ force: process.argv.includes('--force') });
