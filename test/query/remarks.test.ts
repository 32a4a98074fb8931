import assert from 'node:assert/strict';
import { test } from 'node:test';
import { col } from '../../src/plugin/columns.js';
import { parseQuery } from '../../grammar/efilter.js';
import { prepareQuery } from '../../src/query/prepare.js';
import { remarksOf } from '../../src/query/remarks.js';
import { TestCatalog } from '../support/query-tables.js';

function remarks(text: string): { text: string; always: boolean; at: string }[] {
  return remarksOf(parseQuery(text), text).map((remark) => ({
    text: remark.text,
    always: remark.always,
    at: text.slice(remark.start, remark.end),
  }));
}

test('a comparison with null is remarked whenever it runs', () => {
  assert.deepEqual(remarks('select * from pslist() where binary != null'), [
    {
      text: 'binary != null is never true, as nothing is known to be equal to null or unequal; binary is not null is what can be asked.',
      always: true,
      at: 'binary != null',
    },
  ]);
  assert.match(
    remarks('select * from pslist() where null == binary')[0]?.text ?? '',
    /; binary is null is what can be asked/,
  );
  assert.deepEqual(remarks('select * from pslist() where binary is not null or pid == 4'), []);
});

test('what another reading of not would change is remarked by explain', () => {
  const [remark, ...others] = remarks('select * from pslist() where not name == "bash"');
  assert.equal(
    remark?.text,
    'This is not (name == "bash"); in Rekall it was (not name) == "bash".',
  );
  assert.equal(remark.always, false);
  assert.equal(remark.at, 'not name == "bash"');
  assert.deepEqual(others, []);
  assert.match(remarks('select * from pslist() where 1 == 2 < 3')[0]?.text ?? '', /in Rekall it was \(1 == 2\) < 3/);
  assert.equal(remarks('select * from pslist() where not name =~ "x" and not (pid == 1)').length, 1);
  assert.equal(remarks('select * from pslist() where not (a) == 1').length, 1);
  for (const clear of ['not (a == b)', '(not a) == b', 'a not in b', 'not a']) {
    assert.equal(
      remarks(`select * from pslist() where ${clear}`).filter(({ text }) => text.startsWith('This is')).length,
      0,
      clear,
    );
  }
});

test('whole texts in a list are remarked by explain', () => {
  assert.match(
    remarks('select * from pslist() where name in ("sh", "bash")')[0]?.text ?? '',
    /^name in \(…\) compares whole texts/,
  );
  assert.deepEqual(remarks('select * from pslist() where pid in (1, 2)'), []);
  assert.deepEqual(remarks('select * from pslist() where "x" in tags'), []);
});

test('remarks are notes of the run, or of its explanation', async () => {
  const catalog = new TestCatalog({
    pslist: { columns: { pid: col.int('id'), name: col.string('name') }, rows: [{ pid: 1, name: 'a' }] },
  });
  const notes = async (text: string): Promise<readonly string[]> => {
    const run = await prepareQuery(text, catalog);
    await run.rows();
    return run.notes;
  };
  assert.match(
    (await notes('select * from pslist() where name == null')).join('|'),
    /^No row fits the query\.\|name == null is never true/,
  );
  assert.deepEqual(await notes('select * from pslist() where not pid == 4'), []);
  assert.match(
    (await notes('explain select * from pslist() where not pid == 4')).join('|'),
    /^This is not \(pid == 4\)/,
  );
  assert.match(
    (await notes('explain analyze select * from pslist() where not pid == 4')).join('|'),
    /1 row in .*\|This is not \(pid == 4\)/,
  );
});
