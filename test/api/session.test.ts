import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { openSession, present, RekallSession, Struct, UsageError } from '../../src/index.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Turns } from '../support/effort.js';
import { committedSample, skipWithout } from '../support/sample.js';

const sample = committedSample();
const options = { skip: skipWithout(sample ? [sample] : []) };
let session: RekallSession;

before(async () => {
  session = await openSession({ filename: sample?.image, cache: 'memory' });
});
after(() => session.close());

/** pid → name, as the guest's /proc said, without kernel threads: of those it says more than their task_struct.comm */
function guestProcesses(): Map<number, string> {
  const names = new Map<number, string>();
  for (const pid of sample?.list('proc').filter((name) => /^\d+$/.test(name)) ?? []) {
    const status = sample?.truth(`proc/${pid}/status`) ?? '';
    if (/^VmSize:/m.test(status)) names.set(Number(pid), /^Name:\t(.*)$/m.exec(status)?.[1] ?? '');
  }
  return names;
}

test('rows of a command, read as they come, are what the guest said', options, async () => {
  const truth = guestProcesses();
  assert.ok(truth.size > 5);
  const found = new Map<number, string>();
  for await (const row of session.plugins['pslist']?.() ?? []) found.set(Number(row['pid']), String(row['name']));
  for (const [pid, name] of truth) assert.equal(found.get(pid), name, `pid ${pid}`);
});

test('arguments are values: numbers, bigints, texts, lists, expressions, structs', options, async () => {
  const pids = async (args: object): Promise<unknown[]> => (await session.plugin('pslist')({ ...args }).rows()).map((row) => row['pid']);
  assert.deepEqual(await pids({ pids: [1, 2n] }), [1, 2]);
  assert.deepEqual(await pids({ pids: 1 }), [1]);
  assert.deepEqual(await pids({ pids: new Set(['0x1', 2]) }), [1, 2]);
  assert.deepEqual(await pids({ proc_regex: '^INIT$' }), [1]);
  assert.deepEqual(await pids({ proc_regex: /^INIT$/ }), []);
  assert.deepEqual(await pids({ proc_regex: /^init$/g, pids: undefined, task: null }), [1]);
  const init = await session.plugin('pslist')(1).first();
  const task = init?.['proc'];
  assert.ok(task instanceof Struct);
  assert.deepEqual(await pids({ task }), [1]);
  assert.deepEqual(await pids({ task: [task.$address] }), [1]);
  assert.deepEqual(await pids({ task: 'linux!init_task' }), [0]);
  // One value alone is for what the command takes first.
  const first = await session.plugin('dt')('list_head').rows();
  assert.deepEqual(first.map((row) => row['field']).filter((field) => field === 'next' || field === 'prev'), ['next', 'prev']);
});

test('mistakes in arguments say what is wrong and what was perhaps meant', options, async () => {
  const pslist = session.plugin('pslist');
  assert.throws(() => pslist({ pid: 1 }), new UsageError('pslist has no argument pid. Did you mean pids?'));
  const wrong: [object, RegExp][] = [
    [{ pids: 'x' }, /pids needs a whole number/],
    [{ pids: [1.5] }, /pids needs a whole number, not 1.5/],
    [{ pids: 2n ** 60n }, /within 2\^53/],
    [{ proc_regex: 5 }, /proc_regex needs a regular expression or its text, not 5/],
    [{ proc_regex: '(' }, /proc_regex is no regular expression/],
    [{ task: 0xffff888000000000 * 2 }, /an address that is exact/],
    [{ task: {} }, /task needs an address .*, not an Object/],
    [{ method: 'Psscan' }, /method is one of InitTask, not 'Psscan'/],
  ];
  for (const [args, message] of wrong) await assert.rejects(pslist({ ...args }).rows(), (error: Error) => error instanceof UsageError && message.test(error.message), JSON.stringify(Object.keys(args)));
  await assert.rejects(session.plugin('dt')().rows(), /UsageError: dt needs \w+ \(string\)/);
  assert.throws(() => session.plugin('arp')(1), /arp takes its arguments by name/);
  assert.throws(() => session.plugin('pslits'), /PluginError: No plugin pslits\. Did you mean pslist/);
});

test('a table runs when its rows are asked for, and anew each time', options, async () => {
  const table = session.plugin('lsmod')();
  assert.deepEqual([table.count, table.notes, table.faults], [0, [], 0]);
  const rows = await table.rows();
  assert.equal(rows.length, table.count);
  assert.deepEqual((await table.rows()).map((row) => row['name']), rows.map((row) => row['name']));
  assert.ok(Object.keys(table.columns).length > 3);
  const missing = session.plugin('pslist')({ pids: [99999] });
  assert.deepEqual([await missing.rows(), missing.notes.length], [[], 1]);
  assert.equal(await missing.first(), undefined);
});

test('only the columns asked for are computed', options, async () => {
  const row = await session.plugin('pslist')(1, { columns: ['name'] }).first();
  assert.deepEqual(Object.keys(row ?? {}), ['name']);
});

/** A command that never ends by itself. */
function endless(): Session {
  const core = new Session({ cache: 'memory' }, new Registry([], ''));
  core.registry.add({
    name: 'endless',
    needs: 'none',
    topic: 'session',
    summary: 'counts',
    args: {},
    columns: { n: { type: 'int', doc: 'number' } },
    examples: [{ line: 'endless' }],
    *collect() {
      for (let n = 0; ; n++) yield { n };
    },
  });
  return core;
}

test('a table is stopped by stop(), by a signal, by leaving the loop', async () => {
  const core = RekallSession.of(endless());
  const table = core.plugin('endless')();
  for await (const row of table) if (row['n'] === 5000) table.stop();
  assert.ok(table.count >= 5000);
  const stop = new AbortController();
  const other = core.plugin('endless')({}, { signal: stop.signal });
  const turns = new Turns();
  void turns.until(() => other.count > 0).then(() => stop.abort());
  assert.ok((await other.rows()).length > 0);
  turns.stop();
  for await (const row of core.plugin('endless')()) if (row['n'] === 3) break;
  assert.deepEqual(await core.plugin('endless')({}, { signal: AbortSignal.abort() }).rows(), []);
});

test('plugins of a session can be listed, asked for and read about', options, async () => {
  const { plugins } = session;
  const names = Object.keys(plugins);
  assert.ok(names.includes('pslist') && names.includes('lsmod'));
  assert.ok('pslist' in plugins && !('nosuch' in plugins));
  assert.equal(plugins['nosuch'], undefined);
  assert.equal(plugins['pslist'], plugins['pslist']);
  assert.equal(String(plugins['lsmod']), 'lsmod()');
  for (const text of [plugins['pslist']?.help ?? '', inspect(plugins['pslist'])]) {
    for (const word of ['proc_regex?: RegExp | string', 'start_time: time', 'processes']) assert.ok(text.includes(word), word);
  }
  assert.match(inspect(plugins), /^\[plugins: .*pslist/);
  assert.throws(() => Object.assign(plugins, { pslist: 1 }), /PluginError: pslist cannot be put here/);
  // Looking at an object that has structs in it reads none of them.
  const row = await session.plugin('pslist')(1).first();
  assert.match(inspect(row), /proc: \[task_struct @ 0x[0-9a-f]+\]/);
});

test('commands for other systems are not listed on this image, and say why they do not run', options, async () => {
  const core = new Session({ filename: sample?.image, cache: 'memory' }, new Registry([], ''));
  const common = { topic: 'network', args: {}, columns: { port: { type: 'int', doc: 'port' } }, collect: () => [] } as const;
  core.registry.add({ ...common, name: 'netscan', needs: ['windows'], summary: 'scans', examples: [{ line: 'netscan' }] });
  core.registry.add({ ...common, name: 'netstat', needs: ['linux'], summary: 'lists', examples: [{ line: 'netstat' }] });
  const api = RekallSession.of(core);
  assert.deepEqual(Object.keys(api.plugins), ['netscan', 'netstat']);
  await api.kernel();
  assert.deepEqual(Object.keys(api.plugins), ['netstat']);
  await assert.rejects(api.plugin('netscan')().rows(), /netscan needs Windows; this is Linux/);
  api.close();
});

test('addresses, spaces, the process context', options, async () => {
  const address = await session.resolve('linux!start_kernel');
  assert.equal(await session.nameOf(address + 16n), 'linux!start_kernel+0x10');
  await assert.rejects(session.resolve('linux!init_tsak'), /UsageError: linux!init_tsak is not known/);
  const kernelSpace = await session.space();
  assert.equal(kernelSpace, (await session.kernel()).space);
  const context = await session.cc(1);
  assert.deepEqual([context?.pid, context?.name], [1, 'init']);
  assert.equal(await session.space(), context?.space);
  assert.equal(await session.space('K'), kernelSpace);
  await assert.rejects(session.cc(99999), /PluginError: There is no process 99999/);
  assert.equal(session.context?.pid, 1);
  assert.equal(await session.cc(), undefined);
  assert.equal(await session.space(), kernelSpace);
});

test('queries, with parameters bound as values', options, async () => {
  const table = session.query('select name, pid from pslist() where name =~ {0} order by pid limit 2', ['^LABM']);
  assert.deepEqual(await table.rows(), [{ name: 'labmarker', pid: 112 }, { name: 'labmarker', pid: 113 }]);
  assert.deepEqual(Object.keys(table.columns), ['name', 'pid']);
  assert.deepEqual(await session.query('select {x} + 1 as y', { x: 41 }).rows(), [{ y: 42 }]);
  // Text stays text.
  assert.deepEqual(await session.query('select pid from pslist() where name == {0}', ["' or 1 == 1"]).rows(), []);
  await assert.rejects(session.query('select nam from pslist()').rows(), (error) => error instanceof UsageError && error.place?.start === 7 && error.place.end === 10);
  await assert.rejects(session.query('select from where').rows(), (error) => error instanceof UsageError && error.place !== undefined);
});

test('openSession refuses what is no parameter, no value, no image', async () => {
  await assert.rejects(openSession({ fromat: 'json' } as object), /UsageError: fromat is no parameter of a session\. Did you mean format\?/);
  await assert.rejects(openSession({ format: 'jsn' } as object), /UsageError: format is one of .*Did you mean json\?/);
  await assert.rejects(openSession({ dtb: -1 }), /dtb is out of range/);
  await assert.rejects(openSession({ dtb: 1.5 }), /dtb needs a whole number/);
  await assert.rejects(openSession({ verbose: 3 } as object), /verbose needs true or false, not number 3/);
  await assert.rejects(openSession({ timezone: 'Nowhere/At_all' }), /no time zone/);
  await assert.rejects(openSession({ filename: '/no/such/image' }), /no such file/i);
  const none = await openSession({});
  await assert.rejects(none.kernel(), /No image is open/);
  assert.throws(() => none.physical(), /No image is open/);
});

test('present gives a value or undefined', options, async () => {
  const row = await session.plugin('pslist')(2).first();
  assert.equal(row?.['binary'], null);
  assert.equal(present(row?.['binary']), undefined);
  assert.equal(present(row?.['name']), 'kthreadd');
});
