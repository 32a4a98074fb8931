import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import type { PhysicalImage } from '../../../src/memory/image.js';
import { openContent } from '../../../src/memory/image/open.js';
import { assertHolds } from '../../support/image-check.js';
import { avmlBytes, limeBytes, type MemoryRange, MemoryFile, PAGE, samplePages } from '../../support/images.js';

const RANGES: readonly MemoryRange[] = [
  { physical: 0x1000, bytes: samplePages(40, 1) },
  { physical: 0x100000, bytes: samplePages(100, 2) },
  { physical: 0x1_0000_0000, bytes: samplePages(2, 3) },
];

function open(bytes: Buffer): PhysicalImage {
  return openContent(new MemoryFile(bytes));
}

test('AVML: compressed ranges', () => {
  const image = open(avmlBytes(RANGES));
  assert.equal(image.format, 'AVML (snappy)');
  assert.deepEqual(image.warnings, []);
  assertHolds(image, RANGES);
});

test('AVML: chunks of any size, chunks that are stored as they are', () => {
  const noise = Buffer.alloc(4 * PAGE);
  for (let at = 0, x = 1; at < noise.length; at++) noise[at] = (x = Math.imul(x, 1664525) + 1013904223) >>> 24;
  const ranges = [...RANGES, { physical: 0x2_0000_0000, bytes: noise }];
  for (const chunkSize of [1000, 4096, 30001]) assertHolds(open(avmlBytes(ranges, chunkSize)), ranges);
});

test('AVML: the file is opened from its end, one read for each range and not one for each chunk', () => {
  const file = new MemoryFile(avmlBytes(RANGES, 1024));
  openContent(file);
  assert.ok(file.reads < 30, `${file.reads} reads`);
});

test('AVML: ranges without compression, and both kinds in one file', () => {
  const plain = open(limeBytes(RANGES, 'AVML'));
  assert.equal(plain.format, 'AVML');
  assertHolds(plain, RANGES);
  assertHolds(
    open(Buffer.concat([avmlBytes(RANGES.slice(0, 1)), limeBytes(RANGES.slice(1, 2)), avmlBytes(RANGES.slice(2))])),
    RANGES,
  );
});

test('AVML: a truncated file gives the chunks that are there and says how much is missing', () => {
  const bytes = avmlBytes(RANGES);
  const second = avmlBytes(RANGES.slice(0, 2)).length;
  const image = open(bytes.subarray(0, second - 1000));
  assert.match(image.warnings.join(), /^truncated: 16 KiB of 400 KiB are missing of the range at 0x100000/);
  assert.deepEqual(image.runs, [
    { start: 0x1000, end: 0x29000 },
    { start: 0x100000, end: 0x100000 + 6 * 65536 },
  ]);
  const whole = Buffer.alloc(6 * 65536);
  assert.equal(image.read(0x100000, whole, 0, whole.length + 0), whole.length);
  assert.ok(whole.equals((RANGES[1] as MemoryRange).bytes.subarray(0, whole.length)));
});

test('AVML: a damaged chunk is absent, the chunks around it are not', () => {
  const bytes = avmlBytes(RANGES.slice(0, 1), 4096);
  const good = Buffer.from(bytes);
  // The compressed data of the third chunk: behind the record header, the stream identifier and two chunks.
  let at = 32 + 10;
  for (let chunk = 0; chunk < 2; chunk++) at += 4 + bytes.readUIntLE(at + 1, 3);
  bytes.fill(0xff, at + 20, at + 40);
  const image = open(bytes);
  const page = Buffer.alloc(PAGE);
  assert.equal(image.read(0x1000 + 2 * PAGE, page, 0, PAGE), 0);
  assert.equal(image.read(0x1000 + 3 * PAGE, page, 0, PAGE), PAGE);
  assert.ok(page.equals(samplePages(4, 1).subarray(3 * PAGE)));
  assert.equal(open(good).read(0x1000 + 2 * PAGE, page, 0, PAGE), PAGE);
});

test('AVML: versions that nobody has written yet', () => {
  const bytes = avmlBytes(RANGES);
  bytes.writeUInt32LE(3, 4);
  assert.throws(() => open(bytes), { name: 'ImageError', message: /version 3.*avml-convert/ });
});

test('AVML: reads at any place agree with the ranges', () => {
  const image = open(avmlBytes(RANGES, 10000));
  const range = RANGES[1] as MemoryRange;
  fc.assert(
    fc.property(fc.nat(range.bytes.length + 100), fc.nat(100000), (offset, length) => {
      const target = Buffer.alloc(length);
      const expected = range.bytes.subarray(offset, offset + length);
      assert.equal(image.read(range.physical + offset, target, 0, length), expected.length);
      assert.ok(target.subarray(0, expected.length).equals(expected));
    }),
  );
});
