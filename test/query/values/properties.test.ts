import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../../support/property.js';
import { Absent } from '../../../src/memory/absent.js';
import { Timestamp } from '../../../src/object/time.js';
import { types } from '../../../src/query/types.js';
import { arithmetic, type ArithmeticOperator } from '../../../src/query/values/arithmetic.js';
import { valueContext } from '../../../src/query/values/context.js';
import { equal, isMissing, order, same } from '../../../src/query/values/equality.js';
import { keyOf, keyOfAll } from '../../../src/query/values/key.js';
import { compareText, compareValues } from '../../../src/query/values/order.js';

const context = valueContext('UTC');

const whole = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(1n << 70n), max: 1n << 70n }),
  fc.constantFrom(0, 1, -1, 0n, 1n, 2 ** 53, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 64n - 1n),
);
const numeric = fc.oneof(
  whole,
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 0.5, 2 ** 60, 2 ** 64, 1e300),
  fc.boolean(),
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', '\0s', '\0t1', '1', 'n1;', '1:a', '\ue000', '\u{10000}', '\uffff'),
);
const scalar = fc.oneof(
  { weight: 4, arbitrary: numeric },
  { weight: 4, arbitrary: text },
  fc.constantFrom(null, undefined, new Absent('unreadable', 'gone'), new Absent('corrupt', 'odd')),
  fc.bigInt({ min: -(1n << 62n), max: 1n << 62n }).map((ns) => new Timestamp(ns)),
  fc.uint8Array({ maxLength: 6 }),
);
const value = fc.oneof(
  { weight: 5, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), scalar),
);
/** Pairs that are often the same value in two forms. */
const pair = fc.oneof(
  fc.tuple(value, value),
  value.map((one) => [one, one] as const),
  whole.map((one) => [one, BigInt(one)] as const),
  whole.map((one) => [Number(one), one] as const),
);

describe('values: properties', () => {
  it('have one key exactly where they are the same', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        assert.equal(Object.is(keyOf(a), keyOf(b)) || (keyOf(a) === 0 && keyOf(b) === 0), same(a, b));
        assert.equal(keyOfAll([a]) === keyOfAll([b]), same(a, b));
      }),
      { numRuns: 20_000 },
    );
  });

  it('have keys of several that do not run together', () => {
    const several = fc.array(value, { maxLength: 3 });
    fc.assert(
      fc.property(several, several, (a, b) => {
        assert.equal(
          keyOfAll(a) === keyOfAll(b),
          a.length === b.length && a.every((one, index) => same(one, b[index])),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('are ordered totally: antisymmetric, transitive, with equality', () => {
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        assert.equal(compareValues(a, a), 0);
        assert.equal(compareValues(a, b) + compareValues(b, a), 0);
        // In boxes, as sort puts undefined last without asking.
        const [first, second, third] = [[a], [b], [c]].sort(([x], [y]) => compareValues(x, y)).map(([one]) => one);
        assert.ok(
          compareValues(first, second) <= 0 && compareValues(second, third) <= 0 && compareValues(first, third) <= 0,
        );
      }),
      { numRuns: 20_000 },
    );
  });

  it('are compared as they are ordered, where both are there', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const sign = order(a, b, context);
        if (isMissing(a) || isMissing(b)) {
          assert.equal(sign, null);
          assert.equal(equal(a, b, context), null);
          return;
        }
        if (Number.isNaN(a) || Number.isNaN(b)) return;
        if (sign !== null && !Array.isArray(a)) assert.equal(sign, compareValues(a, b));
        if (!(a instanceof Timestamp) && !(b instanceof Timestamp)) assert.equal(equal(a, b, context), same(a, b));
      }),
      { numRuns: 20_000 },
    );
  });

  it('order numbers by their mathematical value', () => {
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        const [x, y] = [BigInt(a), BigInt(b)];
        assert.equal(compareValues(a, b), x < y ? -1 : x > y ? 1 : 0);
      }),
      { numRuns: 10_000 },
    );
  });

  it('order text as the bytes of its UTF-8', () => {
    const wellFormed = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        assert.equal(compareText(a, b), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
      { numRuns: 10_000 },
    );
    assert.equal(compareText('\ue000', '\u{10000}'), -1);
  });

  it('compute whole numbers exactly, whatever form they have', () => {
    const exactly: Readonly<Record<ArithmeticOperator, (a: bigint, b: bigint) => bigint | null>> = {
      '+': (a, b) => a + b,
      '-': (a, b) => a - b,
      '*': (a, b) => a * b,
      '/': (a, b) => (b === 0n ? null : a / b),
      '%': (a, b) => (b === 0n ? null : a % b),
    };
    const safe = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.bigInt({ min: -(1n << 70n), max: 1n << 70n }));
    fc.assert(
      fc.property(safe, safe, fc.constantFrom('+', '-', '*', '/', '%'), (a, b, operator: ArithmeticOperator) => {
        const expected = exactly[operator](BigInt(a), BigInt(b));
        for (const [left, right] of [
          [types.int, types.int],
          [types.any, types.any],
        ] as const) {
          const result = arithmetic(operator, left, right)(a, b);
          if (expected === null) assert.equal(result, null);
          else {
            assert.ok(
              typeof result === 'bigint' || Number.isSafeInteger(result),
              `${String(a)} ${operator} ${String(b)} = ${String(result)}`,
            );
            assert.ok(!Object.is(result, -0));
            assert.equal(BigInt(result as number), expected);
          }
        }
      }),
      { numRuns: 20_000 },
    );
  });
});
