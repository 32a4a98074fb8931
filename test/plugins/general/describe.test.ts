import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { describe } from '../../../plugins/general/describe.js';
import { pslist } from '../../../plugins/linux/pslist.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { root } from '../../support/root.js';
import { committedSample, rowsOf } from '../../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';

function open(filename?: string): Session {
  const registry = new Registry([], '');
  registry.add(pslist);
  return new Session({ cache: 'memory', ...(filename === undefined ? {} : { filename }) }, registry);
}

test('without an image the columns are as declared', async () => {
  const { rows, run } = await rowsOf(open(), describe, { plugin_name: 'pslist' });
  assert.deepEqual(rows.map((row) => row['Field']), Object.keys(pslist.columns));
  assert.deepEqual(rows.slice(0, 2).map((row) => row['Type']), ['task_struct', 'int']);
  assert.deepEqual(run.notes, ['Members of structs are known once an image is open.']);
  await assert.rejects(rowsOf(open(), describe, { plugin_name: 'pslst' }), (error: Error & { next?: string }) => error.next === 'describe pslist');
});

test('with an image the members of a struct are those that its debug information names', { skip }, async () => {
  const session = open(sample?.image);
  const { rows } = await rowsOf(session, describe, { plugin_name: 'pslist' });
  const members = rows.slice(1, rows.findIndex((row) => row['Field'] === 'pid' && row['$depth'] === 0));
  assert.ok(members.every((row) => row['$depth'] === 1));
  const names = new Set(members.map((row) => row['Field']));
  const truth = JSON.parse(gunzipSync(readFileSync(join(root, 'fixtures/linux-6.1-tiny/structs.json.gz'))).toString('utf8')) as Record<string, unknown>;
  const known = Object.keys((truth['task_struct'] as { members?: Record<string, unknown> } | undefined)?.members ?? {});
  for (const member of known) assert.ok(names.has(member), member);
  assert.ok(known.length > 20);
  session.close();
});

test('deeper levels open pointers, and no struct within itself', { skip }, async () => {
  const session = open(sample?.image);
  const { rows } = await rowsOf(session, describe, { plugin_name: 'pslist', max_depth: 2 });
  const mm = rows.findIndex((row) => row['Field'] === 'mm' && row['$depth'] === 1);
  assert.deepEqual([rows[mm]?.['Type'], rows[mm + 1]?.['$depth']], ['mm_struct *', 2]);
  const parent = rows.findIndex((row) => row['Field'] === 'real_parent');
  assert.deepEqual([rows[parent]?.['Type'], rows[parent + 1]?.['$depth']], ['task_struct *', 1]);
  session.close();
});

test('with arguments the types are those of the first row', { skip }, async () => {
  const session = open(sample?.image);
  const run = await rowsOf(session, describe, { plugin_name: 'pslist', args: 'pids=1', max_depth: 0 });
  assert.deepEqual(run.rows.map((row) => row['Type']).slice(0, 3), ['task_struct', 'int', 'string']);
  const none = await rowsOf(session, describe, { plugin_name: 'pslist', args: 'proc_regex=^nobody$', max_depth: 0 });
  assert.match(none.run.notes.join(), /gave no row: types are as declared/);
  session.close();
});
