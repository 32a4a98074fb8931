import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { bigintOf, parseExactJson, type Json } from '../../src/symbols/json.js';

test('integers beyond 2^53 stay exact, in every position', () => {
  const text = '{"a": 18446744073709551615, "b":[18446743523955834880,-9223372036854775808 ,1234567890123456],"c":7}';
  const { a, b, c } = parseExactJson(text) as { a: Json; b: Json[]; c: Json };
  assert.equal(bigintOf(a), 0xffffffffffffffffn);
  assert.deepEqual(b.map(bigintOf), [0xffffff8000200000n, -0x8000000000000000n, 1234567890123456n]);
  assert.equal(c, 7);
});

test('digits inside strings are left alone, quotes and brackets around them or not', () => {
  for (const key of ['18446744073709551615', 'x,18446744073709551615,y', '": 18446744073709551615,', '[1844674407370955161', '\\", 1844674407370955161']) {
    const parsed = parseExactJson(JSON.stringify({ [key]: 1, s: key, n: 'PLACE' }).replace('"PLACE"', '18446744073709551615')) as Record<string, Json>;
    assert.equal(parsed[key], 1);
    assert.equal(parsed['s'], key);
    assert.equal(bigintOf(parsed['n']), 0xffffffffffffffffn);
  }
});

test('floats and exponents are no integers', () => {
  const text = '[12345678901234567890.5, 12345678901234567890e3, 0.12345678901234567890]';
  assert.deepEqual(parseExactJson(text), JSON.parse(text));
});

test('agrees with JSON.parse on any JSON', () => {
  const strings = fc.oneof(fc.string(), fc.stringMatching(/^[:[,"\\ ]{0,4}[0-9]{14,20}[\],} ]{0,2}$/));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, strings, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }), tie('list'), tie('object')),
    list: fc.array(tie('value'), { maxLength: 5 }),
    object: fc.dictionary(strings, tie('value'), { maxKeys: 5 }),
  }));
  const write = (v: unknown): string => {
    if (typeof v === 'bigint') return v.toString();
    if (Array.isArray(v)) return `[${v.map(write).join(',')}]`;
    if (typeof v === 'object' && v !== null) return `{${Object.entries(v).map(([k, x]) => `${JSON.stringify(k)}:${write(x)}`).join(',')}}`;
    return JSON.stringify(v);
  };
  const same = (v: unknown, read: unknown): void => {
    if (typeof v === 'bigint') assert.equal(bigintOf(read as Json), v);
    else if (Array.isArray(v)) v.forEach((x, i) => same(x, (read as unknown[])[i]));
    else if (typeof v === 'object' && v !== null) for (const [k, x] of Object.entries(v)) same(x, (read as Record<string, unknown>)[k]);
    else if (typeof v === 'number' && /^-?\d{16,}$/.test(JSON.stringify(v))) assert.equal(bigintOf(read as Json), BigInt(JSON.stringify(v)));
    else assert.deepEqual(read, JSON.parse(JSON.stringify(v)));
  };
  fc.assert(fc.property(value, (v) => same([v], parseExactJson(write([v])))));
});
