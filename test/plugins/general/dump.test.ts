import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dump } from '../../../plugins/general/dump.js';
import { Absent } from '../../../src/memory/absent.js';
import { PartialBytes } from '../../../src/memory/partial.js';
import { sessionOn } from '../../support/fake-session.js';
import { FakeImage } from '../../support/image.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';
import { render } from '../../support/table.js';

const found = samples(['tiny']);
test('dump shows bytes and the symbol there, and goes on where it stopped', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const banner = await (await session.resolver()).address('linux_banner');
  const version = Buffer.from(sample.truth('proc/version').trimEnd());
  const first = await rowsOf(session, dump, { offset: banner, rows: 2 });
  assert.deepEqual(first.rows.map((row) => row['offset']), [banner, banner + 16n]);
  assert.deepEqual(Buffer.concat(first.rows.map((row) => row['hexdump'] as Buffer)), version.subarray(0, 32));
  assert.equal(first.rows[0]?.['comment'], 'linux!linux_banner');
  const next = await rowsOf(session, dump, { rows: 1 });
  assert.deepEqual(next.rows[0]?.['hexdump'], version.subarray(32, 48));
  session.close();
});

test('what is not there is one row that says how much; the dump goes on behind it, its rows in their places', async () => {
  const image = new FakeImage();
  const at = 0xffff888000200000n;
  image.write(at, Buffer.alloc(4096, 0x61));
  image.write(at + 0x3000n, Buffer.alloc(4096, 0x62));
  const session = sessionOn(image.kernel());
  const { rows, run } = await rowsOf(session, dump, { offset: at + 0xff4n, length: 0x2020 });
  assert.deepEqual(
    rows.map((row) => [(row['offset'] as bigint) - at, row['hexdump'] instanceof Absent ? row['comment'] : String(row['hexdump'] instanceof PartialBytes ? row['hexdump'] : (row['hexdump'] as Buffer).toString('hex'))]),
    [
      [0xff4n, `${'61'.repeat(12)}????????`],
      [0x1004n, '0x1ff0 bytes not in memory'],
      [0x2ff4n, `${'??'.repeat(12)}62626262`],
      [0x3004n, '62'.repeat(16)],
    ],
  );
  assert.equal(run.faults, 1);
  const screen = await render('text', dump.columns, [rows]);
  assert.ok(screen.includes('61 61 61 61 61 61 61 61 61 61 61 61 ?? ?? ?? ??  aaaaaaaaaaaa????'), screen);
  const nothing = await rowsOf(session, dump, { offset: 0n, length: 2 ** 50 });
  assert.equal(nothing.rows.length, 1);
  // The end of the address space, an address that cannot be, no length, wrong ones.
  const top = await rowsOf(session, dump, { offset: 0xfffffffffffffff8n });
  assert.deepEqual(top.rows.map((row) => row['comment']), ['0x8 bytes not in memory']);
  assert.equal((await rowsOf(session, dump, { offset: 0x0000900000000000n, rows: 2 })).rows.length, 1);
  assert.deepEqual((await rowsOf(session, dump, { offset: at, length: 0 })).run.notes, ['A length of 0: nothing to dump.']);
  await assert.rejects(rowsOf(session, dump, { offset: at, width: 0 }), /width is 0/);
  await assert.rejects(rowsOf(session, dump, { offset: at, length: -1 }), /length is -1/);
  session.close();
});

test('symbols stand beside the rows they begin in, and what pointers lead to', async () => {
  const image = new FakeImage();
  const at = 0xffffffff81000000n;
  image.write(at, Buffer.alloc(4096));
  image.symbol('first', at);
  image.symbol('second', at + 0x18n);
  image.symbol('third', at + 0x1cn);
  image.pointer(at + 0x20n, at + 0x18n);
  image.pointer(at + 0x28n, at);
  // Near a variable, but not it; and not at a pointer's place.
  image.pointer(at + 0x30n, at + 0x19n);
  image.pointer(at + 0x43n, at);
  const session = sessionOn(image.kernel());
  const shifted = await rowsOf(session, dump, { offset: at + 4n, rows: 2 });
  assert.deepEqual(shifted.rows.map((row) => row['comment']), ['linux!first+0x4', 'linux!second, linux!third']);
  const aligned = await rowsOf(session, dump, { offset: at, length: 0x50 });
  assert.deepEqual(
    aligned.rows.map((row) => row['comment']),
    ['linux!first', 'linux!second, linux!third', '-> linux!second, -> linux!first', '', ''],
  );
  session.close();
});

test('bytes that are given are dumped, in rows of any width', async () => {
  const session = sessionOn(new FakeImage().kernel());
  const { rows } = await rowsOf(session, dump, { data: 'a\\x00b', width: 2 });
  assert.deepEqual(rows.map((row) => [row['offset'], (row['hexdump'] as Buffer).toString('latin1')]), [[0n, 'a\0'], [2n, 'b']]);
  const hex = await rowsOf(session, dump, { data: '{de ad be ef}' });
  assert.equal((hex.rows[0]?.['hexdump'] as Buffer).toString('hex'), 'deadbeef');
  await assert.rejects(rowsOf(session, dump, { data: '{de ??}' }), /no run of bytes/);
  const wide = await rowsOf(session, dump, { data: 'x'.repeat(70), width: 64 });
  const lines = (await render('text', dump.columns, [wide.rows])).trimEnd().split('\n').slice(2);
  assert.equal(lines.length, 2);
  assert.equal(lines[0]?.indexOf('xxx'), lines[1]?.indexOf('xxx'), 'a short last row is aligned with the others');
  session.close();
});
