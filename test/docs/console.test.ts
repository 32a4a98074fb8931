import assert from 'node:assert/strict';
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Shell } from '../../src/console/shell.js';
import { complete } from '../../src/console/completion.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { temporary } from '../support/folder.js';
import { root } from '../support/root.js';
import { committedSample } from '../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const page = readFileSync(join(root, 'docs/console.md'), 'utf8');
const before = process.cwd();
const folder = realpathSync(temporary());
process.chdir(folder);
const screen = new Screen(false);
const session = new Session({ ...(sample ? { filename: sample.image } : {}), cache: 'memory' }, Registry.builtIn());
const shell = new Shell(session, { output: screen, error: screen, files: () => [{ name: 'case', folder: true }] });
after(() => {
  process.chdir(before);
  shell.close();
  shell.group.close();
  rmSync(folder, { recursive: true });
});

const blocks = [...page.matchAll(/```rekall\n([^]*?)```/g)].map(([, lines = '']) => lines.trimEnd().split('\n'));

for (const lines of blocks) {
  test(`the reference of the console: ${lines[0] ?? ''} …`, { skip }, async () => {
    for (const line of lines) {
      screen.text = '';
      assert.equal(await shell.execute(line), 'done', `${line}: ${screen.text}`);
      assert.ok(screen.text !== '' || /[>=]/.test(line), `${line} shows nothing`);
    }
  });
}

test('what the reference says is completed is completed', { skip }, async () => {
  await session.kernel();
  await shell.execute('pslist 1');
  const rows = /\| typed \| offered \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page)?.[1]?.trim().split('\n') ?? [];
  assert.ok(rows.length >= 10);
  for (const row of rows) {
    const typed = [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    for (const text of typed) {
      // Two halves of one query stand beside each other.
      const [line, cursor] = text === 'select na' ? ['select na from pslist()', 9] : text === 'from psl' ? ['select name from psl', 20] : [text, text.length];
      assert.ok((await complete(shell, line, cursor)).candidates.length > 0, text);
    }
  }
});

test('what the reference says help answers is answered', { skip }, async () => {
  const rows = /\| line \| answer \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page)?.[1]?.trim().split('\n') ?? [];
  for (const row of rows) {
    for (const [, line = ''] of (row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)) {
      assert.equal(await shell.execute(line), 'done', line);
    }
  }
});
