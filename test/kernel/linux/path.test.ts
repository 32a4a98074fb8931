import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { mountPath, pathOf } from '../../../src/kernel/linux/path.js';
import type { Path } from '../../../src/kernel/linux/types.js';
import type { Mount } from '../../../src/kernel/linux/types-fs.js';
import { Absent } from '../../../src/memory/absent.js';
import { arrayOf, fakeKernel, FakeMemory, inPlace, layout, pointer, pointerTo, u32, u64, u8 } from '../../support/fake-kernel.js';

const structs = {
  qstr: layout(16, { hash: [0, u32], len: [4, u32], name: [8, { kind: 'pointer', target: u8 }] }),
  hlist_bl_node: layout(16, { next: [0, pointer], pprev: [8, pointer] }),
  dentry: layout(96, {
    d_hash: [0, inPlace('hlist_bl_node')],
    d_parent: [16, pointerTo('dentry')],
    d_name: [24, inPlace('qstr')],
    d_inode: [40, pointerTo('inode')],
    d_op: [48, pointerTo('dentry_operations')],
    d_sb: [56, pointerTo('super_block')],
    d_fsdata: [64, pointer],
  }),
  dentry_operations: layout(64, { d_dname: [40, pointer] }),
  super_block: layout(64, { s_magic: [0, u64], s_root: [8, pointerTo('dentry')] }),
  inode: layout(64, { i_ino: [0, u64], i_private: [8, pointer] }),
  vfsmount: layout(32, { mnt_root: [0, pointerTo('dentry')], mnt_sb: [8, pointerTo('super_block')] }),
  mount: layout(96, { mnt_parent: [16, pointerTo('mount')], mnt_mountpoint: [24, pointerTo('dentry')], mnt: [32, inPlace('vfsmount')] }),
  path: layout(16, { mnt: [0, pointerTo('vfsmount')], dentry: [8, pointerTo('dentry')] }),
  unused: layout(8, { pad: [0, arrayOf(8, u8)] }),
};

/** Dentries, mounts and paths written into memory, one after the other. */
class Tree {
  readonly memory = new FakeMemory(undefined, 64);
  private next = this.memory.base + 64n;

  place(bytes = 128): bigint {
    const at = this.next;
    this.next += BigInt(bytes);
    return at;
  }

  /** A dentry on its hash chain (or not, when deleted); a root is its own parent. */
  dentry(name: string, parent?: bigint, options: { deleted?: boolean; superBlock?: bigint; operations?: bigint; inode?: bigint } = {}): bigint {
    const at = this.place();
    const text = this.place(Math.ceil((name.length + 1) / 64) * 64);
    this.memory.text(text, name);
    this.memory.u64(at + 8n, options.deleted === true ? 0n : 0xffff888000001000n);
    this.memory.u64(at + 16n, parent ?? at);
    this.memory.u32(at + 28n, Buffer.byteLength(name));
    this.memory.u64(at + 32n, text);
    this.memory.u64(at + 40n, options.inode ?? 0n);
    this.memory.u64(at + 48n, options.operations ?? 0n);
    this.memory.u64(at + 56n, options.superBlock ?? 0n);
    return at;
  }

  /** A mount of a root, on a place of another mount; the topmost is its own parent. */
  mount(root: bigint, parent?: bigint, point?: bigint): bigint {
    const at = this.place();
    this.memory.u64(at + 16n, parent ?? at);
    this.memory.u64(at + 24n, point ?? root);
    this.memory.u64(at + 32n, root);
    return at;
  }

  path(mount: bigint, dentry: bigint): bigint {
    const at = this.place();
    this.memory.u64(at, mount + 32n);
    this.memory.u64(at + 8n, dentry);
    return at;
  }
}

function pathAt(kernel: LinuxKernel, address: bigint): Path {
  return kernel.at<Path>('path', address);
}

test('a path goes up through mounts, and says what was deleted', () => {
  const tree = new Tree();
  const root = tree.dentry('/');
  const home = tree.dentry('home', root);
  const top = tree.mount(root);
  const inner = tree.dentry('/');
  const second = tree.mount(inner, top, home);
  const ann = tree.dentry('ann', inner);
  const file = tree.dentry('notes.txt', ann);
  const gone = tree.dentry('gone', ann, { deleted: true });
  const paths = [tree.path(second, file), tree.path(second, gone), tree.path(second, inner), tree.path(top, root)];
  const kernel = fakeKernel(tree.memory, structs);
  assert.deepEqual(
    paths.map((at) => pathOf(kernel, pathAt(kernel, at))),
    ['/home/ann/notes.txt', '/home/ann/gone (deleted)', '/home', '/'],
  );
  // What is remembered gives the same.
  assert.equal(pathOf(kernel, pathAt(kernel, paths[0] as bigint)), '/home/ann/notes.txt');
});

test('a bind mount shows the same file in two places', () => {
  const tree = new Tree();
  const root = tree.dentry('/');
  const data = tree.dentry('data', root);
  const there = tree.dentry('there', root);
  const top = tree.mount(root);
  const bind = tree.mount(data, top, there);
  const file = tree.dentry('file', data);
  const paths = [tree.path(top, file), tree.path(bind, file)];
  const kernel = fakeKernel(tree.memory, structs);
  assert.deepEqual(
    paths.map((at) => pathOf(kernel, pathAt(kernel, at))),
    ['/data/file', '/there/file'],
  );
});

test('a mount as the root of a process sees it, and one that this root does not lead to', () => {
  const tree = new Tree();
  const root = tree.dentry('/');
  const jail = tree.dentry('jail', root);
  const inJail = tree.dentry('tmp', jail);
  const outside = tree.dentry('mnt', root);
  const top = tree.mount(root);
  const inner = tree.mount(tree.dentry('/'), top, inJail);
  const other = tree.mount(tree.dentry('/'), top, outside);
  const jailed = tree.path(top, jail);
  const kernel = fakeKernel(tree.memory, structs);
  const at = (mount: bigint): { path: string; reachable: boolean } => mountPath(kernel, kernel.at<Mount>('mount', mount), pathAt(kernel, jailed));
  assert.deepEqual(at(inner), { path: '/tmp', reachable: true });
  assert.deepEqual(at(other), { path: '/mnt', reachable: false });
});

test('names of what has no place in a tree', () => {
  const tree = new Tree();
  const operations = tree.place();
  tree.memory.u64(operations + 40n, 0xffffffff81000000n);
  const inode = tree.place();
  tree.memory.u64(inode, 4711n);
  const root = tree.dentry('/');
  const mount = tree.mount(root);
  const named = (magic: bigint, name: string): bigint => {
    const superBlock = tree.place();
    tree.memory.u64(superBlock, magic);
    return tree.path(mount, tree.dentry(name, undefined, { superBlock, operations, inode }));
  };
  const paths = [named(0x50495045n, ''), named(0x534f434bn, ''), named(0x09041934n, '[eventfd]'), named(0x01021994n, 'memfd:x'), named(0x50494446n, '')];
  const kernel = fakeKernel(tree.memory, structs);
  assert.deepEqual(
    paths.map((at) => pathOf(kernel, pathAt(kernel, at))),
    ['pipe:[4711]', 'socket:[4711]', 'anon_inode:[eventfd]', '/memfd:x (deleted)', 'anon_inode:[pidfd]'],
  );
});

test('parents and mounts that go in circles end', () => {
  const tree = new Tree();
  const root = tree.dentry('/');
  const top = tree.mount(root);
  const first = tree.dentry('a', root);
  const second = tree.dentry('b', first);
  tree.memory.u64(first + 16n, second);
  // Two mounts, each on the other.
  const leftRoot = tree.dentry('/');
  const rightRoot = tree.dentry('/');
  const left = tree.mount(leftRoot, top, rightRoot);
  const right = tree.mount(rightRoot, left, leftRoot);
  tree.memory.u64(left + 16n, right);
  const paths = [tree.path(top, second), tree.path(left, leftRoot)];
  const kernel = fakeKernel(tree.memory, structs);
  for (const at of paths) {
    assert.throws(() => pathOf(kernel, pathAt(kernel, at)), (error) => error instanceof Absent && error.kind === 'corrupt' && /circle/.test(error.reason));
  }
});

test('what cannot be a path is said to be none', () => {
  const tree = new Tree();
  const root = tree.dentry('/');
  const top = tree.mount(root);
  const long = tree.dentry('x', root);
  tree.memory.u32(long + 28n, 0x7fffffff);
  const lost = tree.dentry('y', 0xffff999900000000n);
  const paths = [tree.path(top, long), tree.path(top, lost), tree.path(top, 0n)];
  const kernel = fakeKernel(tree.memory, structs);
  for (const at of paths) assert.throws(() => pathOf(kernel, pathAt(kernel, at)), (error) => error instanceof Absent);
});
