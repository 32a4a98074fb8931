import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Absent } from '../../../../src/memory/absent.js';
import { untilAbsent } from '../../../../src/kernel/linux/lists/guard.js';
import { type BucketArray, walkBuckets, walkChain, walkHlist } from '../../../../src/kernel/linux/lists/hlist.js';
import { walkRhashtable } from '../../../../src/kernel/linux/lists/rhashtable.js';
import type { Struct } from '../../../../src/object/struct.js';
import { fakeKernel, FakeMemory, arrayOf, inPlace, layout, pointer, pointerTo, u32, u64 } from '../../../support/fake-kernel.js';

interface Item extends Struct {
  readonly key: bigint;
}

const structs = {
  hlist_head: layout(8, { first: [0, pointer] }),
  hlist_node: layout(16, { next: [0, pointer], pprev: [8, pointer] }),
  item: layout(32, { key: [0, u64], node: [8, inPlace('hlist_node')] }),
  bucket_table: layout(64, { size: [0, u32], nest: [4, u32], future_tbl: [8, pointerTo('bucket_table')], buckets: [64, arrayOf(0, pointer)] }),
  rhashtable: layout(8, { tbl: [0, pointerTo('bucket_table')] }),
};
const NULLS = 0x7fn;

/** Memory in which item N stands at 64 N; its node is 8 bytes into it. */
class Items {
  readonly memory = new FakeMemory();
  readonly faults: string[] = [];
  readonly options = { onFault: (what: string): number => this.faults.push(what) };

  node(key: number): bigint {
    return this.memory.base + BigInt(64 * key + 8);
  }

  /** Chains items in order; `end` stands behind the last. */
  chain(keys: readonly number[], end = 0n): bigint {
    for (const [index, key] of keys.entries()) {
      const next = keys[index + 1];
      this.memory.u64(this.node(key) - 8n, BigInt(key));
      this.memory.u64(this.node(key), next === undefined ? end : this.node(next));
    }
    return keys[0] === undefined ? end : this.node(keys[0]);
  }

  /** The memory as it is now. */
  kernel(more: Parameters<typeof fakeKernel>[1] = {}): ReturnType<typeof fakeKernel> {
    return fakeKernel(this.memory, { ...structs, ...more });
  }

  keys(items: Iterable<Item>): number[] {
    return [...items].map((item) => Number(item.key));
  }
}

test('a chain ends at null, and at a nulls marker', () => {
  for (const end of [0n, NULLS]) {
    const items = new Items();
    items.memory.u64(items.memory.base, items.chain([5, 3, 9], end));
    const head = items.kernel().at('hlist_head', items.memory.base);
    assert.deepEqual(items.keys(walkHlist(head, items.kernel().struct<Item>('item'), 'node', items.options)), [5, 3, 9]);
    assert.deepEqual(items.faults, []);
  }
});

test('a chain that loops, or leads out of the image, gives what it has and says so', () => {
  const items = new Items();
  const type = items.kernel().struct<Item>('item');
  const loop = items.chain([1, 2, 3], items.node(2));
  assert.deepEqual(items.keys(walkChain(items.kernel().space, loop, type, 'node', items.options)), [1, 2, 3]);
  assert.match(items.faults.join(), /a second time/);
  items.faults.length = 0;
  const out = items.chain([4, 5], 0xffff999900000000n);
  assert.deepEqual(items.keys(walkChain(items.kernel().space, out, type, 'node', items.options)), [4, 5]);
  assert.match(items.faults.join(), /broken at 0xffff999900000000/);
  items.faults.length = 0;
  assert.deepEqual(items.keys(walkChain(items.kernel().space, items.chain([6, 7, 8]), type, 'node', { ...items.options, limit: 2 })), [6, 7]);
  assert.match(items.faults.join(), /more than 2/);
});

test('a table is read over page borders, empty buckets of both kinds passed over', () => {
  const items = new Items();
  const type = items.kernel().struct<Item>('item');
  // 16-byte buckets that begin 64 bytes before the end of a page.
  const address = items.memory.base + 0x2000n - 64n;
  const bucket = (index: number, value: bigint): void => items.memory.u64(address + BigInt(16 * index), value);
  bucket(0, items.chain([1, 2]));
  bucket(1, 0n);
  bucket(2, NULLS);
  bucket(3, items.chain([3], NULLS));
  bucket(4, items.chain([4]));
  bucket(7, items.chain([5, 6]));
  const table: BucketArray = { space: items.kernel().space, address, count: 8, stride: 16 };
  assert.deepEqual(items.keys(walkBuckets(table, type, 'node', items.options)), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(items.faults, []);
});

test('a table half out of the image, or of an absurd size', () => {
  const items = new Items();
  const type = items.kernel().struct<Item>('item');
  const last = items.memory.base + BigInt(items.memory.buffer.length) - 4096n;
  items.memory.u64(last, items.chain([1]));
  const { space } = items.kernel();
  const half: BucketArray = { space, address: last, count: 1024, stride: 8 };
  assert.deepEqual(items.keys(walkBuckets(half, type, 'node', items.options)), [1]);
  assert.match(items.faults.join(), /1 pages of the hash table .* are not in the image/);
  items.faults.length = 0;
  for (const count of [2 ** 31, -1, Number.NaN]) assert.deepEqual([...walkBuckets({ ...half, count }, type, 'node', items.options)], []);
  assert.equal(items.faults.length, 3);
});

test('a table of rubbish is given up', () => {
  const items = new Items();
  const address = items.memory.base + 0x2000n;
  for (let i = 0; i < 4096; i++) items.memory.u64(address + BigInt(8 * i), 0xffff999900000000n + BigInt(16 * i));
  assert.deepEqual([...walkBuckets({ space: items.kernel().space, address, count: 4096, stride: 8 }, items.kernel().struct('item'), 'node', items.options)], []);
  assert.ok(items.faults.length <= 5, `${items.faults.length} notes`);
  assert.match(items.faults.at(-1) ?? '', /given up after 0 entries and 1000 broken chains/);
});

test('a resizable table: locked buckets, the table it moves to, each entry once', () => {
  const items = new Items();
  const [root, old, next] = [0x3000n, 0x3100n, 0x3300n].map((offset) => items.memory.base + offset) as [bigint, bigint, bigint];
  items.memory.u64(root, old);
  items.memory.u32(old, 4);
  items.memory.u64(old + 8n, next);
  items.memory.u32(next, 2);
  // The lock bit set on an occupied bucket, and on an empty one.
  items.memory.u64(old + 64n, items.chain([1, 2], NULLS) | 1n);
  items.memory.u64(old + 72n, 1n);
  items.memory.u64(next + 64n, items.chain([3], NULLS));
  items.memory.u64(next + 72n, items.node(2));
  const walk = (): number[] => {
    const kernel = items.kernel({ rhash_lock_head: layout(8, {}) });
    return items.keys(walkRhashtable(kernel, kernel.at('rhashtable', root), kernel.struct<Item>('item'), 'node', items.options));
  };
  assert.deepEqual(walk(), [1, 2, 3]);
  assert.deepEqual(items.faults, []);
  items.memory.u32(old + 4n, 1);
  assert.throws(walk, (error) => error instanceof Absent && /nested/.test(error.reason));
});

test('what is absent ends one walk, with a note; what is a mistake flies', () => {
  const notes: string[] = [];
  function* broken(): Generator<number> {
    yield 1;
    throw new Absent('unreadable', 'page not present', 0x1000n);
  }
  assert.deepEqual([...untilAbsent('the table', broken, { onFault: (what) => notes.push(what) })], [1]);
  assert.deepEqual(notes, ['the table could not be read at 0x1000: page not present']);
  assert.throws(() => [...untilAbsent('it', () => { throw new TypeError('mistake'); })], TypeError);
});
