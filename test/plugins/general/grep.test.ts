import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grep } from '../../../plugins/general/grep.js';
import type { Measure } from '../../../src/plugin/context.js';
import { PartialBytes } from '../../../src/memory/partial.js';
import { sessionOn } from '../../support/fake-session.js';
import { FakeImage } from '../../support/image.js';
import { committedSample, rowsOf, type Sample } from '../../support/sample.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';

interface Marked {
  readonly pid: string;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly content: string;
}

/** What the guest says stands at the start of each page of its marker programs. */
function markers(of: Sample): Marked[] {
  return of
    .truth('marker-pages.tsv')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .map(([pid = '', virtual = '0', physical = '0', content = '']) => ({ pid, virtual: BigInt(virtual), physical: BigInt(physical), content }));
}

test('every marker page that the guest has is found, in the process and in physical memory', { skip }, async () => {
  const session = (sample as Sample).session();
  const all = markers(sample as Sample).filter(({ content }) => content.startsWith('LABMARK:alpha'));
  const pid = all[0]?.pid ?? '';
  const own = all.filter((marker) => marker.pid === pid);
  assert.ok(own.length > 10);
  const keyword = [`LABMARK:alpha:pid=${pid}:page=`];
  const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
  const inProcess = await rowsOf(session, grep, { keyword, address_space: `pid@${pid}`, end: 0x800000000000n });
  const virtual = new Set(inProcess.rows.map((row) => row['offset'] as bigint));
  for (const { virtual: at, content } of own) assert.ok(virtual.has(at), content);
  const inMemory = await rowsOf(session, grep, { keyword, address_space: 'P' });
  const places = inMemory.rows.map((row) => row['offset'] as bigint);
  assert.deepEqual(places, places.toSorted(ascending));
  for (const { physical, content } of own) assert.ok(places.includes(physical), content);
  // What else is found in the process lies on its pages in memory as well.
  assert.ok(places.length >= virtual.size);
  const counted = await rowsOf(session, grep, { keyword, address_space: 'P', count: true });
  assert.deepEqual(counted.rows.map((row) => [row['count'], row['offset']]), [[places.length, places[0]]]);
  session.close();
});

test('the banner of the kernel is where its symbol says, and named', { skip }, async () => {
  const session = (sample as Sample).session();
  const at = await (await session.resolver()).address('linux!linux_banner');
  const { rows } = await rowsOf(session, grep, { keyword: ['linux version 6'], ignore_case: true, offset: at - 0x100000n, limit: 0x200000 });
  const hit = rows.find((row) => row['offset'] === at);
  assert.equal(hit?.['comment'], 'linux!linux_banner');
  const dump = hit['hexdump'] as Buffer;
  assert.equal(dump.subarray(16, 32).toString('latin1'), 'Linux version 6.');
  session.close();
});

test('a search is stopped at once, keeps what it found, and says how far it came', { skip }, async () => {
  const session = (sample as Sample).session();
  await session.kernel();
  const controller = new AbortController();
  const args = { keyword: ['LABMARK'], address_space: 'P', before: 16, after: 16, max: 0, count: false, ignore_case: false, utf16: true };
  let told = 0;
  const run = session.run(grep, args, {
    signal: controller.signal,
    onProgress: () => {
      // Ctrl-C comes between two pieces of work.
      if (told++ === 0) setImmediate(() => controller.abort());
    },
  });
  const rows = await run.rows();
  assert.equal(told, 1, 'no more is searched');
  assert.match(run.notes.join(' '), /^Stopped: [\d.]+ \w+ of 8\d\.\d MiB of physical were searched, \d+ hits?\./);
  assert.ok(rows.length < 200);
  session.close();
});

test('progress says how much of how much, and how fast', { skip }, async () => {
  const session = (sample as Sample).session();
  const said: [number | undefined, string, Measure | undefined][] = [];
  const run = session.run(grep, { keyword: ['no such text anywhere'], address_space: 'P', before: 16, after: 16, max: 0 }, { onProgress: (fraction, what = '', measure) => said.push([fraction, what, measure]) });
  await run.rows();
  assert.match(run.notes.join(' '), /^Not found in 8\d\.\d MiB of physical/);
  assert.ok(said.length > 0);
  for (const [fraction, what, measure] of said) {
    assert.ok(fraction !== undefined && fraction >= 0 && fraction <= 1);
    assert.equal(what, '0 hits');
    assert.ok(measure?.unit === 'bytes' && measure.done > 0 && measure.done <= (measure.total ?? 0) && (measure.total ?? 0) > 80 << 20);
  }
  session.close();
});

test('context at the border of what is there has holes; limits, and keywords that are none', async () => {
  const image = new FakeImage();
  const at = 0xffff888000200000n;
  image.write(at, Buffer.alloc(4096));
  image.write(at, Buffer.from('start of it\n'));
  image.write(at + 4090n, Buffer.from('at end'));
  const session = sessionOn(image.kernel());
  const first = await rowsOf(session, grep, { keyword: ['start'], before: 4 });
  assert.equal(String(first.rows[0]?.['hexdump'] as PartialBytes).slice(0, 12), '????????7374');
  const last = await rowsOf(session, grep, { keyword: ['at end'] });
  assert.ok(last.rows[0]?.['hexdump'] instanceof PartialBytes);
  assert.equal(last.rows[0]?.['offset'], at + 4090n);
  const escaped = await rowsOf(session, grep, { keyword: ['it\\n\\0'] });
  assert.equal(escaped.rows[0]?.['offset'], at + 9n);
  const limited = await rowsOf(session, grep, { keyword: ['at end'], offset: at, limit: 4095 });
  assert.deepEqual([limited.rows.length, limited.run.notes], [0, ['Not found in 4.0 KiB of kernel.']]);
  const several = await rowsOf(session, grep, { keyword: ['end', 'start', 't'], max: 3, count: true });
  assert.deepEqual(several.rows.map((row) => [row['keyword'], row['count']]), [['end', 0], ['start', 1], ['t', 2]]);
  const nowhere = await rowsOf(session, grep, { keyword: ['x'], offset: 0x1000n, limit: 0x1000 });
  assert.deepEqual(nowhere.run.notes, ['Nothing is mapped there: no byte of kernel was searched.']);
  for (const keyword of ['', '{12 3}', '{}', '{zz}', '{??}']) await assert.rejects(rowsOf(session, grep, { keyword: [keyword] }), /is empty|no run of bytes/, keyword);
  await assert.rejects(rowsOf(session, grep, { keyword: ['x'], max: -1 }), /max is -1/);
  await assert.rejects(rowsOf(session, grep, { keyword: ['x'], offset: 5n, end: 1n }), /lies before the start/);
  session.close();
});
