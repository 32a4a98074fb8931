import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maps } from '../../../plugins/linux/maps.js';
import type { Row } from '../../../src/plugin/columns.js';
import { byPid, pidsWith } from '../../support/processes.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** A row as a line of /proc/PID/maps, fields joined by one space. */
function line(row: Row): string {
  const hex = (value: unknown, digits: number): string => BigInt(value as bigint | number).toString(16).padStart(digits, '0');
  const start = hex(row['start'], 8);
  const end = hex(row['end'], 8);
  const device = `${hex(row['major'], 2)}:${hex(row['minor'], 2)}`;
  const path = row['file_path'] === null ? '' : ` ${String(row['file_path'])}`;
  return `${start}-${end} ${String(row['flags'])} ${hex(row['pgoff'], 8)} ${device} ${String(row['inode'])}${path}`;
}

/** A line of /proc/PID/maps with its padding taken out. */
function normal(text: string): string {
  const fields = /^(\S+ \S+ \S+ \S+ \d+) *(.*)$/.exec(text);
  assert.ok(fields, `a line of maps: ${text}`);
  return fields[2] === '' ? (fields[1] ?? '') : `${fields[1]} ${fields[2]}`;
}

/** pid → lines */
function truthOf(sample: Sample): Map<number, string[]> {
  return new Map(pidsWith(sample, 'maps').map((pid) => [pid, sample.truth(`proc/${pid}/maps`).split('\n').filter(Boolean).map(normal)]));
}

const found = samples([...everyAmd64, 'pae']);
test('maps', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: every line of every process's maps, and no other`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, maps);
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      const found = byPid(rows);
      const truth = truthOf(sample);
      assert.ok(truth.size > 20, 'the guest ran more than twenty programs');
      for (const [pid, lines] of truth) assert.deepEqual((found.get(pid) ?? []).map(line), lines, `maps of ${pid}`);
      assert.deepEqual([...found.keys()].filter((pid) => !truth.has(pid)), []);
      session.close();
    });
  }
});

test('maps of kernel threads, and of a process that does not exist, say why there are none', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const kernelThread = await rowsOf(session, maps, { pids: [2] });
  assert.equal(kernelThread.rows.length, 0);
  assert.match(kernelThread.run.notes.join(), /no memory of its own: it is a kernel thread/);
  const nobody = await rowsOf(session, maps, { pids: [99999] });
  assert.match(nobody.run.notes.join(), /No process 99999 .*pslist/);
  session.close();
});
