import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { PhysicalSpace } from '../../../src/memory/physical.js';
import { createPagedSpace, type PagingKind } from '../../../src/memory/paging/create.js';
import { bounded } from '../../support/effort.js';
import { Frames } from '../../support/frames.js';

/** Frames that random tables are made of; entries name these, and sometimes others that the image does not hold. */
const FRAMES = 8;
/** Indices that random tables use: the ends and the middle, where halves and regions meet. */
const indices = (bits: number): number[] => [0, 1, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2 ** bits - 1];

interface Mode {
  readonly kind: PagingKind;
  /** index bits of each level, top first */
  readonly bits: readonly number[];
  readonly entryBytes: 4 | 8;
  /** the physical address behind an address, by the book and in bigint; undefined when the processor would fault */
  reference(read: (physical: bigint) => bigint | undefined, root: bigint, address: bigint): bigint | undefined;
  /** the address whose indices are these */
  address(path: readonly number[]): bigint;
}

const signed = (value: bigint, bits: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(Number(bits), value));
const FRAME = 0xffffffffff000n;

/** Intel SDM vol. 3A, 4.5: 4-level and 5-level paging. */
function longMode(levels: 4 | 5): Mode {
  const width = levels === 4 ? 48n : 57n;
  return {
    kind: levels === 4 ? 'amd64' : 'amd64-la57',
    bits: new Array<number>(levels).fill(9),
    entryBytes: 8,
    reference(read, root, address) {
      if (signed(address, width) !== address) return undefined;
      let table = root;
      for (let shift = width - 9n; ; shift -= 9n) {
        const entry = read(table + ((address >> shift) & 511n) * 8n);
        if (entry === undefined || (entry & 1n) === 0n) return undefined;
        const size = 1n << shift;
        if (shift === 12n || (shift <= 30n && (entry & 0x80n) !== 0n)) return (entry & FRAME & ~(size - 1n)) + (address & (size - 1n));
        table = entry & FRAME;
      }
    },
    address: (path) => signed(path.reduce((sum, index) => (sum << 9n) | BigInt(index), 0n) << 12n, width),
  };
}

const modes: readonly Mode[] = [
  longMode(4),
  longMode(5),
  {
    // SDM 4.3, with PSE-36
    kind: 'i386',
    bits: [10, 10],
    entryBytes: 4,
    reference(read, root, address) {
      if (address >> 32n !== 0n) return undefined;
      const pde = read(root + (address >> 22n) * 4n);
      if (pde === undefined || (pde & 1n) === 0n) return undefined;
      if ((pde & 0x80n) !== 0n) return (pde & 0xffc00000n) + (((pde >> 13n) & 0xffn) << 32n) + (address & 0x3fffffn);
      const pte = read((pde & 0xfffff000n) + ((address >> 12n) & 1023n) * 4n);
      if (pte === undefined || (pte & 1n) === 0n) return undefined;
      return (pte & 0xfffff000n) + (address & 0xfffn);
    },
    address: ([a = 0, b = 0]) => (BigInt(a) << 22n) | (BigInt(b) << 12n),
  },
  {
    // SDM 4.4
    kind: 'i386-pae',
    bits: [2, 9, 9],
    entryBytes: 8,
    reference(read, root, address) {
      if (address >> 32n !== 0n) return undefined;
      const pdpte = read(root + (address >> 30n) * 8n);
      if (pdpte === undefined || (pdpte & 1n) === 0n) return undefined;
      const pde = read((pdpte & FRAME) + ((address >> 21n) & 511n) * 8n);
      if (pde === undefined || (pde & 1n) === 0n) return undefined;
      if ((pde & 0x80n) !== 0n) return (pde & 0xfffffffe00000n) + (address & 0x1fffffn);
      const pte = read((pde & FRAME) + ((address >> 12n) & 511n) * 8n);
      if (pte === undefined || (pte & 1n) === 0n) return undefined;
      return (pte & FRAME) + (address & 0xfffn);
    },
    address: ([a = 0, b = 0, c = 0]) => (BigInt(a) << 30n) | (BigInt(b) << 21n) | (BigInt(c) << 12n),
  },
  {
    // Arm ARM D8.2, D8.3: 4 KiB granule; one table for both halves here
    kind: 'arm64',
    bits: [9, 9, 9, 9],
    entryBytes: 8,
    reference(read, root, address) {
      const top = address >> 48n;
      if (top !== 0n && top !== 0xffffn) return undefined;
      let table = root;
      for (const [level, shift] of [39n, 30n, 21n, 12n].entries()) {
        const entry = read(table + ((address >> shift) & 511n) * 8n);
        const kind = entry === undefined ? 0n : entry & 3n;
        if (entry === undefined || (kind & 1n) === 0n) return undefined;
        const size = 1n << shift;
        if (level === 3) return kind === 3n ? (entry & 0xfffffffff000n) + (address & 0xfffn) : undefined;
        if (kind === 1n) return level === 0 ? undefined : (entry & 0xffffffffffffn & ~(size - 1n) & ~0xfffn) + (address & (size - 1n));
        table = entry & 0xfffffffff000n;
      }
      return undefined;
    },
    // The path's first index decides the half, too, so that both are tried.
    address: (path) => (path.reduce((sum, index) => (sum << 9n) | BigInt(index), 0n) << 12n) | (((path[0] ?? 0) & 1) === 1 ? 0xffffn << 48n : 0n),
  },
];

type Write = readonly [frame: number, index: number, entry: bigint];

/** Writes of entries into frames: mostly present, mostly naming each other, with any other bit set now and then. */
function writes({ bits, entryBytes }: Mode): fc.Arbitrary<Write[]> {
  const entry = fc
    .tuple(
      fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: FRAMES - 1 }) }, { weight: 1, arbitrary: fc.integer({ min: FRAMES, max: 2 ** 20 - 1 }) }),
      fc.oneof({ weight: 6, arbitrary: fc.constant(3n) }, { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0xfffn }) }, { weight: 1, arbitrary: fc.constant(0x83n) }),
      fc.oneof({ weight: 6, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0xffffffffn }) }),
    )
    .map(([frame, low, high]) => (entryBytes === 8 ? high << 32n : 0n) | (BigInt(frame) << 12n) | low);
  const index = fc.constantFrom(...new Set(bits.flatMap((one) => indices(one))));
  return fc.array(fc.tuple(fc.integer({ min: 0, max: FRAMES - 1 }), index, entry), { minLength: 1, maxLength: 40 });
}

function imageOf({ entryBytes }: Mode, all: readonly Write[]): Frames {
  const frames = new Frames();
  for (let number = 0; number < FRAMES; number++) frames.frame(number);
  for (const [frame, index, entry] of all) {
    const at = (index * entryBytes) % 4096;
    if (entryBytes === 8) frames.frame(frame).writeBigUInt64LE(entry, at);
    else frames.frame(frame).writeUInt32LE(Number(entry), at);
  }
  return frames;
}

function readerOf(frames: Frames, bytes: 4 | 8): (physical: bigint) => bigint | undefined {
  return (physical) => {
    const page = frames.pages.get(Number(physical >> 12n));
    const at = Number(physical & 0xfffn);
    if (!page) return undefined;
    return bytes === 8 ? page.readBigUInt64LE(at) : BigInt(page.readUInt32LE(at));
  };
}

for (const mode of modes) {
  const open = (frames: Frames): ReturnType<typeof createPagedSpace> => createPagedSpace(mode.kind, new PhysicalSpace(frames.image()), 0, { userDtb: 0 });

  test(`${mode.kind}: random tables translate as the manual says`, () => {
    const path = fc.tuple(...mode.bits.map((bits) => fc.constantFrom(...indices(bits))));
    fc.assert(
      fc.property(writes(mode), fc.array(path, { minLength: 1, maxLength: 30 }), fc.nat(0xfff), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (all, paths, offset, wild) => {
        const frames = imageOf(mode, all);
        const read = readerOf(frames, mode.entryBytes);
        const space = open(frames);
        // Twice: from the tables, then from the caches that the other addresses have left.
        for (const address of [...paths, ...paths].map((one) => mode.address(one) + BigInt(offset)).concat(wild)) {
          const expected = mode.reference(read, 0n, address);
          assert.equal(space.translate(address), expected === undefined ? undefined : Number(expected), `0x${address.toString(16)}`);
          assert.equal(space.walk(address).physical, expected === undefined ? undefined : Number(expected));
        }
      }),
      { numRuns: 300 },
    );
  });

  test(`${mode.kind}: what mappings() gives is what translate() says, ascending, and nothing is left out`, () => {
    const path = fc.tuple(...mode.bits.map((bits) => fc.constantFrom(...indices(bits))));
    fc.assert(
      fc.property(writes(mode), fc.array(path, { minLength: 1, maxLength: 10 }), (all, paths) => {
        const space = open(imageOf(mode, all));
        let end = 0n;
        let count = 0;
        const ranges: [bigint, bigint][] = [];
        for (const { virtual, physical, length } of space.mappings(0n, 1n << 64n, { limit: 2000 })) {
          assert.ok(virtual >= end, 'ascending, not overlapping');
          end = virtual + BigInt(length);
          ranges.push([virtual, end]);
          if (++count > 200) continue;
          assert.equal(space.translate(virtual), physical);
          assert.equal(space.translate(end - 1n), physical + length - 1);
        }
        const joined = [...space.mappings(0n, 1n << 64n, { limit: 2000, coalesce: true })];
        assert.equal(joined.reduce((sum, { length }) => sum + BigInt(length), 0n), ranges.reduce((sum, [from, to]) => sum + to - from, 0n));
        for (const one of paths) {
          const address = mode.address(one);
          if (ranges.length === 2000 && address >= end) continue;
          assert.equal(space.translate(address) !== undefined, ranges.some(([from, to]) => address >= from && address < to));
        }
      }),
      { numRuns: 200 },
    );
  });

  test(`${mode.kind}: any bytes as tables end, and cost little`, () => {
    const bytes = fc.uint8Array({ minLength: 4096, maxLength: 4096 });
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 4 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (pages, address) => {
        const frames = new Frames();
        for (const [number, page] of pages.entries()) frames.frame(number).set(page);
        const space = open(frames);
        space.walk(address);
        assert.doesNotThrow(() => space.readPartial(address, 10_000));
        let count = 0;
        for (const mapping of space.mappings(0n, 1n << 64n, { limit: 20_000 })) count += mapping.length > 0 ? 1 : 0;
        assert.ok(count <= 20_000);
      }),
      { numRuns: 30 },
    );
  });

  test(`${mode.kind}: a table that only names itself, and tables that lead nowhere many times, end`, () => {
    const last = mode.bits.length - 1;
    const self = new Frames();
    const ladder = new Frames();
    const name = (frames: Frames, frame: number, target: number): void => {
      const page = frames.frame(frame);
      for (let at = 0; at < 4096; at += mode.entryBytes) page.writeUInt32LE(target * 4096 + 3, at);
    };
    name(self, 0, 0);
    for (let level = 0; level < last; level++) name(ladder, level, level + 1);
    ladder.frame(last);
    const faults: string[] = [];
    let leaves = 0;
    bounded(20_000, () => {
      for (const run of open(self).leaves(0, 2 ** 52, { onFault: (what) => faults.push(what) })) leaves += run.pages;
      for (const run of open(ladder).leaves(0, 2 ** 52, { onFault: (what) => faults.push(what) })) assert.fail(`page ${run.page}`);
    });
    assert.ok(leaves >= 512 && leaves <= 4 * 4096 * 512, `${leaves}`);
    // Deep tables are cut short, and it is said; two or three levels end by themselves.
    assert.equal(faults.length > 0, mode.bits.length > 3);
  });
}
