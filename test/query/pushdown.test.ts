import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { arg } from '../../src/plugin/args.js';
import { col, type Row } from '../../src/plugin/columns.js';
import { prepareQuery } from '../../src/query/prepare.js';
import { TestCatalog, type TestTable } from '../support/query-tables.js';

const names = ['init', 'sshd', 'Bash', 'cron'];
const all: readonly Row[] = Array.from({ length: 40 }, (_, index) => ({
  pid: index,
  ppid: index >> 1,
  name: names[index % 4],
  start: BigInt(index) * 0x1000n,
}));

/** A table whose arguments narrow its columns, as a process plugin's do. */
function narrowed(narrows: boolean): TestTable {
  const by = (kind: 'equality' | 'match' | 'from' | 'to', column: string): object => (narrows ? { narrows: { by: kind, columns: [column] } } : {});
  return {
    columns: { pid: col.int('process id'), ppid: col.int("parent's id"), name: col.string('name'), start: col.address('where it begins') },
    args: {
      pids: arg.ints('only these', by('equality', 'pid')),
      proc_regex: arg.regex('only matching', by('match', 'name')),
      from: arg.address('not below', by('from', 'start')),
      to: arg.address('not above', by('to', 'start')),
    },
    rows: (args) =>
      all.filter((row) => {
        const { pids, proc_regex: regex, from, to } = args as { pids?: number[]; proc_regex?: RegExp; from?: bigint; to?: bigint };
        const { pid, name, start } = row as { pid: number; name: string; start: bigint };
        return (pids?.includes(pid) ?? true) && (regex?.test(name) ?? true) && start >= (from ?? 0n) && start <= (to ?? 1n << 62n);
      }),
  };
}

function catalog(narrows: boolean): TestCatalog {
  return new TestCatalog({
    ps: narrowed(narrows),
    files: { columns: { pid: col.int('process id'), fd: col.int('number') }, rows: [1, 5, 5, 39, 77].map((pid, fd) => ({ pid, fd })) },
  });
}

async function argsOf(query: string, table = 'ps'): Promise<unknown> {
  const world = catalog(true);
  await (await prepareQuery(query, world)).rows();
  return world.opened.findLast((opened) => opened.table === table)?.args;
}

test('conditions on columns reach the arguments that stand for them', async () => {
  assert.deepEqual(await argsOf('select * from ps() where pid == 4'), { pids: [4] });
  assert.deepEqual(await argsOf('select * from ps() where 4 == pid and ppid > 1'), { pids: [4] });
  assert.deepEqual(await argsOf('select * from ps() where pid in (1, 2, 3)'), { pids: [1, 2, 3] });
  assert.deepEqual(await argsOf('select * from ps() where pid in (select pid from files() where fd > 2)'), { pids: [39, 77] });
  assert.deepEqual(await argsOf('select * from ps() where start between 0x2000 and 0x3000'), { from: 0x2000n, to: 0x3000n });
  assert.deepEqual(await argsOf('select * from ps() where start >= 0x2000 and 0x9000 > start'), { from: 0x2000n, to: 0x9000n });
  const { proc_regex: regex } = (await argsOf('select * from ps() where name =~ "ssh|cron"')) as { proc_regex: RegExp };
  assert.equal(regex.source, 'ssh|cron');
});

test('they go through views of the rows, as far as rows pass one by one', async () => {
  assert.deepEqual(await argsOf('select * from (select pid as p, name from ps()) where p == 4'), { pids: [4] });
  assert.deepEqual(await argsOf('select pid, count(*) from ps() group by pid having pid == 4'), { pids: [4] });
  assert.deepEqual(await argsOf('select * from (select * from ps() order by name) where pid == 4'), { pids: [4] });
  assert.deepEqual(await argsOf('select * from (select * from ps() limit 3) where pid == 4'), {});
  assert.deepEqual(await argsOf('select * from files() f left join ps() p on p.pid == f.pid where p.pid == 5', 'ps'), { pids: [1, 5, 39, 77] });
});

test('what is not the same is not pushed', async () => {
  for (const condition of [
    'pid == 4 or ppid == 1',
    'not pid == 4',
    'pid == ppid',
    'pid + 0 == 4',
    'pid == 4.5',
    'name =~ "(a+)+$"',
    'pid != 4',
    'name == "sshd"',
    'start not between 1 and 2',
  ]) {
    assert.deepEqual(await argsOf(`select * from ps() where ${condition}`), {}, condition);
  }
  // What the query itself says stays.
  assert.deepEqual(await argsOf('select * from ps(pids: (4, 5)) where pid == 4'), { pids: [4, 5] });
});

test('a condition that is true of no row opens nothing', async () => {
  const world = catalog(true);
  assert.deepEqual(await (await prepareQuery('select * from ps() where pid in (select pid from files() where fd > 50)', world)).rows(), []);
  assert.deepEqual(
    world.opened.map(({ table }) => table),
    ['files'],
  );
});

test('a join tells one side which keys the other has', async () => {
  assert.deepEqual(await argsOf('select * from files() f join ps() p on p.pid == f.pid'), { pids: [1, 5, 39, 77] });
  assert.deepEqual(await argsOf('select * from ps() p join files() f on p.pid == f.pid and f.fd < 3'), { pids: [1, 5] });
  assert.deepEqual(await argsOf('select * from ps() p left join files() f on p.pid == f.pid'), {});
  assert.deepEqual(await argsOf('select * from (select pid + 1 as next from files()) f join ps() p on p.pid == f.next where p.name =~ "s"'), {
    pids: [2, 6, 40, 78],
    proc_regex: /s/is,
  });
});

test('the rows are those without it', async () => {
  const condition = fc.oneof(
    fc
      .tuple(fc.constantFrom('==', 'in', '<', '>=', '!='), fc.integer({ min: -1, max: 45 }))
      .map(([operator, value]) => `pid ${operator} ${operator === 'in' ? `(${value}, 7, null)` : value}`),
    fc.constantFrom(
      'name =~ "s"',
      'name =~ "^b"',
      'name =~ "sh.*d"',
      'name !~ "s"',
      'start > 0x5000',
      '0x8000 >= start',
      'start between 0x1000 and 0x4000',
      'pid in (select pid from files())',
      'pid == null',
    ),
  );
  const where = fc.array(condition, { minLength: 1, maxLength: 3 }).chain((terms) => fc.constantFrom(' and ', ' or ').map((word) => terms.join(word)));
  const query = fc.oneof(
    where.map((text) => `select pid, name from ps() where ${text}`),
    where.map((text) => `select p.pid, f.fd from ps() p join files() f on p.pid == f.pid where ${text.replaceAll('pid ', 'p.pid ')}`),
    where.map((text) => `select p.pid, f.fd from files() f left join ps() p on p.pid == f.pid where ${text.replaceAll('pid ', 'p.pid ')}`),
    where.map((text) => `select ppid, count(*) as n from ps() where ${text} group by ppid`),
  );
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      const rows = async (narrows: boolean): Promise<unknown> => (await prepareQuery(text, catalog(narrows))).rows();
      assert.deepEqual(await rows(true), await rows(false), text);
    }),
    { numRuns: 200 },
  );
});

test('only columns that are needed are asked for', async () => {
  const columns = async (query: string): Promise<unknown> => {
    const world = catalog(true);
    await (await prepareQuery(query, world)).rows();
    return world.opened[0]?.columns;
  };
  assert.deepEqual(await columns('select pid from ps() where name == "sshd" order by start'), ['pid', 'name', 'start']);
  assert.deepEqual(await columns('select count(*) from ps()'), []);
  assert.deepEqual(await columns('select x.pid from (select * from ps()) x'), ['pid']);
  assert.deepEqual(await columns('select * from ps()'), ['pid', 'ppid', 'name', 'start']);
});

test('limit stops the source', async () => {
  const world = catalog(true);
  const run = await prepareQuery('select pid * 2 as twice from ps() where pid > 3 limit 2', world);
  assert.deepEqual(await run.rows(), [{ twice: 8 }, { twice: 10 }]);
  assert.equal(world.opened[0]?.closed, true);
  assert.ok((world.opened[0]?.rows ?? 99) <= 6);
});

test('explain says what is done', async () => {
  const run = await prepareQuery(
    'explain select p.name, count(*) as n from ps() p join files() f on p.pid == f.pid where p.ppid > 1 and p.pid in (1, 5) group by p.name order by n desc limit 3',
    catalog(true),
  );
  assert.deepEqual(Object.keys(run.columns), ['step', 'detail', 'pushed', 'columns']);
  const rows = (await run.rows()).map((row) => ({ ...row }));
  assert.deepEqual(
    rows.map((row) => `${'  '.repeat(Number(row['$depth']))}${String(row['step'])}`),
    ['columns', '  limit', '    sort, first rows', '      group', '        hash join', '          filter', '            scan ps p', '          scan files f'],
  );
  assert.deepEqual(rows.at(-2)?.['pushed'], 'pids: (1, 5)');
  assert.deepEqual(rows.at(-2)?.['columns'], 'pid, ppid, name');
});

test('explain says where a query meant something else in Rekall', async () => {
  const run = await prepareQuery('explain select pid from ps() where not pid == 1', catalog(true));
  await run.rows();
  assert.ok(
    run.notes.some((note) => /not/.test(note) && /EFILTER|Rekall/.test(note)),
    run.notes.join(' '),
  );
});

test('explain analyze counts rows', async () => {
  const run = await prepareQuery('explain analyze select * from files() where fd > 2', catalog(true));
  const rows = await run.rows();
  assert.deepEqual(
    rows.map((row) => [row['step'], row['rows'], row['runs']]),
    [
      ['columns', 2, 1],
      ['filter', 2, 1],
      ['scan files', 5, 1],
    ],
  );
  assert.ok(rows.every((row) => typeof row['ms'] === 'number'));
});
