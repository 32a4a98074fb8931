import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dt } from '../../../plugins/general/dt.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny']);
test('dt shows members, and values where an address is given', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const list = await rowsOf(session, dt, { target: 'list_head' });
  assert.deepEqual(list.rows.map((row) => [row['offset'], row['field'], row['type'], row['content']]), [
    [0, 'next', 'list_head *', null],
    [8, 'prev', 'list_head *', null],
  ]);
  const names = await (await session.resolver()).address('init_uts_ns');
  const uts = await rowsOf(session, dt, { target: 'linux!uts_namespace', offset: names, depth: 1 });
  const release = uts.rows.find((row) => row['field'] === 'release');
  assert.equal(release?.['content'], /^Linux version (\S+)/.exec(sample.truth('proc/version'))?.[1]);
  assert.equal(release?.['$depth'], 1);
  await assert.rejects(rowsOf(session, dt, { target: 'task_strukt' }), /no struct task_strukt/);
  session.close();
});
