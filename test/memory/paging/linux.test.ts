import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeImage } from '../../support/image.js';

const PROTNONE = 1n << 8n;
const FRAMES = 0xffffffffff000n;
const VA = 0x7f0000400000n;

/** An entry as Linux writes it since 4.19 for a page that is not present: the frame's bits inverted. */
const inverted = (physical: bigint, bits: bigint): bigint => (~physical & FRAMES) | bits;

for (const [name, entry] of [
  ['since 4.19 (inverted)', inverted(0x234000n, PROTNONE | 0x20n)],
  ['before 4.19', 0x234000n | PROTNONE | 0x20n],
] as const) {
  test(`a PROT_NONE page is read, ${name}`, () => {
    for (const paging of ['amd64', 'amd64-la57', 'i386-pae'] as const) {
      const image = new FakeImage({ paging });
      const va = paging === 'i386-pae' ? 0x8048000n : VA;
      const level = { amd64: 3, 'amd64-la57': 4, 'i386-pae': 2 }[paging];
      image.tables.setEntry(va, level, entry);
      image.frames.write(0x234000, Buffer.from('behind no access\0'));
      const space = image.space();
      assert.equal(space.readCString(va).toString(), 'behind no access');
      const { steps, physical, flags } = space.walk(va + 3n);
      assert.equal(physical, 0x234003);
      assert.equal(steps.at(-1)?.reason, 'PROT_NONE');
      assert.equal(flags?.present, false);
      assert.deepEqual([...space.mappings()].map((mapping) => [mapping.virtual, mapping.physical, mapping.flags.present]), [[va, 0x234000, false]]);
    }
  });
}

test('a huge PROT_NONE page, and one that is being split', () => {
  // 0x10000000 | PAT (bit 12), which is inverted too and no address
  for (const [bits, reason] of [[PROTNONE | 0x80n, 'PROT_NONE'], [0x80n, 'huge page being split']] as const) {
    const image = new FakeImage();
    image.tables.setEntry(VA, 2, inverted(0x10001000n, bits));
    const space = image.space();
    assert.equal(space.translate(VA + 0x12345n), 0x10012345);
    const { steps, pageSize } = space.walk(VA);
    assert.equal(steps.at(-1)?.reason, reason);
    assert.equal(steps.at(-1)?.flags.large, true);
    assert.equal(pageSize, 2 ** 21);
  }
});

/** Swap entries as the kernel's macros make them (arch/x86/include/asm/pgtable_64.h, pgtable-3level.h). */
const swapped = (type: bigint, offset: bigint): bigint => (type << 59n) | (((~offset & ((1n << 50n) - 1n)) << 9n) & ((1n << 59n) - 1n));

test('swap entries say where the page went', () => {
  const rows: readonly (readonly ['amd64' | 'i386-pae' | 'i386', bigint, string])[] = [
    ['amd64', swapped(0n, 0x123n), 'swap: type 0 offset 0x123'],
    // soft-dirty, uffd-wp and exclusive bits change nothing
    ['amd64', swapped(3n, 0xabcdefn) | 0xen, 'swap: type 3 offset 0xabcdef'],
    ['amd64', swapped(31n, 0x77n), 'swap: type 31 offset 0x77 (a kernel entry for migration, device memory, poison or a marker, not a swap area)'],
    ['amd64', (0x123n << 14n) | (2n << 9n), 'swap: type 2 offset 0x123 (as before 4.19)'],
    ['i386-pae', swapped(1n, 0x4567n), 'swap: type 1 offset 0x4567'],
    // _PAGE_SWP_EXCLUSIVE is bit 7 there
    ['i386-pae', swapped(1n, 0x4567n) | 0x80n, 'swap: type 1 offset 0x4567'],
    ['i386-pae', ((0x42n << 5n) | 4n) << 32n, 'swap: type 4 offset 0x42 (as before 4.19)'],
    ['i386', (0x321n << 9n) | (5n << 1n), 'swap: type 5 offset 0x321'],
  ];
  for (const [paging, entry, text] of rows) {
    const image = new FakeImage({ paging });
    const va = 0x8048000n;
    image.tables.setEntry(va, { amd64: 3, 'i386-pae': 2, i386: 1 }[paging], entry);
    const space = image.space();
    const { steps, physical, reason } = space.walk(va);
    assert.equal(reason, text);
    assert.equal(steps.at(-1)?.reason, text);
    assert.equal(physical, undefined);
    assert.equal(space.translate(va), undefined);
    assert.deepEqual([...space.mappings()], []);
  }
});

test('i386 without PAE does not invert PROT_NONE frames', () => {
  const image = new FakeImage({ paging: 'i386' });
  image.tables.setEntry(0x8048000n, 1, 0x234000n | PROTNONE);
  assert.equal(image.space().translate(0x8048010n), 0x234010);
  assert.equal(image.space().walk(0x8048010n).steps.at(-1)?.reason, 'PROT_NONE');
});

test('entries of tables that are not present are no pages', () => {
  const image = new FakeImage();
  for (const level of [0, 1]) {
    const only = new FakeImage();
    only.tables.setEntry(VA, level, inverted(0x234000n, PROTNONE));
    assert.equal(only.space().translate(VA), undefined);
  }
  image.tables.setEntry(VA, 0, inverted(0x234000n, PROTNONE | 0x80n));
  assert.equal(image.space().translate(VA), undefined);
  assert.equal(image.space().walk(VA).physical, undefined);
});
