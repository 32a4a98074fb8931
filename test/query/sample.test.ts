import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Arg, Args } from '../../src/plugin/args.js';
import { Registry } from '../../src/plugin/registry.js';
import type { Catalog, CatalogTable } from '../../src/query/catalog.js';
import { prepareQuery } from '../../src/query/prepare.js';
import { sessionCatalog } from '../../src/query/session/catalog.js';
import { jsonObject } from '../../src/render/json-value.js';
import { Session } from '../../src/session/session.js';
import { committedSample } from '../support/sample.js';

/** Queries over the plugins themselves. */
let session: Session;
before(() => {
  const sample = committedSample();
  assert.ok(sample);
  session = new Session({ filename: sample.image, cache: 'memory' }, Registry.builtIn());
});
after(() => session.close());

/** The same tables, with arguments that stand for no conditions. */
function without(catalog: Catalog): Catalog {
  const plain = (args: Args): Args => Object.fromEntries(Object.entries(args).map(([name, { narrows: _narrows, ...arg }]) => [name, arg as Arg]));
  const table = async (name: string): Promise<CatalogTable | undefined> => {
    const found = await catalog.table(name);
    return found && { ...found, args: plain(found.args) };
  };
  return { names: () => catalog.names(), table };
}

async function rows(text: string, catalog: Catalog, memory?: number): Promise<string[]> {
  const run = await prepareQuery(text, catalog, memory === undefined ? {} : { memory });
  return (await run.rows()).map((row) => jsonObject(Object.entries(row)));
}

/** Linux commands that take conditions of queries. (memdump writes files.) */
function narrowedCommands(): { readonly name: string; readonly columns: readonly string[]; readonly args: Args }[] {
  return session.registry
    .list()
    .filter(
      ({ needs, name, args }) => Array.isArray(needs) && needs.includes('linux') && name !== 'memdump' && Object.values(args).some(({ narrows }) => narrows),
    )
    .map(({ name, columns, args }) => ({ name, columns: Object.keys(columns), args }));
}

test('conditions that reach the arguments of a command leave its rows as they are', async () => {
  const catalog = sessionCatalog(session);
  await session.kernel();
  const commands = narrowedCommands();
  assert.ok(commands.length >= 7, `only ${commands.map(({ name }) => name).join(', ')}`);
  for (const { name, columns, args } of commands) {
    const some = columns.filter((column) => ['pid', 'name', 'fd', 'start', 'tid', 'path', 'offset_v', 'variable'].includes(column)).join(', ');
    const conditions = Object.values(args).flatMap(({ narrows }) => {
      const named = (narrows?.columns ?? []).filter((column) => columns.includes(column.split('.')[0] ?? ''));
      return named.flatMap((column) =>
        narrows?.by === 'equality'
          ? [`${column} == 1`, `${column} in (1, 2, 114, 9999)`, `${column} == 9999`]
          : narrows?.by === 'match'
            ? [`${column} =~ "^lab"`, `${column} =~ "KTH|t.*d"`]
            : [],
      );
    });
    assert.ok(conditions.length > 0, name);
    for (const condition of conditions) {
      // One command is large: a process of it is enough.
      if (name === 'memmap' && !condition.includes('== 1')) continue;
      const query = `select ${some} from ${name}() where ${condition}`;
      assert.deepEqual(await rows(query, catalog), await rows(query, without(catalog)), query);
    }
  }
});

test('views of structs survive temporary files', async () => {
  const catalog = sessionCatalog(session);
  for (const query of [
    'select proc, file_struct, proc.comm as name, file_struct.f_pos as at, path from lsof() order by fd desc, pid',
    'select p.proc, p.start_time, f.file_struct from pslist() p join lsof() f on p.proc == f.proc',
    'select distinct proc from lsof()',
  ]) {
    const wanted = await rows(query, catalog);
    const got = await rows(query, catalog, 4000);
    assert.ok(wanted.length > 5);
    assert.deepEqual(query.includes('order by') ? got : got.sort(), query.includes('order by') ? wanted : wanted.sort());
  }
});

test('a join gives what one finds by hand', async () => {
  const catalog = sessionCatalog(session);
  const run = await prepareQuery('select p.name, p.pid, c.name as child, c.pid as child_pid from pslist() p join pslist() c on c.ppid == p.pid', catalog);
  const pairs = await run.rows();
  const all = await (await prepareQuery('select pid, ppid, name from pslist()', catalog)).rows();
  const wanted = all.flatMap((parent) =>
    all
      .filter((child) => child['ppid'] === parent['pid'])
      .map((child) => ({ name: parent['name'], pid: parent['pid'], child: child['name'], child_pid: child['pid'] })),
  );
  assert.deepEqual(
    pairs.map((row) => ({ ...row })),
    wanted,
  );
  assert.ok(pairs.length > 10);
});

test('a tree stays one; columns keep their types', async () => {
  const catalog = sessionCatalog(session);
  const run = await prepareQuery('select name, proc, pid from pstree() where pid > 0', catalog);
  assert.equal(run.columns['name']?.tree, true);
  assert.deepEqual(run.columns['proc']?.struct, 'task_struct');
  assert.ok((await run.rows()).some((row) => row.$depth === 1));
  const times = await prepareQuery('select start_time, dtb, max(start_time) as last from pslist() group by start_time, dtb', catalog);
  assert.deepEqual(
    Object.values(times.columns).map(({ type }) => type),
    ['time', 'physical', 'time'],
  );
});
