import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from '../../support/property.js';
import { CODECS, decodePage } from '../../../src/memory/image/codecs.js';
import { decodeLzo } from '../../../src/memory/image/lzo.js';
import { decodeSnappy } from '../../../src/memory/image/snappy.js';
import { ZstdDecoder } from '../../../src/memory/zstd/zstd.js';
import { bounded } from '../../support/effort.js';
import { lzoLiterals, PAGE, samplePage, zstdStored } from '../../support/images.js';
import { snappyCompress } from '../../support/snappy.js';
import { PACKED_PAGES } from '../../support/packed-pages.js';

const flags = new Map<string, number>(CODECS.map(({ name, flag }) => [name, flag]));

/** Decodes into the middle of a larger buffer, and checks that nothing around it was touched. */
function decodeGuarded(codec: string, packed: Buffer): Buffer | undefined {
  const target = Buffer.alloc(PAGE + 128, 0xa5);
  const ok = decodePage(flags.get(codec) as number, packed, target, 64, PAGE);
  assert.ok(
    target.subarray(0, 64).every((byte) => byte === 0xa5) && target.subarray(64 + PAGE).every((byte) => byte === 0xa5),
    'wrote outside of its page',
  );
  return ok ? target.subarray(64, 64 + PAGE) : undefined;
}

test('pages that the reference libraries compressed', async (t) => {
  for (const { codec, by, bytes } of PACKED_PAGES) {
    await t.test(`${codec}: ${by}`, () => assert.deepEqual(decodeGuarded(codec, bytes), samplePage()));
  }
});

test('zlib pages of every level', () => {
  for (const level of [0, 1, 6, 9])
    assert.deepEqual(decodeGuarded('zlib', deflateSync(samplePage(), { level })), samplePage());
});

test('streams of another length than a page are refused', () => {
  for (const length of [PAGE - 1, PAGE + 1, 100]) {
    const bytes = Buffer.concat([samplePage(), samplePage(2)]).subarray(0, length);
    const packed = {
      zlib: deflateSync(bytes),
      snappy: snappyCompress(bytes),
      lzo: lzoLiterals(bytes),
      zstd: zstdStored(bytes),
    };
    for (const [codec, data] of Object.entries(packed))
      assert.equal(decodeGuarded(codec, data), undefined, `${codec} of ${length} bytes`);
  }
});

test('snappy: whatever is compressed comes back', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, count]) => new Uint8Array(count).fill(byte)),
        ),
        { maxLength: 40 },
      ),
      (parts) => {
        const plain = Buffer.concat(parts);
        const target = Buffer.alloc(plain.length);
        assert.equal(decodeSnappy(snappyCompress(plain), target, 0, plain.length), plain.length);
        assert.deepEqual(target, plain);
      },
    ),
    { numRuns: 200 },
  );
});

test('lzo: each kind of instruction', () => {
  // Made by hand after lzo.rst: literals, then matches of every form, then the end of the stream.
  const decode = (...bytes: number[]): string => {
    const target = Buffer.alloc(64);
    const length = decodeLzo(Buffer.from(bytes), target, 0, 64);
    return length < 0 ? 'damaged' : target.toString('latin1', 0, length);
  };
  const end = [0x11, 0, 0];
  assert.equal(decode(...end), '');
  assert.equal(decode(17 + 4, 0x61, 0x62, 0x63, 0x64, ...end), 'abcd');
  // 01LDDDSS: 4 bytes from 4 back, then two literals
  assert.equal(decode(21, 0x61, 0x62, 0x63, 0x64, 0x40 | 0x20 | (3 << 2) | 2, 0, 0x78, 0x79, ...end), 'abcdabcdxy');
  // 1LLDDDSS: 6 bytes from 1 back
  assert.equal(decode(21, 0x61, 0x62, 0x63, 0x64, 0x80 | (1 << 5), 0, ...end), 'abcddddddd');
  // 001LLLLL: 2 + 5 bytes from 2 back
  assert.equal(decode(21, 0x61, 0x62, 0x63, 0x64, 0x20 | 5, 1 << 2, 0, ...end), 'abcdcdcdcdc');
  // 0000DDSS after 1 to 3 literals: 2 bytes from 3 back
  assert.equal(decode(18, 0x61, 0x40, 0, 2 << 2, 0, ...end), 'damaged');
  assert.equal(decode(21, 0x61, 0x62, 0x63, 0x64, 0x40 | (3 << 2) | 1, 0, 0x7a, 2 << 2, 0, ...end), 'abcdabczbc');
  // 0000LLLL after no literals: 3 + 1 of them
  assert.equal(
    decode(21, 0x61, 0x62, 0x63, 0x64, 0x40 | (3 << 2), 0, 1, 0x77, 0x78, 0x79, 0x7a, ...end),
    'abcdabcwxyz',
  );
  // a distance beyond the beginning, no end, something behind the end
  assert.equal(decode(21, 0x61, 0x62, 0x63, 0x64, 0x40 | (4 << 2), 0, ...end), 'damaged');
  assert.equal(decode(21, 0x61, 0x62, 0x63, 0x64), 'damaged');
  assert.equal(decode(...end, 0), 'damaged');
});

test('lzo: distances of 16 to 48 KiB', () => {
  const first = Buffer.concat([samplePage(1), samplePage(2), samplePage(3), samplePage(4), samplePage(5)]);
  const literals = lzoLiterals(first).subarray(0, -3);
  // 0001HLLL: 2 + 7 + 1 bytes from 16384 + 100 back
  const distance = 100 << 2;
  const stream = Buffer.concat([literals, Buffer.of(0x10, 1, distance & 0xff, distance >> 8, 0x11, 0, 0)]);
  const target = Buffer.alloc(first.length + 10);
  assert.equal(decodeLzo(stream, target, 0, target.length), target.length);
  assert.deepEqual(target.subarray(first.length), first.subarray(first.length - 16484, first.length - 16474));
});

test('zstd: several frames, skippable ones, repeated bytes', () => {
  const decoder = new ZstdDecoder();
  const target = Buffer.alloc(3 * PAGE);
  const packed = PACKED_PAGES.find(({ codec }) => codec === 'zstd')?.bytes as Buffer;
  const skippable = Buffer.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  // one block of 50 times the byte 7
  const run = Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 50, ((50 << 3) | (1 << 1) | 1) & 0xff, (50 << 3) >> 8, 0, 7);
  assert.equal(
    decoder.decode(Buffer.concat([packed, skippable, run, packed]), target, 0, target.length),
    2 * PAGE + 50,
  );
  assert.deepEqual(target.subarray(0, 2 * PAGE + 50), Buffer.concat([samplePage(), Buffer.alloc(50, 7), samplePage()]));
  assert.equal(decoder.decode(packed, target, 0, PAGE - 1), -1);
});

test('damaged pages: no crash, no hang, nothing written outside', async (t) => {
  const pages = [...PACKED_PAGES, { codec: 'zlib', by: 'zlib', bytes: deflateSync(samplePage()) }];
  for (const { codec, by, bytes } of pages) {
    await t.test(by, () => {
      const damage = (): void => fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
          fc.nat(bytes.length),
          (flips, cut) => {
            const damaged = Buffer.from(bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut : 0)));
            for (const [at, value] of flips) if (at < damaged.length) damaged[at] = value;
            decodeGuarded(codec, damaged);
          },
        ),
        { numRuns: 1500 },
      );
      bounded(20_000, damage);
    });
  }
});

test('noise is refused or decoded within a page', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.constantFrom('lzo', 'snappy', 'zstd', 'zlib'), (noise, codec) => {
      const header =
        codec === 'zstd'
          ? Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x0f)
          : codec === 'snappy'
            ? Buffer.of(0x80, 0x20)
            : Buffer.alloc(0);
      decodeGuarded(codec, Buffer.concat([header, noise]));
    }),
    { numRuns: 3000 },
  );
});
