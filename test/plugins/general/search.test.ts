import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Registry } from '../../../src/plugin/registry.js';
import { Shell } from '../../../src/console/shell.js';
import { bringSaved, savedPath } from '../../../src/query/session/saved.js';
import { typedValue } from '../../../src/query/session/values.js';
import { Session } from '../../../src/session/session.js';
import { Screen } from '../../support/console.js';
import { temporary } from '../../support/folder.js';
import { committedSample } from '../../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const home = temporary();
const open = (): Session => new Session({ cache: 'memory', home, colors: 'no', ...(sample ? { filename: sample.image } : {}) }, Registry.builtIn());
const session = open();
after(() => {
  session.close();
});

/** What a line prints, and what it says beside that. */
async function typed(line: string, on = session): Promise<{ output: string; error: string; outcome: string }> {
  const [output, error] = [new Screen(false), new Screen(false)];
  const outcome = await new Shell(on, { output, error }).execute(line);
  return { output: output.text, error: error.text, outcome };
}

const named = (pid: number): string => sample?.truth(`proc/${pid}/comm`).trim() ?? '';

test('words are the values that they look like', () => {
  const cases: [string, unknown][] = [['4', 4], ['-4', -4], ['0x1f', 31], ['1.5', 1.5], ['true', true], ['007', '007'], ['"4"', '4'], ["'true'", 'true'], ['^k', '^k'], ['', ''], ['0xffff888000000000', 0xffff888000000000n]];
  for (const [word, value] of cases) assert.deepEqual(typedValue(word), value, word);
});

test('search runs a query whose parameters are values, never text', { skip }, async () => {
  const csv = `pid,name\r\n1,${named(1)}\r\n2,${named(2)}\r\n`.replaceAll('\r\n', '\n');
  const lines = [
    'search "select pid, name from pslist() where pid < {most} order by pid" query_parameters="most=3" format=csv',
    'search "select pid, name from pslist() where pid < {0} and pid > ? order by pid" 3 0 format=csv',
    'search query="select pid, name from pslist() where pid in ({0}, {1}) order by pid" query_parameters=[1,2] format=csv',
  ];
  // `?` counts from 0 too: in the second line {0} and ? are the same value.
  assert.equal((await typed(lines[0] ?? '')).output.replaceAll('\r\n', '\n'), csv);
  assert.match((await typed(lines[1] ?? '')).error, /No row fits|found nothing/);
  assert.equal((await typed(lines[2] ?? '')).output.replaceAll('\r\n', '\n'), csv);
  const injection = await typed('search "select pid from pslist() where name == {0}" \'x" or pid == 1 or name == "x\' format=csv');
  assert.deepEqual([injection.outcome, injection.output.trim()], ['done', 'pid']);
});

test('a mistake in the query is told with its place; silent makes a note of it', { skip }, async () => {
  const loud = await typed('search "select nam from pslist()"');
  assert.deepEqual([loud.outcome, loud.output], ['failed', '']);
  assert.match(loud.error, /No column nam in pslist.*\(at 8: nam\)/);
  const silent = await typed('search "select nam from pslist()" silent=true');
  assert.equal(silent.outcome, 'done');
  assert.match(silent.error, /No column nam/);
  assert.match((await typed('search "select {0} from pslist()"')).error, /No value for the parameter \{0\}/);
});

test('search is a table', { skip }, async () => {
  const { output } = await typed('select count(*) as n from search("select pid from pslist() where pid < {0}", query_parameters: ["3"]) ;'.replace(' ;', ''));
  assert.match(output, /\b2\b/);
});

test('a saved query is a command with help, in every session, until it is dropped', { skip }, async () => {
  assert.match((await typed('queries')).error, /No query is saved/);
  const saved = await typed('save_query early "select pid, name from pslist() where pid < {most} order by pid;" "processes with small pids"');
  assert.equal(saved.outcome, 'done', saved.error);
  assert.equal((await typed('early most=3 format=csv')).output.replaceAll('\r\n', '\n'), `pid,name\n1,${named(1)}\n2,${named(2)}\n`);
  const help = (await typed('early?')).output;
  assert.match(help, /processes with small pids/);
  assert.match(help, /most/);
  assert.match((await typed('early')).error, /early needs most/);
  assert.match((await typed('queries')).output, /early.*most.*processes with small pids/);
  assert.match((await typed('select name from early(most: "2")')).output, new RegExp(named(1)));
  const second = open();
  try {
    bringSaved(second.registry, savedPath(second));
    assert.match((await typed('early 2 format=csv', second)).output, new RegExp(`1,${named(1)}`));
    // It is replaced by the other session; this one learns of it at its next look.
    await typed('save_query early "select pid as number from pslist() where pid == 1" "the first"', second);
    assert.match((await typed('early format=csv', second)).output, /^number\r?\n1\r?\n$/);
  } finally {
    second.close();
  }
  assert.equal((await typed('drop_query early')).outcome, 'done');
  assert.equal(session.registry.named('early').length, 0);
  assert.match((await typed('drop_query earl')).error, /No query earl is saved/);
});

test('what cannot be a command is refused, and a damaged file is told and kept', { skip }, async () => {
  assert.match((await typed('save_query pslist "select 1"')).error, /pslist is a command already/);
  assert.match((await typed('save_query Not-a-name "select 1"')).error, /no name for a command/);
  assert.match((await typed('save_query wrong "select nam from pslist()"')).error, /No column nam/);
  assert.match((await typed('save_query wrong "selct 1 x y"')).error, /Did you mean select/);
  assert.equal(session.registry.named('wrong').length, 0);
  const path = savedPath(session);
  for (const text of ['{', '[{"name": "../x"}]', '{"name": "x"}']) {
    writeFileSync(path, text);
    assert.match((await typed('queries')).error, /cannot be read|does not hold saved queries/);
    assert.equal((await typed('save_query fine "select 1"')).outcome, 'failed');
    assert.equal(readFileSync(path, 'utf8'), text);
  }
  assert.ok(existsSync(path));
});
