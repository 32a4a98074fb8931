import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Absent } from '../../src/memory/absent.js';
import { BufferSpace } from '../../src/memory/space.js';
import type { ArrayView } from '../../src/object/array.js';
import { TypeCompiler } from '../../src/object/compiler.js';
import type { Pointer } from '../../src/object/pointer.js';
import type { Struct } from '../../src/object/struct.js';
import type { EnumType, IntegerType, MemberLayout, StructLayout, TypeDescriptor, TypeSource } from '../../src/symbols/types.js';

const int: IntegerType = { kind: 'int', size: 4, signed: true, name: 'int' };
const u32: IntegerType = { kind: 'int', size: 4, signed: false };

const u64: IntegerType = { kind: 'int', size: 8, signed: false };
const char: IntegerType = { kind: 'int', size: 1, signed: true, encoding: 'char', name: 'char' };
const color: EnumType = { kind: 'enum', name: 'color', size: 4, signed: false, choices: new Map([['2', 'RED']]) };

function layout(size: number, members: Record<string, [number, TypeDescriptor]>): StructLayout {
  const map = new Map<string, MemberLayout>(Object.entries(members).map(([name, [offset, type]]) => [name, { offset, type }]));
  return { union: false, size, members: map };
}

const structs: Readonly<Record<string, StructLayout>> = {
  node: layout(64, {
    value: [0, int],
    big: [8, u64],
    next: [16, { kind: 'pointer', target: { kind: 'struct', name: 'node' } }],
    text: [24, { kind: 'pointer', target: char }],
    name: [32, { kind: 'array', count: 8, target: char }],
    numbers: [40, { kind: 'array', count: 3, target: u32 }],
    low: [52, { kind: 'bitfield', base: u32, startBit: 0, bits: 3 }],
    high: [52, { kind: 'bitfield', base: int, startBit: 29, bits: 3 }],
    hue: [56, color],
    flag: [60, { kind: 'int', size: 1, signed: false, encoding: 'bool' } as IntegerType],
  }),
  named: layout(64, Object.fromEntries([['constructor', [62, { kind: 'int', size: 2, signed: false }]]])),
  outer: layout(128, { inner: [8, { kind: 'struct', name: 'node' }], alias: [0, { kind: 'struct', name: 'alias_t' }] }),
};

const types: TypeSource = {
  struct: (name) => structs[name],
  enum: (name) => (name === 'color' ? color : undefined),
  typedef: (name) => (name === 'alias_t' ? { kind: 'struct', name: 'node' } : name === 'loop_t' ? { kind: 'struct', name: 'loop_t' } : undefined),
  structNames: () => Object.keys(structs),
  enumNames: () => ['color'],
};
const compiler = new TypeCompiler(types, 8);
const BASE = 0xffff888000001000n;

interface Node extends Struct {
  readonly value: number;
  readonly big: bigint;
  readonly next: Node | null;
  readonly text: Pointer;
  readonly name: string;
  readonly numbers: ArrayView<number>;
  readonly low: number;
  readonly high: number;
  readonly hue: number;
  readonly flag: boolean;
}

/** Two pages; a node at `at`, which may straddle them. */
function nodeAt(at: number, fill: (bytes: Buffer) => void): Node {
  const bytes = Buffer.alloc(8192);
  fill(bytes.subarray(at));
  bytes.write('pointed at\0', 2048);
  return compiler.struct<Node>('node').at(new BufferSpace(bytes, BASE), BASE + BigInt(at));
}

function fillNode(bytes: Buffer): void {
  bytes.writeInt32LE(-7, 0);
  bytes.writeBigUInt64LE(0xfedcba9876543210n, 8);
  bytes.writeBigUInt64LE(BASE + 0x123n, 16);
  bytes.writeBigUInt64LE(BASE + 2048n, 24);
  bytes.write('bash\0xyz', 32, 'latin1');
  for (const [i, value] of [1, 2, 0xffffffff].entries()) bytes.writeUInt32LE(value, 40 + 4 * i);
  bytes.writeUInt32LE(0xa0000005, 52);
  bytes.writeUInt32LE(2, 56);
  bytes[60] = 1;
  bytes.writeUInt16LE(515, 62);
}

// 4050: members lie on both sides of the page boundary, and `numbers` and `big` across it.
for (const at of [0, 4050, 4064, 4093]) {
  test(`members read as their types say, struct at page offset ${at}`, () => {
    const node = nodeAt(at, fillNode);
    assert.equal(node.value, -7);
    assert.equal(node.big, 0xfedcba9876543210n);
    assert.equal(node.next?.$address, BASE + 0x123n);
    assert.equal(node.text.string(), 'pointed at');
    assert.equal(node.name, 'bash');
    assert.deepEqual([...node.numbers], [1, 2, 0xffffffff]);
    assert.equal(node.low, 5);
    assert.equal(node.high, -3);
    assert.equal(node.hue, 2);
    assert.equal(node.$label('hue'), 'RED');
    assert.equal(node.flag, true);
    assert.equal(node.$as(compiler.struct('named')).$get('constructor'), 515);
    assert.equal(node.$address, BASE + BigInt(at));
    assert.equal(node.$addressOf('next'), BASE + BigInt(at) + 16n);
    assert.equal(node.$pointer('text'), BASE + 2048n);
  });
}

test('a null pointer to a struct is null', () => {
  assert.equal(nodeAt(0, () => undefined).next, null);
});

test('a member that the struct does not have is Absent, never undefined', () => {
  const node = nodeAt(0, fillNode) as unknown as Record<string, unknown>;
  assert.throws(() => node['nonesuch'], (error) => error instanceof Absent && error.kind === 'no-member' && error.reason.includes('nonesuch in node'));
  assert.equal(nodeAt(0, fillNode).$has('nonesuch'), false);
});

test('a view can be awaited, printed and compared without being asked for members it has not', async () => {
  const node = nodeAt(0, fillNode);
  assert.equal(await Promise.resolve(node), node);
  assert.match(String(node), /^\[node @ 0xffff888000001000\]$/);
  assert.deepEqual(node.toJSON(), { type: 'node', offset: BASE });
});

test('unreadable memory is Absent with its address; what lies on a readable page still reads', () => {
  const space = new BufferSpace(Buffer.alloc(4096, 1), BASE);
  const node = compiler.struct<Node>('node').at(space, BASE + 4092n);
  assert.equal(node.value, 0x01010101);
  assert.throws(() => node.big, (error) => error instanceof Absent && error.kind === 'unreadable' && error.address === BASE + 4096n);
});

test('structs in place, typedefs, and paths through them', () => {
  const outer = compiler.struct('outer');
  assert.equal(outer.offsetOf('inner.next'), 24);
  assert.equal(outer.offsetOf('alias.big'), 8);
  assert.throws(() => outer.offsetOf('inner.value.more'), Absent);
  const view = outer.at(new BufferSpace(Buffer.alloc(8192, 3), BASE), BASE);
  assert.equal((view.$get('inner') as Node).$address, BASE + 8n);
});

test('a profile whose typedefs go round in circles ends', () => {
  assert.equal(compiler.hasStruct('loop_t'), false);
  assert.throws(() => compiler.struct('loop_t'), Absent);
});

test('arrays keep their bounds', () => {
  const node = nodeAt(0, fillNode);
  assert.throws(() => node.numbers.at(3), Absent);
  assert.throws(() => node.numbers.at(-1), Absent);
  assert.equal(node.numbers.resize(4).at(3), 0xa0000005);
});
