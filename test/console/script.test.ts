import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { runLines } from '../../src/console/batch.js';
import { FileHistory } from '../../src/console/history.js';
import { Shell } from '../../src/console/shell.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { temporary } from '../support/folder.js';

const folder = temporary();

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

async function execute(line: string): Promise<{ outcome: string; output: string; error: string }> {
  const [output, error] = [new Screen(false), new Screen(false)];
  const shell = new Shell(new Session({ cache: 'memory' }), { output, error });
  const outcome = await shell.execute(line);
  shell.close();
  return { outcome, output: output.text, error: error.text };
}

const MIXED = `#!/usr/bin/env rekall
# a comment
version format=ndjson   # behind
-- of queries
select 6 * 7
  as answer;
// of JavaScript
const x = {
  a: 1,

  b: 2,
}
[x.a + x.b]
  .map((n) => n * 2)
`;

test('a script has all kinds of statements, over several lines', async () => {
  const { outcome, output, error } = await execute(`run "${file('mixed.rk', MIXED)}"`);
  assert.equal(error, '');
  assert.equal(outcome, 'done');
  assert.match(output, /^\{"component":"rekall".*\n(?:\{.*\n)+answer\n-+\n +42\n\[ 6 \]\n$/);
});

test('a script stops at the first failure, and says where', async () => {
  const path = file('bad.rk', 'version\n\nnosuch\nversion\n');
  const stopped = await execute(`run ${path}`);
  assert.equal(stopped.outcome, 'failed');
  assert.match(stopped.error, /No command nosuch[^]*bad\.rk:3 failed; nothing behind it was run\./);
  assert.equal(stopped.output.match(/^rekall /gm)?.length, 1);
  const all = await execute(`run ${path} keep_going=yes`);
  assert.equal(all.outcome, 'done');
  assert.match(all.error, /1 of 3 statements failed/);
  assert.equal(all.output.match(/^rekall /gm)?.length, 2);
});

test('a program in JavaScript has await, the session, and console', async () => {
  const path = file(
    'program.js',
    'const rows = await plugins.version().rows();\nfor (const { component } of rows) console.log(component);\nquery("select 1 as one")\n',
  );
  const { outcome, output } = await execute(`run ${path}`);
  assert.equal(outcome, 'done');
  assert.match(output, /^rekall\nnode\n[^]*one\n---\n {2}1\n$/);
  const failed = await execute(`run ${file('throws.js', '1;\nnosuch();\n')}`);
  assert.equal(failed.outcome, 'failed');
  assert.match(failed.error, /nosuch is not defined\n {2}nosuch\(\);\n {2}\^/);
});

test('texts, scripts in scripts, ends', async () => {
  assert.match((await execute('run script="1 + 1"')).output, /^2\n$/);
  const inner = file('inner.rk', '40 + 2');
  assert.match(
    (await execute(`run ${file('outer.rk', `run ${inner}\n"after"\nquit\n"never"`)}`)).output,
    /^42\n'after'\n$/,
  );
  const loop = join(folder, 'loop.rk');
  file('loop.rk', `run ${loop}`);
  assert.match((await execute(`run ${loop}`)).error, /one of them runs itself/);
  assert.match(
    (await execute('run /no/such/file')).error,
    /\/no\/such\/file cannot be read: no such file or directory/,
  );
  assert.match((await execute('run')).error, /takes a file, or script=/);
  assert.match((await execute(`run ${file('empty.rk', '# nothing\n')}`)).error, /holds no statement/);
  assert.equal((await execute('run script="version; cuont"')).outcome, 'failed');
  const outcomes = await execute(`select line, outcome from run(run: "${file('steps.rk', '"a"\n"b"')}")`);
  assert.match(outcomes.output, / 1 {2}done\n +2 {2}done\n$/);
});

test('standard input is read as scripts are; a statement that the input cuts is run', async () => {
  const [output, error] = [new Screen(false), new Screen(false)];
  const session = new Session({ cache: 'memory' });
  const text = `${MIXED}version "a\n`;
  // In pieces that break lines.
  const pieces = text.match(/[^]{1,7}/g) ?? [];
  assert.equal(await runLines(session, Readable.from(pieces.map((piece) => Buffer.from(piece))), { output, error }), 1);
  assert.match(output.text, /answer\n-+\n +42\n/);
  assert.match(error.text, /never closed/);
  const good = new Screen(false);
  assert.equal(
    await runLines(new Session({ cache: 'memory' }), Readable.from(['1 + 1\nquit\n2 + 2\n']), { output: good, error }),
    0,
  );
  assert.equal(good.text, '2\n');
});

test('history: statements of several lines come back whole; a file that grew is put aside, and nothing is lost', () => {
  const path = join(folder, 'history');
  const one = new FileHistory(path, 10);
  const two = new FileHistory(path, 10);
  one.add('select a\nfrom b()');
  two.add('C:\\n "x"');
  one.add(' kept secret');
  assert.deepEqual(two.load(), ['select a\nfrom b()', 'C:\\n "x"']);
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 3);
  for (let n = 0; n < 12; n++) (n % 2 === 0 ? one : two).add(`line ${n}`);
  assert.deepEqual(
    one.load(),
    Array.from({ length: 10 }, (_, n) => `line ${n + 2}`),
  );
  two.add('after');
  assert.equal(one.load().at(-1), 'after');
  assert.equal(one.load().length, 10);
});
