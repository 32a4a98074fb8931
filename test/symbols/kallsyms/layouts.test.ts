import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKallsyms } from '../../../src/symbols/kallsyms/find.js';
import { type Kallsyms, openKallsyms } from '../../../src/symbols/kallsyms/kallsyms.js';
import { KallsymsError, type KallsymsTables } from '../../../src/symbols/kallsyms/tables.js';
import { memoryOf } from '../physical.js';
import { buildImage, LAYOUTS } from './build.js';

function only(found: Iterable<KallsymsTables>): KallsymsTables {
  const tables = [...found];
  assert.equal(tables.length, 1);
  return tables[0] as KallsymsTables;
}

for (const layout of LAYOUTS) {
  test(`tables as of ${layout.label}`, async (t) => {
    const { bytes, physical, symbols } = buildImage(layout);
    const memory = memoryOf(physical, bytes);
    const tables = only(findKallsyms(memory));
    await t.test('are found, with their width and what they have', () => {
      assert.equal(tables.count, symbols.length);
      assert.equal(tables.bits, layout.bits);
      assert.equal(tables.markerBytes, layout.words);
      assert.equal(tables.sequence !== undefined, layout.sequence);
      assert.equal(tables.relativeBase !== undefined, layout.addresses === 'relative' || layout.addresses === 'percpu');
      assert.deepEqual(only(findKallsyms(memory, { bits: layout.bits })), tables);
      assert.deepEqual([...findKallsyms(memory, { bits: layout.bits === 64 ? 32 : 64 })], []);
    });
    await t.test('decode to all symbols in order', () => {
      assert.deepEqual([...openKallsyms(memory, tables).symbols()], symbols);
    });
    await t.test('answer names, few and many', () => {
      const few = openKallsyms(memory, tables);
      const many = openKallsyms(memory, tables);
      many.all('forces hashing');
      for (let i = 0; i < symbols.length; i += 31) {
        const { name } = symbols[i] as { name: string };
        const expected = symbols.filter((symbol) => symbol.name === name).map(({ address }) => address);
        assert.equal(few.address(name), expected[0], name);
        assert.equal(many.address(name), expected[0], name);
        assert.deepEqual(many.all(name), expected, name);
      }
      for (const unknown of ['', 'twice', 'twice_used_', 'zzz', 'A', 'Ω']) {
        assert.equal(openKallsyms(memory, tables).address(unknown), undefined, unknown);
        assert.equal(many.address(unknown), undefined, unknown);
      }
    });
    await t.test('answer addresses', () => checkNearest(openKallsyms(memory, tables), symbols));
    await t.test('are refused where they are not', () => {
      assert.throws(() => openKallsyms(memory, { ...tables, names: tables.names + 1 }), KallsymsError);
      assert.throws(() => openKallsyms(memory, { ...tables, names: 0 }), KallsymsError);
      assert.throws(() => openKallsyms(memory, { ...tables, tokenTable: tables.tokenTable + 8 }), KallsymsError);
      assert.throws(() => openKallsyms(memory, { ...tables, count: 2 ** 31 }), KallsymsError);
      assert.throws(() => openKallsyms(memory, { ...tables, addresses: physical + bytes.length - 64 }), KallsymsError);
    });
  });
}

function checkNearest(kallsyms: Kallsyms, symbols: readonly { name: string; address: bigint }[]): void {
  const inImage = symbols.filter(({ address }) => address > 0x40000000n);
  for (let i = 0; i < inImage.length; i += 17) {
    const { address } = inImage[i] as { address: bigint };
    for (const distance of [0n, 5n]) {
      const nearest = kallsyms.nearest(address + distance);
      // The first of those that share the address.
      assert.equal(nearest?.symbol.name, inImage.find((symbol) => symbol.address === address)?.name);
      assert.equal(nearest?.distance, distance);
    }
  }
  const last = inImage.at(-1) as { address: bigint };
  assert.equal(kallsyms.nearest(last.address + 0x12345n)?.distance, 0x12345n);
  for (const outside of [0n, 64n, 0x400000n, (inImage[0] as { address: bigint }).address - 1n])
    assert.equal(kallsyms.nearest(outside), undefined);
}

test('two copies are both found; one that was partly overwritten is not', () => {
  const layout = LAYOUTS.find(({ label }) => label.startsWith('6.2')) ?? assert.fail();
  const { bytes, physical } = buildImage(layout);
  const page = (length: number): number => Math.ceil(length / 4096) * 4096;
  const both = Buffer.concat([bytes, Buffer.alloc(page(bytes.length) - bytes.length), bytes]);
  const found = [...findKallsyms(memoryOf(physical, both))];
  assert.equal(found.length, 2);
  const [first] = found;
  assert.ok(first);
  both.fill(0, first.names - physical + 1000, first.names - physical + 1200);
  assert.deepEqual([...findKallsyms(memoryOf(physical, both))], found.slice(1));
});

test('the window is that of the token table', () => {
  const layout = LAYOUTS.find(({ label }) => label.startsWith('6.4')) ?? assert.fail();
  const { bytes, physical } = buildImage(layout);
  const memory = memoryOf(physical, bytes);
  const { tokenTable, tokenIndex } = only(findKallsyms(memory));
  assert.equal([...findKallsyms(memory, { from: tokenTable, to: tokenIndex })].length, 1);
  assert.equal([...findKallsyms(memory, { to: tokenTable })].length, 0);
  assert.equal([...findKallsyms(memory, { from: tokenIndex })].length, 0);
});

test('a kernel whose order by name is not ours is looked up by hashes', () => {
  const layout = LAYOUTS.find(({ label }) => label.startsWith('6.4')) ?? assert.fail();
  const { bytes, physical, symbols } = buildImage(layout);
  const before = only(findKallsyms(memoryOf(physical, bytes)));
  const order = (before.sequence ?? assert.fail()) - physical;
  // Reversed: still a permutation.
  const reversed = Buffer.from(bytes);
  for (let i = 0; i < symbols.length; i++)
    bytes.copy(reversed, order + 3 * (symbols.length - 1 - i), order + 3 * i, order + 3 * i + 3);
  const memory = memoryOf(physical, reversed);
  const kallsyms = openKallsyms(memory, only(findKallsyms(memory)));
  assert.equal(kallsyms.address('_stext'), symbols.find(({ name }) => name === '_stext')?.address);
  assert.equal(kallsyms.address('cpu_area_3'), 192n);
});
