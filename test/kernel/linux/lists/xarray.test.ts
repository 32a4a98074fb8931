import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../support/property.js';
import { walkIdr } from '../../../../src/kernel/linux/lists/idr.js';
import { walkXarray, xarrayValue } from '../../../../src/kernel/linux/lists/xarray.js';
import type { PagingKind } from '../../../../src/memory/paging/create.js';
import { FakeImage, type LiteralTypes } from '../../../support/image.js';

type Generation = 'xarray' | 'shift' | 'height';

/** Layouts of 64-bit kernels 6.1, 4.19 and 4.4, of 32-bit ones with the width halved; slots of 64 as they all have. */
function typesOf(generation: Generation, word: number): LiteralTypes {
  const node = 3 * word + 2 * word;
  const slots: Readonly<Record<string, readonly [number, readonly ['array', number, 'void *']]>> = { slots: [node, ['array', 64, 'void *']] };
  const size = node + 64 * word;
  switch (generation) {
    case 'xarray':
      return {
        xarray: [2 * word, { xa_lock: [0, 'u32'], xa_flags: [4, 'u32'], xa_head: [8, 'void *'] }],
        xa_node: [size, { shift: [0, 'u8'], offset: [1, 'u8'], ...slots }],
        idr: [4 * word, { idr_rt: [0, 'xarray'], idr_base: [3 * word, 'unsigned int'] }],
      };
    case 'shift':
      return {
        radix_tree_root: [2 * word, { gfp_mask: [0, 'u32'], rnode: [8, 'radix_tree_node *'] }],
        radix_tree_node: [size, { shift: [0, 'u8'], offset: [1, 'u8'], ...slots }],
        idr: [4 * word, { idr_rt: [0, 'radix_tree_root'], idr_base: [3 * word, 'unsigned int'] }],
      };
    case 'height':
      return {
        radix_tree_root: [2 * word, { height: [0, 'u32'], gfp_mask: [4, 'u32'], rnode: [8, 'radix_tree_node *'] }],
        radix_tree_node: [size, { path: [0, 'unsigned int'], ...slots }],
      };
  }
}

/** A tree made by the book: slots by index, marks by generation. */
class Tree {
  readonly image: FakeImage;
  readonly root: bigint;
  readonly word: 4 | 8;
  /** nodes by shift and first index */
  private readonly nodes = new Map<string, bigint>();
  private readonly mark: bigint;

  constructor(
    readonly generation: Generation,
    private readonly height: number,
    paging: PagingKind = 'amd64',
  ) {
    this.word = paging.startsWith('i386') ? 4 : 8;
    this.image = new FakeImage({ paging, types: { ...typesOf(generation, this.word), ...(this.word === 4 ? { xarray: [12, { xa_head: [8, 'void *'] }], radix_tree_root: [12, { height: [0, 'u32'], rnode: [8, 'void *'] }] } : {}) } });
    this.mark = generation === 'xarray' ? 2n : 1n;
    this.root = this.image.place(generation === 'xarray' ? 'xarray' : 'radix_tree_root');
    if (height > 0) this.head(this.node((height - 1) * 6, 0n) + this.mark);
    if (generation === 'height') this.image.set('radix_tree_root', this.root, { height });
  }

  head(entry: bigint): void {
    this.image.pointer(this.root + 8n, entry);
  }

  node(shift: number, first: bigint): bigint {
    const base = (first >> BigInt(shift + 6)) << BigInt(shift + 6);
    const key = `${shift}:${base}`;
    let address = this.nodes.get(key);
    if (address === undefined) {
      address = this.image.place(this.generation === 'xarray' ? 'xa_node' : 'radix_tree_node', this.generation === 'height' ? {} : { shift });
      this.nodes.set(key, address);
      const inner = this.generation === 'height' ? 0n : this.mark;
      if (shift < (this.height - 1) * 6) this.image.pointer(this.slot(shift + 6, base), address + inner);
    }
    return address;
  }

  /** Address of the slot for an index in the node of a level. */
  slot(shift: number, index: bigint): bigint {
    return this.node(shift, index) + BigInt(5 * this.word) + ((index >> BigInt(shift)) & 63n) * BigInt(this.word);
  }

  put(index: bigint, entry: bigint, shift = 0): void {
    this.image.pointer(this.slot(shift, index), entry);
  }

  walk(limit?: number): { entries: [bigint, bigint, bigint][]; faults: string[] } {
    const kernel = this.image.kernel();
    const faults: string[] = [];
    const entries = [...walkXarray(kernel, kernel.at(this.generation === 'xarray' ? 'xarray' : 'radix_tree_root', this.root), { onFault: (what) => faults.push(what), ...(limit === undefined ? {} : { limit }) })];
    return { entries: entries.map(({ first, last, entry }) => [first, last, entry]), faults };
  }
}

const generations: readonly Generation[] = ['xarray', 'shift', 'height'];

for (const generation of generations) {
  test(`${generation}: what was put in comes out, ascending`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.dictionary(fc.nat({ max: 2 ** 24 - 1 }).map(String), fc.bigInt({ min: 1n, max: 2n ** 40n }), { minKeys: 0, maxKeys: 30 }),
        (height, values) => {
          const tree = new Tree(generation, height);
          const expected = new Map<bigint, bigint>();
          for (const [key, value] of Object.entries(values)) {
            const index = BigInt(key) % (1n << BigInt(6 * height));
            // a pointer, aligned to four
            expected.set(index, 0xffff888000000000n + value * 4n);
            tree.put(index, 0xffff888000000000n + value * 4n);
          }
          const sorted = [...expected].sort(([a], [b]) => (a < b ? -1 : 1));
          assert.deepEqual(tree.walk(), { entries: sorted.map(([index, entry]) => [index, index, entry]), faults: [] });
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`${generation}: the root's own entry, an empty root, a limit`, () => {
    const tree = new Tree(generation, 0);
    assert.deepEqual(tree.walk(), { entries: [], faults: [] });
    tree.head(0xffff888012345678n);
    assert.deepEqual(tree.walk(), { entries: [[0n, 0n, 0xffff888012345678n]], faults: [] });
    const full = new Tree(generation, 1);
    for (let index = 0n; index < 64n; index++) full.put(index, 0xffff888000000000n + index * 64n);
    const { entries, faults } = full.walk(10);
    assert.equal(entries.length, 10);
    assert.match(faults.join(), /more than 10 entries/);
  });

  test(`${generation}: values in place of pointers`, () => {
    const tree = new Tree(generation, 2);
    const stored = generation === 'xarray' ? (1234n << 1n) | 1n : (1234n << 2n) | 2n;
    tree.put(77n, stored);
    tree.put(78n, 0xffff888000000100n);
    const { entries, faults } = tree.walk();
    assert.deepEqual(faults, []);
    assert.deepEqual(entries.map(([index, , entry]) => [index, xarrayValue(tree.image.kernel(), entry)]), [[77n, 1234n], [78n, undefined]]);
  });

  test(`${generation}: broken trees give what is left, and end`, () => {
    const tree = new Tree(generation, 3);
    tree.put(5n, 0xffff888000000500n);
    tree.put(4096n, 0xffff888000000600n);
    tree.put(8192n, 0xffff888000000700n);
    const mark = generation === 'height' ? 0n : generation === 'xarray' ? 2n : 1n;
    // The second subtree is outside of the image, the third leads back to the root's node.
    tree.image.pointer(tree.slot(12, 4096n), 0xffff999900000000n + mark);
    tree.image.pointer(tree.slot(12, 8192n), tree.node(12, 0n) + mark);
    const { entries, faults } = tree.walk();
    assert.deepEqual(entries, [[5n, 5n, 0xffff888000000500n]]);
    assert.equal(faults.length, 2);
    assert.match(faults[0] ?? '', /is unreadable/);
    assert.match(faults[1] ?? '', /is met twice/);
  });

  test(`${generation}: any bytes as nodes end`, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(63), fc.nat(3), fc.nat(3)), { maxLength: 200 }), fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), (links, shifts) => {
        const tree = new Tree(generation, 4);
        const nodes = [tree.node(18, 0n), tree.node(12, 0n), tree.node(6, 0n), tree.node(0, 0n)];
        for (const [from, slot, to, bits] of links) tree.image.pointer((nodes[from] as bigint) + 40n + BigInt(slot * 8), (nodes[to] as bigint) + BigInt(bits));
        if (generation !== 'height') for (const [index, shift] of shifts.entries()) tree.image.write(nodes[index] as bigint, Buffer.from([index === 0 ? 18 : shift]));
        assert.ok(tree.walk().entries.length <= 4 * 64);
      }),
      { numRuns: 100 },
    );
  });
}

test('32-bit kernels have links of four bytes', () => {
  for (const generation of generations) {
    const tree = new Tree(generation, 2, 'i386-pae');
    tree.put(3n, 0xc1234560n);
    tree.put(4000n, 0xc1234580n);
    assert.deepEqual(tree.walk(), { entries: [[3n, 3n, 0xc1234560n], [4000n, 4000n, 0xc1234580n]], faults: [] });
  }
});

test('xarray: an entry for many indices is given once: by height, and by siblings', () => {
  const tree = new Tree('xarray', 3);
  // order 6: one slot of a node above the last level
  tree.put(128n, 0xffff888000001000n, 6);
  // order 2: an entry and three siblings, which name its slot
  tree.put(8n, 0xffff888000002000n);
  for (const index of [9n, 10n, 11n]) tree.put(index, (8n << 2n) | 2n);
  // order 8 (four slots above)
  tree.put(512n, 0xffff888000003000n, 6);
  for (const index of [576n, 640n, 704n]) tree.put(index, (8n << 2n) | 2n, 6);
  tree.put(12n, 0xffff888000004000n);
  assert.deepEqual(tree.walk(), {
    entries: [[8n, 11n, 0xffff888000002000n], [12n, 12n, 0xffff888000004000n], [128n, 191n, 0xffff888000001000n], [512n, 767n, 0xffff888000003000n]],
    faults: [],
  });
});

test('radix tree of 4.7 to 4.19: siblings are marked links to the slot', () => {
  const tree = new Tree('shift', 2);
  tree.put(64n, 0xffff888000001000n);
  for (const index of [65n, 66n, 67n]) tree.put(index, tree.slot(0, 64n) + 1n);
  assert.deepEqual(tree.walk(), { entries: [[64n, 67n, 0xffff888000001000n]], faults: [] });
});

test('reserved entries are passed over: retry and zero', () => {
  const tree = new Tree('xarray', 1);
  tree.put(1n, (256n << 2n) | 2n);
  tree.put(2n, (257n << 2n) | 2n);
  tree.put(3n, 0xffff888000001000n);
  assert.deepEqual(tree.walk(), { entries: [[3n, 3n, 0xffff888000001000n]], faults: [] });
  const radix = new Tree('shift', 1);
  radix.put(1n, 1n);
  assert.deepEqual(radix.walk(), { entries: [], faults: [] });
});

test('a node at the wrong height is told', () => {
  const tree = new Tree('xarray', 3);
  tree.put(5n, 0xffff888000000500n);
  tree.image.set('xa_node', tree.node(6, 0n), { shift: 12 });
  const { entries, faults } = tree.walk();
  assert.deepEqual(entries, []);
  assert.match(faults.join(), /spans 12 bits, not 6/);
});

test('idr: identifiers count from idr_base', () => {
  const tree = new Tree('xarray', 2);
  const kernel = (): ReturnType<FakeImage['kernel']> => tree.image.kernel();
  const idr = tree.image.place('idr', { idr_base: 1 });
  tree.image.pointer(idr + 8n, tree.node(6, 0n) + 2n);
  tree.put(0n, 0xffff888000000100n);
  tree.put(99n, 0xffff888000000200n);
  const one = kernel();
  assert.deepEqual([...walkIdr(one, one.at('idr', idr))], [{ id: 1, entry: 0xffff888000000100n }, { id: 100, entry: 0xffff888000000200n }]);
});

test('idr of 4.10 and before: layers', () => {
  const image = new FakeImage({
    types: {
      idr: [32, { hint: [0, 'idr_layer *'], top: [8, 'idr_layer *'], layers: [16, 'int'] }],
      idr_layer: [2072, { prefix: [0, 'int'], layer: [4, 'int'], ary: [8, ['array', 256, 'void *']] }],
    },
  });
  const leaf = (first: bigint, values: Readonly<Record<number, bigint>>): bigint => {
    const at = image.place('idr_layer', { prefix: first, layer: 0 });
    for (const [index, value] of Object.entries(values)) image.pointer(at + 8n + BigInt(index) * 8n, value);
    return at;
  };
  const top = image.place('idr_layer', { layer: 1 });
  image.pointer(top + 8n, leaf(0n, { 1: 0x1000n, 255: 0x2000n }));
  image.pointer(top + 8n + 2n * 8n, leaf(512n, { 3: 0x3000n }));
  const idr = image.place('idr', { top, layers: 2 });
  const walk = (): { ids: [number, bigint][]; faults: string[] } => {
    const kernel = image.kernel();
    const faults: string[] = [];
    return { ids: [...walkIdr(kernel, kernel.at('idr', idr), { onFault: (what) => faults.push(what) })].map(({ id, entry }) => [id, entry]), faults };
  };
  assert.deepEqual(walk(), { ids: [[1, 0x1000n], [255, 0x2000n], [515, 0x3000n]], faults: [] });
  image.pointer(top + 8n + 8n, top);
  image.pointer(top + 8n + 3n * 8n, 0xffff999900000000n);
  const { ids, faults } = walk();
  assert.equal(ids.length, 3);
  assert.equal(faults.length, 2);
});
