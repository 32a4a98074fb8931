import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPagedSpace } from '../../../src/memory/paging/create.js';
import { FakeImage } from '../../support/image.js';

const VA = 0xfffff8a000400000n;
const prototype = (address: bigint): bigint => BigInt.asUintN(64, address << 16n) | 0x400n;

test('prototypes that lie behind themselves, or behind each other, end', () => {
  const image = new FakeImage();
  image.tables.setEntry(VA, 3, prototype(VA + 0x10n));
  image.tables.setEntry(VA + 0x1000n, 3, prototype(VA + 0x2010n));
  image.tables.setEntry(VA + 0x2000n, 3, prototype(VA + 0x1010n));
  // One whose place is not a multiple of its size.
  image.map(VA + 0x3000n);
  image.tables.setEntry(VA + 0x4000n, 3, prototype(VA + 0x3ffdn));
  const space = createPagedSpace('amd64', image.physical(), image.dtb, { os: 'windows' });
  for (const page of [0n, 1n, 2n, 4n]) {
    const at = VA + page * 0x1000n;
    assert.equal(space.translate(at), undefined);
    assert.match(space.walk(at).reason ?? '', /prototype at 0x[0-9a-f]+: which cannot be read/);
  }
});

test('a prototype in a page that has a prototype itself is read (session space)', () => {
  const image = new FakeImage();
  const [inner, outer] = [image.map(VA), image.map(VA + 0x1000n)];
  const target = image.map(VA + 0x8000n);
  image.frames.write(inner + 8, word(BigInt(outer) | 0x21n));
  image.tables.setEntry(VA + 0x2000n, 3, prototype(VA + 8n));
  image.frames.write(outer + 16, word(BigInt(target) | 0x21n));
  image.tables.setEntry(VA + 0x3000n, 3, prototype(VA + 0x2010n));
  const space = createPagedSpace('amd64', image.physical(), image.dtb, { os: 'windows' });
  assert.equal(space.translate(VA + 0x3456n), target + 0x456);
});

test('a page table in transition, or in the page file', () => {
  const image = new FakeImage();
  const table = image.frames.fresh();
  const page = image.frames.fresh();
  image.frames.write(page * 4096, Buffer.from('here'));
  image.frames.write(table * 4096 + 8, word(BigInt(page) * 4096n | 1n));
  image.tables.setEntry(VA + 0x200000n, 2, BigInt(table) * 4096n | 0x880n);
  image.tables.setEntry(VA + 0x400000n, 2, (0x55n << 32n) | (1n << 1n) | 0x80n);
  const space = createPagedSpace('amd64', image.physical(), image.dtb, { os: 'windows' });
  assert.equal(space.readCString(VA + 0x201000n).toString(), 'here');
  assert.equal(space.walk(VA + 0x400000n).reason, 'its page table is in page file 1 at offset 0x55000');
});

function word(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
