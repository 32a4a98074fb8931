import type { Row } from '../../src/plugin/columns.js';
import type { Sample } from './sample.js';

/** Rows by the column `pid`, in their order. */
export function byPid(rows: readonly Row[]): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const pid = row['pid'] as number;
    const group = groups.get(pid);
    if (group) group.push(row);
    else groups.set(pid, [row]);
  }
  return groups;
}

/** Processes for which the guest printed /proc/PID/FILE. */
export function pidsWith(sample: Sample, file: string): number[] {
  return sample
    .list('proc')
    .filter((name) => /^\d+$/.test(name) && sample.hasTruth(`proc/${name}/${file}`))
    .map(Number);
}

/** The process that printed the truth: what it shows of itself was true then only (it goes on to sleep with other files open). */
export function printer(sample: Sample): number {
  return Number(/^pid=(\d+)/m.exec(sample.truth('lab/time'))?.[1]);
}
