import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import type { Definitions } from '../../src/query/engine.js';
import { QueryError } from '../../src/query/error.js';
import { checkDefinition, prepareQuery } from '../../src/query/prepare.js';
import { parseQuery } from '../../grammar/efilter.js';
import { TestCatalog } from '../support/query-tables.js';

function catalog(): TestCatalog {
  const world = new TestCatalog({
    ps: {
      columns: {
        proc: col.struct('task_struct', 'the process'),
        pid: col.int('id'),
        name: col.string('name'),
        start: col.time('start'),
        args: col.list('arguments'),
      },
      args: { pids: arg.ints('only these', { positional: true }), kind: arg.choice('how', { choices: ['fast', 'slow'] }) },
      rows: [],
    },
    read: { columns: { line: col.string('a line') }, args: { path: arg.path.required('the file', { positional: true }) }, rows: [] },
  });
  world.structs = {
    task_struct: new Map([
      ['pid', { type: 'int' }],
      ['comm', { type: 'string' }],
      ['mm', { type: 'struct', struct: 'mm_struct' }],
    ]),
    mm_struct: new Map([['pgd', { type: 'address' }]]),
  };
  return world;
}

/** What is wrong with a query: the part that is underlined, and the sentence. Nothing may have been opened. */
async function mistake(text: string, definitions?: Definitions): Promise<{ readonly at: string; readonly message: string; readonly next: string | undefined }> {
  const world = catalog();
  try {
    await prepareQuery(text, world, definitions ? { definitions } : {});
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    assert.deepEqual(world.opened, []);
    assert.ok(error.place, error.message);
    return { at: text.slice(error.place.start, error.place.end), message: error.message, next: error.next };
  }
  throw new assert.AssertionError({ message: `no mistake was found in ${text}` });
}

/** query, underlined part, what the message has to say */
const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['select nam from ps()', 'nam', /No column nam in ps\. Did you mean name\? There are proc, pid, name/],
  ['select p.nam from ps() p', 'nam', /No column nam in p\. Did you mean name\?/],
  ['select x.name from ps() p', 'x', /No column x in p/],
  ['select * from pss()', 'pss', /No function or table is called pss\. Did you mean ps\?/],
  ['select * from pss', 'pss', /No table is called pss\. Did you mean ps\?/],
  ['select ps from ps() p', 'ps', /its rows are ps\(\)/],
  ['select proc.mm.pgdd from ps()', 'pgdd', /No member pgdd in mm_struct\. Did you mean pgd\? It has pgd/],
  ['select pid.x from ps()', 'x', /int has no members/],
  ['select * from ps(pid: 4)', 'pid', /ps has no argument pid\. Did you mean pids\? It has pids, kind\./],
  ['select * from ps(pids: "x")', '"x"', /pids is one or more whole numbers, not string/],
  ['select * from ps(kind: "quick")', '"quick"', /Kind is one of fast, slow, not 'quick'/],
  ['select * from ps(1, kind: "fast", kind: "slow")', 'kind', /given kind twice/],
  ['select * from read()', 'read()', /read needs path/],
  ['select * from read("a", "b")', '"b"', /takes no more arguments/],
  ['select * from read(path: ps())', 'ps()', /path takes the values of one column; this has proc, pid/],
  ['select * from ps() where name > 4', 'name > 4', /String and int are unlike/],
  ['select * from ps() where pid in ("a", "b")', 'pid in ("a", "b")', /unlike/],
  ['select * from ps() where pid between 1 and "x"', '"x"', /unlike/],
  ['select * from ps() where start > "no date"', 'start > "no date"', /'no date' is no date/],
  ['select * from ps() where name =~ "(["', 'name =~ "(["', /no regular expression/],
  ['select * from ps() where count(*) > 2', 'count(*)', /where looks at one row/],
  ['select name, count(*) from ps()', 'name', /name has many values in a group/],
  ['select count(sum(pid)) from ps()', 'sum(pid)', /another aggregate/],
  ['select max(pid) from ps() group by count(*)', 'count(*)', /a group is made of rows/],
  ['select lowe(name) from ps()', 'lowe', /Did you mean lower/],
  ['select lower(pid) from ps()', 'pid', /lower takes string/],
  ['select lower() from ps()', 'lower()', /arguments/],
  ['select pid as a, name as a from ps()', 'name as a', /Two columns are called a/],
  ['select pid as __proto__ from ps()', 'pid as __proto__', /cannot be called/],
  ['select pid from ps() a, ps() b', 'pid', /pid may be a\.pid or b\.pid/],
  ['select * from ps() p, ps() p', 'ps() p', /Two sources are called p/],
  ['select * from ps() a join ps() b using (nam)', 'ps() b using (nam)', /using needs a column nam on both sides/],
  [
    'select pid from ps() union select pid, name from ps()',
    'select pid from ps() union select pid, name from ps()',
    /left side has 1 \(pid\), the right side 2 \(pid, name\)/,
  ],
  ['select pid from ps() union select name from ps()', 'select name from ps()', /int \(pid\) on the left and string \(name\) on the right/],
  ['select (select pid, name from ps())', '(select pid, name from ps())', /One column is wanted here/],
  ['select * from ps() where pid in (select pid, name from ps())', '(select pid, name from ps())', /One column is wanted here/],
  ['select * from ps() order by 9', '9', /There is no column 9: the query has 5/],
  ['select distinct name from ps() order by pid', 'pid', /ordered by what was selected: name/],
  ['select * from ps() limit -1', '-1', /cannot be less than 0/],
  ['select * from ps() limit pid', 'pid', /Nothing is called pid here/],
  ['select {x} from ps()', '{x}', /No value for the parameter \{x\}/],
  ['let x = x + 1 select x', 'x', /x is defined by itself/],
  ['let f(n) = f(n - 1) select f(3)', 'f', /f is defined by itself/],
  ['let f(n) = n select f(1, 2)', '2', /f takes n: this is too many/],
  ['let f(n, n) = n select f(1)', 'f', /two parameters called n/],
  ['with a as (select 1), a as (select 2) select * from a', 'a as (select 2)', /Two tables of this with are called a/],
  ['with a as (select * from a) select * from a', 'a', /No table is called a/],
  ['with a (x, y) as (select 1) select * from a', 'a (x, y) as (select 1)', /names 2 columns, but its query has 1/],
  ['select -name from ps()', '-name', /needs a number, not string/],
  ['select name * 2 from ps()', 'name * 2', /string/],
  ['select *', '*', /there is none/],
];

for (const [text, at, message] of mistakes) {
  test(`refused before anything is opened: ${text}`, async () => {
    const found = await mistake(text);
    assert.match(found.message, message);
    // A parenthesis around a sub-query belongs to it or not, as the grammar has it.
    assert.equal(found.at.replace(/^\((.*)\)$/, '$1'), at.replace(/^\((.*)\)$/, '$1'));
  });
}

function definitions(lines: readonly string[]): Definitions {
  const known: Definitions = { views: new Map(), variables: new Map() };
  for (const line of lines) {
    const statement = parseQuery(line);
    if (statement.kind === 'create-view') known.views.set(statement.name, statement);
    else if (statement.kind === 'define') for (const binding of statement.bindings) known.variables.set(binding.name, statement);
    else assert.fail(line);
  }
  return known;
}

test('a mistake in a view or variable of the session is shown where it is used', async () => {
  const known = definitions([
    'create view v as select nam from ps()',
    'let bad = 1 + "x"',
    'create view a as select * from b',
    'create view b as select * from a',
    'let p = q, q = p',
    'let g(n) = g(n)',
  ]);
  assert.deepEqual((await mistake('select * from v', known)).at, 'v');
  assert.match((await mistake('select * from v', known)).message, /^In the view v: No column nam in ps/);
  assert.deepEqual((await mistake('select bad', known)).at, 'bad');
  assert.match((await mistake('select * from a', known)).message, /a is defined by itself \(a → b → a\)/);
  assert.match((await mistake('select p', known)).message, /p is defined by itself/);
  assert.match((await mistake('select g(1)', known)).message, /g is defined by itself/);
});

test('definitions of the session are used', async () => {
  const known = definitions([
    'create view pairs (x, y) as select 1, 2 union all select 3, 4',
    'let two = 2',
    'let twice(n) = n * two',
    'let big(least) = (select * from pairs where x >= least)',
  ]);
  const rows = async (text: string): Promise<unknown> =>
    (await (await prepareQuery(text, catalog(), { definitions: known })).rows()).map((row) => ({ ...row }));
  assert.deepEqual(await rows('select twice(x) as t from pairs where y > two'), [{ t: 6 }]);
  assert.deepEqual(await rows('select y from big(3)'), [{ y: 4 }]);
  // A column hides them.
  assert.deepEqual(await rows('select two from (select 7 as two)'), [{ two: 7 }]);
});

test('what is about to be defined is checked', async () => {
  await assert.rejects(checkDefinition(parseQuery('create view v as select nam from ps()'), catalog()), QueryError);
  await assert.rejects(checkDefinition(parseQuery('create view v (a) as select pid, name from ps()'), catalog()), /names 1 column, but its query has 2/);
  await assert.rejects(checkDefinition(parseQuery('let x = 1 + "a"'), catalog()), QueryError);
  await checkDefinition(parseQuery('create view v as select name from ps()'), catalog());
});

test('long and deep queries end in an answer or an error', async () => {
  const world = catalog();
  const chain = Array.from({ length: 900 }, (_, index) => `pid == ${index}`).join(' or ');
  await prepareQuery(`select * from ps() where ${chain}`, world);
  const list = Array.from({ length: 50_000 }, (_, index) => index).join(', ');
  await prepareQuery(`select * from ps() where pid in (${list})`, world);
  await assert.rejects(prepareQuery(`select ${'('.repeat(5000)}1${')'.repeat(5000)}`, world));
  await assert.rejects(prepareQuery(`select ${'not '.repeat(900)}true`, world), /nested more than/);
  const doubling = Array.from({ length: 40 }, (_, index) => `f${index + 1}(x) = f${index}(x) + f${index}(x)`).join(', ');
  const steps = Array.from({ length: 4000 }, (_, index) => `x${index} = ${index === 0 ? '1' : `x${index - 1} + 1`}`).join(', ');
  await assert.rejects(prepareQuery(`let ${steps} select x3999`, world), /too large|too deep|levels deep/);
  await assert.rejects(prepareQuery(`let f0(x) = x, ${doubling} select f40(1)`, world), /too large/);
  // Values are computed once, however often they are named.
  const values = Array.from({ length: 40 }, (_, index) => `v${index + 1} = v${index} + v${index}`).join(', ');
  const rows = await (await prepareQuery(`select let v0 = pid, ${values} v40 as v from (select 1 as pid)`, world)).rows();
  assert.deepEqual(rows[0]?.['v'], 2 ** 40);
});
