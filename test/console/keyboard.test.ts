import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Keyboard } from '../../src/console/keyboard.js';

/** A keyboard whose line editor takes a line each time it is released. */
function keyboard(): { source: PassThrough; keys: Keyboard; heard: string[]; interrupts: () => number } {
  const source = new PassThrough();
  let interrupts = 0;
  const keys = new Keyboard(source, { terminal: true, interrupt: () => void interrupts++ });
  const heard: string[] = [];
  keys.on('data', (text: string) => {
    heard.push(text);
    if (text.endsWith('\r')) keys.hold();
  });
  return { source, keys, heard, interrupts: () => interrupts };
}

async function send(source: PassThrough, text: string | Buffer): Promise<void> {
  source.write(text);
  await sleep(2);
}

test('lines come one by one, however they arrive', async () => {
  const { source, keys, heard } = keyboard();
  await send(source, 'one\rtwo\nthree\r\nfo');
  assert.deepEqual(heard, []);
  keys.release();
  assert.deepEqual(heard, ['one\r']);
  assert.equal(keys.nextLine, 'two');
  keys.release();
  keys.release();
  assert.equal(keys.nextLine, undefined);
  assert.deepEqual(heard, ['one\r', 'two\r', 'three\r']);
  keys.release();
  await send(source, Buffer.from([0xc3]));
  await send(source, Buffer.from([0xa9]));
  assert.equal(heard.join(''), 'one\rtwo\rthree\rfoé');
});

test('Ctrl-C while a statement runs is heard at once, and what was typed before it is gone', async () => {
  const { source, keys, heard, interrupts } = keyboard();
  keys.release();
  await send(source, 'run\r');
  await send(source, 'typed ahead\r\x03after\r');
  assert.equal(interrupts(), 1);
  assert.deepEqual(heard, ['run\r']);
  keys.release();
  assert.deepEqual(heard, ['run\r', 'after\r']);
  keys.release();
  // At the prompt it is a key like others: the line editor hears it.
  await send(source, '\x03');
  assert.equal(interrupts(), 1);
  assert.equal(heard.at(-1), '\x03');
});

test('a paste loses its marks wherever they are cut, and its tabs complete nothing', async () => {
  const pasted = '\x1b[200~if (x) {\n\ty\n}\n\x1b[201~\tz';
  for (let cut = 1; cut < pasted.length; cut++) {
    // Esc alone may be a key: it is not waited for.
    if (pasted[cut - 1] === '\x1b' || pasted.slice(0, cut).endsWith('\x1b[') || pasted.slice(0, cut).endsWith('\x1b[2')) continue;
    const { source, keys, heard } = keyboard();
    keys.release();
    await send(source, pasted.slice(0, cut));
    await send(source, pasted.slice(cut));
    for (let line = 0; line < 3; line++) keys.release();
    assert.equal(heard.join(''), 'if (x) {\r  y\r}\r\tz', `cut at ${cut}`);
  }
});

test('another reader has the keys until it gives them back; the end comes last', async () => {
  const { source, keys, heard } = keyboard();
  keys.release();
  const other = keys.divert();
  let read = '';
  other.input.on('data', (chunk: Buffer) => (read += chunk.toString()));
  await send(source, 'for it\x03');
  other.restore();
  await send(source, 'mine\r');
  assert.equal(read, 'for it\x03');
  assert.deepEqual(heard, ['mine\r']);
  let ended = false;
  keys.on('end', () => (ended = true));
  source.end('last');
  await sleep(5);
  assert.equal(ended, false);
  keys.release();
  assert.deepEqual(heard, ['mine\r', 'last']);
  assert.equal(ended, true);
});

test('what is typed behind a tab waits until the completion is there', async () => {
  const { source, keys, heard } = keyboard();
  keys.on('data', (text: string) => {
    if (text.endsWith('\t')) keys.hold();
  });
  keys.release();
  await send(source, 'psli\t 1\r');
  assert.deepEqual(heard, ['psli\t']);
  keys.release();
  assert.deepEqual(heard, ['psli\t', ' 1\r']);
});
