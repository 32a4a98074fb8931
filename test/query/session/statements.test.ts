import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Registry } from '../../../src/plugin/registry.js';
import { prepareInSession } from '../../../src/query/session/statements.js';
import { Session } from '../../../src/session/session.js';
import { committedSample } from '../../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const session = new Session({ cache: 'memory', ...(sample ? { filename: sample.image } : {}) }, Registry.builtIn());
after(() => session.close());

async function rows(text: string, parameters?: readonly unknown[]): Promise<unknown[]> {
  const run = await prepareInSession(session, text, parameters ? { parameters } : {});
  return (await run.rows()).map((row) => ({ ...row }));
}

test('a view is a query with a name, for as long as the session lives', { skip }, async () => {
  assert.deepEqual(await rows('create view early as select pid, name from pslist() where pid < 3'), [{ name: 'early', kind: 'view', change: 'created' }]);
  // The guest's /proc says so too.
  const truth = [1, 2].map((pid) => ({ pid, name: sample?.truth(`proc/${pid}/comm`).trim() }));
  assert.deepEqual(await rows('select * from early order by pid'), truth);
  assert.deepEqual(await rows('select name from early where pid == {0}', [2]), [{ name: truth[1]?.name }]);
  await assert.rejects(rows('create view early as select 1'), /There is a view early already/);
  assert.deepEqual(await rows('create or replace view early (number) as select pid from pslist() where pid == 1'), [{ name: 'early', kind: 'view', change: 'replaced' }]);
  assert.deepEqual(await rows('select number from early'), [{ number: 1 }]);
  assert.deepEqual(await rows('drop view early'), [{ name: 'early', kind: 'view', change: 'dropped' }]);
  await assert.rejects(rows('select * from early'), /early/);
  await assert.rejects(rows('drop view early'), /There is no view early/);
  assert.deepEqual(await rows('drop view if exists early'), []);
});

test('a view that could not run is refused when it is made, and leaves what was there', { skip }, async () => {
  await rows('create view kept as select pid from pslist()');
  await assert.rejects(rows('create or replace view kept as select pidd from pslist()'), /pidd/);
  await assert.rejects(rows('create or replace view kept as select * from kept'), /kept/);
  await assert.rejects(rows('create or replace view kept (a, b) as select pid from pslist()'), /2 columns/);
  await assert.rejects(rows('create view pslist as select 1'), /is a command/);
  await assert.rejects(rows('create view other as select {0}', [1]), /no parameters/);
  assert.deepEqual(await rows('select count(*) as n from kept where pid == 1'), [{ n: 1 }]);
});

test('variables and functions are kept', { skip }, async () => {
  assert.deepEqual(await rows('let least = 2, twice(x) = x * least'), [
    { name: 'least', kind: 'variable', change: 'created' },
    { name: 'twice', kind: 'function', change: 'created' },
  ]);
  assert.deepEqual(await rows('select twice(pid) as t from pslist() where pid == least'), [{ t: 4 }]);
  assert.deepEqual(await rows('let least = 1'), [{ name: 'least', kind: 'variable', change: 'replaced' }]);
  assert.deepEqual(await rows('select twice(21) as t'), [{ t: 21 }]);
  await assert.rejects(rows('let broken = nowhere + 1'), /nowhere/);
  await assert.rejects(rows('let p = {0}', [1]), /no parameters/);
});
