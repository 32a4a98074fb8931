import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { report } from '../../../plugins/general/report.js';
import { col } from '../../../src/plugin/columns.js';
import { definePlugin } from '../../../src/plugin/plugin.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { Conversation } from '../../support/console.js';
import { temporary } from '../../support/folder.js';
import { committedSample, rowsOf, skipWithout } from '../../support/sample.js';

const sample = committedSample();
const options = { skip: skipWithout(sample ? [sample] : []) };
const folder = temporary();
const path = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(path(name), 'utf8');

test('a conversation becomes a document: facts, lines, outputs as shown, prose', options, async () => {
  const talk = new Conversation({ parameters: { filename: sample?.image } });
  const shown = await talk.say('lsmod');
  await talk.say('# The `loop` module is loaded:');
  await talk.say('# who asked for it?');
  await talk.say('## Processes');
  await talk.say('pslist proc_regex=labfiles');
  await talk.say('nosuch');
  await talk.say(`report ${path('first.md')} hash=yes`);
  const text = read('first.md');
  assert.match(text, /^# Conversation with Rekall\n\n\d{4}-/);
  assert.ok(text.includes('## `[1] image.kdump`'));
  assert.ok(text.includes(`| image | \`${sample?.image}\` |`));
  assert.ok(text.includes(`| SHA-256 | \`${createHash('sha256').update(readFileSync(sample?.image ?? '')).digest('hex')}\` |`));
  assert.match(text, /\| kernel \| Linux 6\.1\.\S+ \(amd64\) \|/);
  assert.ok(text.includes(`### \`lsmod\``) && text.includes(`\`\`\`text\n${shown.output}\n\`\`\``), text);
  assert.ok(text.includes('\n\nThe `loop` module is loaded:\nwho asked for it?\n\n## Processes\n\n### `pslist proc_regex=labfiles`'));
  assert.match(text, /### `nosuch`\n\n\*.* · failed\*\n\n```text\nNo command nosuch\./);
  // The line that saves is not yet part of the conversation.
  assert.ok(!text.includes('### `report'));
  await talk.end();
});

test('what is there already is replaced only when asked', options, async () => {
  writeFileSync(path('mine.md'), 'my notes\n');
  const talk = new Conversation();
  await talk.say('version');
  assert.match((await talk.say(`report ${path('mine.md')}`)).error, /mine\.md is there already\.\nTry: report .* append=yes/);
  assert.equal(read('mine.md'), 'my notes\n');
  await talk.say(`report ${path('mine.md')} append=yes`);
  assert.match(read('mine.md'), /^my notes\n\n## `\[1\] no image`\n\n### `version`/);
  await talk.say('null');
  await talk.say(`report ${path('mine.md')} append=yes`);
  // What it holds already is not added again, and no second heading for the same session.
  const text = read('mine.md');
  assert.equal(text.split('### `version`').length, 2);
  assert.equal(text.split('## `[1]').length, 2);
  assert.ok(text.indexOf('### `null`') > text.indexOf('### `version`'));
  // Its own document it may replace, until somebody else changed it.
  assert.equal((await talk.say(`report ${path('mine.md')}`)).error, '');
  assert.ok(read('mine.md').startsWith('# Conversation'));
  writeFileSync(path('mine.md'), 'changed');
  assert.match((await talk.say(`report ${path('mine.md')}`)).error, /is there already/);
  assert.equal((await talk.say(`report ${path('mine.md')} force=yes`)).error, '');
  assert.match((await talk.say(`report ${folder}`)).error, /is a folder/);
  assert.match((await talk.say(`report ${path('none')}/x.md`)).error, /cannot be written: no such file/);
  await talk.end();
});

test('report alone says where the conversation is saved', async () => {
  const talk = new Conversation();
  assert.match((await talk.say('report')).error, /Nothing is saved yet; 0 lines so far\. To save: report no-image-\d{4}-\d\d-\d\d\.md/);
  await talk.say(`report ${path('where.md')}`);
  assert.match((await talk.say('report')).output, /where\.md +\d+ +\d+ /);
  await talk.end();
  const session = new Session({ cache: 'memory' }, new Registry([], ''));
  await assert.rejects(rowsOf(session, report), /PluginError: There is no conversation to save/);
});

/** A command that prints what it is told to, and one that prints much. */
function registry(): Registry {
  const all = Registry.builtIn();
  const common = { needs: 'none', topic: 'session', summary: 'test', args: {} } as const;
  const text = '```\n\x1b[31mred\x1b[0m \u202e \u0007 `` end';
  all.add(definePlugin({ ...common, name: 'strange', columns: { text: col.string('text') }, examples: [{ line: 'strange' }], collect: () => [{ text }] }));
  all.add(
    definePlugin({
      ...common,
      name: 'much',
      columns: { n: col.int('number'), text: col.string('text') },
      examples: [{ line: 'much' }],
      *collect() {
        for (let n = 0; n < 3000; n++) yield { n, text: 'x'.repeat(2000) };
      },
    }),
  );
  return all;
}

test('outputs are fenced so that nothing ends them, without control characters; long ones are cut', async () => {
  const talk = new Conversation({ registry: registry() });
  await talk.say('strange');
  await talk.say('much format=csv');
  await talk.say('much format=csv');
  await talk.say('version');
  await talk.say(`report ${path('strange.md')} lines=10`);
  const text = read('strange.md');
  const block = /### `strange`\n\n.*\n\n(`+)text\n([^]*?)\n\1\n/.exec(text);
  assert.equal(block?.[1], '````');
  assert.ok(block?.[2]?.includes('end'));
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\u202e]/);
  assert.match(text, /### `much format=csv`\n\n.*\n\n```text\nn,text\n/);
  assert.equal(text.split('… 2,991 more lines').length, 3);
  // All of it, from the temporary file too.
  await talk.say(`report ${path('all.md')} lines=0`);
  assert.equal(read('all.md').split(`\n2999,${'x'.repeat(1995)} … (5 more characters)\n`).length, 3);
  await talk.end();
});
