import assert from 'node:assert/strict';
import { realpathSync, rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { pages, pageText } from '../../src/console/help-pages.js';
import { searchHelp } from '../../src/console/help-search.js';
import { answer } from '../../src/console/help-request.js';
import { Shell } from '../../src/console/shell.js';
import { UsageError } from '../../src/plugin/error.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { temporary } from '../support/folder.js';
import { committedSample } from '../support/sample.js';
import { sampleSession } from '../support/windows-sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const registry = Registry.builtIn();
const folder = realpathSync(temporary());
const terminal = new Screen(true);
const session = new Session({ ...(sample ? { filename: sample.image } : {}), cache: 'memory' }, registry);
const shell = new Shell(session, { output: terminal, error: terminal });
const before = process.cwd();
process.chdir(folder);
after(() => {
  process.chdir(before);
  shell.close();
  session.close();
  rmSync(folder, { recursive: true });
});

const ask = async (...words: string[]): Promise<string> => stripVTControlCharacters(await answer(shell, { words, level: 1 }));

test('the overview fits a small terminal and names every command', async () => {
  terminal.columns = 80;
  const text = await ask();
  for (const entry of registry.list()) assert.match(text, new RegExp(`\\b${entry.name}\\b`));
  assert.ok(text.split('\n').length <= 36, `${text.split('\n').length} lines`);
  terminal.columns = 100;
});

test('every command, topic, page, parameter and function has help that fits its width', async () => {
  const examples = registry.list().flatMap((entry) => entry.examples.map(({ line }) => line));
  const topics = new Set(registry.list().map((entry) => entry.topic));
  for (const width of [80, 200]) {
    terminal.columns = width;
    for (const word of [...registry.list().map((entry) => entry.name), ...topics, ...pages().map(({ name }) => name), 'functions', 'commands', 'levenshtein', 'count', 'quit', 'timezone', 'profile_path']) {
      const text = await ask(word);
      assert.ok(text.length > 20 && text.endsWith('\n'), word);
      // What is to be typed is never cut.
      const typed = (line: string): boolean => examples.some((example) => line.trim().startsWith(example)) || /^ {2}(?:select|await|const|for|\(await)/.test(line);
      for (const line of text.split('\n')) assert.ok(line.length <= width || !line.trim().includes(' ') || typed(line), `${word}: ${line}`);
    }
  }
  terminal.columns = 100;
});

test('help shows what examples print, and how many lines follow', async () => {
  const text = await ask('pslist');
  assert.match(text, /\n {2}pslist\n {4}proc +ppid .*\n(?: {4}.*\n)+ {4}… \d+ more lines\n/);
  assert.match(text, /\n {2}pslist proc_regex=lab {3}# .*\n {4}proc /);
  const source = stripVTControlCharacters(await answer(shell, { words: ['pstree'], level: 2 }));
  assert.match(source, /\nhow it works\n/);
  assert.match(source, /\nsource: plugins\/linux\/pstree\.ts, lines \d+ to \d+\n {2}\*collect\(context, args\) \{\n/);
});

test('the search finds names, other names, sentences, arguments, columns, notes and pages, the best first', async () => {
  const first = async (...words: string[]): Promise<string | undefined> => /\n {2}(\S+)/.exec(await ask('search', ...words))?.[1];
  assert.equal(await first('kaslr'), 'find_kaslr');
  assert.equal(await first('environ'), 'environ');
  assert.equal(await first('sockets'), 'netstat');
  assert.equal(await first('hidden', 'columns'), 'output_style');
  assert.equal(await first('edits'), 'levenshtein');
  assert.equal(await first('ctrl-r'), 'keys');
  assert.equal(await first('registry', 'hives'), 'hives');
  assert.match(await ask('kaslr', 'moved'), /What has to do with kaslr moved:\n {2}find_kaslr/);
  await assert.rejects(ask('search', 'xyzzy'), (error) => error instanceof UsageError && /Nothing is known of xyzzy/.test(error.message));
  await assert.rejects(ask('pslst'), /Did you mean pslist, /);
  await assert.rejects(ask('levenstein'), /Did you mean levenshtein\?/);
  assert.deepEqual(searchHelp([''], { commands: registry.list(), pages: [], functions: [], elsewhere: [] }), []);
});

test('help of a command that others have says what it was', { skip }, async () => {
  await session.kernel();
  assert.match(await ask('netscan'), /^netscan needs Windows; this is Linux 6\.1\.0.*: see netstat\.\n/);
});

test('a command of another tool that reads as JavaScript is answered as a command', { skip }, async () => {
  const screen = new Screen(false);
  const own = new Shell(session, { output: screen, error: screen });
  assert.equal(await own.execute('windows.pslist.PsList'), 'failed');
  assert.match(screen.text, /^windows\.pslist\.PsList needs Windows; this is Linux .*: see pslist\.\n {2}windows\.pslist\.PsList\n {2}\^{21}\n$/);
  assert.equal(await own.execute('const linux = { pslist: 1 }'), 'done');
  assert.equal(await own.execute('linux.pslist'), 'done');
  own.close();
});

/** Lines of pages that need what a test has not: another image, a shell, a session that an example elsewhere made. */
const NOT_RUN = [/^snew other\.raw/, /\|/, /^sdel 2/, /^\w+: /, /^(?:sswitch|.*session: 1)/];

for (const page of pages()) {
  test(`what the page on ${page.name} says to type works`, { skip }, async () => {
    const lines = page.text.split('\n').filter((line) => /^ {4}\S/.test(line)).map((line) => line.trim().replace(/ {3,}\S.*$/, ''));
    const screen = new Screen(false);
    const other = page.name === 'windows' ? sampleSession() : undefined;
    const own = new Shell(other ?? session, { output: screen, error: screen });
    for (const line of lines.filter((typed) => !NOT_RUN.some((pattern) => pattern.test(typed)))) {
      screen.text = '';
      assert.equal(await own.execute(line), 'done', `${line}: ${screen.text}`);
    }
    own.close();
    other?.close();
    await shell.execute('cc kernel');
  });
}

test('pages are plain where colours are not wanted', () => {
  for (const page of pages()) {
    assert.doesNotMatch(pageText(page).replaceAll('\n', ''), /\p{Cc}|`/u);
    assert.match(page.summary, /^\S/);
  }
});

test('topics are found by words that go on from theirs, also where none of their commands fits the image', { skip }, async () => {
  assert.equal(await ask('networking'), await ask('network'));
  assert.equal(await ask('process'), await ask('processes'));
  assert.match(await ask('network'), /netstat/);
  const windows = sampleSession();
  const other = new Shell(windows, { output: terminal, error: terminal });
  await windows.kernel();
  for (const word of ['network', 'networking']) assert.match(stripVTControlCharacters(await answer(other, { words: [word], level: 1 })), /^None of these works on this image: they read Linux\.\n[^]*netstat/);
  other.close();
  windows.close();
});

test('clear is a word for the screen, and nothing for a file', async () => {
  const [screen, file] = [new Screen(true), new Screen(false)];
  for (const output of [screen, file]) {
    for (const line of ['clear', 'cls']) assert.equal(await new Shell(session, { output, error: output }).execute(line), 'done');
  }
  assert.equal(screen.text, '\x1b[H\x1b[2J'.repeat(2));
  assert.equal(file.text, '');
});
