import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isIncomplete, legacyDifferences, parseQuery } from '../../grammar/efilter.js';

test('a console asks for more where something has to follow', () => {
  const incomplete = [
    ...['select', 'select name,', 'select name from', 'select * from pslist() where', 'select * from pslist() where pid ==', 'select * from pslist( ', 'x in (1, 2', '[1,'],
    ...['select "abc', "select 'it", 'select `two', 'select 1 /* so', 'a and', 'not', 'a is', 'a is not', 'a not', 'a between 1', 'a between 1 and', 'a.', 'select * from a() order', 'select * from a() order by'],
    ...['case x', 'case x when 1 then 2', 'if a', 'if a then', 'if a then b else', 'let', 'let x', 'let x =', 'explain', 'explain analyze', 'create view', 'create view x as', 'drop view', 'with', 'with x as'],
    ...['select 1 union', 'select * from a() join', 'select * from a() left', 'select * from a() x left join b() y on', 'select a as', 'f(a:', 'any', 'any from', 'exists', 'select\n  name,\n', 'with x as (select 1)'],
  ];
  const complete = [
    ...['', '  ', '-- comment', 'select 1', 'select * from pslist()', 'select * from pslist();', 'let x = 1', 'a.left', 'select 1 limit 5', 'drop view x', 'x in (1)'],
    ...['select )', 'select , from', 'a & b', '12ab', 'selct name from x() where ^', 'a)', 'select 1; select'],
  ];
  for (const text of incomplete) assert.equal(isIncomplete(text), true, text);
  for (const text of complete) assert.equal(isIncomplete(text), false, text);
});

test('what the old EFILTER read otherwise is told', () => {
  const cases: [string, string[]][] = [
    ['not a == b', ['0-10 This is not (a == b); in Rekall it was (not a) == b.']],
    ['select x from y() where not x =~ "z"', ['24-36 This is not (x =~ "z"); in Rekall it was (not x) =~ "z".']],
    ['not a + 1 == b', ['0-14 This is not (a + 1 == b); in Rekall it was ((not a) + 1) == b.']],
    ['not (a + 1) == b', ['0-16 This is not (a + 1 == b); in Rekall it was (not (a + 1)) == b.']],
    ['a == b < c', ['0-10 This is a == (b < c); in Rekall it was (a == b) < c.']],
    ['not (a == b)', []],
    ['not (a == b) and not f(x)', []],
    ['(not a) == b', []],
    ['not a', []],
    ['not a and b', []],
    ['a == (b < c)', []],
    ['(a == b) < c', []],
    ['a < b == c', []],
    ['not a like "x"', []],
    ['-a + b', []],
  ];
  for (const [text, expected] of cases) {
    const told = legacyDifferences(parseQuery(text)).map(({ start, end, sentence }) => `${start}-${end} ${sentence}`);
    assert.deepEqual(told, expected, text);
  }
});
