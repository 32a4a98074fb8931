import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { PrefixIndex } from '../../src/symbols/prefix-index.js';

test('names by their beginnings, as a filter would find them', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'A', 'b', '_', 'x1'), maxLength: 5 });
  fc.assert(
    fc.property(fc.array(name), name, (names, prefix) => {
      const { names: found, total } = new PrefixIndex(names).starting(prefix);
      const expected = [...new Set(names)].filter((one) => one.toLowerCase().startsWith(prefix.toLowerCase()));
      assert.deepEqual([...found].sort(), expected.sort());
      assert.equal(total, expected.length);
    }),
  );
});

test('a few of many, with the last of all', () => {
  const index = new PrefixIndex(Array.from({ length: 1000 }, (_, number) => `sys_${String(number).padStart(3, '0')}`));
  const { names, total, last } = index.starting('SYS_', 3);
  assert.deepEqual([names, total, last], [['sys_000', 'sys_001', 'sys_002'], 1000, 'sys_999']);
});
