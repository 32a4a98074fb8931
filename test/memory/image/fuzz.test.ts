import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { ImageError, type PhysicalImage } from '../../../src/memory/image.js';
import { openContent } from '../../../src/memory/image/open.js';
import { PhysicalSpace } from '../../../src/memory/physical.js';
import {
  avmlBytes,
  elfBytes,
  flattenedBytes,
  kdumpBytes,
  limeBytes,
  MemoryFile,
  PAGE,
  qemuNote,
  samplePages,
} from '../../support/images.js';
import { crashBytes, triageBytes } from '../../support/images-crash.js';

const RANGES = [
  { physical: 0x1000, bytes: samplePages(2, 1) },
  { physical: 0x8000, bytes: samplePages(3, 2) },
];
const NOTES = qemuNote({ cr0: 1n, cr3: 2n, cr4: 3n });

const TRIAGE = triageBytes({
  kernelBase: 0xfffff80002600000n,
  drivers: [{ path: 'nt.exe', base: 0xfffff80002600000n, size: 0x1000 }],
  blocks: [
    { address: 0xfffff80002601010n, bytes: Buffer.alloc(300, 1) },
    { address: 0xffffffffffffff00n, bytes: Buffer.alloc(256, 2) },
  ],
});

/** Every format, and how many of its first bytes are headers and tables. */
const FORMATS: Readonly<Record<string, { bytes: Buffer; headers: number }>> = {
  ELF64: { bytes: elfBytes(RANGES, { notes: NOTES }), headers: 64 + 3 * 56 + NOTES.length },
  ELF32: { bytes: elfBytes(RANGES, { bits: 32, notes: NOTES }), headers: 52 + 3 * 32 + NOTES.length },
  'ELF64 with extended count': { bytes: elfBytes(RANGES, { extendedCount: true }), headers: 64 + 2 * 56 + 64 },
  LiME: { bytes: limeBytes(RANGES), headers: 32 },
  AVML: { bytes: avmlBytes(RANGES, 4096), headers: 100 },
  'kdump 64-bit': { bytes: kdumpBytes(RANGES, { notes: NOTES, vmcoreinfo: 'OSRELEASE=6\n' }), headers: 5 * PAGE + 200 },
  'kdump 32-bit': { bytes: kdumpBytes(RANGES, { bits: 32, codec: 'snappy' }), headers: 4 * PAGE + 200 },
  'crash dump of 64 bits': { bytes: crashBytes(RANGES), headers: 0x2000 },
  'crash dump of 32 bits': { bytes: crashBytes(RANGES, { bits: 32 }), headers: 0x1000 },
  'crash dump, kernel bitmap': { bytes: crashBytes(RANGES, { form: 'kernel' }), headers: 0x2040 },
  'crash dump, full bitmap': { bytes: crashBytes(RANGES, { form: 'bitmap' }), headers: 0x2040 },
  'crash dump, ranges': { bytes: crashBytes(RANGES, { form: 'ranges' }), headers: 0x2060 },
  'crash dump, triage': { bytes: TRIAGE, headers: TRIAGE.length },
  flattened: { bytes: flattenedBytes(kdumpBytes(RANGES), 700), headers: 4096 + 64 },
};

/** Interesting values for a field, beside random bytes. */
const VALUES = [0, 1, 0x7f, 0x80, 0xff];

/** Reads a bit of everything: nothing may be thrown, counts must be possible. */
function use(image: PhysicalImage): void {
  assert.ok(image.runs.length < 100_000);
  const target = Buffer.alloc(3 * PAGE + 64, 0xa5);
  let previous = -1;
  for (const { start, end } of image.runs) {
    assert.ok(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start < end && start > previous);
    previous = end;
  }
  const places = image.runs
    .slice(0, 20)
    .flatMap(({ start, end }) => [start, start + PAGE - 5, end - 1, end, end + PAGE]);
  for (const place of [0, 0x1000, 0x9000, 2 ** 40, Number.MAX_SAFE_INTEGER, ...places]) {
    const count = image.read(place, target, 32, 3 * PAGE);
    assert.ok(count >= 0 && count <= 3 * PAGE);
    assert.ok(
      target.subarray(0, 32).every((byte) => byte === 0xa5) &&
        target.subarray(32 + 3 * PAGE).every((byte) => byte === 0xa5),
    );
  }
  const blocks = image.hints.crash?.triage?.blocks ?? [];
  for (const [index, { address, length }] of blocks.entries()) {
    const before = blocks[index - 1];
    assert.ok(length > 0 && address + BigInt(length) <= 1n << 64n && (!before || before.address + BigInt(before.length) <= address));
  }
  const space = new PhysicalSpace(image, 1 << 20);
  for (const place of places) space.pageAt(Math.floor(place / PAGE));
  for (const warning of image.warnings) assert.ok(warning.length > 0 && warning.length < 500);
}

/** Bytes that one damaged image may take, whatever it claims. */
const MOST_BYTES = 64 << 20;

/** Opens what may be damaged. */
function attempt(bytes: Buffer): void {
  const file = new MemoryFile(bytes);
  const { arrayBuffers } = process.memoryUsage();
  try {
    use(openContent(file));
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    assert.ok(error.message.includes('image'), error.message);
  }
  assert.ok(file.reads < 20_000, `${file.reads} reads`);
  // Of this one alone: what others left behind is collected sooner or later.
  assert.ok(process.memoryUsage().arrayBuffers - arrayBuffers < MOST_BYTES);
}

for (const [name, { bytes, headers }] of Object.entries(FORMATS)) {
  test(`${name}: flipped bytes and cut tails`, () => {
    const place = fc.oneof(
      { weight: 4, arbitrary: fc.nat(Math.min(headers, bytes.length) - 1) },
      fc.nat(bytes.length - 1),
    );
    const value = fc.oneof(fc.constantFrom(...VALUES), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, value, fc.integer({ min: 1, max: 8 })), { maxLength: 5 }),
        fc.option(fc.nat(bytes.length)),
        (flips, cut) => {
          const damaged = Buffer.from(cut === null ? bytes : bytes.subarray(0, cut));
          // Whole fields: a single byte seldom makes a number large.
          for (const [at, byte, count] of flips)
            damaged.fill(byte, Math.min(at, damaged.length), Math.min(at + count, damaged.length));
          attempt(damaged);
        },
      ),
      { numRuns: 1200 },
    );
  });

  test(`${name}: cut at every place of its headers`, () => {
    const step = Math.max(1, Math.floor(headers / 400));
    for (let length = 0; length < headers; length += step) attempt(bytes.subarray(0, length));
  });
}

test('noise behind every magic', () => {
  const magics = Object.values(FORMATS).map(({ bytes }) => bytes.subarray(0, 16));
  fc.assert(
    fc.property(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 6000 }), (magic, noise) =>
      attempt(Buffer.concat([magic, noise])),
    ),
    { numRuns: 1500 },
  );
});
