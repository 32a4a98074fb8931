import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { parseLine } from '../../grammar/command.js';
import { type Command, LineError, type Statement } from '../../grammar/command-tree.js';

/** A line in short: names, values in order, what is behind. */
function short(line: string): unknown[] {
  return parseLine(line).map((statement: Statement) => {
    if (statement.kind === 'query' || statement.kind === 'javascript') return [statement.kind, statement.text];
    if (statement.kind === 'help') return ['help', statement.name, statement.level];
    const args = statement.args.map((argument) => {
      const { value } = argument;
      const text = value.items ? value.items.map((item) => item.text) : value.text;
      return argument.kind === 'named' ? { [argument.name]: text } : text;
    });
    const behind = [statement.redirect ? `${statement.redirect.append ? '>>' : '>'}${statement.redirect.path.text}` : '', statement.filter === undefined ? '' : `|${statement.filter}`];
    return [statement.name, ...args, ...behind.filter((part) => part !== '')];
  });
}

test('commands, words and names', () => {
  const cases: [string, unknown[]][] = [
    ['', []],
    ['  # nothing', []],
    ['pslist', [['pslist']]],
    ['vad lsass format=json', [['vad', 'lsass', { format: 'json' }]]],
    ['dis "nt!PsSetLoadImageNotifyRoutine" length=0x80', [['dis', 'nt!PsSetLoadImageNotifyRoutine', { length: '0x80' }]]],
    ['vtop linux!init_task+0x10 ; ; lookup *linux!modules # why', [['vtop', 'linux!init_task+0x10'], ['lookup', '*linux!modules']]],
    ['pslist 1,2, 3 method=[a, "b c"]', [['pslist', ['1', '2', '3'], { method: ['a', 'b c'] }]]],
    ['pslist [] x', [['pslist', [], 'x']]],
    ['pslist proc_regex=[ab].*', [['pslist', { proc_regex: '[ab].*' }]]],
    ['pslist --proc_regex=x -D. --pids 1 -', [['pslist', '--proc_regex=x', '-D.', '--pids', '1', '-']]],
    ['dump C:\\Windows\\x "a\\tb\\x41\\d\\"" \'C:\\temp\\\'s\'', [['dump', 'C:\\Windows\\x', 'a\tbA\\d"', "C:\\temp's"]]],
    ['dt linux!"a b"c x= y', [['dt', 'linux!a bc', { x: '' }, 'y']]],
    ['maps > out.txt', [['maps', '>out.txt']]],
    ['maps 1 >> "my file"; lsmod | grep -v \'x;y\' | head', [['maps', '1', '>>my file'], ['lsmod', "|grep -v 'x;y' | head"]]],
    ['maps a#b', [['maps', 'a#b']]],
    ['load-plugin x', [['load-plugin', 'x']]],
  ];
  for (const [line, expected] of cases) assert.deepEqual(short(line), expected, line);
});

test('help and queries', () => {
  assert.deepEqual(short('pslist?'), [['help', 'pslist', 1]]);
  assert.deepEqual(short('pslist ?? ; ?'), [['help', 'pslist', 2], ['help', undefined, 1]]);
  assert.deepEqual(short("SELECT a -- ;\n, ';' FROM x(); b"), [['query', "SELECT a -- ;\n, ';' FROM x()"], ['b']]);
  assert.deepEqual(short('explain select 1'), [['query', 'explain select 1']]);
  assert.deepEqual(short('selected x'), [['selected', 'x']]);
  assert.deepEqual(short('address_resolver linux!init_?'), [['address_resolver', 'linux!init_?']]);
});

test('places are those of the line', () => {
  const [command] = parseLine('  pslist  proc_regex="a b"  7') as [Command];
  const text = '  pslist  proc_regex="a b"  7';
  assert.equal(text.slice(command.at.start, command.at.end), 'pslist');
  assert.deepEqual(command.args.map(({ start, end }) => text.slice(start, end)), ['proc_regex="a b"', '7']);
  assert.deepEqual(command.args.map(({ value }) => text.slice(value.start, value.end)), ['"a b"', '7']);
});

test('mistakes point at their character', () => {
  const cases: [string, number, RegExp][] = [
    ['pslist "abc', 7, /never closed/],
    ["pslist x='abc", 9, /never closed/],
    ['pslist `ls`', 7, /'`' means nothing here/],
    ['*x = 1', 0, /begins with the name of a command/],
    ['pslist; )1', 8, /begins with the name of a command/],
    ['pslist 1,', 9, /line ends here/],
    ['pslist ,1', 7, /',' was not expected/],
    ['pslist >', 8, /line ends here/],
    ['pslist > a b', 11, /'b' was not expected/],
  ];
  for (const [line, start, message] of cases) {
    assert.throws(
      () => parseLine(line),
      (error) => error instanceof LineError && error.place.start === start && message.test(error.message),
      line,
    );
  }
});

test('any line gives a tree or a place', () => {
  const characters = fc.constantFrom(...'ab1 \t"\'\\=,;|>#?[]{}-_!+*.$`(é\u{1f642}'.split(''), 'select ', 'pslist ');
  fc.assert(
    fc.property(fc.array(characters, { maxLength: 24 }), (parts) => {
      const line = parts.join('');
      try {
        parseLine(line);
      } catch (error) {
        assert.ok(error instanceof LineError, String(error));
        assert.ok(error.place.start >= 0 && error.place.start <= line.length);
      }
    }),
    { numRuns: 2000 },
  );
});
