/**
 * `node dist/test/bench/query.bench.js [rows]`: queries over tables in memory, beside SQLite (sql.js, WebAssembly) and DuckDB (where
 * `@duckdb/node-api` is installed) on the same rows; and over plugins of the sample, beside the bare plugin. It reports; it does not judge.
 */
import { join } from 'node:path';
import { col, type Columns, type Row } from '../../src/plugin/columns.js';
import { Registry } from '../../src/plugin/registry.js';
import { prepareQuery } from '../../src/query/prepare.js';
import { sessionCatalog } from '../../src/query/session/catalog.js';
import { Session } from '../../src/session/session.js';
import { root } from '../support/root.js';
import { TestCatalog } from '../support/query-tables.js';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const SMALL = Math.max(1, Math.floor(ROWS / 10));
const REPEATS = 5;

const columns: Columns = { id: col.int('number'), parent: col.int('another'), name: col.string('name'), size: col.size('size') };
const names = ['systemd', 'sshd', 'bash', 'vim', 'cron', 'kworker', 'postgres', 'nginx'];

function makeRows(count: number): Row[] {
  return Array.from({ length: count }, (_, index) => ({
    id: index,
    parent: (index * 7919) % SMALL,
    name: names[index & 7],
    size: (index * 2_654_435_761) % 1_000_003,
  }));
}

const queries: readonly (readonly [string, string])[] = [
  ['scan, predicate, three columns', "select id, name, size from big() where size > 500000 and name <> 'vim'"],
  ['scan, computed columns', 'select id + parent as s, size * 2 as d from big() where id % 3 = 0'],
  ['hash join with a tenth', 'select b.id, s.name, s.size from big() b join small() s on b.parent = s.id'],
  ['group by one of 8 names', 'select name, count(*) as n, sum(size) as total from big() group by name'],
  ['group by a tenth of the rows', 'select parent, count(*) as n, max(size) as most from big() group by parent'],
  ['order by', 'select id, size from big() order by size desc, id'],
  ['order by with limit', 'select id, size from big() order by size desc, id limit 20'],
  ['distinct', 'select distinct parent, name from big()'],
];

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function timed(work: () => Promise<number> | number): Promise<{ seconds: number; rows: number }> {
  const seconds: number[] = [];
  let rows = 0;
  for (let run = 0; run < REPEATS; run++) {
    const start = performance.now();
    rows = await work();
    seconds.push((performance.now() - start) / 1000);
  }
  return { seconds: median(seconds), rows };
}

type Peer = (sql: string) => Promise<number> | number;

async function sqlitePeer(tables: Readonly<Record<string, readonly Row[]>>): Promise<Peer> {
  const { default: initSqlJs } = await import('sql.js');
  const database = new (await initSqlJs()).Database();
  for (const [name, rows] of Object.entries(tables)) {
    database.run(`create table ${name} (id integer, parent integer, name text, size integer)`);
    database.run('begin');
    const insert = database.prepare(`insert into ${name} values (?, ?, ?, ?)`);
    for (const row of rows) insert.run([row['id'] as number, row['parent'] as number, row['name'] as string, row['size'] as number]);
    insert.free();
    database.run('commit');
  }
  return (sql) => {
    const statement = database.prepare(sql.replace(/\b(big|small)\(\)/g, '$1'));
    let rows = 0;
    while (statement.step()) {
      statement.getAsObject();
      rows++;
    }
    statement.free();
    return rows;
  };
}

interface DuckConnection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(sql: string): Promise<{ getRowObjects(): unknown[] }>;
  createAppender(
    table: string,
  ): Promise<{ appendInteger(value: number): void; appendBigInt(value: bigint): void; appendVarchar(value: string): void; endRow(): void; closeSync(): void }>;
}

/** An optional peer: the package is large, and not among our dependencies. */
async function duckPeer(tables: Readonly<Record<string, readonly Row[]>>): Promise<Peer | undefined> {
  const name = '@duckdb/node-api';
  let module: { DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<DuckConnection> }> } };
  try {
    module = (await import(name)) as typeof module;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
  const connection = await (await module.DuckDBInstance.create(':memory:')).connect();
  for (const [table, rows] of Object.entries(tables)) {
    await connection.run(`create table ${table} (id integer, parent integer, name varchar, size bigint)`);
    const appender = await connection.createAppender(table);
    for (const row of rows) {
      appender.appendInteger(row['id'] as number);
      appender.appendInteger(row['parent'] as number);
      appender.appendVarchar(row['name'] as string);
      appender.appendBigInt(BigInt(row['size'] as number));
      appender.endRow();
    }
    appender.closeSync();
  }
  return async (sql) => (await connection.runAndReadAll(sql.replace(/\b(big|small)\(\)/g, '$1'))).getRowObjects().length;
}

async function inMemory(): Promise<void> {
  const tables = { big: makeRows(ROWS), small: makeRows(SMALL) };
  const catalog = new TestCatalog({ big: { columns, rows: tables.big, batch: Infinity }, small: { columns, rows: tables.small, batch: Infinity } });
  const here: Peer = async (sql) => {
    let count = 0;
    for await (const batch of (await prepareQuery(sql, catalog)).batches()) count += batch.length;
    return count;
  };
  const sqlite = await sqlitePeer(tables);
  const duck = await duckPeer(tables);
  process.stdout.write(`${ROWS.toLocaleString('en')} rows of objects in, rows of objects out; median of ${REPEATS}\n`);
  process.stdout.write(
    `${'query'.padEnd(34)}${'rows out'.padStart(10)}${'here'.padStart(10)}${'M rows/s'.padStart(10)}${'sql.js'.padStart(10)}${duck ? 'duckdb'.padStart(10) : ''}\n`,
  );
  for (const [name, sql] of queries) {
    const own = await timed(() => here(sql));
    const lite = await timed(() => sqlite(sql));
    const ducks = duck && (await timed(() => duck(sql)));
    const seconds = (value: number): string => `${value.toFixed(3)} s`.padStart(10);
    process.stdout.write(
      `${name.padEnd(34)}${String(own.rows).padStart(10)}${seconds(own.seconds)}${(ROWS / own.seconds / 1e6).toFixed(2).padStart(10)}${seconds(lite.seconds)}${ducks ? seconds(ducks.seconds) : ''}\n`,
    );
    if (own.rows !== lite.rows) process.stdout.write(`  sql.js has ${lite.rows} rows!\n`);
  }
}

/** Queries over plugins, beside the bare plugin: the engine should cost next to nothing where reading memory costs something. */
async function overPlugins(): Promise<void> {
  const session = new Session({ filename: join(root, 'fixtures/linux-6.1-tiny/image.kdump'), cache: 'memory' }, Registry.builtIn());
  try {
    await session.kernel();
    const catalog = sessionCatalog(session);
    process.stdout.write(
      `\n${'plugin of the sample'.padEnd(34)}${'rows'.padStart(10)}${'bare'.padStart(12)}${'preparing'.padStart(12)}${'query'.padStart(12)}${'overhead'.padStart(10)}\n`,
    );
    for (const name of ['pslist', 'lsof', 'maps']) {
      const plugin = await session.plugin(name);
      const defaults = Object.fromEntries(Object.entries(plugin.args).flatMap(([key, arg]) => (arg.default === undefined ? [] : [[key, arg.default]])));
      const drained = async (batches: AsyncIterable<readonly unknown[]>): Promise<number> => {
        let rows = 0;
        for await (const batch of batches) rows += batch.length;
        return rows;
      };
      const bare = (): Promise<number> => drained(session.run(plugin, defaults).batches());
      // In turns, so that whatever else the machine does befalls both.
      const times: { bare: number[]; prepared: number[]; queried: number[] } = { bare: [], prepared: [], queried: [] };
      let rows = 0;
      for (let round = 0; round < 200; round++) {
        const start = performance.now();
        rows = await bare();
        const middle = performance.now();
        const query = await prepareQuery(`select * from ${name}()`, catalog);
        const prepared = performance.now();
        await drained(query.batches());
        times.bare.push(middle - start);
        times.prepared.push(prepared - middle);
        times.queried.push(performance.now() - prepared);
      }
      const [own, prepare, engine] = [median(times.bare), median(times.prepared), median(times.queried)];
      const milliseconds = (value: number): string => `${value.toFixed(3)} ms`.padStart(12);
      process.stdout.write(
        `${name.padEnd(34)}${String(rows).padStart(10)}${milliseconds(own)}${milliseconds(prepare)}${milliseconds(engine)}${`${((engine / own - 1) * 100).toFixed(1)} %`.padStart(10)}\n`,
      );
    }
  } finally {
    session.close();
  }
}

await overPlugins();
await inMemory();
