import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const lab = process.env['REKALL_LAB'] ?? join(homedir(), 'lab');

/** One run of a command as a process of its own. */
export interface Measurement {
  readonly seconds: number;
  /** peak resident memory, MiB; 0 where it could not be measured */
  readonly mebibytes: number;
  readonly lines: number;
  readonly status: number | null;
}

/** Runs a command, with GNU time for its memory where that is installed. */
export function measure(command: readonly string[]): Measurement {
  const time = '/usr/bin/time';
  const timed = existsSync(time) ? [time, '-f', '@@%M', ...command] : [...command];
  const start = performance.now();
  const done = spawnSync(timed[0] as string, timed.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28 });
  const seconds = (performance.now() - start) / 1000;
  const kib = Number(/@@(\d+)/.exec(done.stderr)?.[1] ?? 0);
  return { seconds, mebibytes: Math.round(kib / 1024), lines: done.stdout.split('\n').length - 1, status: done.status };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Volatility 3's command: `$REKALL_VOL3` (`python3 /path/to/vol.py`) or the file `vol3-command` of the lab. */
export function peerCommand(): readonly string[] | undefined {
  const file = join(lab, 'vol3-command');
  const text = process.env['REKALL_VOL3'] ?? (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const words = text.trim().split(/\s+/).filter(Boolean);
  return words.length > 0 ? words : undefined;
}

/** A line of a table: what, and figures. */
export function say(cells: readonly (string | number)[]): void {
  process.stdout.write(`${cells.map((cell, index) => (index === 0 ? String(cell).padEnd(34) : String(cell).padStart(12))).join('')}\n`);
}
