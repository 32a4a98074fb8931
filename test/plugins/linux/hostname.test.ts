import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostname } from '../../../plugins/linux/hostname.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples([...everyAmd64, 'pae']);
test('hostname', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: the machine's name, and the container's`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, hostname);
      assert.equal(run.faults, 0);
      assert.equal(rows[0]?.['hostname'], sample.truth('proc/sys/kernel/hostname').trim());
      // uname -a: system, name, release, version, machine.
      const uname = sample.truth('run/cmd/uname');
      assert.ok(uname.includes(`${String(rows[0]?.['release'])} ${String(rows[0]?.['version'])} ${String(rows[0]?.['machine'])}`), uname);
      // Which processes are in which namespace, by /proc/PID/ns.
      const said = new Map<string, number[]>();
      for (const pid of sample.list('proc').filter((name) => /^\d+$/.test(name) && sample.hasTruth(`proc/${name}/ns.links`))) {
        const namespace = /^uts -> uts:\[(\d+)\]/m.exec(sample.truth(`proc/${pid}/ns.links`))?.[1];
        if (namespace !== undefined) said.set(namespace, [...(said.get(namespace) ?? []), Number(pid)]);
      }
      assert.equal(said.size, 2);
      assert.deepEqual(rows.map((row) => String(row['uts_ns'])).sort(), [...said.keys()].sort());
      for (const row of rows) {
        for (const pid of said.get(String(row['uts_ns'])) ?? []) assert.ok((row['pids'] as number[]).includes(pid), `process ${pid}`);
        assert.equal(row['processes'], (row['pids'] as number[]).length);
      }
      assert.equal(rows[1]?.['hostname'], 'labns');
      session.close();
    });
  }
});
