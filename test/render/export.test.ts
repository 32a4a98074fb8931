import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import initSqlJs, { type SqlJsStatic } from 'sql.js';
import { unreadable } from '../../src/memory/absent.js';
import { Timestamp } from '../../src/object/time.js';
import { col, type Columns, type Row } from '../../src/plugin/columns.js';
import { PluginError, UsageError } from '../../src/plugin/error.js';
import { markdownText } from '../../src/render/markdown.js';
import { createRenderer, type Format } from '../../src/render/renderer.js';
import { FileSink, TextSink } from '../../src/render/sink.js';
import { temporary } from '../support/folder.js';
import { structAt } from '../support/structs.js';
import { render } from '../support/table.js';

const columns = {
  proc: col.struct('task_struct', 'process'),
  pid: col.int('id'),
  flags: col.int('bits'),
  base: col.address('where'),
  bytes: col.size('how much'),
  ratio: col.float('part'),
  kernel: col.bool('whether'),
  start: col.time('when'),
  cpu: col.duration('how long'),
  name: col.string('what'),
  data: col.bytes('raw'),
  tags: col.list('words'),
  value: col.any('anything'),
};
const rows: Row[] = [
  {
    proc: structAt('task_struct', { pid: 135, comm: 'bash' }),
    pid: 135,
    flags: 18446744073709551615n,
    base: 0xffff888003d8c000n,
    bytes: 2 ** 40,
    ratio: 0.5,
    kernel: true,
    start: new Timestamp(1795133521250000001n),
    cpu: 9007199254740993n,
    name: 'it\'s "x"; drop table pslist; --\u001b[31m\0é\u{1f600}',
    data: Buffer.from([0, 255, 1]),
    tags: ['a', 1n, null],
    value: 2 ** 40,
  },
  {
    proc: null,
    pid: null,
    flags: 1,
    base: 0n,
    bytes: -1,
    ratio: null,
    kernel: false,
    start: unreadable(0n),
    cpu: 0n,
    name: '',
    data: null,
    tags: [],
    value: '007',
  },
  {
    proc: unreadable(1n),
    pid: 2,
    flags: null,
    base: null,
    bytes: null,
    ratio: NaN,
    kernel: null,
    start: new Timestamp(1n << 70n),
    cpu: null,
    name: null,
    data: Buffer.alloc(0),
    tags: null,
    value: { a: 1n },
  },
];

let folder: string;
let sql: SqlJsStatic;
before(async () => {
  folder = temporary();
  sql = await initSqlJs();
});
after(() => rmSync(folder, { recursive: true }));

async function write(
  format: Format,
  name: string,
  given: { columns?: Columns; batches?: readonly (readonly Row[])[]; append?: boolean; table?: string } = {},
): Promise<string> {
  const path = join(folder, name);
  const sink = new FileSink(path, given.append === true);
  try {
    const renderer = await createRenderer(
      format,
      { name: given.table ?? 'pslist', columns: given.columns ?? columns },
      sink,
      { timezone: 'UTC', full: false },
    );
    await renderer.begin();
    for (const batch of given.batches ?? [rows.slice(0, 2), rows.slice(2)]) await renderer.rows(batch);
    await renderer.end([]);
  } catch (error) {
    sink.discard();
    throw error;
  }
  sink.commit();
  return path;
}

describe('parquet', () => {
  const read = async (path: string): Promise<Record<string, unknown>[]> =>
    parquetReadObjects({ file: await asyncBufferFromFile(path), utf8: false });

  it('reads back with its types', async () => {
    const path = await write('parquet', 'a.parquet');
    const file = await asyncBufferFromFile(path);
    const { schema } = await parquetMetadataAsync(file);
    const type = Object.fromEntries(
      schema.map(({ name, type: physical, converted_type: converted, logical_type: logical }) => [
        name,
        [physical, converted ?? logical?.type],
      ]),
    );
    assert.deepEqual(type['base'], ['INT64', 'UINT_64']);
    assert.deepEqual(type['flags'], ['INT64', 'UINT_64']);
    assert.deepEqual(type['pid'], ['INT64', undefined]);
    assert.deepEqual(type['start'], ['INT64', 'TIMESTAMP']);
    assert.deepEqual(type['name'], ['BYTE_ARRAY', 'UTF8']);
    assert.deepEqual(type['data'], ['BYTE_ARRAY', undefined]);
    const [first, second, third] = await read(path);
    assert.equal(first?.['proc'], 18446612682134568960n);
    assert.equal(first['proc_name'], 'bash');
    assert.equal(first['proc_pid'], 135n);
    assert.equal(first['flags'], 18446744073709551615n);
    assert.equal(first['bytes'], 1n << 40n);
    assert.equal(first['cpu'], 9007199254740993n);
    assert.equal((first['start'] as Date).toISOString(), '2026-11-20T00:12:01.250Z');
    assert.equal(first['name'], rows[0]?.['name']);
    assert.deepEqual([...(first['data'] as Uint8Array)], [0, 255, 1]);
    assert.equal(first['tags'], '["a",1,null]');
    assert.equal(first['value'], '1099511627776');
    assert.deepEqual(
      [second?.['proc'] ?? null, second?.['kernel'], second?.['bytes'], second?.['start'] ?? null, second?.['value']],
      [null, false, -1n, null, '007'],
    );
    assert.deepEqual(
      [third?.['pid'], third?.['start'] ?? null, third?.['name'] ?? null, third?.['value']],
      [2n, null, null, '{"a":1}'],
    );
  });

  it('writes row groups as rows come', async () => {
    const batches = Array.from({ length: 130 }, (_, batch) =>
      Array.from({ length: 1000 }, (_row, index) => ({ n: batch * 1000 + index, name: `row ${index}` })),
    );
    const path = await write('parquet', 'b.parquet', {
      columns: { n: col.int('n'), name: col.string('name') },
      batches,
    });
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
    assert.ok(metadata.row_groups.length >= 3);
    assert.equal(metadata.num_rows, 130_000n);
    const all = await read(path);
    assert.equal(
      all.reduce((sum, row) => sum + Number(row['n']), 0),
      (130_000 * 129_999) / 2,
    );
  });

  it('has no row', async () => {
    assert.deepEqual(await read(await write('parquet', 'c.parquet', { batches: [] })), []);
  });

  it('refuses what its types do not hold, rather than round it, and a second table', async () => {
    const batches = [Array.from({ length: 50_000 }, () => ({ n: 1 })), [{ n: 1n << 64n }]];
    await assert.rejects(
      write('parquet', 'd.parquet', { columns: { n: col.int('n') }, batches }),
      (error) => error instanceof PluginError && /column n holds 18446744073709551616/.test(error.message),
    );
    assert.equal(existsSync(join(folder, 'd.parquet')), false);
    await assert.rejects(
      write('parquet', 'a.parquet', { append: true }),
      (error) => error instanceof UsageError && /holds one table/.test(error.message),
    );
  });
});

describe('sqlite', () => {
  const ask = (path: string, query: string): unknown[][] => {
    const db = new sql.Database(readFileSync(path));
    try {
      return db.exec(query)[0]?.values ?? [];
    } finally {
      db.close();
    }
  };

  it('reads back with its types', async () => {
    const path = await write('sqlite', 'a.db');
    const types = ask(path, "select name, type from pragma_table_info('pslist')");
    assert.deepEqual(types.slice(0, 6), [
      ['proc', 'TEXT'],
      ['proc_name', 'TEXT'],
      ['proc_pid', 'INTEGER'],
      ['pid', 'INTEGER'],
      ['flags', 'INTEGER'],
      ['base', 'TEXT'],
    ]);
    assert.deepEqual(
      ask(
        path,
        'select proc, proc_name, proc_pid, flags, base, typeof(bytes), cast(bytes as text), typeof(cpu), cast(cpu as text), kernel, start, hex(data), tags, typeof(value), cast(value as text) from pslist limit 1',
      ),
      [
        [
          '0xffff888003d8c000',
          'bash',
          135,
          '0xffffffffffffffff',
          '0xffff888003d8c000',
          'integer',
          '1099511627776',
          'integer',
          '9007199254740993',
          1,
          '2026-11-20T00:12:01.250000001Z',
          '00FF01',
          '["a",1,null]',
          'integer',
          '1099511627776',
        ],
      ],
    );
    assert.deepEqual(ask(path, 'select hex(name) from pslist limit 1'), [
      [Buffer.from(String(rows[0]?.['name'])).toString('hex').toUpperCase()],
    ]);
    assert.deepEqual(
      ask(
        path,
        "select proc, bytes, start, value, typeof(value), strftime('%Y', (select start from pslist limit 1)) from pslist limit 1 offset 1",
      ),
      [[null, -1, null, '007', 'text', '2026']],
    );
    assert.deepEqual(ask(path, 'select ratio, value from pslist limit 1 offset 2'), [[null, '{"a":1}']]);
  });

  it('adds a table to a database, and replaces one', async () => {
    const path = await write('sqlite', 'b.db', { columns: { n: col.int('n') }, batches: [[{ n: 1 }]], table: 'one' });
    await write('sqlite', 'b.db', { columns: { n: col.int('n') }, batches: [[{ n: 2 }]], table: 'two', append: true });
    await write('sqlite', 'b.db', { columns: { n: col.int('n') }, batches: [[{ n: 3 }]], table: 'one', append: true });
    assert.deepEqual(ask(path, 'select one.n, two.n from one, two'), [[3, 2]]);
  });

  it('takes any name for a name', async () => {
    const odd: Columns = {
      'a"b': col.int('x'),
      'A"B': col.int('x'),
      '); drop table x; --': col.string('x'),
      '': col.int('x'),
    };
    const path = await write('sqlite', 'c.db', {
      columns: odd,
      batches: [[{ 'a"b': 1, 'A"B': 2, '); drop table x; --': 'y', '': 3 }]],
      table: 'select "x"; --',
    });
    assert.deepEqual(ask(path, 'select * from rows'), [[1, 2, 'y', 3]]);
    assert.deepEqual(ask(path, "select name from pragma_table_info('rows')"), [
      ['a"b'],
      ['A"B_2'],
      ['); drop table x; --'],
      ['column'],
    ]);
  });

  it('refuses a file that is no database, and leaves it', async () => {
    const path = join(folder, 'd.db');
    writeFileSync(path, 'a text, and certainly no database of any kind, long enough to be read as one');
    await assert.rejects(
      write('sqlite', 'd.db', { append: true }),
      (error) =>
        error instanceof PluginError &&
        /cannot be written as an SQLite database: file is not a database/.test(error.message),
    );
    assert.match(readFileSync(path, 'utf8'), /^a text/);
  });
});

/** The part of DuckDB's package that is used here; the package is optional. */
interface Duck {
  readonly DuckDBInstance: {
    create(path: string): Promise<{
      connect(): Promise<{ runAndReadAll(query: string): Promise<{ getRowsJson(): unknown[][] }>; closeSync(): void }>;
      closeSync(): void;
    }>;
  };
}
const duckdb: Duck | undefined = await import(String('@duckdb/node-api')).then(
  (found: Duck) => found,
  () => undefined,
);

describe(
  'duckdb',
  { skip: duckdb ? false : 'DuckDB is not installed: npm install --no-save @duckdb/node-api@1.5.6-r.1' },
  () => {
    const ask = async (path: string, query: string): Promise<unknown[][]> => {
      assert.ok(duckdb);
      const instance = await duckdb.DuckDBInstance.create(path);
      const connection = await instance.connect();
      try {
        return (await connection.runAndReadAll(query)).getRowsJson();
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
    };

    it('reads back with its types', async () => {
      const path = await write('duckdb', 'a.duckdb');
      const types = Object.fromEntries(
        (await ask(path, 'select column_name, data_type from information_schema.columns')).map(([name, type]) => [
          name,
          type,
        ]),
      );
      assert.deepEqual(
        [
          types['proc'],
          types['proc_name'],
          types['pid'],
          types['flags'],
          types['ratio'],
          types['kernel'],
          types['start'],
          types['data'],
          types['tags'],
          types['value'],
        ],
        ['UBIGINT', 'VARCHAR', 'BIGINT', 'HUGEINT', 'DOUBLE', 'BOOLEAN', 'TIMESTAMP_NS', 'BLOB', 'VARCHAR', 'VARCHAR'],
      );
      assert.deepEqual(
        await ask(
          path,
          'select proc, proc_name, flags, bytes, cpu, kernel, start::varchar, hex(data), tags, value from pslist limit 1',
        ),
        [
          [
            '18446612682134568960',
            'bash',
            '18446744073709551615',
            '1099511627776',
            '9007199254740993',
            true,
            '2026-11-20 00:12:01.250000001',
            '00FF01',
            '["a",1,null]',
            '1099511627776',
          ],
        ],
      );
      assert.deepEqual(await ask(path, 'select hex(encode(name)) from pslist limit 1'), [
        [Buffer.from(String(rows[0]?.['name'])).toString('hex').toUpperCase()],
      ]);
      assert.deepEqual(await ask(path, 'select proc, pid, start, value from pslist limit 1 offset 2'), [
        [null, '2', null, '{"a":1}'],
      ]);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('a.duckdb.')),
        [],
      );
    });

    it('widens a column that turns out too narrow, and adds a table to a database', async () => {
      const batches = [Array.from({ length: 20_000 }, (_, index) => ({ n: index })), [{ n: 1n << 64n }], [{ n: -5 }]];
      const path = await write('duckdb', 'b.duckdb', { columns: { n: col.int('n') }, batches, table: 'one' });
      await write('duckdb', 'b.duckdb', {
        columns: { n: col.int('n') },
        batches: [[{ n: 1n << 200n }]],
        table: 'two',
        append: true,
      });
      assert.deepEqual(await ask(path, 'select sum(n)::varchar, min(n)::varchar, (select n from two) from one'), [
        [String((1n << 64n) + 199_990_000n - 5n), '-5', String(1n << 200n)],
      ]);
    });

    it('reads our parquet and sees what we wrote, by its statistics too', async () => {
      const path = await write('parquet', 'e.parquet');
      const memory = ':memory:';
      assert.deepEqual(
        await ask(
          memory,
          `select proc_name, epoch_us(start)::varchar, flags::varchar from '${path}' where base > 18446612682134560000`,
        ),
        [['bash', '1795133521250000', '18446744073709551615']],
      );
      assert.deepEqual(await ask(memory, `select count(*)::varchar from '${path}' where base < 5`), [['1']]);
    });
  },
);

describe('formats that are no text', () => {
  it('need a file', async () => {
    for (const format of ['parquet', 'sqlite', 'duckdb'] as const) {
      await assert.rejects(
        createRenderer(format, { name: 'pslist', columns }, new TextSink(), { timezone: 'UTC', full: false }),
        (error) =>
          error instanceof UsageError &&
          /is no text: give it a file, with > pslist\.(parquet|db|duckdb)/.test(error.message),
      );
    }
  });
});

describe('duckdb without its package', { skip: duckdb ? 'DuckDB is installed' : false }, () => {
  it('says how to install it', async () => {
    await assert.rejects(
      write('duckdb', 'z.duckdb'),
      (error) => error instanceof PluginError && /npm install --no-save @duckdb\/node-api@/.test(error.message),
    );
    assert.equal(existsSync(join(folder, 'z.duckdb')), false);
  });
});

describe('markdown', () => {
  it('is a table with the columns aligned', async () => {
    const text = await render('markdown', { pid: col.int('id'), name: col.string('what') }, [
      [{ pid: 1, name: 'init' }],
      [{ pid: 1234, name: null }],
    ]);
    assert.equal(text, ['| pid | name |', '| --: | ---- |', '|   1 | init |', '| 1234 | -    |', ''].join('\n'));
    assert.equal(await render('markdown', { pid: col.int('id') }, []), '| pid |\n| --: |\n');
  });

  it('has nothing in a cell that is markup, a link, or the end of it', () => {
    assert.equal(
      markdownText('a|b `c` *d* _e_ snake_case <script> [x](y) ![i] &amp; \\'),
      'a\\|b \\`c\\` \\*d\\* \\_e\\_ snake_case &lt;script&gt; \\[x\\](y) \\!\\[i\\] &amp;amp; \\\\',
    );
    assert.equal(
      markdownText('http://evil.example www.evil.example a@b.c'),
      'http\\://evil.example www\\.evil.example a\\@b.c',
    );
  });

  it('escapes what would steer a terminal, shows bytes in part, and begins a table under each divider', async () => {
    const text = await render(
      'markdown',
      { group: col.string('g', { divider: true }), name: col.string('n'), data: col.bytes('b') },
      [
        [
          { group: 'one', name: 'a\u001b[31m\nb', data: Buffer.alloc(100, 0xab) },
          { group: 'two', name: 'c', data: Buffer.from([1]) },
        ],
      ],
    );
    const lines = text.split('\n');
    assert.equal(lines[0], '**group: one**');
    assert.ok(text.includes('a\\\\x1b\\[31m\\\\nb'));
    assert.ok(text.includes(`${'ab'.repeat(64)}… (100 bytes)`));
    assert.equal(lines.filter((line) => line.startsWith('| name')).length, 2);
  });
});
