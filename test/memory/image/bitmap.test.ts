import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { PageBitmap } from '../../../src/memory/image/bitmap.js';

/** A bitmap from runs of pages: random bits alone would never make long runs. */
const bitmaps = fc
  .array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 700 })), { maxLength: 30 })
  .map((parts) => parts.flatMap(([set, count]) => new Array<boolean>(count).fill(set)));

function bytesOf(bits: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8) + 3, 0xff);
  bytes.fill(0, 0, Math.floor(bits.length / 8));
  bits.forEach((set, page) => {
    const byte = bytes[page >> 3] as number;
    bytes[page >> 3] = set ? byte | (1 << (page & 7)) : byte & ~(1 << (page & 7));
  });
  return bytes;
}

test('has, rank and total agree with counting one by one', () => {
  fc.assert(
    fc.property(bitmaps, (bits) => {
      const bitmap = new PageBitmap(bytesOf(bits), bits.length);
      let count = 0;
      bits.forEach((set, page) => {
        assert.equal(bitmap.has(page), set);
        assert.equal(bitmap.rank(page), count);
        if (set) count++;
      });
      assert.equal(bitmap.total, count);
      assert.equal(bitmap.has(bits.length), false);
      assert.equal(bitmap.has(-1), false);
    }),
  );
});

test('runs are the ranges of set bits', () => {
  fc.assert(
    fc.property(bitmaps, (bits) => {
      const expected: { start: number; end: number }[] = [];
      bits.forEach((set, page) => {
        const last = expected.at(-1);
        if (set && last && last.end === page * 4096) last.end += 4096;
        else if (set) expected.push({ start: page * 4096, end: (page + 1) * 4096 });
      });
      assert.deepEqual(new PageBitmap(bytesOf(bits), bits.length).runs(4096, 1000), expected);
    }),
  );
});

test('too many runs are joined across their gaps', () => {
  const bits = Array.from({ length: 8000 }, (_, page) => page % 4 === 0);
  const runs = new PageBitmap(bytesOf(bits), bits.length).runs(4096, 100);
  assert.deepEqual(runs, [{ start: 0, end: 7997 * 4096 }]);
});
