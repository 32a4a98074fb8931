import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import fc from '../support/property.js';
import { Absent } from '../../src/memory/absent.js';
import { Timestamp } from '../../src/object/time.js';
import { arg } from '../../src/plugin/args.js';
import { col, type Columns, type Row } from '../../src/plugin/columns.js';
import type { QueryRun } from '../../src/query/engine.js';
import { prepareQuery } from '../../src/query/prepare.js';
import { Codec } from '../../src/query/run/memory/codec.js';
import { valueContext } from '../../src/query/values/context.js';
import { isIn } from '../../src/query/values/in.js';
import { effort, Turns } from '../support/effort.js';
import { TestCatalog } from '../support/query-tables.js';

const columns: Columns = { id: col.int('number'), key: col.int('another'), name: col.string('text') };
const COUNT = 20_000;
const rows: readonly Row[] = Array.from({ length: COUNT }, (_, index) => ({ id: index, key: (index * 7919) % 5003, name: `name ${(index * 31) % 997}` }));

function large(): TestCatalog {
  return new TestCatalog({ t: { columns, rows, batch: Infinity }, small: { columns, rows: rows.slice(0, 700), batch: 200 } });
}

/** Temporary files of this process. They have names only for a moment (or, on Windows, while they are open). */
function leftovers(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`rekall-${process.pid}-`));
}

async function spilled(query: string, memory: number): Promise<number> {
  const plan = await (await prepareQuery(`explain analyze ${query}`, large(), { memory })).rows();
  return plan.reduce((sum, row) => sum + Number(row['spilled']), 0);
}

const heavy: readonly string[] = [
  'select id, key, name from t() order by name desc, key, id',
  'select key, count(*) as n, sum(id) as s, min(name) as m from t() group by key',
  'select distinct key, name from t()',
  'select t.id, s.id as other from t() t join small() s on t.key = s.key',
  'select t.id, s.id as other from t() t left join t() s on t.id = s.key and s.id > 15000',
  'select key from t() union select id from t()',
  'select key, name from t() except select key, name from small()',
  'select id from t() intersect select key from t()',
  'select count(distinct name) as n, key from t() group by key',
  'with x as (select id, key from t()) select a.id, b.key from x a join x b on a.id = b.id where a.key < 50',
  'select a.id, b.id as other from small() a, small() b where a.id + b.id = 700',
];

function sorted(all: readonly Row[]): string[] {
  return all.map((row) => JSON.stringify(row)).sort();
}

for (const query of heavy) {
  test(`with 50 kB of memory as with enough: ${query}`, async () => {
    const free = await (await prepareQuery(query, large())).rows();
    const bound = await (await prepareQuery(query, large(), { memory: 50_000 })).rows();
    if (query.includes('order by')) assert.deepEqual(bound, free);
    else assert.deepEqual(sorted(bound), sorted(free));
    assert.ok(free.length > 0);
    assert.ok((await spilled(query, 20_000)) > 0);
    assert.deepEqual(leftovers(), []);
  });
}

test('what fits is not written', async () => {
  assert.equal(await spilled(heavy[0] ?? '', 512 << 20), 0);
});

test('a sort is stable, and by code points', async () => {
  const got = await (await prepareQuery('select id, name from t() order by name', large())).rows();
  const wanted = [...rows].sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : String(a['name']) > String(b['name']) ? 1 : 0));
  assert.deepEqual(
    got.map((row) => row['id']),
    wanted.map((row) => row['id']),
  );
});

test('temporary files go when a query fails, and when its reader stops', async () => {
  const failing = new TestCatalog({
    t: {
      columns,
      rows: function* () {
        yield* rows;
        throw new Error('the image ends here');
      },
    },
  });
  const run = await prepareQuery('select * from t() order by name', failing, { memory: 50_000 });
  await assert.rejects(run.rows(), /the image ends here/);
  assert.equal(failing.opened[0]?.closed, true);
  const stopped = await prepareQuery('select * from t() order by name', large(), { memory: 50_000 });
  for await (const batch of stopped.batches()) {
    assert.ok(batch.length > 0);
    break;
  }
  assert.deepEqual(leftovers(), []);
  if (process.platform === 'linux') assert.deepEqual(openSpills(), []);
});

function openSpills(): string[] {
  return readdirSync('/proc/self/fd', { withFileTypes: true })
    .map(({ name }) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`);
      } catch (error) {
        if (error instanceof Error) return '';
        throw error;
      }
    })
    .filter((path) => path.includes('.spill'));
}

test('values of every kind come back from a file as they were', () => {
  const values = [
    null,
    undefined,
    true,
    false,
    0,
    -0,
    1.5,
    NaN,
    Infinity,
    2 ** 31,
    -(2 ** 31),
    5n,
    -(1n << 63n),
    1n << 200n,
    '',
    'é\0x',
    '\ud800',
    'Ω',
    new Timestamp(-5n),
    Buffer.from('ab'),
    [1, ['x', null]],
    { a: 1, b: { c: 'd' } },
    new Absent('corrupt', 'a loop', 9n),
    new Absent('no-member', 'none'),
  ];
  const codec = new Codec();
  codec.begin();
  for (const value of values) codec.write(value);
  const read = codec.reader(Buffer.from(codec.block()));
  for (const value of values) assert.deepEqual(read(), value);
  const other = new Map([[1, 2]]);
  codec.begin();
  codec.write(other);
  assert.equal(codec.reader(codec.block())(), other);
});

/** Tells a query to stop when it is under way, which goes on for a turn of the event loop or two, and for a slice of work. */
async function stops(query: string): Promise<void> {
  const controller = new AbortController();
  const run: QueryRun = await prepareQuery(query, large(), { signal: controller.signal });
  const turns = new Turns();
  let told: { readonly turn: number; readonly since: () => number } | undefined;
  void turns.until(() => turns.count === 8).then(() => {
    told = { turn: turns.count, since: effort() };
    controller.abort();
  });
  for await (const batch of run.batches()) assert.ok(batch.length > 0);
  turns.stop();
  assert.ok(told, 'it ended by itself');
  assert.ok(turns.count - told.turn <= 2, `${turns.count - told.turn} turns`);
  const took = told.since();
  assert.ok(took < 500, `${took.toFixed(0)} ms of the processor`);
}

for (const query of [
  'select count(*) from t() a, t() b where a.id + b.id = -1',
  'select a.id from t() a, t() b, t() c order by a.name, b.name',
  'select a.name from t() a, t() b where a.name =~ "n(a|x)*m" and b.id > a.id and a.key + b.key < 0',
  'select (select count(*) from t() b where b.key > a.id) as n from t() a',
  'select a.key, count(*) from t() a join t() b on a.key % 3 = b.key % 3 group by a.key',
]) {
  test(`Ctrl-C ends it at once: ${query}`, () => stops(query));
}

const task: Columns = { pid: col.int('id'), cell: col.string('may be missing') };

test('a value that cannot be read costs its cell alone', async () => {
  const missing = new Absent('unreadable', 'page not present', 0x1000n);
  const world = new TestCatalog({
    t: {
      columns: task,
      rows: [
        { pid: 1, cell: 'a' },
        { pid: 2, cell: missing },
        { pid: 3, cell: null },
      ],
    },
  });
  const all = async (query: string): Promise<{ rows: unknown[]; faults: number }> => {
    const run = await prepareQuery(query, world);
    return { rows: (await run.rows()).map((row) => Object.values(row)), faults: run.faults };
  };
  assert.deepEqual(await all('select pid, cell from t()'), {
    rows: [
      [1, 'a'],
      [2, missing],
      [3, null],
    ],
    faults: 1,
  });
  assert.deepEqual((await all('select pid, upper(cell) as u from t()')).rows[1], [2, missing]);
  assert.deepEqual(await all('select pid from t() where cell == "a"'), { rows: [[1]], faults: 0 });
  assert.deepEqual((await all('select pid from t() where cell is null')).rows, [[2], [3]]);
  assert.deepEqual((await all('select count(cell), count(*) from t()')).rows, [[1, 3]]);
  assert.deepEqual((await all('select pid from t() order by cell, pid')).rows, [[2], [3], [1]]);
});

test('what is not needed is not computed', async () => {
  const world = new TestCatalog({
    t: { columns: task, rows: [{ pid: 1, cell: 'a' }] },
    never: {
      columns: task,
      rows: () => {
        throw new Error('opened');
      },
    },
  });
  const value = async (query: string): Promise<unknown> => Object.values((await (await prepareQuery(query, world)).rows())[0] ?? {})[0];
  assert.equal(await value('select if pid == 1 then "one" else (select cell from never()) from t()'), 'one');
  assert.equal(await value('select case when pid == 1 then 1 when (select pid from never()) == 2 then 2 end from t()'), 1);
  assert.equal(await value('select pid == 1 or pid in (select pid from never()) from t()'), true);
  assert.equal(await value('let unused = (select pid from never()) select pid from t()'), 1);
  assert.equal(await value('select pid from t() where pid == 1 or exists (select * from never())'), 1);
});

test('a table of a with and a sub-query are read once', async () => {
  const world = large();
  await (await prepareQuery('with x as (select * from small()) select count(*) from x a join x b on a.id = b.id join x c on c.id = a.id', world)).rows();
  assert.equal(world.opened.length, 1);
  const other = large();
  await (await prepareQuery('select id, (select max(id) from small()) as most from t() where id in (select id from small()) limit 10', other)).rows();
  assert.deepEqual(other.opened.map(({ table }) => table).sort(), ['small', 'small', 't']);
});

test('a correlated sub-query runs once for each value that it reads', async () => {
  const world = new TestCatalog({ t: { columns, rows: [1, 2, 1, 2, 1].map((key, id) => ({ id, key, name: '' })) }, u: { columns, rows: rows.slice(0, 10) } });
  const run = await prepareQuery('select key, (select count(*) from u() u where u.id < t.key) as n from t() t', world);
  assert.deepEqual(
    (await run.rows()).map((row) => row['n']),
    [1, 2, 1, 2, 1],
  );
  assert.equal(world.opened.filter(({ table }) => table === 'u').length, 2);
});

test('notes of tables are those of the query; an empty result has one', async () => {
  const world = new TestCatalog({ t: { columns: task, rows: [], notes: ['The list is broken.'] }, u: { columns: task, rows: [{ pid: 1, cell: '' }] } });
  const notes = async (query: string): Promise<readonly string[]> => {
    const run = await prepareQuery(query, world);
    await run.rows();
    return run.notes;
  };
  assert.deepEqual(await notes('select * from t()'), ['The list is broken.']);
  assert.deepEqual(await notes('select * from u() where pid == 2'), ['No row fits the query.']);
  assert.deepEqual(await notes('select * from u()'), []);
});

test('columns of unknown type are joined by value, whatever they hold', async () => {
  const open: Columns = { i: col.int('number'), k: col.any('anything') };
  const value = fc.oneof(
    fc.constantFrom<unknown>(null, 0, 1, 1n, true, '1', 'x', '2026-11-24', 1.5),
    fc.constantFrom<unknown>([1, 2], ['x'], [], new Timestamp(1_795_478_400_000_000_000n)),
  );
  const table = fc.array(value, { maxLength: 8 }).map((values) => ({ columns: open, rows: values.map((k, i) => ({ i, k })) }));
  await fc.assert(
    fc.asyncProperty(table, table, fc.constantFrom('join', 'left join'), async (a, b, join) => {
      const pairs = async (condition: string): Promise<string[]> =>
        sorted(await (await prepareQuery(`select a.i as x, b.i as y from a() a ${join} b() b on ${condition}`, new TestCatalog({ a, b }))).rows());
      assert.deepEqual(await pairs('a.k == b.k'), await pairs('a.k == b.k or false'));
      const run = await prepareQuery('select i from a() where k in (select k from b())', new TestCatalog({ a, b }));
      const list = b.rows.map(({ k }) => k);
      assert.deepEqual(
        (await run.rows()).map(({ i }) => i),
        a.rows.filter(({ k }) => isIn(k, list, valueContext(), true) === true).map(({ i }) => i),
      );
    }),
    { numRuns: 150 },
  );
});

test('a query may be given times, lists and addresses as parameters', async () => {
  const world = new TestCatalog({
    t: {
      columns: { at: col.time('when'), place: col.address('where') },
      rows: [1, 2, 3].map((n) => ({ at: new Timestamp(BigInt(n)), place: 0xffff_8880_0000_0000n + BigInt(n) })),
    },
  });
  const count = async (query: string, parameters: readonly unknown[] | Record<string, unknown>): Promise<number> =>
    (await (await prepareQuery(query, world, { parameters })).rows()).length;
  assert.equal(await count('select * from t() where at > {0}', [new Timestamp(1n)]), 2);
  assert.equal(await count('select * from t() where place in {places}', { places: [0xffff_8880_0000_0001n, 5] }), 1);
  assert.equal(await count('select * from t() where place == ?', [0xffff_8880_0000_0003n]), 1);
  // Text is never read as a query.
  assert.equal(await count('select {0} as x from t() limit 1', ['(select 1)']), 1);
});

test('an argument that takes one value runs the table for each; a list takes all', async () => {
  const world = new TestCatalog({
    f: {
      columns: { path: col.string('path') },
      args: { path: arg.path('one', { positional: true }), ids: arg.ints('many') },
      rows: (args) => [{ path: args['path'] }],
    },
    t: { columns: task, rows: [1, 2].map((pid) => ({ pid, cell: `/${pid}` })) },
  });
  await (await prepareQuery('select * from f(path: (select cell from t()), ids: (select pid from t()))', world)).rows();
  assert.deepEqual(
    world.opened.filter(({ table }) => table === 'f').map(({ args }) => args),
    [
      { path: '/1', ids: [1, 2] },
      { path: '/2', ids: [1, 2] },
    ],
  );
});

test('lists in lists are looked at for a bounded time', async () => {
  const catalog = large();
  const one = async (query: string): Promise<unknown> => (await (await prepareQuery(query, catalog)).rows()).map((row) => Object.values(row)[0]);
  for (const query of ['select count(filter(range(0, 1000000), any(range(0, 1000000), it < 0)))', 'select sum(map(range(0, id + 1000000), sum(map(range(0, 1000000), it)))) from small() limit 2']) {
    for (const cell of (await one(query)) as unknown[]) assert.ok(cell instanceof Absent && /more than \d+ elements/.test(cell.reason));
  }
  // Each value counts for itself, and so does each of several lists.
  assert.deepEqual(await one('select count(filter(range(0, 3000), any(range(0, 1000), it == 999))) + count(filter(range(0, 3000), any(range(0, 1000), it == 999))) from small() limit 3'), [6000, 6000, 6000]);
});
