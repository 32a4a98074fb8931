import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { why } from '../../../plugins/general/why.js';
import { pslist } from '../../../plugins/linux/pslist.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { temporary } from '../../support/folder.js';
import { committedSample, rowsOf } from '../../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';

function open(filename?: string): Session {
  const registry = new Registry([], '');
  registry.add(pslist);
  return new Session({ cache: 'memory', ...(filename === undefined ? {} : { filename }) }, registry);
}

test('every stage of detection is told, with what came of it', { skip }, async () => {
  const session = open(sample?.image);
  const { rows } = await rowsOf(session, why);
  const stages = new Set(rows.map((row) => row['stage']));
  for (const stage of ['format', 'kernel', 'symbols', 'page tables', 'types']) assert.ok(stages.has(stage), stage);
  const release = /^Linux version (\S+)/.exec(sample?.truth('proc/version') ?? '')?.[1] ?? '?';
  assert.ok(rows.some((row) => row['outcome'] === 'verified' && String(row['found']).includes(release)));
  const times = rows.map((row) => row['at'] as number);
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  const command = await rowsOf(session, why, { command: 'pslist' });
  assert.deepEqual(command.rows.map((row) => row['outcome']), ['verified']);
  session.close();
});

test('why explains the first open, and still does at the second', { skip }, async () => {
  const folder = temporary();
  const image = sample?.image ?? '';
  const stages = async (): Promise<string[]> => {
    const session = new Session({ filename: image, cache_dir: folder });
    const { rows } = await rowsOf(session, why);
    session.close();
    return rows.map((row) => String(row['stage']));
  };
  const first = await stages();
  for (const stage of ['format', 'kernel', 'symbols', 'page tables', 'types']) assert.ok(first.includes(stage), stage);
  const second = await stages();
  assert.ok(second.includes('cache'));
  assert.ok(second.includes('symbols (first open)') && second.includes('page tables (first open)'));
});

test('what is no kernel is told step by step, too', async () => {
  const folder = temporary();
  const path = join(folder, 'zeros.raw');
  writeFileSync(path, Buffer.alloc(1 << 20));
  const session = open(path);
  const { rows, run } = await rowsOf(session, why);
  assert.equal(rows[0]?.['stage'], 'format');
  assert.match(run.notes.join(), /[Nn]o kernel/);
  const command = await rowsOf(session, why, { command: 'pslist' });
  assert.deepEqual(command.rows.map((row) => [row['outcome'], row['found']]), [['failed', 'no kernel was found']]);
  session.close();
});

test('without an image there is nothing to tell', async () => {
  const { rows, run } = await rowsOf(open(), why);
  assert.deepEqual([rows, run.notes], [[], ['Nothing was looked at: no image is open.']]);
  await assert.rejects(rowsOf(open(), why, { command: 'pslst' }), (error: Error & { next?: string }) => error.next === 'why pslist');
});
