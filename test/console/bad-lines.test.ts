import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shell } from '../../src/console/shell.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { committedSample, skipWithout } from '../support/sample.js';

const sample = committedSample();

/** A line, the text under which the mark must stand, and what must be said of it. */
const LINES: readonly [string, string, RegExp][] = [
  ['pslist "abc', '"', /never closed/],
  ["pslist proc_regex='abc", "'", /never closed/],
  ['netscna', 'netscna', /No command netscna/],
  ['pslits 1', 'pslits', /Did you mean pslist/],
  ['pslist; pslits', 'pslits', /Did you mean pslist/],
  ['pslist pidss=1', 'pidss', /pidss.*Did you mean pids|pidss/],
  ['pslist pids=x', 'x', /pids/],
  ['pslist pids=1,y', 'y', /pids/],
  ['pslist pids=99999999999999999999', '99999999999999999999', /pids/],
  ['pslist proc_regex="("', '"("', /proc_regex/],
  ['pslist method=Nonsense', 'Nonsense', /InitTask/],
  ['pslist format=jsn', 'jsn', /Did you mean json/],
  ['dump linux!linux_banner rows=abc', 'abc', /rows/],
  ['vtop 0x', '0x', /./],
  ['pslist ,1', ',', /not expected/],
  ['pslist > a b', 'b', /not expected/],
  ['pslist `ls`', '`', /means nothing here/],
  [')x', ')', /begins with the name of a command/],
  ['select nam from pslist()', 'nam', /No column nam.*Did you mean name/],
  ['select name from pslits()', 'pslits', /Did you mean pslist/],
  ['select name from pslist() where', '', /Expected a condition/],
  ['select name from pslist(pidss: 1)', 'pidss', /pids/],
  ['select name from pslist() where pid == "a', '"', /no closing/],
  ['select name\nfrom pslist()\nwhere nosuch > 1', 'nosuch', /No column nosuch/],
  ['pslist; select x from pslist()', 'x', /No column x/],
  ['1 +* 2', '*', /SyntaxError/],
  ['nosuch.x', 'n', /nosuch is not defined/],
];

test(
  'a bad line is told with its place and what was expected',
  { skip: skipWithout(sample ? [sample] : []) },
  async () => {
    const session = new Session({ filename: sample?.image ?? '', cache: 'memory' });
    for (const [line, marked, message] of LINES) {
      const [output, error] = [new Screen(false), new Screen(false)];
      const shell = new Shell(session, { output, error });
      assert.equal(await shell.execute(line), 'failed', line);
      const said = error.text;
      assert.match(said, message, line);
      assert.doesNotMatch(said, /Unexpected \w*Error|mistake in Rekall|\n\s+at /, line);
      // The mark stands in the line below the one that is quoted.
      const lines = said.split('\n');
      const mark = lines.findIndex((text) => /^ +\^+$/.test(text));
      assert.ok(mark > 0, `${line}: ${said}`);
      const column = (lines[mark] ?? '').indexOf('^');
      assert.equal(
        (lines[mark - 1] ?? '').slice(column, column + Math.max(1, marked.length)),
        marked === '' ? '' : marked,
        `${line}: ${said}`,
      );
      shell.close();
    }
    session.close();
  },
);

test('hostile text in a line is not shown raw', async () => {
  const [output, error] = [new Screen(false), new Screen(false)];
  const shell = new Shell(new Session({ cache: 'memory' }), { output, error });
  for (const line of ['\x1b[31mpslist', 'nosuch \x1b]0;x\x07', 'select "\u202e" frm x', 'version "\x9b31m"', '"\x1b"+'])
    await shell.execute(line);
  assert.doesNotMatch(error.text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
});
