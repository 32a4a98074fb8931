/**
 * `npm run bench [-- IMAGE]`: whole-process times of this program, beside Volatility 3 in the same run where it is there.
 *
 * The image is the one named, or the lab's 4 GiB one ($REKALL_LAB/images/big.raw or big.elf, default ~/lab), or the committed
 * sample. Volatility 3 runs when $REKALL_VOL3 holds its command (`python3 /path/to/vol.py`) or $REKALL_LAB/vol3-command does.
 * It reports; it does not judge.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { root } from '../support/root.js';
import { benchNames } from './names.bench.js';
import { benchPaging } from './paging.bench.js';

const RUNS = 3;
const lab = process.env['REKALL_LAB'] ?? join(homedir(), 'lab');

interface Measurement {
  readonly seconds: number;
  /** peak resident memory, MiB; 0 where it could not be measured */
  readonly mebibytes: number;
  readonly lines: number;
  readonly status: number | null;
}

/** One run of a command, with GNU time for its memory where that is installed. */
function measure(command: readonly string[], environment: NodeJS.ProcessEnv): Measurement {
  const time = '/usr/bin/time';
  const timed = existsSync(time) ? [time, '-f', '@@%M', ...command] : [...command];
  const start = performance.now();
  const done = spawnSync(timed[0] as string, timed.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28, env: environment });
  const seconds = (performance.now() - start) / 1000;
  const kib = Number(/@@(\d+)/.exec(done.stderr)?.[1] ?? 0);
  return { seconds, mebibytes: Math.round(kib / 1024), lines: done.stdout.split('\n').length - 1, status: done.status };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function imagePath(): string {
  const candidates = [process.argv[2], join(lab, 'images/big.raw'), join(lab, 'images/big.elf'), join(root, 'fixtures/linux-6.1-tiny/image.kdump')];
  const found = candidates.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error('no image: name one, or make the lab images (fixtures/lab/README.md)');
  return found;
}

function peerCommand(): readonly string[] | undefined {
  const file = join(lab, 'vol3-command');
  const text = process.env['REKALL_VOL3'] ?? (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const words = text.trim().split(/\s+/).filter(Boolean);
  return words.length > 0 ? words : undefined;
}

/** What is compared: our command, and the peer's plugin. */
const commands: readonly (readonly [string, string | undefined])[] = [
  ['pslist', 'linux.pslist.PsList'],
  ['psaux', 'linux.psaux.PsAux'],
  ['lsmod', 'linux.lsmod.Lsmod'],
  ['lsof', 'linux.lsof.Lsof'],
  ['maps', 'linux.proc.Maps'],
  ['netstat', 'linux.sockstat.Sockstat'],
  ['mount', 'linux.mountinfo.MountInfo'],
];

const image = imagePath();
const peer = peerCommand();
const home = mkdtempSync(join(tmpdir(), 'rekall-bench-'));
const ours = (command: string): readonly string[] => [process.execPath, join(root, 'bin/rekall'), '-f', image, '--cache_dir', home, command];
const say = (cells: readonly (string | number)[]): void => {
  process.stdout.write(`${cells.map((cell, index) => (index === 0 ? String(cell).padEnd(26) : String(cell).padStart(12))).join('')}\n`);
};
try {
  process.stdout.write(`${image}\n${peer ? `peer: ${peer.join(' ')}\n` : 'no peer: set REKALL_VOL3 to compare\n'}`);
  say(['', 'seconds', 'MiB', 'rows', ...(peer ? ['peer s', 'peer MiB', 'peer rows', 'times'] : [])]);
  const first: Measurement[] = [];
  for (let run = 0; run < RUNS; run++) {
    rmSync(home, { recursive: true, force: true });
    first.push(measure(ours('pslist'), process.env));
  }
  say(['first open + pslist', median(first.map((one) => one.seconds)).toFixed(2), median(first.map((one) => one.mebibytes)), first[0]?.lines ?? 0]);
  for (const [command, plugin] of commands) {
    const runs = Array.from({ length: RUNS }, () => measure(ours(command), process.env));
    const seconds = median(runs.map((one) => one.seconds));
    const row = [`${command} (second open)`, seconds.toFixed(2), median(runs.map((one) => one.mebibytes)), runs[0]?.lines ?? 0];
    if (peer && plugin !== undefined) {
      // The first of the peer's runs fills its own caches.
      measure([...peer, '-q', '-f', image, plugin], process.env);
      const other = measure([...peer, '-q', '-f', image, plugin], process.env);
      row.push(other.seconds.toFixed(2), other.mebibytes, other.lines, (other.seconds / seconds).toFixed(1));
    }
    if (runs.some((one) => one.status !== 0)) row.push('FAILED');
    say(row);
  }
  // Inside an open console: the second of two equal commands has everything in memory.
  const { Session } = await import('../../src/session/session.js');
  const session = new Session({ filename: image, cache_dir: home });
  for (const command of ['pslist', 'lsof', 'maps']) {
    const times: number[] = [];
    const plugin = await session.plugin(command);
    for (let run = 0; run < 7; run++) {
      const start = performance.now();
      await session.run(plugin).rows();
      times.push(performance.now() - start);
    }
    say([`${command} in an open session`, `${median(times.slice(1)).toFixed(1)} ms`]);
  }
  const { location } = (await session.kernel()) as LinuxKernel;
  for (const { what, figure } of await benchNames(session)) say([what.padEnd(40), figure]);
  session.close();
  for (const { what, perSecond } of benchPaging(image, location.paging, location.dtb)) say([what, `${(perSecond / 1e6).toFixed(1)} M/s`]);
} finally {
  rmSync(home, { recursive: true, force: true });
}
