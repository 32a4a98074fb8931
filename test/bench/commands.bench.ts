import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/root.js';
import { type Measurement, measure, median, say } from './measure.js';

const RUNS = 3;

/** What is compared: our command, and the peer's plugin. */
type Pair = readonly [command: string, plugin: string | undefined];

/** Commands of each system, and what the peer calls them. */
const COMMANDS: Readonly<Record<string, readonly Pair[]>> = {
  linux: [
    ['pslist', 'linux.pslist.PsList'],
    ['psaux', 'linux.psaux.PsAux'],
    ['lsmod', 'linux.lsmod.Lsmod'],
    ['lsof', 'linux.lsof.Lsof'],
    ['maps', 'linux.proc.Maps'],
    ['netstat', 'linux.sockstat.Sockstat'],
    ['mount', 'linux.mountinfo.MountInfo'],
  ],
  windows: [
    ['pslist', 'windows.pslist'],
    ['modules', 'windows.modules'],
    ['dlllist', 'windows.dlllist'],
    ['vad', 'windows.vadinfo'],
    ['handles', 'windows.handles'],
    ['threads', 'windows.threads'],
    ['psxview', 'windows.psxview'],
    ['ldrmodules', 'windows.ldrmodules'],
    ['tokens', 'windows.getsids'],
    ['privileges', 'windows.privileges'],
    ['driverirp', 'windows.driverirp'],
    ['callbacks', 'windows.callbacks'],
    ['ssdt', 'windows.ssdt'],
    ['malfind', 'windows.malfind'],
    ['rammap', undefined],
  ],
};

export interface CommandsOptions {
  readonly os: string;
  readonly image: string;
  /** flags of ours: `--repository_path …` */
  readonly flags: readonly string[];
  readonly peer: readonly string[] | undefined;
  /** a folder for caches, emptied before the first open */
  readonly home: string;
}

/** Whole processes: the first open of an image, then each command on an image that is known, beside the peer in the same run. */
export function benchCommands({ os, image, flags, peer, home }: CommandsOptions): void {
  const ours = (command: string): readonly string[] => [process.execPath, join(root, 'bin/rekall'), '-f', image, ...flags, '--cache_dir', home, command];
  say(['', 'seconds', 'MiB', 'rows', ...(peer ? ['peer s', 'peer MiB', 'peer rows', 'times'] : [])]);
  const first: Measurement[] = [];
  for (let run = 0; run < RUNS; run++) {
    rmSync(home, { recursive: true, force: true });
    first.push(measure(ours('pslist')));
  }
  say(['first open + pslist', median(first.map((one) => one.seconds)).toFixed(2), median(first.map((one) => one.mebibytes)), first[0]?.lines ?? 0]);
  for (const [command, plugin] of COMMANDS[os] ?? []) {
    const runs = Array.from({ length: RUNS }, () => measure(ours(command)));
    const seconds = median(runs.map((one) => one.seconds));
    const row = [`${command} (second open)`, seconds.toFixed(2), median(runs.map((one) => one.mebibytes)), runs[0]?.lines ?? 0];
    if (peer && plugin !== undefined) {
      // The first of the peer's runs fills its own caches.
      measure([...peer, '-q', '-f', image, plugin]);
      const other = measure([...peer, '-q', '-f', image, plugin]);
      row.push(other.seconds.toFixed(2), other.mebibytes, other.lines, (other.seconds / seconds).toFixed(1), ...(other.status === 0 ? [] : ['PEER FAILED']));
    }
    if (runs.some((one) => one.status !== 0)) row.push('FAILED');
    say(row);
  }
}
