import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { Absent, unreadable } from '../../src/memory/absent.js';
import { col } from '../../src/plugin/columns.js';
import { PluginError } from '../../src/plugin/error.js';
import { definePlugin, type Plugin } from '../../src/plugin/plugin.js';
import { Registry } from '../../src/plugin/registry.js';
import { printRun } from '../../src/render/print.js';
import { createRenderer } from '../../src/render/renderer.js';
import { FileSink, StreamSink, TextSink } from '../../src/render/sink.js';
import { Session } from '../../src/session/session.js';
import { temporary } from '../support/folder.js';

const session = new Session({ cache: 'memory' }, new Registry([], ''));

function plugin(collect: () => AsyncGenerator<{ n: unknown }> | Generator<{ n: unknown }>): Plugin {
  return definePlugin({
    name: 'numbers',
    needs: 'none',
    topic: 'session',
    summary: 'numbers',
    args: {},
    columns: { n: col.any('a number') },
    examples: [{ line: 'numbers' }],
    collect: collect as never,
  });
}

test('cells that could not be read are counted by reason', async () => {
  const run = session.run(
    plugin(function* () {
      yield { n: 1 };
      yield { n: unreadable(0x1000n) };
      yield { n: () => { throw new Absent('corrupt', 'a loop'); } };
      yield { n: new Absent('not-applicable', 'a kernel thread') };
    }),
  );
  const sink = new TextSink();
  const printed = await printRun(run, await createRenderer('text', { name: 'numbers', columns: run.columns }, sink, { timezone: 'UTC', full: false }));
  assert.equal(printed.rows, 4);
  assert.deepEqual(printed.notes, ['2 cells could not be read (1 unreadable, 1 corrupt); the first: unreadable at 0x1000: page not present.']);
  assert.match(sink.text, /\(unreadable\)\n\(corrupt\)\n-\n$/);
});

test('what stands on the terminal for the moment makes way for rows, also for none', async () => {
  for (const rows of [0, 2]) {
    const run = session.run(
      plugin(function* () {
        for (let n = 0; n < rows; n++) yield { n };
      }),
    );
    const sink = new TextSink();
    const before: number[] = [];
    await printRun(run, await createRenderer('text', { name: 'numbers', columns: run.columns }, sink, { timezone: 'UTC', full: false }), () => void before.push(sink.text.length));
    assert.equal(before[0], 0, `${rows} rows`);
    assert.ok(sink.text.length > 0);
  }
});

test('a command that fails leaves its rows in a complete form, or nothing', async () => {
  const failing = (rows: number): Plugin =>
    plugin(async function* () {
      for (let n = 0; n < rows; n++) yield { n };
      throw new PluginError('broken');
    });
  for (const [rows, expected] of [[2, [{ n: 0 }, { n: 1 }]], [0, undefined]] as const) {
    const run = session.run(failing(rows));
    const sink = new TextSink();
    await assert.rejects(printRun(run, await createRenderer('json', { name: 'n', columns: run.columns }, sink, { timezone: 'UTC', full: false })), /broken/);
    assert.deepEqual(sink.text === '' ? undefined : JSON.parse(sink.text), expected);
  }
});

test('rows that are slow to come are shown before the command ends', async () => {
  let seen = false;
  let ended = false;
  const run = session.run(
    plugin(async function* () {
      for (let n = 0; !seen && n < 3000; n++) {
        yield { n };
        await sleep(20);
      }
      ended = true;
    }),
  );
  const sink = new TextSink();
  const printing = printRun(run, await createRenderer('ndjson', { name: 'n', columns: run.columns }, sink, { timezone: 'UTC', full: false }));
  while (sink.text === '') await sleep(20);
  const early = sink.text;
  assert.ok(!ended);
  seen = true;
  await printing;
  assert.match(early, /^\{"n":0\}\n/);
  assert.ok(sink.text.length >= early.length);
});

test('a file appears when it is complete, and a failure leaves the old one', async () => {
  const folder = temporary();
  const path = join(folder, 'rows.txt');
  writeFileSync(path, 'old');
  const failed = new FileSink(path);
  await failed.write('half');
  failed.discard();
  assert.equal(readFileSync(path, 'utf8'), 'old');
  const sink = new FileSink(path);
  await sink.write('new ');
  assert.equal(readFileSync(path, 'utf8'), 'old');
  await sink.write('rows');
  sink.commit();
  assert.equal(readFileSync(path, 'utf8'), 'new rows');
  const more = new FileSink(path, true);
  await more.write(', more');
  more.commit();
  assert.equal(readFileSync(path, 'utf8'), 'new rows, more');
  assert.deepEqual(readdirSync(folder), ['rows.txt']);
  assert.throws(() => new FileSink(join(folder, 'missing', 'x')), /ENOENT/);
  assert.equal(existsSync(join(folder, 'missing')), false);
});

test('writing waits for a slow reader, and not for one that is gone', async () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const sink = new StreamSink(stream);
  let written = false;
  const writing = sink.write('longer than the buffer').then(() => {
    written = true;
  });
  await immediate();
  assert.equal(written, false);
  stream.read();
  await writing;
  const gone = new PassThrough({ highWaterMark: 4 });
  const waiting = new StreamSink(gone).write('longer than the buffer');
  gone.destroy();
  await waiting;
});
