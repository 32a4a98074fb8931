import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { parseQuery } from '../../grammar/efilter.js';
import { arg } from '../../src/plugin/args.js';
import { col, type Columns } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import type { Catalog, CatalogTable, MemberType } from '../../src/query/catalog.js';
import { completeQuery } from '../../src/query/complete.js';
import type { Definitions } from '../../src/query/engine.js';
import { leastEffort } from '../support/effort.js';

function table(name: string, columns: Columns, args: CatalogTable['args'] = {}): CatalogTable {
  return { name, summary: name, args, columns, open: () => assert.fail('completion opens nothing') };
}

const pids = { pids: arg.ints('these', { positional: true }), method: arg.choices('how', { choices: ['InitTask', 'Pids'] }), threads: arg.bool('too') };
const tables = new Map([
  ['pslist', table('pslist', { _EPROCESS: col.struct('task_struct', 'p'), pid: col.int('p'), name: col.string('n'), start: col.time('t'), 'two words': col.int('w') }, pids)],
  ['lsof', table('lsof', { fd: col.int('f'), path: col.string('p'), pid: col.int('p') })],
]);
const structs: Record<string, Record<string, MemberType>> = {
  task_struct: { comm: { type: 'string' }, mm: { type: 'struct', struct: 'mm_struct' }, cred: { type: 'struct', struct: 'cred' } },
  mm_struct: { pgd: { type: 'int' }, mmap_base: { type: 'int' } },
};
const definitions: Definitions = { views: new Map(), variables: new Map() };
const view = parseQuery('create view young as select pid as number, name from pslist()');
if (view.kind === 'create-view') definitions.views.set(view.name, view);
const defined = parseQuery('let twice(x) = 2 * x');
if (defined.kind === 'define') definitions.variables.set('twice', defined);
const catalog: Catalog = {
  definitions,
  names: () => tables.keys(),
  table: async (name) => {
    if (name === 'netscan') throw new PluginError('netscan needs Windows.');
    return Promise.resolve(tables.get(name));
  },
  members: async (struct) => Promise.resolve(structs[struct] && new Map(Object.entries(structs[struct]))),
};

/** Completes at the `|`. */
async function at(marked: string): Promise<{ matches: readonly string[]; from: number }> {
  const cursor = marked.indexOf('|');
  return completeQuery(marked.replace('|', ''), cursor, catalog);
}

async function offers(marked: string, wanted: readonly string[], unwanted: readonly string[] = []): Promise<void> {
  const { matches, from } = await at(marked);
  for (const one of wanted) assert.ok(matches.includes(one), `${marked}: ${one} is not among ${matches.join(' ')}`);
  for (const one of unwanted) assert.ok(!matches.includes(one), `${marked}: ${one} is among ${matches.join(' ')}`);
  assert.ok(from >= 0 && from <= marked.indexOf('|'), marked);
}

test('tables behind from, join and comma', async () => {
  assert.deepEqual(await at('select * from ps|'), { matches: ['pslist()'], from: 14 });
  await offers('select * from |', ['pslist()', 'lsof()', 'young'], ['pid', 'where']);
  await offers('select * from pslist() p join |', ['lsof()']);
  await offers('select * from pslist(), l|', ['lsof()']);
  await offers('select * from (select * from l|', ['lsof()']);
  await offers('with mine as (select 1) select * from m|', ['mine']);
  assert.deepEqual((await at('drop view y|')).matches, ['young']);
});

test('columns of sources, also of those behind the cursor', async () => {
  assert.deepEqual(await at('select na| from pslist()'), { matches: ['name'], from: 7 });
  await offers('select | from pslist()', ['name', 'pid', '_EPROCESS', 'distinct', '*', '`two words`', 'case'], ['fd']);
  await offers('select name from pslist() where |', ['pid', 'not'], ['fd', 'where']);
  await offers('select pid from pslist() p join lsof() f on |', ['fd', 'p', 'f', 'path']);
  await offers('select p.| from pslist() p, lsof() f', ['pid', 'name', '*'], ['fd']);
  await offers('select f.p| from pslist() p, lsof() f', ['path', 'pid'], ['fd']);
  await offers('select pslist.n| from pslist()', ['name']);
  // No table is named yet: any may be meant, and an empty word would mean all of them.
  assert.deepEqual((await at('select pa|')).matches, ['path']);
  await offers('select pid, n|', ['name', 'not', 'null']);
  await offers('select |', ['distinct'], ['pid', 'fd']);
  await offers('select 1 limit n|', [], ['name']);
  await offers('select n| from young', ['number', 'name'], ['_EPROCESS']);
  await offers('select n| from (select pid as number, path from lsof()) x', ['number'], ['name']);
  await offers('select x.| from (select * from lsof()) x', ['fd', 'path']);
  await offers('with mine as (select fd as f from lsof()) select | from mine', ['f'], ['fd']);
  await offers('select pid from pslist() where pid in (select | from lsof())', ['fd', 'name']);
  await offers('select name, count(*) as many from pslist() group by name order by m|', ['many']);
  await offers('select pid from pslist() order by |', ['pid', 'name']);
  await offers('select * from pslist() join lsof() using (|', ['pid', 'fd']);
  await offers('select a from pslist() union select | from lsof()', ['fd'], ['name']);
});

test('members through structs, pointers and aliases', async () => {
  await offers('select p._EPROCESS.co| from pslist() p', ['comm'], ['mm']);
  await offers('select _EPROCESS.| from pslist()', ['comm', 'mm', 'cred']);
  await offers('select _EPROCESS.mm.| from pslist()', ['pgd', 'mmap_base'], ['comm']);
  await offers('select * from pslist() p where p._EPROCESS.mm.p|', ['pgd']);
  await offers('select _EPROCESS["mm"].x, _EPROCESS.m| from pslist()', ['mm']);
  await offers('select start.| from pslist()', ['year']);
  assert.deepEqual((await at('select nothing.| from pslist()')).matches, []);
});

test('arguments and their values', async () => {
  await offers('select * from pslist(|', ['pids: ', 'method: ', 'threads: '], ['pid']);
  await offers('select * from pslist(pids: 1, |)', ['method: '], ['pids: ']);
  assert.deepEqual((await at('select * from pslist(me|')).matches, ['method: ']);
  assert.deepEqual((await at('select * from pslist(method: |')).matches, ['"InitTask"', '"Pids"']);
  assert.deepEqual(await at('select * from pslist(method: "I|'), { matches: ['InitTask"'], from: 30 });
  assert.deepEqual((await at('select * from pslist(threads: |')).matches, ['true', 'false']);
  assert.deepEqual((await at('select * from pslist(threads = t|')).matches, ['true']);
});

test('keywords that fit, functions and names of the session', async () => {
  assert.deepEqual((await at('sel|')).matches, ['select']);
  await offers('select name f| pslist()', ['from']);
  await offers('select * f|', ['from']);
  await offers('select * from pslist() |', ['where', 'order by', 'limit', 'join', 'left join'], ['from', 'pid', 'asc']);
  await offers('select * from pslist() where pid |', ['and', 'in', 'is null', 'order by'], ['from', 'asc']);
  await offers('select * from pslist() order by pid |', ['asc', 'desc', 'limit'], ['where']);
  await offers('select * from pslist() group by name |', ['having']);
  assert.deepEqual((await at('select * from pslist() order |')).matches, ['by']);
  assert.deepEqual((await at('explain a|')).matches, ['analyze']);
  await offers('select up| from pslist()', ['upper(']);
  await offers('select twi| from pslist()', ['twice(']);
  await offers('case when pid |', ['then']);
  await offers('create view x as |', ['select']);
});

test('inside of comments and texts nothing is offered', async () => {
  for (const text of ['select 1 -- na|', 'select 1 /* na|', 'select "na|', 'select 1; |', 'select a as |']) assert.deepEqual((await at(text)).matches, [], text);
});

test('any text, at any place: an answer, and soon', async () => {
  await at('select up| from pslist()');
  const bits = fc.constantFrom('select', 'from', 'where', 'pslist()', 'pslist(', 'lsof() f', 'p.', '(', ')', '[', ']', ',', '.', ':', '=', '"', "'", '`', 'order by', 'join', 'right join', 'on', 'with x as', 'case', 'union', 'let', '--', '/*', '*', '\\', 'netscan()', '😀', '{a}', '{', '12', ' ');
  await fc.assert(
    fc.asyncProperty(fc.array(bits, { maxLength: 25 }), fc.constantFrom(' ', ''), fc.double({ min: 0, max: 1, noNaN: true }), async (parts, glue, where) => {
      const text = parts.join(glue);
      const cursor = Math.round(where * text.length);
      const { matches, from } = await completeQuery(text, cursor, catalog);
      assert.ok(from <= cursor && matches.every((match) => typeof match === 'string' && match !== ''));
    }),
    { numRuns: 2000 },
  );
  const long = `select ${Array.from({ length: 300 }, (_, index) => `name as n${index}`).join(', ')}, `;
  // 50 ms are promised, in which a machine with nothing else to do is ready several times over.
  assert.ok((await leastEffort(20, () => completeQuery(`${long} from pslist()`, long.length, catalog))) < 100);
});
