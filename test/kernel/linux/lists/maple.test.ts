import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxKernel } from '../../../../src/kernel/linux/kernel.js';
import { walkMaple } from '../../../../src/kernel/linux/lists/maple.js';
import { arrayOf, fakeKernel, FakeMemory, layout, pointer, u64 } from '../../../support/fake-kernel.js';

// Offsets as pahole prints them for a 6.1 kernel.
const structs = {
  maple_tree: layout(16, { ma_root: [8, pointer] }),
  maple_range_64: layout(256, { pivot: [8, arrayOf(15, u64)], slot: [128, arrayOf(16, pointer)] }),
  maple_arange_64: layout(256, { pivot: [8, arrayOf(9, u64)], slot: [80, arrayOf(10, pointer)] }),
};
const LEAF = 1n;
const ARANGE = 3n;
const ROOT = 2n;

interface Fixture {
  readonly memory: FakeMemory;
  readonly kernel: LinuxKernel;
  readonly tree: bigint;
}

/** An address below the buffer's start plus `at` bytes. */
function place(memory: FakeMemory, at: number): bigint {
  return memory.base + BigInt(at);
}

function link(node: bigint, kind: bigint, root = 0n): bigint {
  return node | (kind << 3n) | root;
}

/** A root with two leaves: 10–19 → 0x1000, 20–29 → nothing, 30–39 → 0x2000; 40–49 → 0x3000, 50… → 0x4000 up to the end. */
function twoLeaves(): Fixture {
  const memory = new FakeMemory();
  const tree = place(memory, 0);
  const [root, low, high] = [place(memory, 0x1000), place(memory, 0x1100), place(memory, 0x1200)];
  memory.u64(tree + 8n, link(root, ARANGE, ROOT));
  memory.u64(root, tree | 1n);
  memory.u64(root + 8n, 39n);
  memory.u64(root + 80n, link(low, LEAF));
  memory.u64(root + 88n, link(high, LEAF));
  memory.u64(low, root);
  for (const [index, [last, entry]] of [[9n, 0n], [19n, 0x1000n], [29n, 0n], [39n, 0x2000n]].entries()) {
    memory.u64(low + 8n + BigInt(index) * 8n, last as bigint);
    memory.u64(low + 128n + BigInt(index) * 8n, entry as bigint);
  }
  memory.u64(high, root);
  memory.u64(high + 8n, 49n);
  memory.u64(high + 128n, 0x3000n);
  memory.u64(high + 136n, 0x4000n);
  return { memory, kernel: fakeKernel(memory, structs), tree };
}

function walk({ kernel, tree }: Fixture): { found: string[]; faults: string[] } {
  const faults: string[] = [];
  const found: string[] = [];
  for (const { first, last, entry } of walkMaple(kernel, kernel.at('maple_tree', tree), { onFault: (what) => faults.push(what) })) {
    found.push(`${first}-${last === 0xffffffffffffffffn ? 'end' : last}:${entry.toString(16)}`);
  }
  return { found, faults };
}

test('ranges of a tree with two leaves, ascending, without the gaps', () => {
  assert.deepEqual(walk(twoLeaves()), { found: ['10-19:1000', '30-39:2000', '40-49:3000', '50-end:4000'], faults: [] });
});

test('an empty tree, and a tree of one entry without node', () => {
  for (const [root, found] of [
    [0n, []],
    [0xffff888000001100n, ['0-0:ffff888000001100']],
  ] as const) {
    const fixture = twoLeaves();
    fixture.memory.u64(fixture.tree + 8n, root);
    assert.deepEqual(walk(fixture), { found, faults: [] });
  }
});

test('a reserved entry is no entry', () => {
  const fixture = twoLeaves();
  // XA_ZERO_ENTRY is xa_mk_internal(257).
  fixture.memory.u64(place(fixture.memory, 0x1100) + 128n + 8n, (257n << 2n) | 2n);
  assert.deepEqual(walk(fixture).found, ['30-39:2000', '40-49:3000', '50-end:4000']);
});

test('a tree whose node is its own child ends, with the fault told', () => {
  const fixture = twoLeaves();
  const root = place(fixture.memory, 0x1000);
  fixture.memory.u64(root + 88n, link(root, ARANGE));
  const { found, faults } = walk(fixture);
  assert.deepEqual(found, ['10-19:1000', '30-39:2000']);
  assert.match(faults.join(), /met twice/);
});

test('a node that is not in the image, freed, or of an unknown kind costs its subtree only', () => {
  for (const [damage, says] of [
    [(f: Fixture) => f.memory.u64(place(f.memory, 0x1000) + 80n, link(0xffffc90000000000n, LEAF)), /unreadable/],
    [(f: Fixture) => f.memory.u64(place(f.memory, 0x1100), place(f.memory, 0x1100)), /no longer in use/],
    [(f: Fixture) => f.memory.u64(place(f.memory, 0x1000) + 80n, link(place(f.memory, 0x1100), 9n)), /unknown kind 9/],
    [(f: Fixture) => f.memory.u64(place(f.memory, 0x1100) + 16n, 3n), /do not ascend/],
  ] as const) {
    const fixture = twoLeaves();
    damage(fixture);
    const { found, faults } = walk(fixture);
    assert.deepEqual(found.slice(-2), ['40-49:3000', '50-end:4000']);
    assert.equal(faults.length, 1);
    assert.match(faults[0] ?? '', says);
  }
});
