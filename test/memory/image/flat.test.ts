import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { ImageError, type PhysicalImage } from '../../../src/memory/image.js';
import { openContent } from '../../../src/memory/image/open.js';
import {
  elfBytes,
  limeBytes,
  type MemoryRange,
  MemoryFile,
  noteBytes,
  PAGE,
  qemuNote,
  rawBytes,
  recordHeader,
  samplePage,
  samplePages,
  virtualBoxNotes,
} from '../../support/images.js';
import { assertHolds } from '../../support/image-check.js';

const RANGES: readonly MemoryRange[] = [
  { physical: 0x1000, bytes: samplePages(3, 1) },
  { physical: 0x10000, bytes: samplePages(20, 2) },
  { physical: 0x1_0000_0000, bytes: samplePages(2, 3) },
];
const REGISTERS = { cr0: 0x80050033n, cr3: 0x1e0a6001n, cr4: 0x10_06f0n };

function open(bytes: Buffer): PhysicalImage {
  return openContent(new MemoryFile(bytes));
}

test('raw: byte n is physical byte n', () => {
  const ranges = RANGES.slice(0, 2);
  const image = open(rawBytes(ranges));
  assert.equal(image.format, 'raw');
  assert.deepEqual(image.runs, [{ start: 0, end: 0x24000 }]);
  assert.deepEqual(image.warnings, []);
  const page = Buffer.alloc(PAGE);
  assert.equal(image.read(0x10000, page, 0, PAGE), PAGE);
  assert.deepEqual(page, samplePage(2));
  assert.equal(image.read(0x24000, page, 0, PAGE), 0);
  assert.equal(image.read(0x23ff0, page, 0, PAGE), 16);
});

test('raw: a file that ends inside a page', () => {
  const image = open(rawBytes([{ physical: 0, bytes: samplePages(3) }]).subarray(0, 2 * PAGE + 1024));
  assert.deepEqual(image.warnings, ['truncated: the file ends inside a page, 3 KiB of the last one are missing']);
});

for (const bits of [64, 32] as const) {
  const ranges = bits === 64 ? RANGES : RANGES.slice(0, 2);
  test(`ELF${bits} core`, () => {
    const image = open(elfBytes(ranges, { bits }));
    assert.equal(image.format, `ELF${bits} core`);
    assert.equal(image.hints.architecture, bits === 64 ? 'amd64' : 'i386');
    assert.deepEqual(image.warnings, []);
    assertHolds(image, ranges);
  });

  test(`ELF${bits} core: notes of QEMU, VMCOREINFO`, () => {
    const notes = Buffer.concat([
      noteBytes('CORE', 1, Buffer.alloc(336)),
      qemuNote(REGISTERS),
      qemuNote({ ...REGISTERS, cr3: 0x2000n }),
      noteBytes('VMCOREINFO', 0, Buffer.from('OSRELEASE=6.1\nPAGESIZE=4096\n\0\0')),
    ]);
    const { hints } = open(elfBytes(ranges, { bits, notes }));
    assert.deepEqual(hints.pageTableRoots, [REGISTERS.cr3, 0x2000n]);
    assert.deepEqual(hints.controlRegisters?.[0], REGISTERS);
    assert.equal(hints.vmcoreinfo, 'OSRELEASE=6.1\nPAGESIZE=4096\n');
  });

  test(`ELF${bits} core: the number of segments in section 0`, () => {
    assertHolds(open(elfBytes(ranges, { bits, extendedCount: true })), ranges);
  });
}

test('ELF: VirtualBox, with device memory that has no bytes', () => {
  const device = { physical: 0xe000_0000, bytes: Buffer.alloc(0), memorySize: 0x1000000n };
  const image = open(elfBytes([...RANGES, device], { notes: virtualBoxNotes(REGISTERS, false) }));
  assert.equal(image.format, 'ELF64 core (VirtualBox)');
  assert.deepEqual(image.hints.controlRegisters, [REGISTERS]);
  // VirtualBox writes ELF64 for amd64 whatever the guest is: the CPU's EFER tells.
  assert.equal(image.hints.architecture, 'i386');
  assert.equal(open(elfBytes(RANGES, { notes: virtualBoxNotes(REGISTERS, true) })).hints.architecture, 'amd64');
  assertHolds(image, RANGES);
});

test('ELF: virtual addresses of segments are hints, identities are not', () => {
  const mapped = { physical: 0x1000, bytes: samplePages(2), virtual: 0xffff888000001000n };
  const identity = { physical: 0x8000, bytes: samplePages(2), virtual: 0x8000n };
  const { hints } = open(elfBytes([mapped, identity]));
  assert.deepEqual(hints.segments, [{ virtual: 0xffff888000001000n, physical: 0x1000, length: 2 * PAGE }]);
});

const ALL_ONES = 2n ** 64n - 1n;
const DIRECT = 0xffff_9c80_0000_0000n;
const LIVE = [
  { physical: 0, bytes: samplePages(1, 9), virtual: 0xffffffff81000000n, stated: 0x1000000n },
  { physical: 0, bytes: samplePages(1, 8), virtual: 0xffffffffc0000000n, stated: ALL_ONES },
  { physical: 0, bytes: Buffer.alloc(0), virtual: 0xffffac0000000000n, stated: ALL_ONES, fileSize: 0x1fffffffffffn },
];

test('ELF: /proc/kcore states physical addresses of memory only', () => {
  const ranges = [RANGES[0], RANGES[1]] as MemoryRange[];
  const direct = ranges.map((range) => ({ ...range, virtual: DIRECT + BigInt(range.physical) }));
  const image = open(elfBytes([...LIVE, ...direct]));
  assert.equal(image.format, 'ELF64 core (kcore)');
  // Kernel text is a hint, though its pages are those of the direct map.
  assert.deepEqual(image.hints.segments?.[0], { virtual: 0xffffffff81000000n, physical: 0x1000000, length: PAGE });
  assert.equal(image.hints.segments?.length, 3);
  assertHolds(image, ranges);
  assert.deepEqual(image.warnings, []);
});

test('ELF: /proc/kcore of old kernels states none: the direct map tells', () => {
  const ranges = [RANGES[0], RANGES[1]] as MemoryRange[];
  const direct = ranges.map((range) => ({ ...range, virtual: DIRECT + BigInt(range.physical) }));
  const image = open(elfBytes([...LIVE, ...direct].map((segment) => ({ ...segment, stated: 0n }))));
  assertHolds(image, ranges);
  assert.match(image.warnings.join(), /direct map/);
});

test('ELF: kernel memory without any physical address is refused', () => {
  const segments = [0n, 0x100000n].map((offset) => ({
    physical: 0,
    bytes: samplePages(2),
    virtual: 0xffff000000000000n + offset,
    stated: 0n,
  }));
  assert.throws(() => open(elfBytes(segments, { machine: 183 })), {
    name: 'ImageError',
    message: /by virtual address.*avml/,
  });
});

test('ELF: what is no core of a machine is refused', () => {
  const cases: [Buffer, RegExp][] = [
    [elfBytes(RANGES, { type: 2 }), /a program.*file image/],
    [elfBytes(RANGES, { type: 1 }), /relocatable/],
    [elfBytes(RANGES, { notes: noteBytes('CORE', 6, Buffer.alloc(320)) }), /core of a process.*gdb -c image/],
    [elfBytes([]), /without memory.*readelf/],
    [elfBytes(RANGES).subarray(0, 40), /ends inside its header/],
  ];
  for (const [bytes, message] of cases) assert.throws(() => open(bytes), { name: 'ImageError', message });
  const big = elfBytes(RANGES);
  big[5] = 2;
  assert.throws(() => open(big), { name: 'ImageError', message: /big-endian/ });
});

test('ELF: a truncated file says how much is missing and gives the rest', () => {
  const bytes = elfBytes([{ physical: 0, bytes: samplePages(10) }]);
  const image = open(bytes.subarray(0, bytes.length - 3 * PAGE - 100));
  assert.deepEqual(image.warnings, ['truncated: 12.1 KiB of 40 KiB are missing']);
  assert.deepEqual(image.runs, [{ start: 0, end: 7 * PAGE - 100 }]);
  assert.throws(() => open(bytes.subarray(0, 64 + 56)), { name: 'ImageError', message: /cut off before its memory/ });
});

test('ELF: ranges that overlap, lie beyond 2^53, or are not in the file', () => {
  const bytes = samplePages(4);
  const overlapping = open(
    elfBytes([
      { physical: 0, bytes },
      { physical: 2 * PAGE, bytes },
    ]),
  );
  assert.match(overlapping.warnings.join(), /1 of 2 memory ranges overlap/);
  assertHolds(overlapping, [{ physical: 0, bytes: Buffer.concat([bytes, bytes.subarray(2 * PAGE)]) }]);
  const far = open(
    elfBytes([
      { physical: 0, bytes },
      { physical: 0, bytes, stated: 2n ** 60n },
    ]),
  );
  assert.match(far.warnings.join(), /1 segments lie beyond 8 PiB/);
  assertHolds(far, [{ physical: 0, bytes }]);
  assert.throws(() => open(elfBytes([{ physical: 0, bytes, stated: 2n ** 60n }])), {
    name: 'ImageError',
    message: /beyond 8 PiB/,
  });
  const long = open(elfBytes([{ physical: 0, bytes, fileSize: 2n ** 40n }]));
  assert.match(long.warnings.join(), /truncated: .* of 1 TiB are missing/);
  assertHolds(long, [{ physical: 0, bytes }]);
});

test('ELF: four thousand million segments that are not there', () => {
  const bytes = elfBytes(RANGES, { extendedCount: true });
  bytes.writeUInt32LE(0xffffffff, bytes.readUInt32LE(40) + 44);
  const file = new MemoryFile(bytes);
  const image = openContent(file);
  assert.match(image.warnings.join(), /program headers are missing/);
  assert.ok(file.reads < 100);
});

test('LiME: ranges, also those of 32-bit machines', () => {
  const image = open(limeBytes(RANGES));
  assert.equal(image.format, 'LiME');
  assertHolds(image, RANGES);
  const small = RANGES.slice(0, 2);
  assertHolds(open(limeBytes(small)), small);
});

test('LiME: ranges in any order are merged where they touch', () => {
  const first = { physical: 0, bytes: samplePages(2, 5) };
  const second = { physical: 2 * PAGE, bytes: samplePages(2, 6) };
  const image = open(limeBytes([second, first]));
  assert.deepEqual(image.runs, [{ start: 0, end: 4 * PAGE }]);
  assertHolds(image, [{ physical: 0, bytes: Buffer.concat([first.bytes, second.bytes]) }]);
});

test('LiME: truncated, damaged in the middle, of another version', () => {
  const bytes = limeBytes(RANGES);
  const cut = open(bytes.subarray(0, bytes.length - PAGE));
  assert.deepEqual(cut.warnings, ['truncated: 4 KiB of 100 KiB are missing']);
  const damaged = Buffer.from(bytes);
  damaged.fill(0xcc, 32 + 3 * PAGE, 32 + 3 * PAGE + 4);
  const image = open(damaged);
  assertHolds(image, RANGES.slice(0, 1));
  assert.match(image.warnings.join(), /no memory range begins at file offset 0x3020: the last 88.1 KiB are left out/);
  const version = Buffer.from(bytes);
  version.writeUInt32LE(2, 4);
  assert.throws(() => open(version), { name: 'ImageError', message: /version 2.*format=padded/ });
});

test('LiME: impossible ranges', () => {
  for (const [start, last] of [
    [5000n, 4000n],
    [0n, 2n ** 64n - 1n],
    [2n ** 62n, 2n ** 62n + 4095n],
    [0n, 2n ** 53n],
  ] as const) {
    assert.throws(() => open(Buffer.concat([recordHeader('LiME', 1, start, last), samplePage()])), ImageError);
  }
});

test('LiME: more tiny ranges than any machine has', () => {
  const record = Buffer.concat([recordHeader('LiME', 1, 0n, 0n), Buffer.of(1)]);
  const image = open(Buffer.concat(new Array<Buffer>(530_000).fill(record)));
  assert.match(image.warnings.join(), /more than 524288 memory ranges/);
});

test('reads at any place agree with the ranges', () => {
  const formats = { elf: elfBytes(RANGES), lime: limeBytes(RANGES) };
  for (const bytes of Object.values(formats)) {
    const image = open(bytes);
    fc.assert(
      fc.property(
        fc.constantFrom(...RANGES),
        fc.integer({ min: -5000, max: 90000 }),
        fc.nat(70000),
        (range, offset, length) => {
          const at = range.physical + offset;
          const target = Buffer.alloc(length, 0x11);
          const count = at < 0 ? 0 : image.read(at, target, 0, length);
          const inside = RANGES.find(
            ({ physical, bytes: content }) => at >= physical && at < physical + content.length,
          );
          const expected = inside
            ? inside.bytes.subarray(at - inside.physical, at - inside.physical + length)
            : Buffer.alloc(0);
          assert.equal(count, expected.length);
          assert.ok(target.subarray(0, count).equals(expected));
        },
      ),
    );
  }
});
