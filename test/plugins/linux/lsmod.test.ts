import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lsmod, lsmodParameters, lsmodSections } from '../../../plugins/linux/lsmod.js';
import { Absent } from '../../../src/memory/absent.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

/** As /sys/module/NAME/parameters/KEY prints a value. */
function printed(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'Y' : 'N';
  if (Array.isArray(value)) return value.map(printed).join(',');
  return value === null ? '(null)' : String(value);
}

const found = samples([...everyAmd64, 'pae']);
test('lsmod', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    await context.test(`${sample.name}: every line of /proc/modules, in its order`, async () => {
      const { rows, run } = await rowsOf(session, lsmod);
      assert.equal(run.faults, 0);
      const lines = rows.map((row) => {
        const users = row['used_by'] as string[];
        const taints = row['taints'] === '' ? '' : ` (${String(row['taints'])})`;
        const by = users.length === 0 ? '-' : `${users.join(',')},`;
        return `${String(row['name'])} ${String(row['size'])} ${String(row['uses'])} ${by} ${String(row['state'])} 0x${(row['start'] as bigint).toString(16)}${taints}`;
      });
      const truth = sample.truth('proc/modules').split('\n').filter(Boolean);
      assert.ok(truth.length >= 3);
      assert.deepEqual(lines, truth);
    });

    await context.test(`${sample.name}: every section of every module, and no other`, async () => {
      const { rows, run } = await rowsOf(session, lsmodSections);
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      // The address has as many digits as a pointer.
      const lines = rows.map((row) => `${String(row['name'])} ${String(row['section'])} 0x${(row['address'] as bigint).toString(16).padStart(sample.name === 'pae' ? 8 : 16, '0')}`);
      const truth = sample
        .list('sys/module')
        .filter((name) => sample.hasTruth(`sys/module/${name}/sections.txt`))
        .flatMap((name) => sample.truth(`sys/module/${name}/sections.txt`).split('\n').filter(Boolean).map((line) => `${name} ${line}`));
      assert.ok(truth.length > 40, `${truth.length} sections`);
      assert.deepEqual(lines.sort(), truth.sort());
    });

    await context.test(`${sample.name}: parameters as /sys shows them`, async () => {
      const { rows, run } = await rowsOf(session, lsmodParameters);
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      const shown = rows.filter((row) => row['permissions'] !== '0').map((row) => `${String(row['name'])} ${String(row['key'])} ${printed(row['value'])}`);
      const truth = sample
        .list('sys/module')
        .flatMap((name) => sample.list(`sys/module/${name}/parameters`).map((key) => `${name} ${key} ${sample.truth(`sys/module/${name}/parameters/${key}`).trim()}`));
      assert.ok(truth.length >= 2, "loop's at least");
      assert.deepEqual(shown.sort(), truth.sort());
    });

    await context.test(`${sample.name}: parameters of what is built in`, async () => {
      const { rows, run } = await rowsOf(session, lsmodParameters, { builtin: true });
      assert.equal(run.faults, 0);
      const value = (name: string, key: string): unknown => rows.find((row) => row['name'] === name && row['key'] === key)?.['value'];
      // The lab boots with panic=-1, and its log has times.
      assert.equal(value('kernel', 'panic'), -1);
      assert.equal(value('printk', 'time'), true);
      const decoded = rows.filter((row) => !(row['value'] instanceof Absent));
      assert.ok(rows.length > 150 && decoded.length > rows.length * 0.8, `${decoded.length} of ${rows.length}`);
    });
    session.close();
  }
});
