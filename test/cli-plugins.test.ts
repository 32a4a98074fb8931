import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporary } from './support/folder.js';
import { root } from './support/root.js';

const home = temporary();
const plugins = join(home, 'rekall-plugins');
mkdirSync(plugins);
writeFileSync(
  join(plugins, 'mine.ts'),
  `import { col, definePlugin } from 'rekall';
export default definePlugin({
  name: 'mine', needs: 'none', topic: 'session', summary: 'mine', args: {}, columns: { text: col.string('text') }, examples: [{ line: 'mine' }],
  *collect() { yield { text: 'it is mine' as string }; },
});
`,
);

function rekall(args: readonly string[], cwd = home): { output: string; error: string; status: number | null } {
  const done = spawnSync(process.execPath, [join(root, 'bin', 'rekall'), ...args], { cwd, encoding: 'utf8', input: '', env: { ...process.env, HOME: home } });
  return { output: done.stdout, error: done.stderr, status: done.status };
}

test('plugins come from --plugin and from the configuration; a broken file is a warning with its line', () => {
  const elsewhere = join(home, 'work');
  mkdirSync(elsewhere);
  // Nothing is written for a first run but the cache.
  assert.equal(rekall(['version'], elsewhere).status, 0);
  assert.ok(!existsSync(join(home, '.rekallrc')));
  assert.match(rekall(['mine'], elsewhere).error, /No command mine/);
  for (const words of [['--plugin', plugins, 'mine'], ['--plugin_path', join(plugins, 'mine.ts'), 'mine'], [`--plugin=${plugins}`, 'mine']]) {
    const { output, error, status } = rekall(words, elsewhere);
    assert.deepEqual([/it is mine/.test(output), error, status], [true, '', 0], words.join(' '));
  }
  writeFileSync(join(home, '.rekallrc'), 'plugin_path: [~/rekall-plugins]\n');
  assert.match(rekall(['mine'], elsewhere).output, /it is mine/);
  assert.match(rekall(['mine', '-h'], elsewhere).output, /^mine — mine/);
  assert.match(rekall(['config'], elsewhere).output, /plugin_path .*\.rekallrc:1/);
  writeFileSync(join(plugins, 'broken.ts'), 'const a = 1;\nexport default {\n');
  const broken = rekall(['mine'], elsewhere);
  assert.match(broken.output, /it is mine/);
  assert.match(broken.error, /rekall-plugins\/broken\.ts:3: /);
  assert.equal(rekall(['mine', '--quiet'], elsewhere).error, '');
  // A configuration that came with the evidence runs no programs.
  writeFileSync(join(elsewhere, '.rekallrc'), `plugin_path: [${plugins}]\npager: touch ${join(home, 'ran')}\nformat: csv\n`);
  const evidence = rekall(['version'], elsewhere);
  assert.match(evidence.output, /^component,version/);
  assert.match(evidence.error, /\.rekallrc: plugin_path, pager is not taken from a folder that is worked in/);
  assert.match(rekall(['mine'], elsewhere).error, /No command mine/);
});
