import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../support/property.js';
import { occupiedBuckets, walkBuckets, walkHlist } from '../../../../src/kernel/linux/lists/hlist.js';
import { walkList } from '../../../../src/kernel/linux/lists/list.js';
import { cpusIn, perCpu } from '../../../../src/kernel/linux/lists/percpu.js';
import type { ListHead } from '../../../../src/kernel/linux/types.js';
import { Absent } from '../../../../src/memory/absent.js';
import type { Struct } from '../../../../src/object/struct.js';
import { FakeImage, type LiteralTypes } from '../../../support/image.js';

interface Item extends Struct {
  readonly id: number;
}

const OUTSIDE = 0xffff999900000000n;

/** Items on a circular list, their links at offset 8. */
class Ring {
  readonly image: FakeImage;
  readonly head: bigint;
  readonly items: bigint[];

  constructor(count: number, paging: 'amd64' | 'i386' = 'amd64') {
    const types: LiteralTypes = { item: [64, { id: [0, 'int'], node: [8, 'list_head'] }] };
    this.image = new FakeImage({ paging, types });
    this.head = this.image.place('list_head');
    // Each on a page of its own.
    this.items = Array.from({ length: count }, (_, id) => this.image.place('item', { id }, 4096));
    this.image.link(this.head, ...this.items.map((item) => item + 8n));
  }

  link(index: number): bigint {
    return (this.items[index] as bigint) + 8n;
  }

  walk(limit?: number): { ids: number[]; faults: string[] } {
    const kernel = this.image.kernel();
    const faults: string[] = [];
    const options = { onFault: (what: string) => faults.push(what), ...(limit === undefined ? {} : { limit }) };
    const ids = [...walkList(kernel.at<ListHead>('list_head', this.head), kernel.struct<Item>('item'), 'node', options)].map((item) => item.id);
    return { ids, faults };
  }
}

test('list_head: entries in order, an empty list, 32-bit links', () => {
  assert.deepEqual(new Ring(4).walk(), { ids: [0, 1, 2, 3], faults: [] });
  assert.deepEqual(new Ring(0).walk(), { ids: [], faults: [] });
  assert.deepEqual(new Ring(3, 'i386').walk(), { ids: [0, 1, 2], faults: [] });
});

test('list_head: both ends of a broken list, each entry once', () => {
  for (const [name, next] of [['out of the image', OUTSIDE], ['null', 0n]] as const) {
    const ring = new Ring(7);
    ring.image.set('list_head', ring.link(2), { next });
    const { ids, faults } = ring.walk();
    assert.deepEqual(ids, [0, 1, 2, 6, 5, 4, 3], name);
    assert.ok(faults.length >= 1);
    assert.match(faults[0] ?? '', /list of item.node is broken after 0x/);
  }
});

test('list_head: a loop that misses the head', () => {
  const ring = new Ring(6);
  ring.image.set('list_head', ring.link(3), { next: ring.link(1) });
  const { ids, faults } = ring.walk();
  assert.deepEqual(ids, [0, 1, 2, 3, 5, 4]);
  assert.match(faults.join(), /loops at 0x/);
});

test('list_head: an entry that only its follower still points to is found, and told', () => {
  const ring = new Ring(6);
  ring.image.set('list_head', ring.link(2), { next: ring.link(4) });
  const { ids, faults } = ring.walk();
  assert.deepEqual(ids, [0, 1, 2, 4, 5, 3]);
  assert.equal(faults.length, 1);
  assert.match(faults[0] ?? '', /does not point back/);
});

test('list_head: more entries than the limit', () => {
  const { ids, faults } = new Ring(6).walk(3);
  assert.equal(ids.length, 3);
  assert.match(faults.join(), /longer than 3/);
});

test('list_head: any links end, and give no entry twice', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.constantFrom('next', 'prev'), fc.nat(8)), { maxLength: 12 }), (changes) => {
      const ring = new Ring(6);
      for (const [index, member, target] of changes) {
        ring.image.set('list_head', ring.link(index), { [member]: target < 6 ? ring.link(target) : target === 6 ? ring.head : target === 7 ? 0n : OUTSIDE });
      }
      const { ids } = ring.walk();
      assert.equal(new Set(ids).size, ids.length);
      if (changes.length === 0) assert.equal(ids.length, 6);
    }),
    { numRuns: 100 },
  );
});

/** Items on a chain, the last of which ends it with `end`. */
function chain(count: number, end: bigint): { image: FakeImage; head: bigint; items: bigint[]; walk(): { ids: number[]; faults: string[] } } {
  const image = new FakeImage({ types: { item: [64, { id: [0, 'int'], node: [8, 'hlist_node'] }] } });
  const items = Array.from({ length: count }, (_, id) => image.place('item', { id }));
  for (const [index, item] of items.entries()) image.set('item', item, { node: { next: index + 1 < count ? (items[index + 1] as bigint) + 8n : end } });
  const head = image.place('hlist_head', { first: count > 0 ? (items[0] as bigint) + 8n : end });
  const walk = (): { ids: number[]; faults: string[] } => {
    const kernel = image.kernel();
    const faults: string[] = [];
    const ids = [...walkHlist(kernel.at('hlist_head', head), kernel.struct<Item>('item'), 'node', { onFault: (what) => faults.push(what) })].map((item) => item.id);
    return { ids, faults };
  };
  return { image, head, items, walk };
}

test('hlist, hlist_nulls and llist: a chain to null, or to a marker', () => {
  assert.deepEqual(chain(3, 0n).walk(), { ids: [0, 1, 2], faults: [] });
  assert.deepEqual(chain(3, (77n << 1n) | 1n).walk(), { ids: [0, 1, 2], faults: [] });
  assert.deepEqual(chain(0, 0n).walk(), { ids: [], faults: [] });
  assert.deepEqual(chain(0, 1n).walk(), { ids: [], faults: [] });
});

test('hlist: loops and broken links are told', () => {
  const loop = chain(4, 0n);
  loop.image.set('item', loop.items[3] as bigint, { node: { next: (loop.items[1] as bigint) + 8n } });
  assert.deepEqual(loop.walk().ids, [0, 1, 2, 3]);
  assert.match(loop.walk().faults.join(), /comes to 0x[0-9a-f]+ a second time/);
  const broken = chain(4, OUTSIDE);
  assert.deepEqual(broken.walk().ids, [0, 1, 2, 3]);
  assert.match(broken.walk().faults.join(), /is broken at 0xffff999900000000/);
});

test('hash tables: the chains of all buckets; a table that lies is refused', () => {
  const { image, items } = chain(3, 0n);
  const table = image.room(3 * 4096, 4096);
  image.pointer(table + 8n * 2n, (items[1] as bigint) + 8n);
  image.pointer(table + 8n * 700n, (items[2] as bigint) + 8n);
  image.pointer(table + 8n * 1400n, 0x99n);
  const kernel = image.kernel();
  const buckets = { space: kernel.space, address: table, count: 1536, stride: 8 };
  assert.equal([...occupiedBuckets(buckets)].length, 2);
  assert.deepEqual([...walkBuckets(buckets, kernel.struct<Item>('item'), 'node')].map((item) => item.id), [1, 2]);
  const faults: string[] = [];
  const lie = { ...buckets, count: 2 ** 40 };
  assert.deepEqual([...occupiedBuckets(lie, { onFault: (what) => faults.push(what) })], []);
  const holes = { ...buckets, address: OUTSIDE };
  assert.deepEqual([...occupiedBuckets(holes, { onFault: (what) => faults.push(what) })], []);
  assert.match(faults[0] ?? '', /cannot be/);
  assert.match(faults[1] ?? '', /3 pages of the hash table .* are not in the image/);
});

test('per-CPU structs lie at the symbol plus the offset of their processor', () => {
  const image = new FakeImage({ types: { rq: [16, { cpu: [0, 'int'] }] } });
  const base = 0x2000n;
  const areas = [0, 1, 2].map((cpu) => {
    const area = image.room(0x4000, 4096);
    image.set('rq', area + base, { cpu });
    return area;
  });
  const table = image.room(64);
  for (const [cpu, area] of areas.entries()) image.pointer(table + BigInt(cpu * 8), area);
  const count = image.room(16);
  image.write(count, Buffer.from([3, 0, 0, 0]));
  const mask = image.room(16);
  image.write(mask, Buffer.from([0b101]));
  for (const [name, address] of Object.entries({ __per_cpu_offset: table, nr_cpu_ids: count, __cpu_online_mask: mask, runqueues: base })) image.symbol(name, address);
  const kernel = image.kernel();
  assert.deepEqual(cpusIn(kernel, '__cpu_online_mask'), [0, 2]);
  assert.deepEqual([0, 1, 2].map((cpu) => perCpu(kernel, 'runqueues', 'rq', cpu).$get('cpu')), [0, 1, 2]);
  assert.throws(() => perCpu(kernel, 'runqueues', 'rq', 3), Absent);
  image.write(count, Buffer.from([0xff, 0xff, 0xff, 0x7f]));
  assert.throws(() => perCpu(image.kernel(), 'runqueues', 'rq', 0), Absent);
});
