import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sdel, slist, smod, snew, sswitch } from '../../../plugins/general/sessions.js';
import { bindArguments } from '../../../src/plugin/bind.js';
import type { Plugin } from '../../../src/plugin/plugin.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Registry } from '../../../src/plugin/registry.js';
import { wordsOf } from '../../../src/plugin/words.js';
import { SessionGroup } from '../../../src/session/group.js';
import { enterProcess } from '../../../src/session/context.js';
import { Session } from '../../../src/session/session.js';
import { temporary } from '../../support/folder.js';
import { committedSample, rowsOf, skipWithout } from '../../support/sample.js';

const sample = committedSample();
const options = { skip: skipWithout(sample ? [sample] : []) };
const folder = temporary();
const noise = join(folder, 'noise.raw');
// No text, no known format: a raw image without a kernel.
writeFileSync(noise, Uint8Array.from({ length: 1 << 20 }, (_, index: number) => (index * 0x9e37 + (index >> 8)) & 0xff));

function group(parameters: object = {}): SessionGroup {
  const all = new SessionGroup();
  all.add(new Session({ cache: 'memory', ...parameters }, new Registry([], '')));
  return all;
}

/** Runs a command of the current session as it is typed. */
async function say(all: SessionGroup, plugin: Plugin, ...words: string[]): Promise<Row[]> {
  const { current } = all;
  const { args } = await bindArguments(plugin, wordsOf(words, plugin.name), { resolve: () => Promise.reject(new Error('no symbols')), path: (text) => current.path(text) });
  return (await rowsOf(current, plugin, args)).rows;
}

const ids = (rows: readonly Row[]): unknown[] => rows.map((row) => [row['current'], row['session_id'], row['name']]);

test('a second session has its own image, kernel, caches, context, parameters', options, async () => {
  const all = group({ filename: sample?.image });
  const first = all.current;
  await enterProcess(first, 1);
  const [row] = await say(all, snew, 'timezone=Europe/Berlin', 'session_name=berlin');
  assert.deepEqual([row?.['session_id'], row?.['name'], row?.['filename'], row?.['context']], [2, 'berlin', sample?.image, null]);
  assert.match(String(row?.['kernel']), /^Linux 6\.1/);
  const second = all.current;
  assert.notEqual(second, first);
  assert.notEqual(await second.kernel(), await first.kernel());
  assert.notEqual(second.physical(), first.physical());
  assert.equal(second.registry, first.registry);
  assert.deepEqual([first.parameters.timezone, second.parameters.timezone, second.parameters.cache], ['UTC', 'Europe/Berlin', 'memory']);
  second.memo('something', () => 1);
  assert.equal(first.memo('something', () => 2), 2);
  assert.deepEqual([first.context?.pid, second.context], [1, undefined]);
  assert.deepEqual(ids(await say(all, slist)), [['', 1, 'image.kdump'], ['*', 2, 'berlin']]);
  assert.deepEqual((await say(all, slist)).map((one) => one['context']), ['init (1)', null]);
  all.close();
});

test('sessions are switched to by number and by name', options, async () => {
  const all = group({ filename: sample?.image });
  const told: number[] = [];
  all.onSwitch((session) => told.push(session.id));
  await say(all, snew, 'session_name=other');
  await say(all, snew, '--session_name', 'third');
  await say(all, sswitch, '1');
  assert.equal(all.current.id, 1);
  await say(all, sswitch, 'session_id=Other');
  assert.equal(all.current.id, 2);
  assert.deepEqual(told, [2, 3, 1, 2]);
  await assert.rejects(say(all, sswitch, 'othr'), /PluginError: There is no session othr\. Did you mean other\?/);
  await assert.rejects(say(all, sswitch, '7'), /There is no session 7/);
  await assert.rejects(say(all, sswitch), /UsageError: sswitch needs session_id/);
  await assert.rejects(say(all, snew, 'session_name=THIRD'), /Session 3 is called THIRD already/);
  await assert.rejects(say(all, snew, 'session_name=1'), /cannot be called 1/);
  await say(all, snew);
  await say(all, snew);
  await assert.rejects(say(all, sswitch, 'image.kdump'), /Sessions 1, 4, 5 are all called image\.kdump/);
  assert.equal(all.current.id, 5);
  all.close();
});

test('an image that cannot be opened leaves the current session', options, async () => {
  const all = group({ filename: sample?.image });
  const { current } = all;
  await current.kernel();
  for (const words of [[join(folder, 'missing')], [folder], [noise]]) {
    await assert.rejects(say(all, snew, ...words), (error: Error) => /Error$/.test(error.name) && error.message.length > 10);
    assert.equal(all.current, current);
    assert.deepEqual(ids(await say(all, slist)), [['*', 1, 'image.kdump']]);
  }
  await assert.rejects(say(all, snew, sample?.image ?? '', 'timezone=Mars/Here'), /UsageError: This machine knows no time zone/);
  await assert.rejects(say(all, snew, 'filenme=x'), /snew has no argument filenme\. Did you mean filename\?/);
  await assert.rejects(say(all, snew, 'file_offset=-1'), /file_offset is out of range/);
  // Whoever wants to look at it all the same may.
  await say(all, snew, noise, 'force=yes');
  assert.deepEqual([all.current.id, all.current.name], [2, 'noise.raw']);
  all.close();
});

test('a session is deleted, but not the current one', options, async () => {
  const all = group({ filename: sample?.image });
  await assert.rejects(say(all, sdel, '1'), (error: Error & { next?: string }) => error.message === 'Session 1 is the current one.' && error.next === 'quit');
  await say(all, snew);
  const [one] = all.list();
  assert.ok(one);
  await one.kernel();
  await assert.rejects(say(all, sdel, '2'), (error: Error & { next?: string }) => error.next === 'sswitch 1; sdel 2');
  assert.deepEqual(ids(await say(all, sdel, '1')), [['*', 2, 'image.kdump']]);
  assert.equal(one.detected, undefined);
  // Numbers are not used again.
  await say(all, snew);
  assert.deepEqual(all.list().map((session) => session.id), [2, 3]);
  all.close();
});

test('what a deleted session held is freed', options, async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const all = group({ filename: sample?.image });
  const held = await (async () => {
    await say(all, snew);
    const kernel = new WeakRef(await all.current.kernel());
    await say(all, sswitch, '1');
    await say(all, sdel, '2');
    return kernel;
  })();
  for (let attempt = 0; attempt < 200 && held.deref(); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
  }
  assert.equal(held.deref(), undefined);
  all.close();
});

test('smod shows parameters with their origins and changes them', options, async () => {
  const all = group({ filename: sample?.image });
  const { current } = all;
  current.origins.set('filename', 'command line');
  const rows = await say(all, smod);
  const value = (name: string): unknown[] => rows.filter((row) => row['parameter'] === name).map((row) => [row['value'], row['origin']])[0] as unknown[];
  assert.deepEqual([value('filename'), value('timezone'), value('profile')], [[sample?.image, 'command line'], ['UTC', null], [null, null]]);
  const kernel = await current.kernel();
  await enterProcess(current, 1);
  assert.deepEqual((await say(all, smod, 'timezone=Europe/Berlin', '-v')).map((row) => [row['parameter'], row['value'], row['origin']]), [
    ['verbose', true, 'smod'],
    ['timezone', 'Europe/Berlin', 'smod'],
  ]);
  // That concerns neither image nor kernel.
  assert.equal(await current.kernel(), kernel);
  assert.equal(current.context?.pid, 1);
  await say(all, smod, 'reset=timezone,verbose', 'session_name=mine');
  assert.deepEqual([current.parameters.timezone, current.parameters.verbose, current.origins.get('timezone'), current.name], ['UTC', false, undefined, 'mine']);
  for (const [words, message] of [
    [['timezone=Nowhere'], /no time zone Nowhere/],
    [['paging_limit=-5'], /paging_limit is out of range/],
    [['dtb=0x10000000000000000'], /dtb is out of range/],
    [['format=jsn'], /format is one of .*Did you mean json/],
    [['reset=timezon'], /There is no parameter timezon\. Did you mean timezone\?/],
  ] as const) {
    await assert.rejects(say(all, smod, ...words), message);
  }
  all.close();
});

test('smod of image or profile finds anew what depends on them, or leaves all as it was', options, async () => {
  const all = group({ filename: sample?.image });
  const { current } = all;
  const kernel = await current.kernel();
  const steps = current.trace.steps.length;
  for (const words of [[`filename=${noise}`], [`profile=${noise}`], ['filename=/no/such/file'], ['dtb=0x1000'], ['file_offset=0x1000']]) {
    await assert.rejects(say(all, smod, ...words), (error: Error) => error.message.length > 10, words[0]);
    assert.equal(await current.kernel(), kernel);
    assert.deepEqual([current.parameters.filename, current.parameters.profile, current.parameters.dtb, current.trace.steps.length], [sample?.image, undefined, undefined, steps]);
    assert.ok(current.physical().pageAt(Number(kernel.space.translate(await (await current.resolver()).address('linux!_text')) ?? 0) >>> 12));
  }
  await enterProcess(current, 1);
  const dtb = kernel.space.dtb;
  await say(all, smod, `dtb=${dtb}`);
  assert.notEqual(await current.kernel(), kernel);
  assert.deepEqual([(await current.kernel()).space.dtb, current.context, all.current], [dtb, undefined, current]);
  // A session that was opened without an image gets one.
  const empty = group();
  await say(empty, smod, `filename=${sample?.image}`);
  assert.match((await empty.current.kernel()).description, /^Linux/);
  all.close();
  empty.close();
});

test('without a console there is one session', async () => {
  const session = new Session({ cache: 'memory' }, new Registry([], ''));
  for (const plugin of [slist, snew]) await assert.rejects(rowsOf(session, plugin), /PluginError: Several sessions are for the console/);
  assert.ok((await rowsOf(session, smod)).rows.length > 20);
});
