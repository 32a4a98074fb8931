import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Absent, unreadable } from '../../src/memory/absent.js';
import { Timestamp } from '../../src/object/time.js';
import { col } from '../../src/plugin/columns.js';
import { sharedData } from '../support/shared.js';
import { structAt } from '../support/structs.js';
import { render } from '../support/table.js';

const columns = {
  proc: col.struct('task_struct', 'process'),
  flags: col.int('bits'),
  start: col.time('when'),
  path: col.string('where', { hidden: true }),
  tags: col.list('words'),
};
const row = {
  proc: structAt('task_struct', { pid: 135, comm: 'bash' }),
  flags: 18446744073709551615n,
  start: new Timestamp(1795133521250000000n),
  path: unreadable(0x1000n),
  tags: ['a,b', 'c"d', '\u202e'],
};

test('json is one array, with exact integers and nulls for what is absent', async () => {
  const text = await render('json', columns, [[row], [row]]);
  assert.equal(
    text.split('\n')[1],
    '{"proc":{"type":"task_struct","offset":18446612682134568960,"name":"bash","pid":135},"flags":18446744073709551615,' +
      '"start":"2026-11-20T00:12:01.250Z","path":null,"tags":["a,b","c\\"d","\\u202e"]},',
  );
  assert.equal((JSON.parse(text) as unknown[]).length, 2);
  assert.deepEqual(JSON.parse(await render('json', columns, [])), []);
});

test('ndjson is an object a line', async () => {
  const lines = (await render('ndjson', columns, [[row, row], [row]])).trimEnd().split('\n');
  assert.deepEqual(lines.map((line) => (JSON.parse(line) as { start: string }).start), Array<string>(3).fill('2026-11-20T00:12:01.250Z'));
});

test('csv reads back by the rules of RFC 4180', async () => {
  const text = await render('csv', columns, [[row]]);
  assert.equal(text, 'proc,flags,start,path,tags\r\n0xffff888003d8c000,18446744073709551615,2026-11-20T00:12:01.250Z,,"[""a,b"",""c\\""d"",""\\u202e""]"\r\n');
  const strings = { name: col.string('name') };
  const cells = (await render('csv', strings, [[{ name: 'a"b,c' }, { name: 'two\nlines' }, { name: '=cmd()' }, { name: '-bash' }, { name: '-5' }]])).split('\r\n');
  assert.deepEqual(cells, ['name', '"a""b,c"', 'two\\nlines', "'=cmd()", "'-bash", '-5', '']);
});

test('data is a list of statements', async () => {
  const grouped = { divider: col.string('group', { divider: true }), ...columns };
  const statements = JSON.parse(await render('data', grouped, [[{ divider: 'x', ...row, flags: 1 }, { divider: 'y', ...row, path: new Absent('corrupt', 'loop') }]], { notes: ['a note'] })) as [string, ...unknown[]][];
  assert.deepEqual(statements.map(([kind]) => kind), ['m', 's', 'f', 't', 'r', 's', 'f', 't', 'r', 'L', 'x']);
  const first = statements[4]?.[1] as Record<string, Record<string, unknown>>;
  assert.equal(first['proc']?.['type_name'], 'task_struct');
  assert.deepEqual(first['path']?.['reason'], 'page not present');
  assert.equal(first['start']?.['epoch'], 1795133521);
});

const sample = sharedData('windows', 'rekall-output', 'pslist.rekall-1.4.0.data.json.gz');
test('data has the statements and members that Rekall 1.4 printed', { skip: sample.skip }, async () => {
  const theirs = JSON.parse(gunzipSync(readFileSync(sample.path)).toString('utf8')) as [string, ...unknown[]][];
  const windows = {
    _EPROCESS: col.struct('_EPROCESS', 'process'),
    ppid: col.int('parent', { width: 6 }),
    session_id: col.int('session'),
    process_create_time: col.time('when', { title: 'Start' }),
  };
  const cells = {
    _EPROCESS: structAt('_EPROCESS', { UniqueProcessId: 4n }),
    ppid: 0,
    session_id: new Absent('unreadable', 'Cannot find process session'),
    process_create_time: Timestamp.fromSeconds(1329940700n),
  };
  const ours = JSON.parse(await render('data', windows, [[cells]])) as [string, ...unknown[]][];
  assert.deepEqual(new Set(ours.map(([kind]) => kind)), new Set(theirs.map(([kind]) => kind)));
  const rowOf = (statements: [string, ...unknown[]][]): Record<string, Record<string, unknown>> =>
    statements.find(([kind]) => kind === 'r')?.[1] as Record<string, Record<string, unknown>>;
  for (const column of ['_EPROCESS', 'session_id', 'process_create_time']) {
    assert.deepEqual(Object.keys(rowOf(ours)[column] ?? {}).sort(), Object.keys(rowOf(theirs)[column] ?? {}).sort(), column);
  }
  for (const member of ['epoch', 'string_value']) {
    assert.deepEqual(rowOf(ours)['process_create_time']?.[member], rowOf(theirs)['process_create_time']?.[member]);
  }
  const heads = (statements: [string, ...unknown[]][]): Record<string, unknown>[] => statements.find(([kind]) => kind === 't')?.[1] as Record<string, unknown>[];
  assert.deepEqual(heads(theirs)[0], { cname: '_EPROCESS', type: '_EPROCESS' });
  const known = new Set(['cname', 'name', 'type', 'width', 'align', 'formatstring']);
  for (const head of heads(ours)) for (const key of Object.keys(head)) assert.ok(known.has(key), key);
  assert.equal(heads(ours).at(-1)?.['name'], 'Start');
});
