import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dt } from '../../../plugins/general/dt.js';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { moduleTypes } from '../../../src/kernel/linux/module-types.js';
import { rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples();
test("modules' own types", { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: every loaded module has its types, on top of the kernel's`, async () => {
      const session = sample.session();
      const kernel = (await session.kernel()) as LinuxKernel;
      const types = moduleTypes(kernel);
      if (kernel.symbol('btf_modules') === undefined) {
        // Before 5.11 modules carried no BTF of their own.
        assert.equal(types.size, 0);
        return;
      }
      const loaded = sample.truth('proc/modules').split('\n').filter(Boolean).map((line) => line.split(' ')[0] as string);
      assert.deepEqual([...types.keys()].sort(), loaded.sort());
      const { rows, run } = await rowsOf(session, dt, { target: 'loop!loop_device' });
      const members = new Map(rows.map((row) => [row['field'], row['type']]));
      // drivers/block/loop.c: struct loop_device; the types of its members are the kernel's.
      assert.equal(members.get('lo_backing_file'), 'file *');
      assert.equal(members.get('lo_disk'), 'gendisk *');
      assert.match(run.notes.join(), /struct loop_device, \d+ bytes/);
      await assert.rejects(rowsOf(session, dt, { target: 'loop_device' }), /no struct loop_device/);
      session.close();
    });
  }
});
