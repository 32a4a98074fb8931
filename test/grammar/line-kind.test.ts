import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { parseLine } from '../../grammar/command.js';
import { LineError, type Statement } from '../../grammar/command-tree.js';
import type { Known } from '../../grammar/line-kind.js';
import { isGlobalVariable, javascriptState } from '../../src/console/javascript-syntax.js';
import { bounded } from '../support/effort.js';

const commands = new Set(['pslist', 'vad', 'dis', 'load_plugin', 'maps', 'version', 'help', 'quit', 'cc', 'info']);
const variables = new Set(['p', 'x', 'rows', 'maps', 'n']);
const known: Known = {
  command: (name) => commands.has(name.replaceAll('-', '_').toLowerCase()),
  variable: (name) => variables.has(name) || isGlobalVariable(name),
  javascript: javascriptState,
};

/** `c` command, `q` query, `j` JavaScript, `?` help; several statements one behind the other. */
function kinds(line: string): string {
  return parseLine(line, known).map((statement: Statement) => ({ command: 'c', query: 'q', javascript: 'j', help: '?' })[statement.kind]).join('');
}

const LINES: Readonly<Record<string, readonly string[]>> = {
  c: [
    'pslist',
    'pslist 1,2',
    'pslist pids=1',
    'pslist method=[a, b]',
    'vad lsass format=json',
    'dis "nt!PsSetLoadImageNotifyRoutine" length=0x80',
    'pslist | head',
    'pslist|head',
    'pslist > out.txt',
    'pslist>out.txt',
    'pslist >> out.txt',
    'pslist == 1',
    'pslist --pids 1',
    'maps',
    'maps 1',
    'load-plugin x.js',
    'load-plugin',
    'vad (x)',
    'info x.y',
    'cuont',
    'cuont 1',
    'cuont;',
    'netscan > x',
    'my-plugin x',
    'sel',
    'selected x',
    'anything',
    'explained x',
    'letter x',
    '// a comment\npslist',
    '-- a comment\npslist',
    '/* both\nlines */ pslist',
    'pslist # select',
    'help select',
    'foo@bar',
    'foo\\bar x',
  ],
  q: [
    'select * from pslist()',
    'SELECT name FROM pslist() WHERE pid > 4',
    'select(name) from pslist()',
    'select\nname\nfrom pslist()',
    '(select a from b()) union (select 1)',
    '((select 1))',
    'select "a;b" from x()',
    "select 'it''s' from x()",
    'select 1 -- ; no end\n from x()',
    'select 1 /* ; */ from x()',
    'explain select 1',
    'EXPLAIN analyze select 1',
    'explain _',
    'with x as (select 1) select * from x',
    'with recursive x as (select 1) select * from x',
    'any select 1 from x()',
    'any (select 1)',
    'any pslist()',
    'create view v as select 1',
    'create or replace view v as select 1',
    'drop view v',
    'let f(x) = x + 1',
    'let x = select name from pslist()',
    'let x = 5 select x',
    'LET x = 5',
    'let (x = 1) x + 1',
    '-- why\nselect 1',
    'select',
  ],
  j: [
    'const p = await plugins.pslist({pids: [1]}).rows()',
    'session',
    'session.name',
    '_',
    '_.rows',
    '_ + 1',
    '1n << 32n',
    '0x10',
    '-5',
    '--n',
    '"text"',
    "'text'.length",
    '`template ${1}`',
    '[1, 2].map((x) => x)',
    '{ a: 1 }',
    '(1 + 2) * 3',
    '/a/.test("a")',
    '!x',
    'x',
    'x + 1',
    'x.map((y) => y)',
    'x[0]',
    'x?.y',
    'x ? 1 : 2',
    'x in y',
    'x instanceof Array',
    'x=>x',
    'x => x',
    'y=1',
    'y = 1',
    'y += 1',
    'y ??= 1',
    'y++',
    'foo.bar',
    'foo(1)',
    'foo`x`',
    'pslist()',
    'pslist().rows()',
    'pslist.help',
    'pslist = 3',
    'pslist => 3',
    'await pslist().rows()',
    'for (const r of p) r',
    'if (x) { pslist() }',
    'function f(x) { return x }',
    'class A {}',
    'let x = 1',
    'let x',
    'let { a, b } = x',
    'let x = await 1; x',
    'var select = 1',
    'select = 1',
    'select.x',
    'explain(1)',
    'any(x)',
    'with (x) { y }',
    'throw 1',
    'new Date()',
    'typeof x',
    'x; pslist',
    'n-1',
    '$x = 1',
    'été = 1',
    'Math.max(1, 2)',
    'console.log(1)',
    'create(view)',
    '// why\nx',
  ],
  '?': ['?', '??', 'pslist?', 'pslist ??', 'pslist?  # why', 'nosuch?'],
  '': ['', '  ', '# nothing', '// nothing', '-- nothing', '/* nothing */', ';;', '--nothing'],
  cc: ['pslist; version', 'pslist 1; maps > x', 'cuont; version'],
  cj: ['pslist; const x = 1; x', 'pslist; x.length; pslist'],
  cq: ['pslist; select 1', 'maps 1; explain select 1'],
  qc: ['select 1; pslist', 'select ";" from x() ; pslist 1'],
  qq: ['select 1; select 2;', 'let f(x) = x; select f(1)'],
  '?c': ['pslist?; version'],
};

test('each line is of its kind', () => {
  for (const [kind, lines] of Object.entries(LINES)) for (const line of lines) assert.equal(kinds(line), kind, line);
});

test('what stands behind a query is a file or a filter, and a comparison stays one', () => {
  const cases: [string, string, string | undefined, string | undefined][] = [
    ['select a from b() where c > 4', 'select a from b() where c > 4', undefined, undefined],
    ['select a from b() where c > d.e', 'select a from b() where c > d.e', undefined, undefined],
    ['select a from b() where c > "x"', 'select a from b() where c > "x"', undefined, undefined],
    ['select a from b() where (c > d.csv)', 'select a from b() where (c > d.csv)', undefined, undefined],
    ['select a from b() > out.json', 'select a from b()', '>out.json', undefined],
    ['select a from b() where c > 4 > /tmp/x', 'select a from b() where c > 4', '>/tmp/x', undefined],
    ['select a from b() > "my file.csv"', 'select a from b()', '>my file.csv', undefined],
    ['select a from b() > ~/x', 'select a from b()', '>~/x', undefined],
    ['select a from b() >> x', 'select a from b()', '>>x', undefined],
    ['select a from b() | sort -u', 'select a from b()', undefined, 'sort -u'],
    ['select a || "|" from b() | head', 'select a || "|" from b()', undefined, 'head'],
    ['select a from b() > x.txt; pslist', 'select a from b()', '>x.txt', undefined],
    ['select a -- > x.txt\nfrom b()', 'select a -- > x.txt\nfrom b()', undefined, undefined],
  ];
  for (const [line, text, redirect, filter] of cases) {
    const [query] = parseLine(line, known);
    assert.ok(query?.kind === 'query', line);
    assert.equal(query.text, text, line);
    assert.equal(query.redirect && `${query.redirect.append ? '>>' : '>'}${query.redirect.path.text}`, redirect, line);
    assert.equal(query.filter, filter, line);
    assert.equal(line.slice(query.start, query.end), text, line);
  }
});

test('places of statements are those of the text', () => {
  const text = ' pslist 1 ;  select a\nfrom b() ; x.y ';
  assert.deepEqual(parseLine(text, known).map(({ start, end }) => text.slice(start, end)), ['pslist 1', 'select a\nfrom b()', 'x.y']);
});

test('any text gives statements or a place, quickly', () => {
  const parts = fc.constantFrom('select ', 'let ', 'pslist', 'x', '(', ')', '"', "'", '`', ';', '|', '>', '\n', '--', '/*', '*/', '//', '#', ' ', '=', '.', '?', '1', 'await ', '{', '}', '\\', '\u202e');
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 30 }), (list) => {
      const line = list.join('');
      try {
        for (const { start, end } of parseLine(line, known)) assert.ok(start >= 0 && end >= start && end <= line.length);
      } catch (error) {
        assert.ok(error instanceof LineError, String(error));
        assert.ok(error.place.start >= 0 && error.place.start <= line.length);
      }
    }),
    { numRuns: 1500 },
  );
  const long = `select ${'a, '.repeat(300_000)}b from c()`;
  assert.equal(bounded(10_000, () => parseLine(long, known)).length, 1);
});
