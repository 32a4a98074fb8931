import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageError } from '../../../src/memory/image.js';
import { openContent } from '../../../src/memory/image/open.js';
import { MemoryFile, PAGE, samplePages } from '../../support/images.js';
import { CRASH_FORMS, crashBytes, type CrashForm, type CrashOptions, triageBytes } from '../../support/images-crash.js';

const RANGES = [
  { physical: 0x1000, bytes: samplePages(2, 1) },
  { physical: 0x8000, bytes: samplePages(70, 2) },
  { physical: 0x1_0000_0000, bytes: samplePages(1, 3) },
];

function bytesOf(options: CrashOptions, change: (bytes: Buffer) => unknown = () => undefined): Buffer {
  const bytes = crashBytes(RANGES, options);
  change(bytes);
  return bytes;
}

for (const form of Object.keys(CRASH_FORMS) as CrashForm[]) {
  for (const bits of form === 'ranges' ? ([64] as const) : ([64, 32] as const)) {
    test(`${form}, ${bits} bits: all pages where they belong, nothing in between`, () => {
      const bytes = bytesOf({ form, bits });
      const image = openContent(new MemoryFile(bytes));
      assert.match(image.format, new RegExp(`^Windows crash dump \\(${bits}-bit, `));
      assert.deepEqual(image.warnings, []);
      assert.deepEqual(
        image.runs,
        RANGES.map(({ physical, bytes: { length } }) => ({ start: physical, end: physical + length })),
      );
      for (const range of RANGES) {
        const target = Buffer.alloc(range.bytes.length + PAGE);
        assert.equal(image.read(range.physical, target, 0, target.length), range.bytes.length);
        assert.ok(target.subarray(0, range.bytes.length).equals(range.bytes));
        assert.equal(image.read(range.physical - PAGE, target, 0, PAGE), 0);
        for (let at = 100; at < range.bytes.length; at += PAGE + 1) {
          const { offset } = image.place?.(range.physical + at) ?? {};
          assert.ok(offset !== undefined && bytes[offset] === range.bytes[at]);
          assert.equal(image.read(range.physical + at, target, 5, 7), Math.min(7, range.bytes.length - at));
          assert.ok(target.subarray(5, 12).equals(range.bytes.subarray(at, at + 7)));
        }
      }
    });
  }
}

test('what the header says', () => {
  const wide = openContent(new MemoryFile(bytesOf({ directoryTable: 0x187000, loadedModuleList: 0xfffff80002a3ae50n, build: 7601 }))).hints;
  assert.equal(wide.architecture, 'amd64');
  assert.deepEqual(wide.pageTableRoots, [0x187000n]);
  const { header } = wide.crash ?? {};
  assert.ok(header);
  assert.equal(header.loadedModuleList, 0xfffff80002a3ae50n);
  assert.equal(header.pfnDatabase, undefined, 'PAGEPAGE is no address');
  assert.equal(header.exception, undefined);
  assert.equal(header.comment, '');
  assert.deepEqual(header.bugCheck, { code: 0xe2, parameters: [1n, 2n, 3n, 4n] });
  assert.deepEqual([header.build, header.processors, header.upTime], [7601, 2, 6_000_000_000n]);
  const narrow = openContent(new MemoryFile(bytesOf({ bits: 32, pae: true, directoryTable: 0x1854a0 }))).hints;
  assert.equal(narrow.architecture, 'i386');
  assert.deepEqual([narrow.crash?.header.pae, narrow.crash?.header.directoryTable], [true, 0x1854a0]);
});

test('a truncated dump reads as far as it goes, and says so', () => {
  for (const form of Object.keys(CRASH_FORMS) as CrashForm[]) {
    const image = openContent(new MemoryFile(bytesOf({ form }).subarray(0, -(10 * PAGE + 7))));
    assert.match(image.warnings.join(), /truncated/, form);
    const target = Buffer.alloc(PAGE);
    assert.equal(image.read(0x8000, target, 0, PAGE), PAGE);
    assert.equal(image.read(0x1_0000_0000, target, 0, PAGE), 0);
  }
});

test('more runs than the header holds, and runs that cannot be', () => {
  const many = openContent(new MemoryFile(bytesOf({}, (bytes) => bytes.writeUInt32LE(4000, 0x88)))).warnings.join();
  assert.match(many, /4000 memory runs by the header, of which 3 can be read/);
  const huge = openContent(new MemoryFile(bytesOf({}, (bytes) => bytes.writeBigUInt64LE(2n ** 50n, 0x88 + 24 + 16))));
  assert.match(huge.warnings.join(), /from page frame 0x8 cannot be: it and what follows are left out/);
  assert.deepEqual(huge.runs, [{ start: 0x1000, end: 0x3000 }]);
});

test('what cannot be used is refused in words', () => {
  const refused = (bytes: Buffer, says: RegExp): void =>
    assert.throws(
      () => openContent(new MemoryFile(bytes)),
      (error) => error instanceof ImageError && says.test(error.message),
    );
  refused(bytesOf({}).subarray(0, 5000), /ends inside its header/);
  refused(bytesOf({}).subarray(0, 0x2000), /has no memory/);
  refused(bytesOf({}, (bytes) => bytes.writeUInt32LE(3, 0xf98)), /is a header only/);
  refused(bytesOf({}, (bytes) => bytes.writeUInt32LE(77, 0xf98)), /kind 'type 77', and has neither a bitmap nor ranges/);
  refused(bytesOf({ form: 'bitmap' }, (bytes) => bytes.writeBigUInt64LE(2n ** 45n, 0x2030)), /bitmap that does not fit/);
  refused(
    bytesOf({ form: 'bitmap' }, (bytes) => {
      bytes.writeBigUInt64LE(2n ** 45n, 0x2030);
      bytes.writeBigUInt64LE(2n ** 44n, 0x2020);
    }),
    /ends inside its page bitmap of 4 TiB/,
  );
  refused(bytesOf({ form: 'ranges' }, (bytes) => bytes.writeBigUInt64LE(2n ** 44n, 0x2018)), /where its ranges cannot end/);
});

for (const bits of [64, 32] as const) {
  test(`triage, ${bits} bits: drivers, blocks and the kernel's base`, () => {
    const kernelBase = bits === 64 ? 0xfffff80002600000n : 0x82600000n;
    const drivers = [
      { path: '\\SystemRoot\\system32\\ntoskrnl.exe', base: kernelBase, size: 0x5dd000 },
      { path: '\\SystemRoot\\system32\\hal.dll', base: kernelBase - 0x49000n, size: 0x49000 },
    ];
    const blocks = [
      { address: kernelBase + 0x5010n, bytes: samplePages(1, 5) },
      { address: kernelBase + 0x1000n, bytes: samplePages(1, 6).subarray(0, 100) },
    ];
    const bytes = triageBytes({ bits, drivers, blocks, kernelBase });
    const image = openContent(new MemoryFile(bytes));
    assert.deepEqual(image.runs, []);
    const { triage } = image.hints.crash ?? {};
    assert.ok(triage);
    assert.deepEqual(triage.drivers, drivers.map((driver) => ({ ...driver, timeDateStamp: 0 })));
    assert.equal(triage.kernelBase, kernelBase);
    assert.deepEqual(triage.blocks.map(({ address, length }) => [address, length]), [
      [kernelBase + 0x1000n, 100],
      [kernelBase + 0x3000n, 0x40],
      [kernelBase + 0x5010n, PAGE],
    ]);
    const cut = openContent(new MemoryFile(bytes.subarray(0, bytes.length - 20)));
    assert.match(cut.warnings.join(), /2 blocks by the header, of which 0 can be read/);
  });
}
