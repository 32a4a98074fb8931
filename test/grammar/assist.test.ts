import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { assistLine } from '../../grammar/assist.js';

/** Role, command, complete arguments, name, list so far, and the word that is typed, in short. */
function short(line: string): unknown {
  const assist = assistLine(line);
  if (!assist) return undefined;
  const args = assist.args.map((argument) => (argument.kind === 'named' ? `${argument.name}=${argument.value.text}` : argument.value.text));
  return [assist.role, assist.command ?? '', args.join(' '), assist.name ?? '', assist.items.join(), `${assist.quote}${assist.text}`];
}

test('the end of a line has the role that the grammar gives it', () => {
  const cases: [string, unknown][] = [
    ['', ['statement', '', '', '', '', '']],
    ['pslist; ps', ['statement', '', '', '', '', 'ps']],
    ['pslist pi', ['argument', 'pslist', '', '', '', 'pi']],
    ['pslist 1 pids=', ['value', 'pslist', '1', 'pids', '', '']],
    ['pslist pids= ', ['argument', 'pslist', 'pids=', '', '', '']],
    ['pslist pids=1,2,', ['value', 'pslist', '', 'pids', '1,2', '']],
    ['pslist 1,2', ['value', 'pslist', '', '', '1', '2']],
    ['pslist [1, 2', ['value', 'pslist', '', '', '1', '2']],
    ['dis "linux!in', ['argument', 'dis', '', '', '', '"linux!in']],
    ["dump a='b c", ['value', 'dump', '', 'a', '', "'b c"]],
    ['pslist 1 > fi', ['redirect', 'pslist', '1', '', '', 'fi']],
    ['pslist >> "a b', ['redirect', 'pslist', '', '', '', '"a b']],
    ['pslist | gr', ['filter', '', '', '', '', '']],
    ['? kas', ['argument', 'help', '', '', '', 'kas']],
    ['pslist # foo', ['comment', '', '', '', '', '']],
    ['select a from b > ./c', ['redirect', '', '', '', '', './c']],
    ['pslist?', undefined],
  ];
  for (const [line, expected] of cases) assert.deepEqual(short(line), expected, line);
});

test('any text has a place, and the word that is typed ends the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '1', ' ', '"', "'", ',', '=', '>', '|', ';', '[', ']', '-', '#', '?', '.', '\\', '\n', '\u{1f600}') }), (line) => {
      const assist = assistLine(line);
      assert.ok(!assist || (assist.start >= 0 && assist.start <= line.length));
    }),
  );
});
