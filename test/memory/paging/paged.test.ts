import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PagingKind } from '../../../src/memory/paging/create.js';
import { createPagedSpace } from '../../../src/memory/paging/create.js';
import { FakeImage, type MapFlags } from '../../support/image.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

interface Case {
  readonly paging: PagingKind;
  /** entry names from the top */
  readonly names: readonly string[];
  readonly aliases: readonly string[];
  readonly sizes: readonly number[];
  /** addresses to map at, aligned to the largest page */
  readonly bases: readonly bigint[];
  readonly notCanonical: readonly bigint[];
  readonly noExecute: boolean;
}

const cases: readonly Case[] = [
  {
    paging: 'amd64',
    names: ['PML4E', 'PDPTE', 'PDE', 'PTE'],
    aliases: ['pgd', 'pud', 'pmd', 'pte'],
    sizes: [4096, 2 * MIB, GIB],
    bases: [0n, 0x40000000n, 0x7fffc0000000n, 0xffff800000000000n, 0xffffffffc0000000n],
    notCanonical: [0x800000000000n, 0xffff7ffffffff000n, 0x8000000000000000n, 0x0000ffffc0000000n],
    noExecute: true,
  },
  {
    paging: 'amd64-la57',
    names: ['PML5E', 'PML4E', 'PDPTE', 'PDE', 'PTE'],
    aliases: ['pgd', 'p4d', 'pud', 'pmd', 'pte'],
    sizes: [4096, 2 * MIB, GIB],
    bases: [0n, 0x7fffc0000000n, 0xffffffc0000000n, 0xff00000000000000n, 0xffffffffc0000000n],
    notCanonical: [0x100000000000000n, 0xfefffffffffff000n, 0x8000000000000000n],
    noExecute: true,
  },
  {
    paging: 'i386',
    names: ['PDE', 'PTE'],
    aliases: ['pgd', 'pte'],
    sizes: [4096, 4 * MIB],
    bases: [0n, 0x8000000n, 0xc0000000n, 0xffc00000n],
    notCanonical: [0x100000000n, 0xffffffffc0000000n],
    noExecute: false,
  },
  {
    paging: 'i386-pae',
    names: ['PDPTE', 'PDE', 'PTE'],
    aliases: ['pgd', 'pmd', 'pte'],
    sizes: [4096, 2 * MIB],
    bases: [0n, 0x8000000n, 0xc0000000n, 0xffe00000n],
    notCanonical: [0x100000000n, 0xffffffffc0000000n],
    noExecute: true,
  },
  {
    paging: 'arm64',
    names: ['L0', 'L1', 'L2', 'L3'],
    aliases: ['pgd', 'pud', 'pmd', 'pte'],
    sizes: [4096, 2 * MIB, GIB],
    bases: [0n, 0xaaaac0000000n, 0xffffc0000000n, 0xffff000000000000n, 0xffff800000000000n, 0xffffffffc0000000n],
    notCanonical: [0x1000000000000n, 0xfffeffffffff0000n, 0x8000000000000000n],
    noExecute: true,
  },
];

for (const { paging, names, aliases, sizes, bases, notCanonical, noExecute } of cases) {
  test(`${paging}: pages of every size at every end of the address space`, () => {
    for (const size of sizes) {
      const image = new FakeImage({ paging });
      const where = bases.map((base, index) => ({ base, physical: (index + 2) * Math.max(size, 16 * MIB) }));
      for (const { base, physical } of where) image.map(base, physical, { pageSize: size });
      const space = image.space();
      for (const { base, physical } of where) {
        for (const offset of [0, 1, 0xfff, size / 2 + 5, size - 1]) {
          assert.equal(space.translate(base + BigInt(offset)), physical + offset, `${size} at 0x${base.toString(16)} + ${offset}`);
          // The same answer when it comes from the cache.
          assert.equal(space.translate(base + BigInt(offset)), physical + offset);
        }
        const { steps, physical: walked, pageSize, reason } = space.walk(base + 7n);
        assert.equal(walked, physical + 7);
        assert.equal(pageSize, size);
        assert.equal(reason, undefined);
        const depth = names.length - sizes.indexOf(size);
        assert.deepEqual(steps.map((step) => step.name), names.slice(0, depth));
        assert.deepEqual(steps.map((step) => step.alias), aliases.slice(0, depth));
        assert.equal(steps.at(-1)?.flags.large, size > 4096);
        for (const [level, step] of steps.entries()) assert.equal(step.address, image.tables.entryAddress(base, level), `entry of level ${level}`);
      }
      assert.deepEqual(
        [...space.mappings()].map(({ virtual, physical, length, pageSize }) => ({ virtual, physical, length, pageSize })),
        where.map(({ base, physical }) => ({ virtual: base, physical, length: size, pageSize: size })),
      );
    }
  });

  test(`${paging}: addresses that no table can map`, () => {
    const image = new FakeImage({ paging });
    for (const base of bases) image.map(base);
    const space = image.space();
    for (const address of notCanonical) {
      assert.equal(space.translate(address), undefined, address.toString(16));
      assert.equal(space.isValid(address), false);
      assert.deepEqual(space.walk(address), { address, steps: [], reason: 'not a canonical address' });
    }
  });

  test(`${paging}: rights are those of all levels together`, () => {
    const image = new FakeImage({ paging });
    const base = bases.at(-1) as bigint;
    const rights: MapFlags[] = [];
    for (const writable of [false, true]) for (const user of [false, true]) for (const nx of [false, true]) rights.push({ writable, user, noExecute: nx });
    for (const [index, flags] of rights.entries()) image.map(base + BigInt(index * 4096), undefined, flags);
    const expected = rights.map(({ writable, user, noExecute: nx }) => [writable, user, noExecute && nx]);
    const found = [...image.space().mappings()].map(({ flags }) => [flags.writable, flags.user, flags.noExecute]);
    assert.deepEqual(found, expected);
    for (const [index, [writable, user, nx]] of expected.entries()) {
      const { flags } = image.space().walk(base + BigInt(index * 4096));
      assert.deepEqual([flags?.writable, flags?.user, flags?.noExecute], [writable, user, nx]);
    }
  });

  test(`${paging}: a page or a table outside of the image`, () => {
    const image = new FakeImage({ paging });
    const [first, second] = [bases[1] as bigint, bases[2] as bigint];
    image.map(first, 0x7ffff000);
    image.map(second);
    const last = names.length - 1;
    // The table above the second page is moved to where the image has nothing.
    const table = image.tables.entryAddress(second, last - 1);
    image.tables.setEntry(second, last - 1, 0x7ffee003n);
    const space = image.space();
    assert.equal(space.translate(first), 0x7ffff000);
    assert.equal(space.isValid(first), false);
    assert.equal(space.translate(second), undefined);
    const { steps, reason } = space.walk(second);
    assert.equal(steps.at(-1)?.address, table);
    assert.match(reason ?? '', /^the image does not hold the pte table at 0x7ffee/);
    const faults: string[] = [];
    assert.equal([...space.mappings(0n, 1n << 64n, { onFault: (what) => faults.push(what) })].length, 1);
    assert.deepEqual(faults, ['the image does not hold the pte table at 0x7ffee000']);
  });

  test(`${paging}: mappings by range, limit, and joined`, () => {
    const image = new FakeImage({ paging });
    const base = (bases[1] as bigint) + 0x10000n;
    for (let page = 0; page < 8; page++) image.map(base + BigInt(page * 4096), 0x500000 + page * 4096, { writable: page < 4 });
    image.map(base + 0x8000n, 0x900000);
    const space = image.space();
    assert.equal([...space.mappings(base + 0x1800n, base + 0x4001n)].length, 4, 'widened to whole pages');
    assert.equal([...space.mappings(base, base)].length, 0);
    assert.equal([...space.mappings(0n, 1n << 64n, { limit: 3 })].length, 3);
    assert.equal([...space.mappings(0n, 1n << 64n, { limit: 0 })].length, 0);
    assert.deepEqual(
      [...space.mappings(0n, 1n << 64n, { coalesce: true })].map(({ virtual, physical, length, flags }) => [virtual - base, physical, length, flags.writable]),
      [[0n, 0x500000, 0x4000, true], [0x4000n, 0x504000, 0x4000, false], [0x8000n, 0x900000, 0x1000, true]],
    );
  });

  test(`${paging}: reading goes through the tables, over page boundaries, and flush forgets`, () => {
    const image = new FakeImage({ paging });
    const base = (bases[2] as bigint) + 0x1000n;
    image.map(base + 0x1000n);
    image.map(base);
    image.string(base + 0xffen, 'straddles');
    const physical = image.physical();
    const space = image.space(physical);
    assert.equal(space.readCString(base + 0xffen).toString(), 'straddles');
    const entry = image.tables.entryAddress(base, names.length - 1);
    const table = physical.pageAt(Math.floor(entry / 4096));
    assert.ok(table);
    // A live image: the entry changes under the cache.
    table.view.setUint32(entry % 4096, 0, true);
    assert.equal(space.readCString(base + 0xffen).toString(), 'straddles');
    space.flush();
    assert.equal(space.translate(base + 0xffen), undefined);
    assert.throws(() => space.read(base + 0xffen, 4));
  });
}

test('a large page inside of which a range begins and ends is clipped', () => {
  const image = new FakeImage();
  image.map(0x40000000n, 0x40000000, { pageSize: 2 * MIB });
  const [only, ...none] = image.space().mappings(0x40003000n, 0x40005000n);
  assert.deepEqual(none, []);
  assert.equal(only?.virtual, 0x40003000n);
  assert.equal(only.physical, 0x40003000);
  assert.equal(only.length, 0x2000);
  assert.equal(only.pageSize, 2 * MIB);
});

test('a level above takes rights away, and forbids execution', () => {
  const image = new FakeImage();
  image.map(0x400000n, 0x200000, { user: true, writable: true });
  const pmd = image.tables.entryAddress(0x400000n, 3) & ~0xfff;
  // no write, no user, no execute at the second level
  image.tables.setEntry(0x400000n, 2, BigInt(pmd) | 1n | (1n << 63n));
  const { steps, flags } = image.space().walk(0x400000n);
  assert.deepEqual([steps[3]?.flags.writable, steps[3]?.flags.user, steps[3]?.flags.noExecute], [true, true, false]);
  assert.deepEqual([flags?.writable, flags?.user, flags?.noExecute], [false, false, true]);
});

test('the low bits of CR3 are not part of the address of the table', () => {
  const image = new FakeImage();
  image.map(0x400000n, 0x200000);
  // PCID, and a CR3 of PAE whose bits 3 and 4 say how the table is cached
  assert.equal(createPagedSpace('amd64', image.physical(), image.dtb | 0x5ff).translate(0x400000n), 0x200000);
  const pae = new FakeImage({ paging: 'i386-pae' });
  pae.map(0x400000n, 0x200000);
  assert.equal(createPagedSpace('i386-pae', pae.physical(), pae.dtb | 0x18).translate(0x400000n), 0x200000);
});

test('PSE-36: a 4 MiB page above 4 GiB', () => {
  const image = new FakeImage({ paging: 'i386' });
  const physical = 0xab * 2 ** 32 + 0x400000;
  image.map(0x800000n, physical, { pageSize: 4 * MIB });
  assert.equal(image.space().translate(0x812345n), physical + 0x12345);
});

test('arm64: hierarchical rights, and reserved descriptors', () => {
  const image = new FakeImage({ paging: 'arm64' });
  image.map(0x400000n, 0x200000, { user: true, writable: true });
  image.map(0xffff800000400000n, 0x300000);
  const space = (): ReturnType<FakeImage['space']> => image.space();
  assert.deepEqual([space().walk(0x400000n).flags?.user, space().walk(0x400000n).flags?.noExecute], [true, false]);
  assert.equal(space().walk(0xffff800000400000n).flags?.noExecute, false);
  const table = BigInt(image.tables.entryAddress(0x400000n, 3) & ~0xfff);
  // APTable = 11 (read-only, no EL0), UXNTable
  image.tables.setEntry(0x400000n, 2, table | 3n | (3n << 61n) | (1n << 60n));
  assert.deepEqual([space().walk(0x400000n).flags?.user, space().walk(0x400000n).flags?.writable, space().walk(0x400000n).flags?.noExecute], [false, false, true]);
  // bits [1:0] = 01 is a block above, and nothing at level 3
  image.tables.setEntry(0x400000n, 3, 0x200401n);
  assert.equal(space().translate(0x400000n), undefined);
});

test('arm64: without a user table the lower half is empty', () => {
  const image = new FakeImage({ paging: 'arm64' });
  image.map(0x400000n, 0x200000);
  image.map(0xffff800000400000n, 0x300000);
  const kernel = createPagedSpace('arm64', image.physical(), image.dtb);
  assert.equal(kernel.translate(0x400000n), undefined);
  assert.equal(kernel.translate(0xffff800000400000n), 0x300000);
});

test('frames have bits up to 51, on arm64 up to 47; what stands above them in an entry is no address', () => {
  for (const [paging, highest] of [['amd64', 51], ['amd64-la57', 51], ['i386-pae', 51], ['arm64', 47]] as const) {
    const image = new FakeImage({ paging });
    const level = image.paging === 'i386-pae' ? 2 : paging === 'amd64-la57' ? 4 : 3;
    for (let bit = 12; bit < 63; bit++) {
      image.tables.setEntry(BigInt(bit) << 12n, level, 3n | (1n << BigInt(bit)));
      assert.equal(image.space().translate((BigInt(bit) << 12n) + 9n), bit <= highest ? 2 ** bit + 9 : 9, `${paging}, bit ${bit}`);
    }
  }
});
