import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot } from '../../../plugins/linux/boot.js';
import type { Timestamp } from '../../../src/object/time.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples([...everyAmd64, 'pae']);
test('boot', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: moments as the guest's clock has them`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, boot);
      assert.equal(run.faults, 0);
      const row = rows[0];
      assert.ok(row && rows.length === 1);
      const seconds = (column: string): number => (row[column] as Timestamp).ms / 1000;
      // btime is the second of boot, rounded down.
      const btime = Number(/^btime (\d+)/m.exec(sample.truth('proc/stat'))?.[1]);
      assert.ok(Math.abs(seconds('boot_time') - btime - 0.5) <= 0.6, `boot ${seconds('boot_time')}, not ${btime}`);
      // The image was taken some seconds after the guest looked at its clock and at its uptime.
      const realtime = Number(/^realtime=([\d.]+)/m.exec(sample.truth('lab/time'))?.[1]);
      const after = seconds('image_time') - realtime;
      assert.ok(after > 0 && after < 120, `${after} s after the guest's own time`);
      const uptime = Number(sample.truth('proc/uptime').split(' ')[0]);
      const up = Number(row['uptime'] as bigint) / 1e9;
      assert.ok(up > uptime && up < uptime + 120, `up ${up} s, the guest said ${uptime} s earlier`);
      assert.ok(Math.abs(up - (seconds('image_time') - seconds('boot_time'))) < 0.01);
      assert.equal(row['cmdline'], sample.truth('proc/cmdline').replace(/\n+$/, ''));
      session.close();
    });
  }
});
