import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { PAGE_SIZE } from '../../../src/memory/page.js';
import { bytesPattern, hexPattern, type Pattern, textPattern } from '../../../src/memory/search/pattern.js';
import { search } from '../../../src/memory/search/search.js';
import { type AddressSpace, BufferSpace } from '../../../src/memory/space.js';
import { FakeImage } from '../../support/image.js';

function found(space: AddressSpace, patterns: readonly Pattern[], from = 0n, to = 1n << 64n): [bigint, string][] {
  const all: [bigint, string][] = [];
  for (const step of search(space, patterns, { from, to })) for (const { address, pattern } of step.hits) all.push([address, pattern.label]);
  return all;
}

/** Byte by byte: what a search has to give. */
function naive(bytes: Buffer, { bytes: wanted, mask }: Pattern): number[] {
  const places: number[] = [];
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, index) => ((bytes[at + index] as number) & (mask[index] as number)) === byte)) places.push(at);
  }
  return places;
}

test('patterns: text, case, UTF-16, bytes with holes', () => {
  const space = new BufferSpace(Buffer.from('..Password=Q\0P\0a\0s\0s\0..PASSWORD.\xde\xad\xbe\xef\xde\x00\xbe\xee', 'latin1'), 0x1000n);
  assert.deepEqual(found(space, [textPattern('Password')]), [[0x1002n, 'Password']]);
  assert.deepEqual(found(space, [textPattern('password', { ignoreCase: true })]).map(([address]) => address), [0x1002n, 0x1017n]);
  assert.deepEqual(found(space, [textPattern('pass', { ignoreCase: true, utf16: true })]), [[0x100dn, 'pass (UTF-16)']]);
  assert.deepEqual(found(space, [hexPattern('x', 'de ?? be e?') as Pattern]).map(([address]) => address), [0x1020n, 0x1024n]);
  for (const wrong of ['', 'd', 'xy', '??', 'de a']) assert.equal(hexPattern('x', wrong), undefined, wrong);
  assert.throws(() => textPattern(''), RangeError);
});

test('what is found is what is there: any patterns in any bytes, across pages that lie anywhere, and nothing across holes', () => {
  const letter = fc.constantFrom(0, 0x41, 0x61, 0x62, 0xff);
  const pattern = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.boolean()).map(([bytes, fold]) => bytesPattern('p', Buffer.from(bytes.map((byte) => [0, 0x41, 0x61, 0x62, 0xff][byte % 5] as number)), fold));
  fc.assert(
    fc.property(fc.array(letter, { minLength: 8, maxLength: 64 }), fc.array(pattern, { minLength: 1, maxLength: 3 }), fc.nat(4095), fc.boolean(), (seed, patterns, shift, hole) => {
      const image = new FakeImage();
      const at = 0xffff888000200000n;
      // Three pages, the second of which lies first in physical memory.
      for (const page of [1n, 0n, 2n]) image.map(at + page * 0x1000n);
      const bytes = Buffer.alloc(3 * PAGE_SIZE);
      for (let index = 0; index < bytes.length; index++) bytes[index] = seed[(index * 7 + ((index * index) >> 5)) % seed.length] as number;
      image.write(at, bytes);
      if (hole) image.write(at + 0x4000n, bytes.subarray(0, 0x1000));
      const from = at + BigInt(shift);
      const to = at + 0x4800n;
      const expected: [bigint, number][] = [];
      for (const [index, one] of patterns.entries()) {
        for (const place of naive(bytes.subarray(shift), one)) expected.push([from + BigInt(place), index]);
        if (hole) for (const place of naive(bytes.subarray(0, 0x800), one)) expected.push([at + 0x4000n + BigInt(place), index]);
      }
      const given: [bigint, number][] = [];
      for (const step of search(image.space(), patterns, { from, to })) for (const hit of step.hits) given.push([hit.address, patterns.indexOf(hit.pattern)]);
      const order = (one: [bigint, number], other: [bigint, number]): number => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : one[1] - other[1]);
      assert.deepEqual(given.toSorted(order), expected.toSorted(order));
      assert.deepEqual(given.map(([address]) => address), given.map(([address]) => address).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)), 'in order of address');
    }),
    { numRuns: 150 },
  );
});

test('hits across the borders of windows are found once', () => {
  const bytes = Buffer.alloc(3 * 1024 * 1024, 0x2e);
  const places = [0, 512 * 1024 - 4, 512 * 1024, 1024 * 1024 - 1, 1024 * 1024 + 1000, bytes.length - 6];
  for (const place of places) bytes.write('needle', place, 'latin1');
  const space = new BufferSpace(bytes, 0x10000n);
  const expected = naive(bytes, textPattern('needle')).map((place) => 0x10000n + BigInt(place));
  assert.ok(expected.length >= 5);
  assert.deepEqual(found(space, [textPattern('needle')], 0x10000n, 0x10000n + BigInt(bytes.length)).map(([address]) => address), expected);
  const long = bytes.subarray(512 * 1024 - 3000, 512 * 1024 + 400);
  assert.deepEqual(found(space, [bytesPattern('long', long), textPattern('needle')], 0x10000n, 0x10000n + BigInt(bytes.length)).filter(([, label]) => label === 'long').length, 1);
});

test('ranges: empty, backwards, within a page, to the end of the address space', () => {
  const image = new FakeImage();
  const last = 0xfffffffffffff000n;
  image.write(last, Buffer.alloc(PAGE_SIZE, 0x61));
  const space = image.space();
  assert.deepEqual(found(space, [textPattern('a')], 5n, 5n), []);
  assert.deepEqual(found(space, [textPattern('a')], 5n, 1n), []);
  assert.equal(found(space, [textPattern('aa')], last).length, PAGE_SIZE - 1);
  assert.deepEqual(found(space, [textPattern('aa')], last + 10n, last + 13n).map(([address]) => address), [last + 10n, last + 11n]);
  assert.deepEqual(found(space, [textPattern('aaaa')], last + 10n, last + 13n), []);
});
