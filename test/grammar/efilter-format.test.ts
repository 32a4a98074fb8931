import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { formatStatement } from '../../grammar/efilter-format.js';
import { parseQuery } from '../../grammar/efilter.js';
import { bare, statements } from '../support/query-trees.js';

test('a tree written and read again is the same tree', () => {
  fc.assert(
    fc.property(statements, (statement) => {
      const text = formatStatement(statement);
      assert.deepEqual(bare(parseQuery(text)), bare(statement), text);
    }),
    { numRuns: 3000 },
  );
});

test('canonical text is what a person would write', () => {
  const cases: [string, string?][] = [
    ['select * from pslist()'],
    ['SELECT  name ,pid  FROM pslist( ) WHERE pid=4;', 'select name, pid from pslist() where pid == 4'],
    ['select a from b() where (c and d) or ((e))', 'select a from b() where c and d or e'],
    ['select a from b() where c and (d or e)'],
    ['not (a == b)', 'not a == b'],
    ['(not a) == b'],
    ['-(a + b) * c - (d - e)'],
    ['(a - b) - c', 'a - b - c'],
    ['- -a'],
    ['(select a from b()).c'],
    ['x in (1, 2, 3)'],
    ['x not in (select y from z())'],
    ['select end, limit, type from maps() as m, lsof() f', 'select end, limit, type from maps() m, lsof() f'],
    ['select `select`, `two words` from `from`()'],
    ['select a from b() limit 5 order by c desc', 'select a from b() order by c desc limit 5'],
    ['select a from b() union all (select c from d() limit 5) order by a'],
    ['select a from b() union select c from d() intersect select e from f()'],
    ['(select a from b() union select c from d()) intersect select e from f()'],
    ['if a then b else if c then d else e'],
    ['case a when 1 then "x" else "y" end'],
    ["'it\\'s \"x\"'", '"it\'s \\"x\\""'],
    ['"c:\\windows\\*.exe"'],
    ['"c:\\\\temp\\\\"'],
    ['f(a, b: 1, c = 2)'],
    ['any from a() where b', 'exists (select * from a() where b)'],
    ['let x = 1, f(y) = y * x select f(z) from a()'],
    ['let (x = a) (b)', 'let x = a b'],
    ['let (x = a) (-b)'],
    ['let (x = a) (limit)'],
  ];
  for (const [text, canonical = text] of cases) assert.equal(formatStatement(parseQuery(text)), canonical, text);
});
