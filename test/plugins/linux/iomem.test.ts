import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iomem } from '../../../plugins/linux/iomem.js';
import type { Row } from '../../../src/plugin/columns.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

/** A row as /proc/iomem prints it: two spaces of indentation a level. */
function line(row: Row, digits: number): string {
  const hex = (value: unknown): string => (value as bigint).toString(16).padStart(digits, '0');
  return `${'  '.repeat(row.$depth ?? 0)}${hex(row['start'])}-${hex(row['end'])} : ${String(row['name'])}`;
}

const found = samples([...everyAmd64, 'pae']);
test('iomem', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    await context.test(`${sample.name}: the lines of /proc/iomem`, async () => {
      const { rows, run } = await rowsOf(session, iomem);
      assert.equal(run.faults, 0);
      const said = sample.truth('proc/iomem').trimEnd().split('\n');
      assert.ok(said.length > 15);
      assert.deepEqual(rows.map((row) => line(row, 8)), said);
      const ram = rows.filter((row) => row['name'] === 'System RAM' && (row['flags'] as string[]).includes('SYSRAM'));
      assert.ok(ram.length >= 2);
    });

    await context.test(`${sample.name}: the lines of /proc/ioports`, async () => {
      const { rows } = await rowsOf(session, iomem, { ports: true });
      const said = sample.truth('proc/ioports').trimEnd().split('\n');
      assert.ok(said.length > 10);
      assert.deepEqual(rows.map((row) => line(row, 4)), said);
    });
    session.close();
  }
});
