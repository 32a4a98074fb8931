import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { complete } from '../../src/console/completion.js';
import { Shell } from '../../src/console/shell.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Conversation, Screen } from '../support/console.js';
import { temporary } from '../support/folder.js';
import { committedSample, skipWithout } from '../support/sample.js';

const sample = committedSample();
const options = { skip: skipWithout(sample ? [sample] : []) };
const folder = temporary();

const PLUGIN = `import { arg, col, definePlugin } from 'rekall';
export default definePlugin({
  name: 'greet',
  needs: 'none',
  topic: 'session',
  summary: 'greets whoever is named',
  args: { whom: arg.choice('whom', { positional: true, choices: ['world', 'moon'], default: 'world' }) },
  columns: { text: col.string('the greeting') },
  examples: [{ line: 'greet' }],
  *collect(_context, args) {
    yield { text: 'hello ' + args.whom };
  },
});
`;

test('a conversation in two sessions, saved with a heading for each', options, async () => {
  const [output, error] = [new Screen(false), new Screen(false)];
  const shell = new Shell(new Session({ filename: sample?.image, cache: 'memory' }, Registry.builtIn()), { output, error });
  const say = async (line: string): Promise<string> => {
    const [from, complaints] = [output.text.length, error.text.length];
    await shell.execute(line);
    return output.text.slice(from) + error.text.slice(complaints);
  };
  await say('lsmod');
  assert.match(await say('snew session_name=second'), /\* +2 {2}second/);
  assert.equal(shell.session.id, 2);
  await say('cc init');
  assert.match(await say('slist'), /1 {2}image\.kdump[^]*\* +2 {2}second .*init \(1\)/);
  assert.match(await say('snew /no/such/image'), /no such file/);
  assert.equal(shell.session.id, 2);
  await say('sswitch 1');
  assert.equal(shell.session.context, undefined);
  await say('version');
  const file = join(folder, 'two.md');
  await say(`report ${file}`);
  const text = readFileSync(file, 'utf8');
  const headings = text.split('\n').filter((line) => line.startsWith('#'));
  assert.deepEqual(headings, [
    '# Conversation with Rekall',
    '## `[1] image.kdump`',
    '### `lsmod`',
    '### `snew session_name=second`',
    '## `[2] second`',
    '### `cc init`',
    '### `slist`',
    '### `snew /no/such/image`',
    '### `sswitch 1`',
    '## `[1] image.kdump`',
    '### `version`',
  ]);
  assert.equal(text.split('| fingerprint |').length, 3);
  shell.close();
  shell.group.close();
});

test('a plugin of the analyst is a command like any other: help, completion, queries, JavaScript', async () => {
  const file = join(folder, 'greet.ts');
  writeFileSync(file, PLUGIN);
  const talk = new Conversation();
  assert.match((await talk.say(`load_plugin ${file}`)).output, /greet +none +greets whoever is named/);
  assert.match((await talk.say('greet moon')).output, /hello moon/);
  assert.match((await talk.say('greet?')).output, /greets whoever is named[^]*one of world, moon/);
  assert.match((await talk.say('greet mars')).error, /whom is one of world, moon, not 'mars'/);
  assert.match((await talk.say('select text as t from greet(whom: "moon")')).output, /hello moon/);
  assert.match((await talk.say('(await plugins.greet({ whom: "moon" }).rows())[0].text')).output, /hello moon/);
  writeFileSync(file, PLUGIN.replace("'hello '", "'good day, '"));
  await talk.say(`load_plugin ${file}`);
  assert.match((await talk.say('greet')).output, /good day, world/);
  writeFileSync(file, 'export default {');
  assert.match((await talk.say(`load_plugin ${file}`)).error, /greet\.ts:1: /);
  await talk.end();
  const session = new Session({ cache: 'memory', plugin_path: [join(folder, 'again.ts')] }, Registry.builtIn());
  writeFileSync(join(folder, 'again.ts'), PLUGIN);
  assert.deepEqual(await session.takeUserPlugins(), []);
  const shell = new Shell(session, { output: new Screen(false), error: new Screen(false) });
  const offered = async (line: string): Promise<string> => JSON.stringify(await complete(shell, line));
  assert.match(await offered('gre'), /"greet/);
  assert.match(await offered('greet m'), /"moon/);
});
