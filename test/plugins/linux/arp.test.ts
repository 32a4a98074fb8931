import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arp } from '../../../plugins/linux/arp.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples([...everyAmd64, 'pae']);
test('arp', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    const { rows, run } = await rowsOf(session, arp);

    await context.test(`${sample.name}: every entry of /proc/net/arp, and no other that it would show`, () => {
      assert.equal(run.faults, 0);
      const said = sample
        .truth('proc/net/arp')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .map(([ip, , , mac, , dev]) => `${ip ?? ''} ${mac ?? ''} ${dev ?? ''}`);
      assert.ok(said.length >= 2);
      const ours = rows.filter((row) => row['family'] === 'inet' && row['state'] !== 'NOARP').map((row) => `${String(row['ip'])} ${String(row['mac'] ?? '00:00:00:00:00:00')} ${String(row['dev'])}`);
      assert.deepEqual(ours.sort(), said.sort());
    });

    await context.test(`${sample.name}: states as ip neigh shows them`, () => {
      const said = sample.truth('run/cmd/ip-neigh').trim().split('\n');
      const ours = rows.filter((row) => row['state'] !== 'NOARP' && row['state'] !== 'PROXY');
      assert.equal(ours.length, said.length);
      for (const line of said) {
        const [, ip, dev, mac, state] = /^(\S+) dev (\S+) lladdr (\S+) .* (\S+)$/.exec(line) ?? [];
        const row = ours.find((one) => one['ip'] === ip);
        assert.deepEqual([row?.['dev'], row?.['mac'], row?.['state']], [dev, mac, state]);
      }
    });
    session.close();
  }
});
