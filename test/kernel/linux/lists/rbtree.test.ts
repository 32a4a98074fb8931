import assert from 'node:assert/strict';
import { test } from 'node:test';
import { walkRbTree } from '../../../../src/kernel/linux/lists/rbtree.js';
import type { Struct } from '../../../../src/object/struct.js';
import { fakeKernel, FakeMemory, inPlace, layout, pointer, u64 } from '../../../support/fake-kernel.js';

interface Item extends Struct {
  readonly key: bigint;
}

const structs = {
  rb_root: layout(8, { rb_node: [0, pointer] }),
  rb_node: layout(24, { __rb_parent_color: [0, u64], rb_right: [8, pointer], rb_left: [16, pointer] }),
  item: layout(32, { key: [0, u64], node: [8, inPlace('rb_node')] }),
};

/** A root and items with keys, linked as [left, right] by key. */
function tree(links: Readonly<Record<number, readonly [number, number]>>, root: number): { memory: FakeMemory; walk: () => { keys: number[]; faults: string[] } } {
  const memory = new FakeMemory();
  const nodeOf = (key: number): bigint => (key === 0 ? 0n : memory.base + BigInt(key * 64 + 8));
  memory.u64(memory.base, nodeOf(root));
  for (const [key, [left, right]] of Object.entries(links)) {
    memory.u64(nodeOf(Number(key)) - 8n, BigInt(key));
    memory.u64(nodeOf(Number(key)) + 8n, nodeOf(right));
    memory.u64(nodeOf(Number(key)) + 16n, nodeOf(left));
  }
  const walk = (): { keys: number[]; faults: string[] } => {
    const kernel = fakeKernel(memory, structs);
    const faults: string[] = [];
    const keys = [...walkRbTree(kernel.at('rb_root', memory.base), kernel.struct<Item>('item'), 'node', { onFault: (what) => faults.push(what) })];
    return { keys: keys.map((item) => Number(item.key)), faults };
  };
  return { memory, walk };
}

test('nodes in order', () => {
  assert.deepEqual(tree({ 5: [2, 8], 2: [1, 3], 8: [7, 0], 1: [0, 0], 3: [0, 0], 7: [0, 0] }, 5).walk(), { keys: [1, 2, 3, 5, 7, 8], faults: [] });
  assert.deepEqual(tree({}, 0).walk(), { keys: [], faults: [] });
});

test('a tree that bites its tail gives each node once, and ends', () => {
  const { keys, faults } = tree({ 5: [2, 8], 2: [0, 5], 8: [0, 2] }, 5).walk();
  assert.deepEqual(keys, [2, 5, 8]);
  assert.equal(faults.length, 2);
  assert.match(faults[0] ?? '', /met twice/);
});

test('a link out of the image costs its subtree', () => {
  const { memory, walk } = tree({ 5: [2, 8], 2: [0, 0], 8: [0, 0] }, 5);
  memory.u64(memory.base + BigInt(5 * 64 + 8) + 16n, 0xffff999900000000n);
  const { keys, faults } = walk();
  assert.deepEqual(keys, [5, 8]);
  assert.match(faults.join(), /cannot be read/);
});
