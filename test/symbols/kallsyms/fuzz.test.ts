import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { findKallsyms } from '../../../src/symbols/kallsyms/find.js';
import { openKallsyms } from '../../../src/symbols/kallsyms/kallsyms.js';
import { KallsymsError, type KallsymsTables } from '../../../src/symbols/kallsyms/tables.js';
import type { PhysicalSpace } from '../../../src/memory/physical.js';
import { memoryOf } from '../physical.js';
import { buildImage, LAYOUTS, virtualBase } from './build.js';

/** Opens what may be damaged and asks it everything: a KallsymsError, or symbols. */
function exercise(memory: PhysicalSpace, tables: KallsymsTables): void {
  try {
    const kallsyms = openKallsyms(memory, tables);
    kallsyms.address('_text');
    kallsyms.address('twice_used');
    kallsyms.all('twice_used');
    kallsyms.nearest(virtualBase(LAYOUTS[0] as (typeof LAYOUTS)[number]) + 0x1000n);
    kallsyms.nearest((1n << 64n) - 1n);
    let count = 0;
    for (const { name, address } of kallsyms.symbols()) {
      assert.ok(address >= 0n && address < 1n << 64n && name.length >= 0);
      count++;
    }
    assert.equal(count, kallsyms.size);
  } catch (error) {
    assert.ok(error instanceof KallsymsError, String(error));
  }
}

for (const layout of LAYOUTS) {
  const built = buildImage(layout, 2500);
  const memory = memoryOf(built.physical, built.bytes);
  const tables = [...findKallsyms(memory)][0] ?? assert.fail();
  // The text does not matter here: damage goes to where the tables are.
  const first = Math.min(tables.names, tables.addresses) - built.physical - 64;

  test(`damaged tables as of ${layout.label} never crash or hang`, () => {
    const change = fc.tuple(fc.integer({ min: first, max: built.bytes.length - 1 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
        const damaged = Buffer.from(built.bytes);
        for (const [at, to] of changes) damaged[at] = to;
        const space = memoryOf(built.physical, damaged);
        exercise(space, tables);
        for (const found of findKallsyms(space)) exercise(space, found);
      }),
      { numRuns: 40 },
    );
  });
}

test('cut images give nothing, or what they have', () => {
  const built = buildImage(LAYOUTS.find(({ label }) => label.startsWith('6.4')) ?? assert.fail(), 2500);
  const [tables] = findKallsyms(memoryOf(built.physical, built.bytes));
  assert.ok(tables);
  fc.assert(
    fc.property(fc.integer({ min: 4096, max: built.bytes.length }), (length) => {
      const space = memoryOf(built.physical, built.bytes.subarray(0, length));
      exercise(space, tables);
      for (const found of findKallsyms(space)) exercise(space, found);
    }),
    { numRuns: 60 },
  );
});

test('positions of any value are refused, not believed', () => {
  const built = buildImage(LAYOUTS.find(({ label }) => label.startsWith('6.2')) ?? assert.fail(), 2500);
  const memory = memoryOf(built.physical, built.bytes);
  const [tables] = findKallsyms(memory);
  assert.ok(tables);
  const keys = [
    'count',
    'names',
    'namesLength',
    'markers',
    'tokenTable',
    'tokenIndex',
    'addresses',
    'relativeBase',
    'sequence',
  ] as const;
  const value = fc.oneof(
    fc.integer({ min: -10, max: 10 }),
    fc.double(),
    fc.integer({ min: built.physical, max: built.physical + built.bytes.length }),
    fc.nat(),
  );
  fc.assert(
    fc.property(fc.constantFrom(...keys), value, (key, to) => exercise(memory, { ...tables, [key]: to })),
    { numRuns: 500 },
  );
});
