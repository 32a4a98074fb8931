import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { inspectVaddr } from '../../../plugins/general/inspect_vaddr.js';
import { FakeImage } from '../../support/image.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';
import { openImage } from '../../../src/memory/image/open.js';

const found = samples(['tiny']);

test('an address leads down to the bytes of the file', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const [pid, virtual, physical] = (sample.truth('marker-pages.tsv').split('\n')[1] as string).split('\t');
  const { rows } = await rowsOf(session, inspectVaddr, { address: BigInt(virtual ?? 0) + 5n, address_space: `pid@${pid}` });
  assert.equal(rows.length, 2);
  assert.equal(rows[0]?.['base_as_offset'], Number(physical) + 5);
  assert.equal(rows[1]?.['Offset'], BigInt(physical ?? 0) + 5n);
  // The page as it is packed in the file, unpacked by zlib, is the page that the guest described.
  const [, size] = /compressed page of (\d+) bytes/.exec(String(rows[1]?.['comment'])) ?? [];
  const offset = rows[1]?.['base_as_offset'] as number;
  const page = inflateSync(readFileSync(sample.image).subarray(offset, offset + Number(size)));
  assert.deepEqual(page, session.physical().read(BigInt(physical ?? 0), 4096));
  assert.match(page.toString('latin1'), /LABMARK/);
  session.close();
});

test('where the way ends, the row says why', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const unmapped = await rowsOf(session, inspectVaddr, { address: 0x1000n });
  assert.deepEqual(unmapped.rows.map((row) => [row['base_as_offset'], row['comment']]), [[null, 'not present']]);
  const outside = await rowsOf(session, inspectVaddr, { address: 1n << 45n, address_space: 'P' });
  assert.match(String(outside.rows[0]?.['comment']), /does not hold/);
  session.close();
});

test('plain formats name the byte itself', () => {
  const fake = new FakeImage();
  fake.write(0xffff888000200000n, Buffer.from('a byte to be found'));
  const physical = fake.space().translate(0xffff888000200002n) as number;
  for (const path of [fake.writeRaw(), fake.writeElf()]) {
    const image = openImage(path);
    const place = image.place?.(physical);
    assert.equal(readFileSync(path).toString('latin1', place?.offset, (place?.offset ?? 0) + 4), 'byte');
    assert.equal(place?.packed, undefined);
    assert.equal(image.place?.(1 << 30), undefined);
    image.close();
  }
});
