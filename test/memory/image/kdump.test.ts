import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { PhysicalImage } from '../../../src/memory/image.js';
import { openContent } from '../../../src/memory/image/open.js';
import { assertHolds } from '../../support/image-check.js';
import {
  flatPiece,
  flattenedBytes,
  kdumpBytes,
  type KdumpCodec,
  type KdumpOptions,
  type MemoryRange,
  MemoryFile,
  elfBytes,
  noteBytes,
  PAGE,
  qemuNote,
  samplePage,
  samplePages,
} from '../../support/images.js';
import { PACKED_PAGES } from '../../support/packed-pages.js';

const RANGES: readonly MemoryRange[] = [
  { physical: 0x1000, bytes: samplePages(3, 1) },
  { physical: 0x10000, bytes: samplePages(70, 2) },
  { physical: 0x400_0000, bytes: samplePages(2, 3) },
];
const REGISTERS = { cr0: 0x80050033n, cr3: 0x1e0a6001n, cr4: 0x10_06f0n };

function open(bytes: Buffer): PhysicalImage {
  return openContent(new MemoryFile(bytes));
}

for (const bits of [64, 32] as const) {
  for (let version = 1; version <= 6; version++) {
    test(`kdump of a ${bits}-bit machine, header version ${version}`, () => {
      const notes = Buffer.concat([noteBytes('CORE', 1, Buffer.alloc(336)), qemuNote(REGISTERS)]);
      const image = open(kdumpBytes(RANGES, { bits, version, notes, vmcoreinfo: 'OSRELEASE=6.1.0-test\n' }));
      assertHolds(image, RANGES);
      assert.equal(image.format, 'kdump (zlib)');
      assert.equal(image.hints.architecture, bits === 64 ? 'amd64' : 'i386');
      assert.equal(image.hints.kernel, `6.1.0-test #1 SMP ${bits === 64 ? 'x86_64' : 'i686'}`);
      assert.equal(image.hints.vmcoreinfo, version >= 3 ? 'OSRELEASE=6.1.0-test\n' : undefined);
      assert.deepEqual(image.hints.controlRegisters, version >= 4 ? [REGISTERS] : undefined);
      assert.deepEqual(image.warnings, []);
    });
  }
}

test('every codec', () => {
  for (const codec of ['none', 'zlib', 'lzo', 'snappy', 'zstd'] satisfies KdumpCodec[]) {
    const image = open(kdumpBytes(RANGES, { codec }));
    assertHolds(image, RANGES);
    // Literals only and stored blocks are no smaller than a page: those pages are stored as they are.
    if (codec !== 'lzo' && codec !== 'zstd')
      assert.equal(image.format, codec === 'none' ? 'kdump (not compressed)' : `kdump (${codec})`);
  }
});

test('pages that the reference libraries compressed', () => {
  for (const { codec, bytes } of PACKED_PAGES) {
    const ranges = [{ physical: 5 * PAGE, bytes: samplePage() }];
    const image = open(kdumpBytes(ranges, { codec, packed: new Map([[5, bytes]]) }));
    assert.equal(image.format, `kdump (${codec})`);
    assertHolds(image, ranges);
  }
});

test('pages of 64 KiB', () => {
  const ranges = [
    { physical: 0x10000, bytes: samplePages(32, 4) },
    { physical: 0x80000, bytes: samplePages(16, 5) },
  ];
  const image = open(kdumpBytes(ranges, { pageSize: 65536, machine: 'aarch64' }));
  assert.equal(image.blockSize, 65536);
  assert.equal(image.hints.architecture, 'arm64');
  assertHolds(image, ranges);
  const part = Buffer.alloc(100);
  assert.equal(image.read(0x10000 + 5000, part, 0, 100), 100);
  assert.ok(part.equals((ranges[0] as MemoryRange).bytes.subarray(5000, 5100)));
});

test('zero pages that were left out are zeros, other pages that were left out are absent', () => {
  const excluded = [0x10, 0x12, 0x13];
  const page = Buffer.alloc(PAGE, 1);
  const zeros = open(kdumpBytes(RANGES, { dumpLevel: 1, excluded }));
  assert.deepEqual(zeros.runs, open(kdumpBytes(RANGES)).runs);
  assert.equal(zeros.read(0x12000, page, 0, PAGE), PAGE);
  assert.ok(page.every((byte) => byte === 0));
  assert.equal(zeros.read(0x14000, page, 0, PAGE), PAGE);
  assert.ok(page.equals(samplePage(2 + 4 * 7919)));
  const others = open(kdumpBytes(RANGES, { dumpLevel: 31, excluded }));
  assert.equal(others.read(0x12000, page, 0, PAGE), 0);
  assert.equal(others.read(0x14000, page, 0, PAGE), PAGE);
  assert.ok(page.equals(samplePage(2 + 4 * 7919)));
  assert.deepEqual(others.runs.slice(1, 3), [
    { start: 0x11000, end: 0x12000 },
    { start: 0x14000, end: 0x56000 },
  ]);
  assert.match(others.warnings.join(), /dump level 31: zero, cache, private cache, user, free pages were left out/);
});

test('one bitmap only, as old dumps have', () => {
  assertHolds(open(kdumpBytes(RANGES, { singleBitmap: true })), RANGES);
});

test('parts of a split dump are refused with the command that joins them', () => {
  assert.throws(() => open(kdumpBytes(RANGES, { split: { start: 0, end: 40 } })), {
    name: 'ImageError',
    message: /page frames 0 to 39.*makedumpfile --reassemble/,
  });
});

test('a truncated file says how much is missing and gives the rest', () => {
  const bytes = kdumpBytes(RANGES, { codec: 'none' });
  const image = open(bytes.subarray(0, bytes.length - 10 * PAGE - 1));
  assert.deepEqual(image.warnings, ['truncated: 44 KiB of 300 KiB are missing']);
  const page = Buffer.alloc(PAGE);
  assert.equal(image.read(0x10000, page, 0, PAGE), PAGE);
  assert.equal(image.read(0x4000000, page, 0, PAGE), 0);
  assert.throws(() => open(bytes.subarray(0, 2 * PAGE + 100)), {
    name: 'ImageError',
    message: /ends inside its page bitmap/,
  });
  assert.throws(() => open(bytes.subarray(0, 5000)), { name: 'ImageError', message: /second header|ends inside/ });
  assert.throws(() => open(bytes.subarray(0, 300)), { name: 'ImageError', message: /ends inside its header/ });
  assert.match(open(kdumpBytes(RANGES, { status: 8 })).warnings.join(), /no space left/);
});

test('a page that does not decompress is absent, its neighbours are not', () => {
  const options: KdumpOptions = {
    packed: new Map([
      [0x11, Buffer.from('no zlib stream')],
      [0x13, deflateSync(Buffer.alloc(100))],
      [0x15, deflateSync(Buffer.alloc(PAGE + 1))],
    ]),
  };
  const image = open(kdumpBytes(RANGES, options));
  const target = Buffer.alloc(8 * PAGE);
  assert.equal(image.read(0x10000, target, 0, 8 * PAGE), PAGE);
  for (const [page, there] of [
    [0x10, true],
    [0x11, false],
    [0x12, true],
    [0x13, false],
    [0x14, true],
    [0x15, false],
    [0x16, true],
  ] as const) {
    assert.equal(image.read(page * PAGE, target, 0, PAGE), there ? PAGE : 0, `page ${page}`);
  }
});

test('bitmaps that no file holds are not allocated', () => {
  const bytes = kdumpBytes(RANGES);
  bytes.writeUInt32LE(0xffffffff, 424 + 12);
  bytes.writeBigUInt64LE(2n ** 34n, PAGE + 96);
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(() => open(bytes), { name: 'ImageError' });
  assert.throws(() => open(flattenedBytes(bytes)), { name: 'ImageError' });
  // A flattened stream may claim to describe a file of any size.
  const vast = Buffer.concat([
    flattenedBytes(bytes).subarray(0, -16),
    ...flatPiece(2 ** 50, Buffer.alloc(10)),
    Buffer.alloc(16, 0xff),
  ]);
  assert.throws(() => open(vast), { name: 'ImageError' });
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20);
});

test('dumps of big-endian machines are refused', () => {
  const bytes = kdumpBytes(RANGES, { machine: 's390x' });
  bytes.writeInt32BE(6, 8);
  assert.throws(() => open(bytes), { name: 'ImageError', message: /big-endian/ });
});

const ORDERS: Readonly<Record<string, (count: number) => number[]>> = {
  'in order': (count) => [...Array(count).keys()],
  backwards: (count) => [...Array(count).keys()].reverse(),
  'headers last': (count) => [...Array(count).keys()].map((index) => (index + 20) % count),
};

for (const [name, order] of Object.entries(ORDERS)) {
  test(`flattened, pieces ${name}`, () => {
    const image = open(flattenedBytes(kdumpBytes(RANGES), 1000, order));
    assert.equal(image.format, 'kdump (zlib), flattened');
    assert.deepEqual(image.warnings, []);
    assertHolds(image, RANGES);
  });
}

test('flattened ELF core', () => {
  const image = open(flattenedBytes(elfBytes(RANGES), 5000));
  assert.equal(image.format, 'ELF64 core, flattened');
  assertHolds(image, RANGES);
});

test('flattened: later pieces win, gaps are zeros', () => {
  const bytes = kdumpBytes(RANGES);
  const wrong = Buffer.alloc(bytes.length, 0xee);
  const header = flattenedBytes(Buffer.alloc(0)).subarray(0, 4096);
  const end = Buffer.alloc(16, 0xff);
  const overlapping = Buffer.concat([
    header,
    ...flatPiece(0, wrong),
    ...flatPiece(100, bytes.subarray(100, 9000)),
    ...flatPiece(8000, bytes.subarray(8000)),
    ...flatPiece(0, bytes.subarray(0, 200)),
    end,
  ]);
  assertHolds(open(overlapping), RANGES);
  // All that is zero in the file may be missing in the stream.
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 512) {
    const piece = bytes.subarray(at, at + 512);
    if (piece.some((byte) => byte !== 0)) pieces.push(...flatPiece(at, piece));
  }
  assert.ok(pieces.length < (bytes.length / 512) * 2 - 10);
  assertHolds(open(Buffer.concat([header, ...pieces, end])), RANGES);
});

test('flattened: a stream that breaks off', () => {
  const bytes = flattenedBytes(kdumpBytes(RANGES, { codec: 'none' }), 4096);
  const image = open(bytes.subarray(0, bytes.length - 6 * 4112 - 50));
  assert.match(
    image.warnings.join('\n'),
    /^truncated: the flattened stream breaks off after .*\ntruncated: (24|28) KiB of 300 KiB are missing$/,
  );
  const page = Buffer.alloc(PAGE);
  assert.equal(image.read(0x10000, page, 0, PAGE), PAGE);
  assert.throws(() => open(bytes.subarray(0, 4096)), { name: 'ImageError', message: /ends behind its header/ });
  assert.throws(() => open(flattenedBytes(samplePages(3))), { name: 'ImageError', message: /makedumpfile -R/ });
});
