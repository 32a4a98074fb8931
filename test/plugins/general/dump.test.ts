import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dump } from '../../../plugins/general/dump.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny']);
test('dump shows bytes and the symbol there, and goes on where it stopped', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const banner = await (await session.resolver()).address('linux_banner');
  const version = Buffer.from(sample.truth('proc/version').trimEnd());
  const first = await rowsOf(session, dump, { offset: banner, rows: 2 });
  assert.deepEqual(first.rows.map((row) => row['offset']), [banner, banner + 16n]);
  assert.deepEqual(Buffer.concat(first.rows.map((row) => row['hexdump'] as Buffer)), version.subarray(0, 32));
  assert.equal(first.rows[0]?.['comment'], 'linux!linux_banner');
  const next = await rowsOf(session, dump, { rows: 1 });
  assert.deepEqual(next.rows[0]?.['hexdump'], version.subarray(32, 48));
  session.close();
});

test('dump of what is not there marks the rows', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const { rows, run } = await rowsOf(session, dump, { offset: 0x1000n, rows: 3 });
  assert.equal(rows.length, 3);
  assert.equal(run.faults, 3);
  session.close();
});
