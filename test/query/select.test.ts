import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { prepareQuery } from '../../src/query/prepare.js';
import { TestCatalog } from '../support/query-tables.js';

const processes = [
  { pid: 1, ppid: 0, name: 'systemd', uid: 0 },
  { pid: 200, ppid: 1, name: 'sshd', uid: 0 },
  { pid: 300, ppid: 200, name: 'bash', uid: 1000 },
  { pid: 310, ppid: 300, name: 'vim', uid: 1000 },
  { pid: 400, ppid: 1, name: 'cron', uid: null },
];
const files = [
  { pid: 1, fd: 0, path: '/dev/null' },
  { pid: 300, fd: 0, path: '/dev/pts/0' },
  { pid: 300, fd: 255, path: '/dev/pts/0' },
  { pid: 310, fd: 4, path: '/home/a/.x.swp' },
];

function catalog(): TestCatalog {
  return new TestCatalog({
    ps: {
      columns: { pid: col.int('process id'), ppid: col.int('parent'), name: col.string('name'), uid: col.int('user') },
      args: { pids: arg.ints('only these', { positional: true }), proc_regex: arg.regex('only matching') },
      rows: (args) => processes.filter((row) => !args['pids'] || (args['pids'] as number[]).includes(row.pid)),
    },
    files: { columns: { pid: col.int('process id'), fd: col.int('descriptor'), path: col.string('path') }, rows: files },
  });
}

async function rows(text: string, world = catalog(), parameters?: readonly unknown[] | Record<string, unknown>): Promise<unknown[]> {
  const run = await prepareQuery(text, world, parameters ? { parameters } : {});
  return (await run.rows()).map((row) => ({ ...row }));
}

test('columns, conditions and order', async () => {
  assert.deepEqual(await rows('select name, pid from ps() where pid > 200 order by name desc'), [
    { name: 'vim', pid: 310 },
    { name: 'cron', pid: 400 },
    { name: 'bash', pid: 300 },
  ]);
  assert.deepEqual(await rows('select pid + 1 as next, pid * 2 from ps() limit 1'), [{ next: 2, column_1: 2 }]);
  assert.deepEqual(await rows('select distinct uid from ps() order by uid'), [{ uid: null }, { uid: 0 }, { uid: 1000 }]);
  assert.deepEqual(await rows('select * from ps(300)'), [{ pid: 300, ppid: 200, name: 'bash', uid: 1000 }]);
  assert.deepEqual(await rows('select name from ps(pids: {0})', catalog(), [[1, 310]]), [{ name: 'systemd' }, { name: 'vim' }]);
});

test('joins', async () => {
  assert.deepEqual(await rows('select p.name, f.fd from ps() p join files() f on f.pid == p.pid order by f.fd, p.name'), [
    { name: 'bash', fd: 0 },
    { name: 'systemd', fd: 0 },
    { name: 'vim', fd: 4 },
    { name: 'bash', fd: 255 },
  ]);
  assert.deepEqual(await rows('select c.name, p.name from ps() c, ps() p where c.ppid == p.pid and c.uid == 1000'), [
    { c_name: 'bash', p_name: 'sshd' },
    { c_name: 'vim', p_name: 'bash' },
  ]);
  assert.deepEqual(await rows('select p.pid, f.fd from ps() p left join files() f on f.pid == p.pid and f.fd > 0'), [
    { pid: 1, fd: null },
    { pid: 200, fd: null },
    { pid: 300, fd: 255 },
    { pid: 310, fd: 4 },
    { pid: 400, fd: null },
  ]);
});

test('groups', async () => {
  assert.deepEqual(await rows('select uid, count(*) as n, max(pid) from ps() group by uid having count(*) > 1 order by uid'), [
    { uid: 0, n: 2, max: 200 },
    { uid: 1000, n: 2, max: 310 },
  ]);
  assert.deepEqual(await rows('select count(*), sum(pid) from ps() where pid > 5000'), [{ count: 0, sum: null }]);
});

test('sub-queries as values, lists, sources, arguments', async () => {
  assert.deepEqual(await rows('select name from ps() where pid in (select pid from files() where fd > 0)'), [{ name: 'bash' }, { name: 'vim' }]);
  assert.deepEqual(await rows('select name, (select count(*) from files() f where f.pid == p.pid) as n from ps() p'), [
    { name: 'systemd', n: 1 },
    { name: 'sshd', n: 0 },
    { name: 'bash', n: 2 },
    { name: 'vim', n: 1 },
    { name: 'cron', n: 0 },
  ]);
  assert.deepEqual(await rows('select name from (select * from ps() where uid == 0) where pid > 1'), [{ name: 'sshd' }]);
  assert.deepEqual(await rows('select name from ps(pids: (select pid from files() where fd == 4))'), [{ name: 'vim' }]);
  assert.deepEqual(await rows('select p.pid, q.name from ps() p, ps(pids: p.ppid) q'), [
    { pid: 200, name: 'systemd' },
    { pid: 300, name: 'sshd' },
    { pid: 310, name: 'bash' },
    { pid: 400, name: 'systemd' },
  ]);
});

test('values without tables', async () => {
  assert.deepEqual(await rows('select 1 + 1'), [{ column_0: 2 }]);
  assert.deepEqual(await rows('hex(4096)'), [{ hex: '0x1000' }]);
  assert.deepEqual(await rows('let x = 5, f(y) = y * x select f(pid) as z from ps() where pid < 2'), [{ z: 5 }]);
  assert.deepEqual(await rows('with big as (select * from ps() where pid > 250) select a.pid, b.pid as q from big a join big b on a.pid == b.ppid'), [
    { pid: 300, q: 310 },
  ]);
  assert.deepEqual(await rows('select pid from ps() where pid < 300 union select pid from files() order by pid desc'), [
    { pid: 310 },
    { pid: 300 },
    { pid: 200 },
    { pid: 1 },
  ]);
  assert.deepEqual(await rows('select pid from ps() except select pid from files()'), [{ pid: 200 }, { pid: 400 }]);
});

test('functions of rows and lists, in columns and behind from', async () => {
  assert.deepEqual(await rows('select name from filter(ps(), pid > 300)'), [{ name: 'vim' }, { name: 'cron' }]);
  assert.deepEqual(await rows('select name from take(2, sort(ps(), name))'), [{ name: 'bash' }, { name: 'cron' }]);
  assert.deepEqual(await rows('select n from map(ps(), bind(n: name, p: pid)) where p < 200'), [{ n: 'systemd' }]);
  assert.deepEqual(await rows('count(ps())'), [{ count: 5 }]);
  assert.deepEqual(await rows('(select name, pid from ps() where pid < 300).name'), [{ name: 'systemd' }, { name: 'sshd' }]);
  assert.deepEqual(await rows('select uid, count() from ps() group by uid order by uid'), [
    { uid: null, count: 1 },
    { uid: 0, count: 2 },
    { uid: 1000, count: 2 },
  ]);
  assert.deepEqual(await rows('select list(name) as all from ps() where uid == 1000'), [{ all: ['bash', 'vim'] }]);
});

test('any and exists', async () => {
  assert.deepEqual(await rows('any ps() where pid == 300'), [{ result: true }]);
  assert.deepEqual(await rows('select any from ps() where pid == 7'), [{ result: false }]);
  assert.deepEqual(await rows('select name from ps() p where exists (select * from files() f where f.pid == p.pid and f.fd > 0)'), [
    { name: 'bash' },
    { name: 'vim' },
  ]);
});

test('let, functions and parameters', async () => {
  assert.deepEqual(await rows('let big(n) = (select * from ps() where pid >= n) select name from big(310)'), [{ name: 'vim' }, { name: 'cron' }]);
  assert.deepEqual(await rows('let some = (select pid from files()) select name from ps() where pid not in some'), [{ name: 'sshd' }, { name: 'cron' }]);
  assert.deepEqual(await rows('select let half = pid / 2 half + half as p from ps() where pid == 300'), [{ p: 300 }]);
  assert.deepEqual(await rows('select name from ps() where name == {who} and pid > {least}', catalog(), { who: 'vim', least: 5 }), [{ name: 'vim' }]);
  assert.deepEqual(await rows('select ? + ? as sum', catalog(), [1, 2]), [{ sum: 3 }]);
});

test('names of columns', async () => {
  const names = async (text: string): Promise<string[]> => Object.keys((await prepareQuery(text, catalog())).columns);
  assert.deepEqual(await names('select pid, upper(name), pid + 1, uid as user, (1, 2)[0] from ps()'), ['pid', 'upper', 'column_2', 'user', 'column_4']);
  assert.deepEqual(await names('select a.pid, b.pid, a.name, b.uid from ps() a, ps() b'), ['a_pid', 'b_pid', 'name', 'uid']);
  assert.deepEqual(await names('select * from ps() p join files() f using (pid)'), ['pid', 'ppid', 'name', 'uid', 'fd', 'path']);
  assert.deepEqual(await names('select f.*, p.name from ps() p join files() f on p.pid == f.pid'), ['pid', 'fd', 'path', 'name']);
  assert.deepEqual(await names('select pid from ps() union select fd from files()'), ['pid']);
});

test('distinct with order by, whichever way a column is named', async () => {
  for (const key of ['uid desc', 'p.uid desc', 'u desc', '1 desc']) {
    assert.deepEqual(await rows(`select distinct p.uid as u from ps() p order by ${key}`), [{ u: 1000 }, { u: 0 }, { u: null }], key);
  }
});

test('elements of a list behind from: the alias is the element', async () => {
  assert.deepEqual(await rows('select v + 1 as w, value from (1, 2) v'), [
    { w: 2, value: 1 },
    { w: 3, value: 2 },
  ]);
  assert.deepEqual(await rows('select p.pid, c.fd from ps() p, (select fd from files() f where f.pid == p.pid) c where p.pid >= 300'), [
    { pid: 300, fd: 0 },
    { pid: 300, fd: 255 },
    { pid: 310, fd: 4 },
  ]);
});

test('a name that no column has means the one that differs in capitals alone', async () => {
  assert.deepEqual(await rows('select Name, p.PID from ps() p where UID == 1000 order by Pid limit 1'), [{ Name: 'bash', PID: 300 }]);
  // What is spelt so comes first, wherever it stands; of several none is guessed.
  assert.deepEqual(await rows("let Name = 'x' select Name, name from ps() limit 1"), [{ Name: 'x', name: 'systemd' }]);
  await assert.rejects(rows('select Pid from ps() p join files() f on f.pid == p.pid'), /No column Pid/);
});
