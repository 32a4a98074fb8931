import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuinfo } from '../../../plugins/linux/cpuinfo.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples([...everyAmd64, 'pae']);
test('cpuinfo', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: the processors of /proc/cpuinfo`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, cpuinfo);
      assert.equal(run.faults, 0);
      const said = sample
        .truth('proc/cpuinfo')
        .trim()
        .split('\n\n')
        .map((block) => new Map(block.split('\n').map((line) => line.split(/\s*: ?/, 2) as [string, string])));
      assert.equal(rows.length, said.length);
      for (const [index, one] of said.entries()) {
        const row = rows[index];
        assert.ok(row);
        const says = (key: string): string => one.get(key) ?? '(not said)';
        const words = (key: string): string[] => says(key).split(' ').filter((word) => word !== '');
        assert.deepEqual(
          {
            processor: row['CPU'], vendor_id: row['vendor'], name: row['model'], family: row['family'], model: row['model_number'], stepping: row['stepping'],
            microcode: `0x${(row['microcode'] as number).toString(16)}`, MHz: (row['MHz'] as number).toFixed(3), bogomips: (row['bogomips'] as number).toFixed(2), cache: `${String(row['cache'])} KB`,
            flags: row['flags'], bugs: row['bugs'], count: row['flag_count'],
            sizes: `${String(row['phys_bits'])} bits physical, ${String(row['virt_bits'])} bits virtual`,
          },
          {
            processor: Number(says('processor')), vendor_id: says('vendor_id'), name: says('model name'), family: Number(says('cpu family')), model: Number(says('model')), stepping: Number(says('stepping')),
            microcode: says('microcode'), MHz: says('cpu MHz'), bogomips: says('bogomips'), cache: says('cache size'),
            flags: words('flags'), bugs: words('bugs'), count: words('flags').length,
            sizes: says('address sizes'),
          },
        );
        // Without hyper-threading and with one core the kernel prints no topology.
        for (const [column, key] of Object.entries({ package: 'physical id', core: 'core id', cores: 'cpu cores', apicid: 'apicid' })) {
          if (one.has(key)) assert.equal(row[column], Number(says(key)), key);
        }
      }
      session.close();
    });
  }
});
