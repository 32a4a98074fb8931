import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_LENGTH, parseQuery } from '../../grammar/efilter.js';
import { QuerySyntaxError } from '../../grammar/efilter-tree.js';
import { bounded } from '../support/effort.js';

function mistake(text: string): QuerySyntaxError {
  try {
    parseQuery(text);
  } catch (error) {
    if (error instanceof QuerySyntaxError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `no error for ${text.slice(0, 80)}` });
}

/** A query with the mistaken part in ⟨⟩, and what the message says. */
function check(marked: string, message: RegExp): void {
  const start = marked.indexOf('⟨');
  const end = marked.indexOf('⟩') - 1;
  const text = marked.replace('⟨', '').replace('⟩', '');
  const error = mistake(text);
  assert.match(error.message, message, marked);
  // At the end of the text, the place is the character behind it.
  assert.deepEqual(error.place, { start, end: start === end ? end + 1 : end }, `${marked}: ${error.message}`);
}

test('mistyped keywords are guessed', () => {
  check('⟨selct⟩ name from pslist()', /Did you mean select\?/);
  check('⟨slect⟩ * from pslist()', /Did you mean select\?/);
  check('select name ⟨form⟩ pslist()', /Did you mean from\?/);
  check('select name ⟨frm⟩ pslist()', /Did you mean from\?/);
  check('select name from pslist() ⟨oder⟩ by pid', /Did you mean order\?/);
  check('select name from pslist() ⟨were⟩ pid == 1', /Did you mean where\?/);
  check('select name from pslist() ⟨whre⟩ (pid == 1)', /Did you mean where\?/);
  check('select name from pslist() ⟨gruop⟩ by name', /Did you mean group\?/);
  check('select name from pslist() ⟨limt⟩ 5', /Did you mean limit\?/);
  check('select name from pslist() p ⟨jion⟩ lsof() f on p.pid = f.pid', /Did you mean join\?/);
  check('⟨explian⟩ select 1', /Did you mean explain\?/);
  check('select pid from a() ⟨unoin⟩ select pid from b()', /Did you mean union\?/);
});

test('what was expected is said in plain words, at the place', () => {
  check('⟨⟩', /query is missing/);
  check('select⟨⟩', /Expected a column, or \* after 'select'; the query ends here/);
  check('select a from⟨⟩', /Expected a plugin such as pslist\(\)/);
  check('select a from ⟨where⟩ x', /Expected a plugin such as pslist\(\).*here stands 'where'/);
  check('select a from b() where⟨⟩', /Expected a condition/);
  check('select a from b() where ⟨order⟩ by c', /Expected a condition after 'where'; here stands 'order'/);
  check('select a, ⟨from⟩ b()', /Expected a column, or \* after ','; here stands 'from'/);
  check('select a from b() order ⟨c⟩', /Expected 'by'/);
  check('select a from b() limit⟨⟩', /Expected a number/);
  check('a +⟨⟩', /Expected a value after '\+'/);
  check('(a, b⟨⟩', /Expected '\)' after 'b', for the '\(' at character 1/);
  check('f(a, g(b)⟨⟩', /for the '\(' at character 2/);
  check('[a, b⟨)⟩', /Expected '\]'.*for the '\[' at character 1; here stands '\)'/);
  check('a⟨)⟩', /closes what was never opened/);
  check('case a ⟨end⟩', /Expected 'when'/);
  check('case a when b then c⟨⟩', /Expected 'end'/);
  check('if a⟨⟩', /Expected 'then'/);
  check('a.b⟨(⟩c)', /A member cannot be called/);
  check('select 1; ⟨select⟩ 2', /One statement at a time/);
  check('a ⟨between 1 or 2⟩', /between.*needs two bounds/);
  check('a is ⟨-⟩ null', /null or not null/);
  check('a ⟨isa⟩ b', /isa is gone/);
});

test('signs and texts that cannot be', () => {
  check('a ⟨&⟩& b', /write and/);
  check('a ⟨|⟩ b', /write or/);
  check('⟨!⟩a', /write not/);
  check('a⟨#⟩b', /comment stands apart/);
  check('⟨“⟩a”', /straight quotes/);
  check('a ⟨\u0007⟩', /U\+0007/);
  check('select ⟨"⟩abc', /no closing "/);
  check("select ⟨'⟩abc\\'", /no closing '/);
  check('select ⟨`⟩abc', /no closing `/);
  check('select 1 ⟨/*⟩ abc', /no closing \*\//);
  check('⟨12ab⟩', /not a number/);
  check('⟨0x⟩', /not a number/);
  check('⟨089⟩', /octal/);
  check('⟨1e999⟩', /larger than any number/);
});

test('what SQL has and this language has not', () => {
  check('select * from a() x ⟨right⟩ join b() y on x.c = y.c', /no right join: swap/);
  check('select * from a() x ⟨full⟩ outer join b() y on x.c = y.c', /no full join/);
  check('select * from a() x ⟨natural⟩ join b() y', /no natural join.*using/);
  check('select * from a() x on ⟨x.b⟩', /this is the first/);
  check('select a from b() limit 1 ⟨limit⟩ 2', /second time/);
  check('select ⟨p.* as x⟩ from pslist() p', /cannot have one name/);
  check('select count(⟨p.*⟩) from pslist() p', /columns of a select/);
  check('f(*⟨,⟩ a)', /Expected '\)' after '\*'/);
  check('f(* ⟨a⟩)', /Nothing can stand beside/);
  check('g(x as ⟨y⟩)', /named in front/);
  check('let x = 1 + f(⟨let y = 2⟩)', /the value is missing/);
});

test('deep and long texts are refused in bounded time', () => {
  bounded(20_000, refuseAll);
});

function refuseAll(): void {
  const nests = ['(', '[', 'f(', 'f(a: ', 'not (', '-(', 'case ', 'if ', 'select * from (', 'select (', 'any (', 'any ', 'exists (', 'let x = ', 'let (', 'a[', 'with x as (', '(select 1 union ', 'if a then b else '];
  for (const nest of nests) {
    const error = mistake(nest.repeat(50_000));
    assert.ok(error.message.length < 400, error.message);
  }
  assert.match(mistake('('.repeat(200) + '1' + ')'.repeat(200)).message, /nested more than/);
  assert.match(mistake(Array.from({ length: 2000 }, () => 'a').join(' or ')).message, /chain of more than/);
  assert.match(mistake('- '.repeat(5000) + '1').message, /chain of more than/);
  assert.match(mistake('a' + '.b'.repeat(5000)).message, /chain of more than/);
  assert.match(mistake(Array.from({ length: 3000 }, () => 'select 1').join(' union ')).message, /chain of more than/);
  assert.match(mistake('x'.repeat(MAX_LENGTH + 1)).message, /1,048,576 characters long; this one has 1,048,577/);
  mistake('"'.repeat(MAX_LENGTH - 1));
  mistake('\\'.repeat(MAX_LENGTH));
  mistake('a '.repeat(MAX_LENGTH / 2));
  mistake(`"${'\\"'.repeat(MAX_LENGTH / 2 - 2)}`);
}

test('what is long but flat is read', () => {
  const list = parseQuery(`x in (${Array.from({ length: 100_000 }, (_, index) => index).join(',')})`);
  assert.equal(list.kind === 'evaluate' && list.value.kind === 'binary' && list.value.right.kind === 'list' && list.value.right.items.length, 100_000);
  parseQuery(`"${'\\"'.repeat(MAX_LENGTH / 2 - 1)}"`);
  parseQuery('('.repeat(100) + '1' + ')'.repeat(100));
  parseQuery(Array.from({ length: 900 }, () => 'a').join(' or '));
});
