import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from '../support/property.js';
import initSqlJs, { type Database, type SqlJsStatic } from 'sql.js';
import { col, type Columns, type Row } from '../../src/plugin/columns.js';
import { prepareQuery } from '../../src/query/prepare.js';
import { TestCatalog } from '../support/query-tables.js';

/**
 * The same random queries here and in SQLite, over the same random rows. A minute and more with REKALL_QUERY_RUNS=20000.
 *
 * What SQLite has otherwise is left out: its `like` and `in` compare a number with text, its columns have no types, `/` of whole numbers
 * cuts the rest off, and columns that are neither grouped nor aggregated are allowed.
 */
const RUNS = Number(process.env['REKALL_QUERY_RUNS'] ?? 120);

let sqlite: SqlJsStatic;
before(async () => {
  sqlite = await initSqlJs();
});

interface Table {
  readonly name: string;
  readonly rows: readonly Row[];
}

const columns: Columns = { a: col.int('a small number'), b: col.int('a number'), c: col.string('a word'), d: col.float('a fraction') };

const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 4, nil: null });
const word = fc.constantFrom('a', 'b', 'ab', 'Abc', 'x%y', '_', '', 'é', 'z');
const row: fc.Arbitrary<Row> = fc.record({
  a: nullable(fc.integer({ min: 0, max: 4 })),
  b: nullable(fc.integer({ min: -100, max: 100 })),
  c: nullable(word),
  d: nullable(fc.integer({ min: -40, max: 40 }).map((value) => value / 8)),
});
const table = (name: string, most: number): fc.Arbitrary<Table> => fc.record({ name: fc.constant(name), rows: fc.array(row, { maxLength: most }) });

/** An expression, as both write it. */
const literalText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function numbers(of: (name: string) => string, depth: number): fc.Arbitrary<string> {
  const leaf = fc.oneof(
    fc.constantFrom('a', 'b', 'd').map(of),
    fc.integer({ min: -9, max: 9 }).map((value) => (value < 0 ? `(${value})` : String(value))),
  );
  if (depth === 0) return leaf;
  const inner = numbers(of, depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: fc.tuple(inner, fc.constantFrom('+', '-', '*'), inner).map(([x, op, y]) => `(${x} ${op} ${y})`) },
    { weight: 1, arbitrary: fc.tuple(conditions(of, depth - 1), inner, inner).map(([c, x, y]) => `(case when ${c} then ${x} else ${y} end)`) },
    { weight: 1, arbitrary: inner.map((x) => `(-${x})`) },
  );
}

function texts(of: (name: string) => string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(of('c')) }, { weight: 1, arbitrary: word.map(literalText) });
}

function conditions(of: (name: string) => string, depth: number): fc.Arbitrary<string> {
  const comparison = fc.constantFrom('=', '<>', '<', '<=', '>', '>=', '==', '!=');
  const leaf = fc.oneof(
    fc.tuple(numbers(of, Math.max(0, depth - 1)), comparison, numbers(of, 0)).map(([x, op, y]) => `(${x} ${op} ${y})`),
    fc.tuple(texts(of), comparison, texts(of)).map(([x, op, y]) => `(${x} ${op} ${y})`),
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'd').map(of), fc.boolean()).map(([x, not]) => `(${x} is ${not ? 'not ' : ''}null)`),
    fc
      .tuple(numbers(of, 0), fc.boolean(), numbers(of, 0), numbers(of, 0))
      .map(([x, not, low, high]) => `(${x} ${not ? 'not ' : ''}between ${low} and ${high})`),
    fc
      .tuple(numbers(of, 0), fc.boolean(), fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }).map(String), fc.constant('null')), { minLength: 2, maxLength: 7 }))
      .map(([x, not, list]) => `(${x} ${not ? 'not ' : ''}in (${list.join(', ')}))`),
    fc
      .tuple(fc.constant(of('c')), fc.boolean(), fc.constantFrom('a%', '%b', '_', '%', 'A_c', '%x\\%%'))
      .map(([x, not, pattern]) => `(${x} ${not ? 'not ' : ''}like '${pattern}')`),
  );
  if (depth === 0) return leaf;
  const inner = conditions(of, depth - 1);
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 2, arbitrary: fc.tuple(inner, fc.constantFrom('and', 'or'), inner).map(([x, op, y]) => `(${x} ${op} ${y})`) },
    { weight: 1, arbitrary: inner.map((x) => `(not ${x})`) },
  );
}

const bare = (name: string): string => name;
const direction = fc.constantFrom('', ' asc', ' desc', ' nulls last', ' desc nulls first');
const tail = fc.option(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined })), { nil: undefined });
const limit = ([count, offset]: [number, number | undefined]): string => ` limit ${count}${offset === undefined ? '' : ` offset ${offset}`}`;

/** Queries and whether their order says all (then rows are compared in order). */
interface Asked {
  readonly sql: string;
  readonly ordered: boolean;
}

const plain: fc.Arbitrary<Asked> = fc
  .record({
    distinct: fc.boolean(),
    items: fc.array(fc.oneof(numbers(bare, 2), texts(bare), conditions(bare, 1)), { minLength: 1, maxLength: 3 }),
    where: fc.option(conditions(bare, 3), { nil: undefined }),
    order: fc.array(direction, { minLength: 4, maxLength: 4 }),
    keys: fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 }),
    tail,
  })
  .map(({ distinct, items, where, order, keys, tail: end }) => {
    const named = items.map((item, index) => `${item} as i${index}`).join(', ');
    const condition = where === undefined ? '' : ` where ${where}`;
    if (distinct) {
      const by = items.map((_, index) => `i${index}${order[index] ?? ''}`).join(', ');
      return { sql: `select distinct ${named} from t()${condition} order by ${by}${end ? limit(end) : ''}`, ordered: true };
    }
    const by = keys.map((key, index) => `${key}${order[index] ?? ''}`).join(', ');
    return { sql: `select ${named} from t()${condition} order by ${by}${end ? limit(end) : ''}`, ordered: true };
  });

const aggregate = fc.oneof(
  fc.constant('count(*)'),
  fc
    .tuple(fc.constantFrom('count', 'sum', 'min', 'max', 'avg'), fc.constantFrom('', 'distinct '), numbers(bare, 1))
    .map(([name, distinct, x]) => `${name}(${name === 'min' || name === 'max' ? '' : distinct}${x})`),
  fc.constantFrom('count(c)', 'min(c)', 'max(c)', 'count(distinct c)'),
);

const groups: fc.Arbitrary<Asked> = fc
  .record({
    keys: fc.oneof(fc.constant<string[]>([]), fc.array(fc.oneof(fc.constantFrom('a', 'c'), numbers(bare, 1)), { minLength: 1, maxLength: 2 })),
    aggregates: fc.array(aggregate, { minLength: 1, maxLength: 3 }),
    where: fc.option(conditions(bare, 2), { nil: undefined }),
    having: fc.option(fc.tuple(aggregate, fc.constantFrom('>', '<', '>=', '<>'), fc.integer({ min: -5, max: 10 })), { nil: undefined }),
  })
  .filter(({ having }) => having === undefined || !/\(c\)/.test(having[0]) || having[0].startsWith('count'))
  .map(({ keys, aggregates, where, having }) => {
    // Numbers behind group by would be columns.
    const grouped = keys.map((key) => (/^[-(]*\d+\)*$/.test(key) ? `(${key} + 0)` : key));
    const named = [...grouped, ...aggregates].map((item, index) => `${item} as i${index}`).join(', ');
    return {
      sql: `select ${named} from t()${where === undefined ? '' : ` where ${where}`}${grouped.length === 0 ? '' : ` group by ${grouped.join(', ')}`}${having ? ` having ${having.join(' ')}` : ''}`,
      ordered: false,
    };
  });

const ofTable = (alias: string) => (name: string) => `${alias}.${name}`;
const either = (name: string): string => (name === 'a' ? 't.a' : name === 'b' ? 'u.b' : name === 'c' ? 'u.c' : 't.d');

const joins: fc.Arbitrary<Asked> = fc
  .record({
    kind: fc.constantFrom('join', 'left join', ','),
    equalities: fc.subarray(['t.a = u.a', 't.c = u.c', 't.a = u.b', 't.b = u.a + 1'], { maxLength: 2 }),
    extra: fc.option(conditions(either, 1), { nil: undefined }),
    where: fc.option(fc.oneof(conditions(either, 2), conditions(ofTable('t'), 1), conditions(ofTable('u'), 1)), { nil: undefined }),
  })
  .map(({ kind, equalities, extra, where }) => {
    const on = [...equalities, ...(extra === undefined ? [] : [extra])];
    const items = 't.a as i0, t.b as i1, t.c as i2, u.a as i3, u.b as i4, u.d as i5';
    if (kind === ',') {
      const all = [...on, ...(where === undefined ? [] : [where])];
      return { sql: `select ${items} from t() t, u() u${all.length === 0 ? '' : ` where ${all.join(' and ')}`}`, ordered: false };
    }
    return {
      sql: `select ${items} from t() t ${kind} u() u on ${on.length === 0 ? '1 = 1' : on.join(' and ')}${where === undefined ? '' : ` where ${where}`}`,
      ordered: false,
    };
  });

const sets: fc.Arbitrary<Asked> = fc
  .record({
    columns: fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 1, maxLength: 3 }),
    operators: fc.array(fc.constantFrom('union', 'union all', 'except', 'intersect'), { minLength: 1, maxLength: 3 }),
    where: fc.array(conditions(bare, 1), { minLength: 4, maxLength: 4 }),
    end: fc.boolean(),
  })
  .map(({ columns: names, operators: any, where, end }) => {
    // In SQLite `intersect` binds no tighter than the others; in SQL, and here, it does. First it is the same.
    const operators = [...any.filter((operator) => operator === 'intersect'), ...any.filter((operator) => operator !== 'intersect')];
    const one = (index: number): string => `select ${names.join(', ')} from ${index % 2 === 0 ? 't' : 'u'}() where ${where[index] ?? 'true'}`;
    const sql = operators.reduce((left, operator, index) => `${left} ${operator} ${one(index + 1)}`, one(0));
    return { sql: end ? `${sql} order by ${names.map((_, index) => String(index + 1)).join(', ')}` : sql, ordered: end };
  });

const subqueries: fc.Arbitrary<Asked> = fc.oneof(
  fc
    .tuple(fc.boolean(), conditions(bare, 1))
    .map(([not, where]) => ({ sql: `select a as i0, c as i1 from t() where b ${not ? 'not ' : ''}in (select b from u() where ${where})`, ordered: false })),
  fc.tuple(fc.boolean(), conditions(ofTable('u'), 0)).map(([not, where]) => ({
    sql: `select t.a as i0, t.b as i1 from t() t where ${not ? 'not ' : ''}exists (select * from u() u where u.a = t.a and ${where})`,
    ordered: false,
  })),
  fc
    .constantFrom('count(*)', 'max(u.b)', 'sum(u.d)')
    .map((what) => ({ sql: `select t.a as i0, (select ${what} from u() u where u.a = t.a) as i1 from t() t`, ordered: false })),
  conditions(bare, 1).map((where) => ({
    sql: `select x.a as i0, n as i1 from (select a, count(*) as n from t() where ${where} group by a) x where n > 1`,
    ordered: false,
  })),
  conditions(bare, 1).map((where) => ({
    sql: `with w as (select a, b from t() where ${where}) select p.a as i0, q.b as i1 from w p join w q on p.a = q.a`,
    ordered: false,
  })),
);

function inSqlite(tables: readonly Table[], sql: string): unknown[][] {
  const database: Database = new sqlite.Database();
  try {
    for (const { name, rows } of tables) {
      database.run(`create table ${name} (a integer, b integer, c text, d real)`);
      const statement = database.prepare(`insert into ${name} values (?, ?, ?, ?)`);
      for (const each of rows) statement.run([each['a'], each['b'], each['c'], each['d']] as (number | string | null)[]);
      statement.free();
    }
    const text = sql.replace(/\b([tu])\(\)/g, '$1');
    return database.exec(text)[0]?.values ?? [];
  } finally {
    database.close();
  }
}

async function here(tables: readonly Table[], sql: string, memory?: number): Promise<unknown[][]> {
  const catalog = new TestCatalog(Object.fromEntries(tables.map(({ name, rows }) => [name, { columns, rows }])));
  const run = await prepareQuery(sql, catalog, memory === undefined ? {} : { memory });
  const names = Object.keys(run.columns);
  return (await run.rows()).map((each) => names.map((name) => each[name]));
}

/** Values as both have them: SQLite's truth is 0 and 1; sums of fractions may differ in their last bit. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return Object.is(value, -0) ? 0 : Number(value.toPrecision(12));
  return value;
}

function comparable(rows: readonly unknown[][], ordered: boolean): string[] {
  const texts = rows.map((each) => JSON.stringify(each.map(plainValue)));
  return ordered ? texts : texts.sort();
}

async function same(tables: readonly Table[], { sql, ordered }: Asked, memory?: number): Promise<void> {
  const wanted = comparable(inSqlite(tables, sql), ordered);
  assert.deepEqual(comparable(await here(tables, sql, memory), ordered), wanted, sql);
}

const kinds: readonly (readonly [string, fc.Arbitrary<Asked>])[] = [
  ['conditions, columns, order, distinct, limit', plain],
  ['groups and aggregates', groups],
  ['joins', joins],
  ['set operations', sets],
  ['sub-queries', subqueries],
];

for (const [name, asked] of kinds) {
  test(`${name}: as in SQLite`, async () => {
    await fc.assert(
      fc.asyncProperty(table('t', 12), table('u', 8), asked, (t, u, query) => same([t, u], query)),
      { numRuns: RUNS },
    );
  });

  test(`${name}: as in SQLite, with next to no memory`, async () => {
    await fc.assert(
      fc.asyncProperty(table('t', 60), table('u', 60), asked, (t, u, query) => same([t, u], query, 400)),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });
}
