import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { jsonRender } from '../../../plugins/general/json_render.js';
import { config } from '../../../plugins/general/config.js';
import { openSession, type RekallSession, type Struct } from '../../../src/index.js';
import { Registry } from '../../../src/plugin/registry.js';
import { parseConfig } from '../../../src/session/config.js';
import { Session } from '../../../src/session/session.js';
import { Conversation } from '../../support/console.js';
import { temporary } from '../../support/folder.js';
import { committedSample, rowsOf, skipWithout } from '../../support/sample.js';

const sample = committedSample();
const options = { skip: skipWithout(sample ? [sample] : []) };
const folder = temporary();
const path = (name: string): string => join(folder, name);
let session: RekallSession;
before(async () => {
  session = await openSession({ filename: sample?.image, cache: 'memory' });
});
after(() => {
  session.close();
});

test('which_plugin finds commands by the structs of their rows', options, async () => {
  const names = async (args: object): Promise<unknown[]> => (await session.plugin('which_plugin')(args).rows()).map((row) => row['plugin']);
  const all = await names({ type_name: 'task_struct' });
  for (const name of ['pslist', 'lsof', 'maps', 'threads']) assert.ok(all.includes(name), name);
  const producers = await names({ type_name: 'struct task_struct', producers_only: true });
  assert.ok(producers.includes('pslist') && !producers.includes('maps') && !producers.includes('memdump') && !producers.includes('cc'));
  assert.ok((await names({ type_name: 'proc' })).includes('pslist'));
  await assert.rejects(names({ type_name: 'task_strct' }), /No command has a column of task_strct\. Did you mean task_struct\?/);
});

test('collect merges what the producers of a type see, each object once', options, async () => {
  const rows = await session.plugin('collect')('proc').rows();
  const pslist = await session.plugin('pslist')().rows();
  const addresses = rows.map((row) => (row['object'] as Struct).$address);
  assert.equal(new Set(addresses).size, addresses.length);
  // Every process of the list, by each command that lists processes.
  for (const row of pslist) {
    const found = rows.find((one) => (one['object'] as Struct).$address === (row['proc'] as Struct).$address);
    assert.ok((found?.['producers'] as string[]).includes('pslist'));
    if (row['pid'] === 1) assert.ok(['psaux', 'pstree'].every((name) => (found?.['producers'] as string[]).includes(name)));
  }
});

test('p and l evaluate expressions and addresses', options, async () => {
  const values = async (name: string, target: string): Promise<unknown[]> => (await session.plugin(name)(target).rows()).map((row) => row['value']);
  assert.deepEqual(await values('p', 'hex(4096 * 3)'), ['0x3000']);
  assert.deepEqual(await values('p', 'linux!init_task+8'), [`0x${((await session.resolve('linux!init_task')) + 8n).toString(16)}`]);
  assert.deepEqual(await values('l', '(1, 2, 3)'), [1, 2, 3]);
  assert.deepEqual(await values('l', 'select name from pslist() where pid <= 2 order by pid'), ['init', 'kthreadd']);
  await assert.rejects(values('p', 'hex('), (error: Error & { place?: { line: string } }) => error.name === 'UsageError' && error.place?.line === 'hex(');
});

test('api and session_api give every declaration, also as YAML', options, async () => {
  const rows = await session.plugin('api')({ output_file: path('api.yaml') }).rows();
  const names = session.core.registry.list().map((entry) => entry.name);
  assert.deepEqual(rows.map((row) => row['plugin']), names);
  const written = parse(readFileSync(path('api.yaml'), 'utf8')) as { name: string; needs: unknown; args: Record<string, { type: string }>; summary: string }[];
  const pslist = written.find((entry) => entry.name === 'pslist' && JSON.stringify(entry.needs) === '["linux"]');
  assert.equal(written.length, names.length);
  assert.equal(pslist?.args['proc_regex']?.type, 'regex');
  assert.equal(pslist?.summary, session.core.registry.find('pslist', 'linux')?.summary);
  const parameters = await session.plugin('session_api')({ output_file: path('session.yaml') }).rows();
  assert.ok(parameters.some((row) => row['option'] === 'timezone'));
  assert.equal((parse(readFileSync(path('session.yaml'), 'utf8')) as Record<string, { default: string }>)['timezone']?.default, 'UTC');
  await assert.rejects(session.plugin('api')({ output_file: '/no/such/folder/x' }).rows(), /cannot be written/);
});

test('saved output is shown again as it was, in another format', options, async () => {
  const talk = new Conversation({ parameters: { filename: sample?.image } });
  for (const format of ['json', 'ndjson', 'data']) await talk.say(`pslist proc_regex=^lab format=${format} > ${path(`lab.${format}`)}`);
  const wanted = (await talk.say('select pid, name, ppid, state, binary from pslist(proc_regex: "^lab")')).output;
  for (const format of ['json', 'ndjson', 'data']) {
    const rows = (await talk.say(`json_render ${path(`lab.${format}`)} format=ndjson`)).output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
    const shown = wanted.split('\n').filter((line) => /^\s*\d+ /.test(line)).map((line) => line.trim().split(/ {2,}/));
    assert.deepEqual(rows.map((row) => ['pid', 'name', 'ppid', 'state', 'binary'].map((name) => String(row[name]))), shown, format);
  }
  // 64-bit numbers stay exact: the address of a task, saved as JSON.
  const [first] = await session.plugin('pslist')(1).rows();
  const address = (first?.['proc'] as Struct).$address;
  writeFileSync(path('one.json'), `[{"at": ${address}, "text": "${address} \\" x"}]`);
  const saved = await rowsOf(session.core, jsonRender, { file: path('one.json') });
  assert.deepEqual(saved.rows, [{ at: address, text: `${address} " x` }]);
  await talk.end();
});

test('data of the original: times, objects, what is missing, sections, logs', async () => {
  const statements = [
    ['m', { tool_name: 'rekall' }],
    ['s', { name: null }],
    ['f', 'Pid: {0:>5}\n', '4'],
    ['t', [{ cname: 'offset', name: 'Offset', formatstring: '[addrpad]' }, { cname: '_EPROCESS', name: '_EPROCESS', type: '_EPROCESS' }, { cname: 'start', name: 'Start' }, { cname: 'gone', name: 'Gone' }], {}],
    ['r', { offset: 4096, _EPROCESS: { type_name: '_EPROCESS', offset: 0x1000, Cybox: { Name: 'System', PID: 4 }, mro: '_EPROCESS:Struct:object' }, start: { epoch: 1285714325, mro: 'UnixTimeStamp:object', string_value: 'x' }, gone: { reason: 'no page', mro: 'NoneObject:object' } }],
    ['L', 'a sentence'],
    ['x'],
  ];
  writeFileSync(path('old.json'), JSON.stringify(statements));
  const own = new Session({ cache: 'memory' }, new Registry([], ''));
  const { rows, run } = await rowsOf(own, jsonRender, { file: path('old.json') });
  const [row] = rows;
  assert.deepEqual([row?.['divider'], row?.['offset'], row?.['_EPROCESS'], String(row?.['start']), String(row?.['gone'])], ['Pid: 4', 4096n, '0x1000 System (4)', '2010-09-28T22:52:05Z', 'unreadable: no page']);
  assert.deepEqual(run.notes, ['a sentence']);
  for (const [text, message] of [
    ['not json', /is no JSON/],
    ['{"a": 1}\n{"b"', /not even line 2 is/],
    ['[1, 2]', /row 1 is no object/],
  ] as const) {
    writeFileSync(path('bad.json'), text);
    await assert.rejects(rowsOf(own, jsonRender, { file: path('bad.json') }), message);
  }
  await assert.rejects(rowsOf(own, jsonRender, { file: path('missing') }), /cannot be read: no such file/);
});

test('config says where values come from, and writes what it is told to', async () => {
  const own = new Session({ cache: 'memory', timezone: 'Europe/Berlin', plugin_path: ['~/x'] }, new Registry([], ''));
  own.origins.set('timezone', '/home/me/.rekallrc:3');
  own.origins.set('cache', 'command line');
  const { rows } = await rowsOf(own, config);
  assert.deepEqual(rows.map((row) => [row['parameter'], row['value'], row['origin']]), [['cache', 'memory', 'command line'], ['timezone', 'Europe/Berlin', '/home/me/.rekallrc:3']]);
  await rowsOf(own, config, { save: path('rc') });
  // What it writes is read back to the same values.
  const read = await parseConfig(readFileSync(path('rc'), 'utf8'), path('rc'), folder);
  assert.deepEqual([read.values, read.warnings], [{ cache: 'memory', timezone: 'Europe/Berlin', plugin_path: ['~/x'] }, []]);
  assert.equal(read.origins.cache, `${path('rc')}:2`);
  await assert.rejects(rowsOf(own, config, { save: path('rc') }), /is there already/);
  await rowsOf(own, config, { save: path('rc'), force: true });
});
