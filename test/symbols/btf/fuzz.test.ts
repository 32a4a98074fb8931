import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { findBtf, readBtf } from '../../../src/symbols/btf/find.js';
import { BtfError, verifyBtf } from '../../../src/symbols/btf/format.js';
import { BtfTypes } from '../../../src/symbols/btf/types.js';
import { bounded } from '../../support/effort.js';
import { committedSample, skipWithout } from '../../support/sample.js';
import { openPhysical } from '../physical.js';
import { BtfBuilder } from './build.js';

/** A blob with every kind in it. */
function everything(): Buffer {
  const b = new BtfBuilder();
  const int = b.int('int', 4, 1);
  const pair = b.struct('', 8, [
    ['x', int, 0],
    ['y', int, 32],
  ]);
  const union = b.struct(
    '',
    8,
    [
      ['', pair, 0],
      ['z', int, 0],
    ],
    true,
  );
  const alias = b.alias(8, 'pair_t', pair);
  const choice = b.enum('choice', 4, [
    ['A', 0],
    ['B', 1],
  ]);
  const node = b.type(7, 'node', 0);
  b.struct('node', 64, [
    ['next', b.pointer(node), 0],
    ['', union, 64],
    ['p', alias, 128],
    ['all', b.array(alias, 3), 192],
    ['c', choice, 384],
  ]);
  b.struct('bits', 8, [
    ['a', int, 0, 3],
    ['b', b.alias(10, '', b.alias(9, '', int)), 3, 7],
    ['d', choice, 32, 2],
  ]);
  b.enum64('wide', [['W', 1n << 40n]]);
  b.type(16, 'double', 8);
  b.type(12, 'f', b.type(13, '', int, 1, [b.string('n'), b.alias(11, '', b.pointer(0))]), 1);
  const variable = b.type(14, 'v', int, 0, [1]);
  b.type(15, '.data', 64, 1, [variable, 8, 4]);
  b.type(17, 'tag', variable, 0, [0]);
  b.alias(18, 'user', int);
  return b.build();
}

/** Does all that can be done with types; only a BtfError may come. */
function exercise(types: BtfTypes, most = Infinity): void {
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
    }
  };
  attempt(() => {
    let count = 0;
    for (const name of types.structNames()) {
      attempt(() => types.struct(name));
      attempt(() => types.structs(name));
      if (++count === most) break;
    }
  });
  attempt(() => {
    for (const name of types.enumNames()) attempt(() => types.enum(name));
  });
  attempt(() => {
    for (const name of types.typedefNames()) attempt(() => types.typedef(name));
  });
  attempt(() => [...types.functions()]);
  attempt(() => [...types.variables()]);
  for (const name of ['node', 'pair_t', 'bits', 'choice', 'node#2', 'none', '']) {
    attempt(() => types.struct(name));
    attempt(() => types.enum(name));
    attempt(() => types.typedef(name));
  }
}

/** Decodes damaged bytes: they are refused with a reason, or whatever they say is bounded. */
function decode(blob: Buffer, most?: number): void {
  const problem = verifyBtf(blob);
  assert.ok(problem === undefined || problem.length > 3);
  let types: BtfTypes;
  try {
    types = new BtfTypes(blob);
  } catch (error) {
    assert.ok(error instanceof BtfError, String(error));
    assert.ok(problem !== undefined, 'what verifies can be opened');
    return;
  }
  exercise(types, most);
}

const blob = everything();

test('the undamaged blob is sound and decodes', () => {
  assert.equal(verifyBtf(blob), undefined);
  const types = new BtfTypes(blob);
  assert.deepEqual([...types.structNames()], ['pair_t', 'node', 'bits']);
  for (const name of types.structNames()) assert.ok(types.struct(name));
});

test('flipped bytes never crash or hang', () => {
  const change = fc.tuple(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
      const damaged = Buffer.from(blob);
      for (const [at, flip] of changes) damaged[at] = (damaged[at] as number) ^ flip;
      decode(damaged);
    }),
    { numRuns: 2000 },
  );
});

test('type ids and counts of any value never crash or hang', () => {
  const words = Math.floor((blob.length - 24) / 4);
  const value = fc.oneof(
    fc.nat(40),
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.nat(31).map((kind) => ((kind << 24) | 3) >>> 0),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(words - 1), value), { minLength: 1, maxLength: 8 }), (changes) => {
      const damaged = Buffer.from(blob);
      for (const [word, to] of changes) damaged.writeUInt32LE(to, 24 + 4 * word);
      decode(damaged);
    }),
    { numRuns: 2000 },
  );
});

test('cut tails are refused', () => {
  for (let length = 0; length < blob.length; length++) {
    assert.notEqual(verifyBtf(blob.subarray(0, length)), undefined);
    assert.throws(() => new BtfTypes(blob.subarray(0, length)), BtfError);
  }
});

const sample = committedSample();
test("damage to a real kernel's BTF never crashes or hangs", { skip: skipWithout(sample ? [sample] : []) }, () => {
  const physical = openPhysical(sample?.image ?? '');
  const found = findBtf(physical).find(({ problem }) => problem === undefined);
  const real = found && readBtf(physical, found);
  physical.close();
  assert.ok(real);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 200 }),
      (changes) => {
        const damaged = Buffer.from(real);
        for (const [at, to] of changes) damaged[at] = to;
        bounded(10_000, () => decode(damaged, 2000));
      },
    ),
    { numRuns: 12 },
  );
});
