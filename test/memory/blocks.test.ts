import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { Absent } from '../../src/memory/absent.js';
import { layBlocks } from '../../src/memory/block-list.js';
import { BlockSpace } from '../../src/memory/blocks.js';
import { search } from '../../src/memory/search/search.js';
import { BufferSpace } from '../../src/memory/space.js';
import { readBytes } from '../../src/object/compiler.js';
import { patternsOf } from '../../src/plugin/keywords.js';

const FILE = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
const BASE = 0xfffff80000000000n;

function spaceOf(blocks: { address: bigint; offset: number; length: number }[]): BlockSpace {
  const content = { blocks: layBlocks(blocks, FILE.length).blocks, read: (offset: number, length: number): Buffer => FILE.subarray(offset, offset + length) };
  return new BlockSpace(new BufferSpace(Buffer.alloc(0)), content, 64);
}

test('bytes are read exactly: what no block holds is missing, not zero', () => {
  const block = fc.record({ at: fc.nat(12_000), offset: fc.nat(FILE.length), length: fc.integer({ min: 1, max: 5000 }) });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 8 }), fc.nat(13_000), (list, at) => {
      const blocks = list.map(({ at: start, offset, length }) => ({ address: BASE + BigInt(start), offset, length }));
      const space = spaceOf(blocks);
      // What each byte must be: the block that begins first wins, of those that begin together the first; what the file lacks is nowhere.
      const expected = new Map<number, number>();
      for (const { at: start, offset, length } of [...list].sort((a, b) => a.at - b.at)) {
        for (let index = 0; index < length && offset + index < FILE.length; index++) if (!expected.has(start + index)) expected.set(start + index, FILE[offset + index] as number);
      }
      for (const index of [at, at + 1, at + 4095]) {
        const address = BASE + BigInt(index);
        const byte = expected.get(index);
        assert.equal(space.isValid(address), byte !== undefined);
        if (byte === undefined) assert.throws(() => space.readU8(address), (error) => error instanceof Absent && error.address === address);
        else assert.equal(space.readU8(address), byte);
        // The same through a page, as members of structs are read.
        const view = space.pageAt(Number(address >> 12n))?.view;
        const offset = Number(address & 0xfffn);
        if (byte === undefined) assert.throws(() => view?.getUint8(offset) ?? space.readU8(address), (error) => error instanceof Absent);
        else assert.equal(view?.getUint8(offset), byte);
      }
      const { bytes, gaps } = space.readPartial(BASE + BigInt(at), 6000);
      const missing = new Set(gaps.flatMap(({ start, end }) => Array.from({ length: Number(end - start) }, (_, index) => Number(start - BASE) + index)));
      for (let index = 0; index < 6000; index++) {
        assert.equal(missing.has(at + index), !expected.has(at + index));
        assert.equal(bytes[index], expected.get(at + index) ?? 0);
      }
    }),
    { numRuns: 150 },
  );
});

test('a member that lies half in a block is missing', () => {
  const space = spaceOf([{ address: BASE + 0x10n, offset: 100, length: 6 }]);
  const view = space.pageAt(Number(BASE >> 12n))?.view;
  assert.equal(view?.getUint32(0x10, true), FILE.readUInt32LE(100));
  for (const read of [(): unknown => view?.getBigUint64(0x10, true), (): unknown => view?.getUint16(0xf, true), (): unknown => space.readU64(BASE + 0x10n)]) {
    assert.throws(read, (error) => error instanceof Absent && error.kind === 'unreadable');
  }
  // Arrays of characters and other bytes of a struct.
  const page = Number(BASE >> 12n);
  assert.deepEqual(readBytes(space, page, 0x10, 6), FILE.subarray(100, 106));
  for (const [offset, length] of [[0x10, 7], [0xf, 4], [0x800, 8]] as const) assert.throws(() => readBytes(space, page, offset, length), (error) => error instanceof Absent);
  assert.equal(space.readCString(BASE + 0x10n).length, 6);
  assert.throws(() => space.readCString(BASE), (error) => error instanceof Absent);
});

test('there is nothing to translate, and the walk says where the byte is instead', () => {
  const space = spaceOf([{ address: BASE + 0x10n, offset: 0x64, length: 6 }]);
  assert.equal(space.translate(BASE + 0x10n), undefined);
  assert.match(space.walk(BASE + 0x12n).reason ?? '', /no page tables; the dump has this byte at file offset 0x66/);
  assert.match(space.walk(BASE).reason ?? '', /does not hold this address/);
  assert.deepEqual([...space.mappings()], []);
});

test('what is there can be searched: pages of blocks in order, each once, within bounds', () => {
  const space = spaceOf([
    { address: BASE + 0x10n, offset: 100, length: 6 },
    { address: BASE + 0x20n, offset: 0, length: 0x1800 },
    { address: BASE + 0x5ff0n, offset: 300, length: 0x20 },
  ]);
  const page = Number(BASE >> 12n);
  const pages = (from?: number, to?: number): number[] => [...space.leaves(from, to)].map((run) => run.page - page);
  assert.deepEqual(pages(), [0, 1, 5, 6]);
  assert.deepEqual(pages(page + 1, page + 6), [1, 5]);
  assert.deepEqual([...space.leaves()].map((run) => run.pages), [1, 1, 1, 1]);
  const [pattern] = patternsOf([`{${FILE.toString('hex', 300, 332)}}`], { ignoreCase: false, utf16: false });
  assert.ok(pattern);
  const hits = [...search(space, [pattern], { from: 0n, to: 1n << 64n })].flatMap((step) => step.hits.map(({ address }) => address));
  // In the second block, and across the border of two pages in the third.
  for (const address of [BASE + 0x20n + 300n, BASE + 0x5ff0n]) assert.ok(hits.includes(address), address.toString(16));
});
