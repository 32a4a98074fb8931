import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { FileHistory } from '../../src/console/history.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { Registry } from '../../src/plugin/registry.js';
import { Conversation, type ConversationOptions } from '../support/console.js';
import { temporary } from '../support/folder.js';

/** Commands that need no image. */
function registry(): Registry {
  const all = new Registry([], '');
  all.add(
    definePlugin({
      name: 'count',
      needs: 'none',
      topic: 'memory',
      summary: 'counts',
      notes: 'One after another.',
      args: {
        to: arg.int('last number', { positional: true, default: 3 }),
        mode: arg.choice('how', { choices: ['up', 'down'] }),
        wait: arg.int('milliseconds between two', { default: 0 }),
        file: arg.path('a file'),
      },
      columns: { n: col.int('the number'), text: col.string('hostile text') },
      examples: [{ line: 'count 5' }],
      async *collect(_context, args) {
        for (let n = 1; n <= args.to; n++) {
          if (args.wait > 0) await sleep(args.wait);
          yield { n, text: '\x1b[2J\u202e' };
        }
      },
    }),
  );
  all.add(
    definePlugin({
      name: 'fail',
      needs: 'none',
      topic: 'memory',
      summary: 'fails',
      args: { unexpected: arg.bool('with a mistake in the program') },
      columns: { n: col.int('n') },
      examples: [{ line: 'fail' }],
      *collect(_context, args) {
        if (args.unexpected) (undefined as unknown as { x(): void }).x();
        yield { n: 1 };
        throw new PluginError('It does not work.', 'count');
      },
    }),
  );
  return all;
}

const talk = (options: ConversationOptions = {}): Conversation => new Conversation({ registry: registry(), ...options });

test('lines are commands, and a failure ends its line alone', async () => {
  const conversation = talk();
  assert.deepEqual((await conversation.say('count 2')).output.split('\n').map((line) => line.trimEnd()), ['  n  text', '---  -------------', '  1  \\x1b[2J\\u202e', '  2  \\x1b[2J\\u202e']);
  const failed = await conversation.say('fail; count');
  assert.match(failed.output, /1$/);
  assert.equal(failed.error, 'It does not work.\nTry: count');
  assert.match((await conversation.say('fail --unexpected')).error, /^Unexpected TypeError: .*\nThis is a mistake in Rekall; run with --debug/);
  assert.match((await conversation.say('fail --unexpected debug=yes')).error, /TypeError/);
  assert.equal((await conversation.say('count 1 format=json; count 1 format=ndjson')).output, '[\n{"n":1,"text":"\\u001b[2J\\u202e"}\n]\n{"n":1,"text":"\\u001b[2J\\u202e"}');
  assert.equal(conversation.session.parameters.format, 'text');
  assert.match((await conversation.say('count filename=x')).error, /belongs to the session/);
  await conversation.end();
});

test('explain _ explains the query that gave the last result, again and again; of a command it says how', async () => {
  const conversation = talk();
  await conversation.say('select 1 + 1 as two');
  const plain = await conversation.say('explain _');
  assert.match(plain.output, /1 \+ 1 as two/);
  const again = await conversation.say('explain analyze _');
  assert.match(again.output, /rows/i);
  await conversation.end();
});

test('mistakes are underlined', async () => {
  const conversation = talk();
  assert.equal((await conversation.say('cuont 2')).error, 'No command cuont. Did you mean count?\n  cuont 2\n  ^^^^^');
  assert.equal((await conversation.say('count mode=upp')).error, "mode is one of up, down, not 'upp'. Did you mean up?\n  count mode=upp\n             ^^^\nTry: count?");
  await conversation.say('count "a');
  assert.match((await conversation.say('')).error, /never closed\.\n {2}count "a\n {8}\^$/);
  assert.match((await conversation.say('select m from count()')).error, /No column m in count.*\n {2}select m from count\(\)\n {9}\^/);
  await conversation.end();
});

test('lines that arrive together run one after another', async () => {
  const conversation = talk();
  conversation.input.write('count 2 wait=20 format=ndjson\ncount 1 format=csv\n# done\n');
  await conversation.end();
  assert.deepEqual(conversation.output.plain.split('\n').filter((line) => /^\{|^\d|^n/.test(line.replace(/^.*> /, ''))).map((line) => line.replace(/^.*> /, '').slice(0, 6)), ['{"n":1', '{"n":2', 'n,text', '1,\\x1b']);
});

test('help is made of declarations', async () => {
  const conversation = talk();
  const help = (await conversation.say('count?')).output;
  for (const part of ['count — counts', 'to', 'last number (default: 3)', 'one of up, down', 'hostile text', 'count 5']) assert.ok(help.includes(part), part);
  assert.doesNotMatch(help, /One after another/);
  assert.match((await conversation.say('count??')).output, /how it works\n {2}One after another\./);
  assert.equal((await conversation.say('help count')).output, help);
  assert.match((await conversation.say('?')).output, /\n {2}memory {2}count fail\n/);
  assert.match((await conversation.say('help memory')).output, /^memory\n {2}count {2}counts\n {2}fail {3}fails/);
  assert.match((await conversation.say('help quit')).output, /^quit — /);
  assert.match((await conversation.say('help cuont')).error, /Did you mean count\?\n {2}help cuont\n {7}\^{5}$/);
  await conversation.end();
});

test('quit ends the console, and what was typed behind it does not run', async () => {
  const conversation = talk();
  conversation.input.write('count 1\nquit\ncount 9\n');
  await conversation.until(() => conversation.output.plain.includes('quit') || conversation.input.readableEnded || true);
  await conversation.end();
  assert.doesNotMatch(conversation.output.plain, /\n {2}9 /);
});

test('Ctrl-C stops the command and keeps the console and the rows so far', async () => {
  const conversation = talk({ terminal: true });
  await conversation.press('count 1000000 wait=5 format=ndjson\r', () => conversation.output.plain.includes('{"n":5,'));
  // The rows to come would take longer than anything is waited for.
  await conversation.press('\x03', () => conversation.error.plain.includes('Stopped'));
  assert.match(conversation.error.plain, /Stopped: \d+ rows so far, kept in _\./);
  assert.match((await conversation.say('count 1')).output, /1 {2}\\x1b/);
  await conversation.press('count 77\x03', () => conversation.output.plain.includes('^C'));
  assert.match((await conversation.say('count 2')).output, /2 {2}\\x1b/);
  assert.doesNotMatch(conversation.output.plain, /\n *77 /);
  await conversation.press('\x04', () => true);
  await conversation.end();
});

test('TAB completes commands, names, choices and files', async () => {
  const conversation = talk({ terminal: true, files: (folder) => (folder.endsWith('/data') ? [{ name: 'image.raw', folder: false }, { name: 'old', folder: true }] : []) });
  const screen = (): string => conversation.typed;
  const cases: [string, string][] = [
    ['cou\t', 'count '],
    ['count mo\t', 'count mode='],
    ['count mode=d\t', 'count mode=down '],
    ['count --mode u\t', 'count --mode up '],
    ['count --wa\t', 'count --wait '],
    ['count 1 form\t', 'count 1 format='],
    ['count --form\t', 'count --format '],
    ['count format=nd\t', 'count format=ndjson '],
    ['count file=data/im\t', 'count file=data/image.raw '],
    ['count > data/o\t', 'count > data/old/'],
    ['count 1; fa\t', 'count 1; fail '],
    ['help cou\t', 'help count '],
    ['he\t', 'help '],
  ];
  for (const [keys, expected] of cases) {
    await conversation.press(keys, () => screen() === expected || screen().includes('\x07'));
    assert.equal(screen(), expected);
    await conversation.press('\x03', () => screen() === '');
  }
  await conversation.press('\x04', () => true);
  await conversation.end();
});

test('what is typed behind a TAB waits for its completion', async () => {
  const conversation = talk({ terminal: true });
  await conversation.until(() => conversation.output.plain.includes('> '));
  conversation.input.write('cou\tmo\td\t\x7f\x7f\r');
  await conversation.until(() => /count mode=dow[^n]/.test(conversation.output.plain));
  await conversation.until(() => conversation.error.plain.includes('dow'));
  await conversation.press('\x04', () => true);
  await conversation.end();
});

test('history is kept in a file that consoles share', async () => {
  const folder = temporary();
  const path = join(folder, 'cache', 'history');
  const one = talk({ history: new FileHistory(path) });
  const two = talk({ history: new FileHistory(path) });
  await one.say('count 1');
  await two.say('count 2');
  await one.say('count 3');
  await Promise.all([one.end(), two.end()]);
  assert.equal(readFileSync(path, 'utf8'), 'count 1\ncount 2\ncount 3\n');
  const again = talk({ terminal: true, history: new FileHistory(path) });
  await again.press('\x10\x10', () => again.typed.endsWith('count 2'));
  await again.press('\x03\x04', () => true);
  await again.end();
});

test('rows go through filters and to files, long output to the pager', async () => {
  const folder = temporary();
  const programs = { 'wc -l': (text: string) => `${text.split('\n').length - 1}\n`, less: (text: string) => `paged ${text.split('\n').length - 1} lines\n` };
  const conversation = talk({ terminal: true, programs, pager: 'less', parameters: { colors: 'no' } });
  assert.match((await conversation.say('count 10 format=ndjson | wc -l')).output, /\n10$/);
  assert.match((await conversation.say('count 100')).output, /paged 102 lines$/);
  assert.match((await conversation.say('count 20')).output, / 20 {2}\\x1b\[2J\\u202e$/);
  assert.match((await conversation.say('count 20 paging_limit=5')).output, /paged 22 lines$/);
  assert.match((await conversation.say('count 100 paging_limit=0')).output, /100 {2}\\x1b\[2J\\u202e$/);
  const file = join(folder, 'rows.json');
  await conversation.say(`count 2 format=json > "${file}"`);
  await conversation.say(`count 1 format=ndjson >> ${file}`);
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 6);
  assert.match((await conversation.say('count > /nowhere/at/all')).error, /\/nowhere\/at\/all cannot be written: no such file or directory/);
  await conversation.press('\x04', () => true);
  await conversation.end();
});

test('without an image the console says how to open one; a bad image leaves it open', async () => {
  const none = talk();
  await none.say('count 1');
  assert.match(none.error.plain, /^No image is open: rekall -f IMAGE opens one\./);
  await none.end();
  const bad = talk({ parameters: { filename: '/no/such/image' } });
  await bad.say('count 1');
  assert.match(bad.error.plain, /\/no\/such\/image/);
  assert.match(bad.output.plain, /^\[1\] image 14:03:11> /);
  await bad.end();
});
