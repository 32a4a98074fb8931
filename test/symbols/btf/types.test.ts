import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BtfError, verifyBtf } from '../../../src/symbols/btf/format.js';
import { BtfTypes } from '../../../src/symbols/btf/types.js';
import type { IntegerType, StructLayout, TypeDescriptor } from '../../../src/symbols/types.js';
import { BtfBuilder } from './build.js';
import { bounded } from '../../support/effort.js';

/** What was built, verified. */
function typesOf(builder: BtfBuilder, base?: BtfTypes): BtfTypes {
  const blob = builder.build();
  assert.equal(verifyBtf(blob, base?.blob.extent), undefined);
  return new BtfTypes(blob, base);
}

/** `member → [offset, type]` */
function membersOf(layout: StructLayout | undefined): Record<string, [number, TypeDescriptor]> {
  assert.ok(layout);
  return Object.fromEntries([...layout.members].map(([name, { offset, type }]) => [name, [offset, type]]));
}

const INT: IntegerType = { kind: 'int', size: 4, signed: true, name: 'int' };

describe('BTF', () => {
  test('integers, floats and what they mean', () => {
    const b = new BtfBuilder();
    const members: [string, number, number][] = [
      ['i', b.int('int', 4, 1), 0],
      ['flag', b.int('_Bool', 1, 4), 32],
      ['text', b.array(b.int('char', 1, 1), 16), 40],
      ['byte', b.int('unsigned char', 1), 168],
      ['tagged', b.int('wchar', 2, 2), 176],
      ['wide', b.int('__int128', 16, 1), 192],
      ['d', b.type(16, 'double', 8), 320],
      ['v', b.pointer(0), 384],
      ['f', b.pointer(b.type(13, '', 1, 0)), 448],
    ];
    b.struct('s', 64, members);
    assert.deepEqual(membersOf(typesOf(b).struct('s')), {
      i: [0, INT],
      flag: [4, { kind: 'int', size: 1, signed: false, encoding: 'bool', name: '_Bool' }],
      text: [
        5,
        { kind: 'array', count: 16, target: { kind: 'int', size: 1, signed: true, encoding: 'char', name: 'char' } },
      ],
      byte: [21, { kind: 'int', size: 1, signed: false, name: 'unsigned char' }],
      tagged: [22, { kind: 'int', size: 2, signed: false, encoding: 'char', name: 'wchar' }],
      wide: [24, { kind: 'int', size: 16, signed: true, name: '__int128' }],
      d: [40, { kind: 'float', size: 8, name: 'double' }],
      v: [48, { kind: 'pointer', target: { kind: 'void' } }],
      f: [56, { kind: 'pointer', target: { kind: 'function' } }],
    });
  });

  test('members of unnamed structs and unions are lifted, with summed offsets', () => {
    const b = new BtfBuilder();
    const int = b.int('int', 4, 1);
    const inner = b.struct('', 8, [
      ['x', int, 0],
      ['y', int, 32],
    ]);
    const union = b.struct(
      '',
      8,
      [
        ['', inner, 0],
        ['z', int, 0],
      ],
      true,
    );
    const named = b.struct('', 4, [['deep', int, 0]]);
    b.struct('outer', 24, [
      ['first', int, 0],
      ['', b.alias(10, '', union), 32],
      ['kept', named, 96],
    ]);
    const outer = typesOf(b).struct('outer');
    assert.deepEqual(membersOf(outer), {
      first: [0, INT],
      x: [4, INT],
      y: [8, INT],
      z: [4, INT],
      kept: [
        12,
        { kind: 'inline', layout: { union: false, size: 4, members: new Map([['deep', { offset: 0, type: INT }]]) } },
      ],
    });
    assert.deepEqual([outer?.name, outer?.union, outer?.size], ['outer', false, 24]);
  });

  test('a typedef of an unnamed struct is a struct of that name; modifiers are passed through', () => {
    const b = new BtfBuilder();
    const int = b.int('int', 4, 1);
    const atomic = b.alias(8, 'atomic_t', b.struct('', 4, [['counter', int, 0]]));
    const again = b.alias(8, 'refcount_value', b.alias(9, '', atomic));
    const tagged = b.alias(18, 'user', b.alias(11, '', b.alias(10, '', int)));
    b.struct('s', 24, [
      ['a', again, 0],
      ['p', b.pointer(tagged), 64],
      ['t', b.alias(8, 'pid_t', int), 128],
    ]);
    const state = b.alias(8, 'state_t', b.enum('', 4, [['ON', 1]]));
    b.struct('e', 4, [['state', state, 0]]);
    const types = typesOf(b);
    assert.deepEqual(membersOf(types.struct('atomic_t')), { counter: [0, INT] });
    assert.equal(types.struct('atomic_t')?.name, 'atomic_t');
    assert.deepEqual(types.typedef('atomic_t'), { kind: 'struct', name: 'atomic_t' });
    assert.deepEqual(types.typedef('pid_t'), INT);
    assert.deepEqual(membersOf(types.struct('s')), {
      a: [0, { kind: 'struct', name: 'atomic_t' }],
      p: [8, { kind: 'pointer', target: INT }],
      t: [16, INT],
    });
    assert.deepEqual([...types.structNames()], ['atomic_t', 's', 'e']);
    assert.deepEqual([...types.enumNames()], ['state_t']);
    assert.deepEqual([...types.typedefNames()], ['atomic_t', 'refcount_value', 'pid_t', 'state_t']);
    assert.equal(types.enum('state_t')?.choices.get('1'), 'ON');
    assert.equal(types.struct('int'), undefined);
    assert.equal(types.struct('pid_t'), undefined);
  });

  test('bit fields of both encodings lie in the storage unit of their type', () => {
    const b = new BtfBuilder();
    const u32 = b.int('unsigned int', 4);
    const u8 = b.int('unsigned char', 1);
    const choice = b.enum('choice', 4, [
      ['A', 0],
      ['B', 1],
    ]);
    const three = b.int('unsigned int', 4, 0, 3);
    b.struct('flagged', 12, [
      ['a', u32, 0, 3],
      ['b', u32, 35, 5],
      ['whole', u32, 64, 0],
      ['c', choice, 40, 2],
      ['d', u8, 48, 8],
    ]);
    b.struct('old', 4, [
      ['a', three, 5],
      ['b', three, 8],
    ]);
    // Packed: a field that crosses its type's boundary, and a struct too small for its type.
    b.struct('packed', 8, [['cross', u32, 30, 10]]);
    b.struct('small', 3, [['low', u32, 4, 12]]);
    const types = typesOf(b);
    const base: IntegerType = { kind: 'int', size: 4, signed: false, name: 'unsigned int' };
    const field = (startBit: number, bits: number, of: IntegerType = base): TypeDescriptor => ({
      kind: 'bitfield',
      base: of,
      startBit,
      bits,
    });
    const flagged = membersOf(types.struct('flagged'));
    assert.deepEqual(flagged['a'], [0, field(0, 3)]);
    assert.deepEqual(flagged['b'], [4, field(3, 5)]);
    assert.deepEqual(flagged['whole'], [8, base]);
    assert.deepEqual(flagged['c']?.[0], 4);
    assert.deepEqual(
      { ...(flagged['c']?.[1] as object), base: 0 },
      { kind: 'bitfield', base: 0, startBit: 8, bits: 2 },
    );
    assert.deepEqual(flagged['d'], [6, { kind: 'int', size: 1, signed: false, name: 'unsigned char' }]);
    assert.deepEqual(membersOf(types.struct('old')), { a: [0, field(5, 3)], b: [0, field(8, 3)] });
    assert.deepEqual(membersOf(types.struct('packed')), { cross: [3, field(6, 10, { ...base, size: 2 })] });
    assert.deepEqual(membersOf(types.struct('small')), { low: [0, field(4, 12, { ...base, size: 2 })] });
  });

  test('enumerations: signed, unsigned, 64 bits, of old encoders', () => {
    const b = new BtfBuilder();
    b.enum(
      'signed',
      4,
      [
        ['MINUS', -1],
        ['ZERO', 0],
        ['ALSO_ZERO', 0],
      ],
      true,
    );
    b.enum('unsigned', 4, [['TOP', 0x80000000]]);
    b.enum64('wide', [['BIG', 1n << 63n]]);
    b.enum64('wide_signed', [['LOW', -(1n << 40n)]], true);
    const types = typesOf(b);
    assert.deepEqual(types.enum('signed'), {
      kind: 'enum',
      name: 'signed',
      size: 4,
      signed: true,
      choices: new Map([
        ['-1', 'MINUS'],
        ['0', 'ZERO'],
      ]),
    });
    assert.deepEqual([...(types.enum('unsigned')?.choices ?? [])], [['2147483648', 'TOP']]);
    assert.deepEqual([...(types.enum('wide')?.choices ?? [])], [['9223372036854775808', 'BIG']]);
    assert.deepEqual([...(types.enum('wide_signed')?.choices ?? [])], [['-1099511627776', 'LOW']]);
    const old = new BtfBuilder();
    old.enum('errors', 4, [['FAILED', -5]]);
    assert.deepEqual([...(typesOf(old).enum('errors')?.choices ?? [])], [['-5', 'FAILED']]);
  });

  test('one name, several structs: the first has it, all are listed, others are named by their id', () => {
    const b = new BtfBuilder();
    const int = b.int('int', 4, 1);
    const first = b.struct('console', 4, [['a', int, 0]]);
    const second = b.struct('console', 8, [
      ['a', int, 0],
      ['b', int, 32],
    ]);
    const same = b.struct('console', 4, [['a', int, 0]]);
    b.struct('user', 24, [
      ['x', b.pointer(first), 0],
      ['y', b.pointer(second), 64],
      ['z', b.pointer(same), 128],
    ]);
    const types = typesOf(b);
    assert.equal(types.struct('console')?.size, 4);
    assert.deepEqual(
      types.structs('console').map(({ size }) => size),
      [4, 8, 4],
    );
    const user = membersOf(types.struct('user'));
    const pointerTo = (name: string): TypeDescriptor => ({ kind: 'pointer', target: { kind: 'struct', name } });
    assert.deepEqual(user['x']?.[1], pointerTo('console'));
    assert.deepEqual(user['y']?.[1], pointerTo(`console#${second}`));
    assert.deepEqual(user['z']?.[1], pointerTo('console'), 'the same layout is the same struct');
    assert.equal(types.struct(`console#${second}`)?.members.get('b')?.offset, 4);
    assert.equal(types.struct('console#1'), undefined, 'an integer is no struct');
    assert.equal(types.struct('console#99999'), undefined);
    assert.deepEqual(types.structs('nothing'), []);
  });

  test('forward declarations resolve by name', () => {
    const b = new BtfBuilder();
    const forward = b.type(7, 'mm_struct', 0);
    b.struct('task', 8, [['mm', b.pointer(forward), 0]]);
    b.struct('mm_struct', 16, []);
    const types = typesOf(b);
    assert.deepEqual(types.struct('task')?.members.get('mm')?.type, {
      kind: 'pointer',
      target: { kind: 'struct', name: 'mm_struct' },
    });
    assert.equal(types.struct('mm_struct')?.size, 16);
  });

  test('functions and variables', () => {
    const b = new BtfBuilder();
    const int = b.int('int', 4, 1);
    const prototype = b.type(13, '', int, 2, [b.string('a'), int, b.string('p'), b.pointer(0)]);
    const variadic = b.type(13, '', 0, 2, [b.string('fmt'), int, 0, 0]);
    b.type(12, 'vfs_read', prototype, 1);
    b.type(12, 'printk', variadic, 1);
    const runqueues = b.type(14, 'runqueues', int, 0, [1]);
    b.type(14, 'loose', int, 0, [0]);
    b.type(15, '.data..percpu', 0x1000, 1, [runqueues, 0x340, 4]);
    b.type(17, 'tag', runqueues, 0, [0xffffffff]);
    const types = typesOf(b);
    const pointer: TypeDescriptor = { kind: 'pointer', target: { kind: 'void' } };
    assert.deepEqual(
      [...types.functions()],
      [
        {
          name: 'vfs_read',
          parameters: [
            { name: 'a', type: INT },
            { name: 'p', type: pointer },
          ],
          returns: INT,
          variadic: false,
        },
        { name: 'printk', parameters: [{ name: 'fmt', type: INT }], returns: { kind: 'void' }, variadic: true },
      ],
    );
    assert.deepEqual(
      [...types.variables()],
      [
        { name: 'runqueues', type: INT, section: '.data..percpu', offset: 0x340, size: 4 },
        { name: 'loose', type: INT },
      ],
    );
  });

  test("a module's split BTF stands on its kernel's", () => {
    const kernel = new BtfBuilder();
    const int = kernel.int('int', 4, 1);
    const list = kernel.struct('list_head', 16, [['next', kernel.pointer(3), 0]]);
    const base = typesOf(kernel);
    const module = new BtfBuilder(kernel.extent);
    module.struct('loop_device', 24, [
      ['lo_number', int, 0],
      ['idr_list', list, 64],
      ['own', module.pointer(base.blob.endId + 1), 192],
    ]);
    const types = typesOf(module, base);
    assert.equal(types.typeCount, 2);
    assert.deepEqual(membersOf(types.struct('loop_device')), {
      lo_number: [0, INT],
      idr_list: [8, { kind: 'struct', name: 'list_head' }],
      own: [24, { kind: 'pointer', target: { kind: 'struct', name: 'loop_device' } }],
    });
    assert.equal(types.struct('list_head')?.size, 16);
    assert.deepEqual([...types.structNames()], ['loop_device', 'list_head']);
    assert.equal(base.struct('loop_device'), undefined);
    assert.match(verifyBtf(module.build()) ?? '', /NUL|name|exist/, 'without its base it is not sound');
  });
});

describe('BTF that makes no sense', () => {
  const refuses = (build: (b: BtfBuilder) => void, expected: RegExp, name = 'bad'): void => {
    const b = new BtfBuilder();
    build(b);
    const types = typesOf(b);
    assert.throws(
      () => types.struct(name),
      (error) => error instanceof BtfError && expected.test(error.message),
    );
  };

  test('loops and depths are refused', () => {
    refuses((b) => b.struct('bad', 8, [['x', b.alias(8, 'loop', 1), 0]]), /without end/);
    refuses((b) => b.struct('bad', 8, [['x', b.pointer(1), 0]]), /without end/);
    refuses((b) => b.struct('bad', 8, [['x', b.array(1, 4), 0]]), /without end/);
    refuses((b) => b.struct('bad', 8, [['', b.struct('', 8, [['', 1, 0]]), 0]]), /contains itself/);
    refuses((b) => {
      let id = b.int('int', 4);
      for (let i = 0; i < 1000; i++) id = b.pointer(id);
      b.struct('bad', 8, [['x', id, 0]]);
    }, /without end/);
  });

  test('members that explode are refused', () => {
    refuses((b) => {
      const int = b.int('int', 4, 1);
      let id = b.struct(
        '',
        4,
        Array.from({ length: 2000 }, (_, i): [string, number, number] => [`m${i}`, int, 0]),
      );
      for (let i = 0; i < 3; i++)
        id = b.struct(
          '',
          4,
          Array.from({ length: 2000 }, (): [string, number, number] => ['', id, 0]),
        );
      b.struct('bad', 8, [['', id, 0]]);
    }, /too many members/);
  });

  test('many types of one name, and names without end, take no longer', () => {
    bounded(30_000, manyNames);
  });

  function manyNames(): void {
    const b = new BtfBuilder();
    for (let i = 0; i < 200_000; i++) b.struct('same', 0, []);
    const types = typesOf(b);
    assert.equal(types.struct('same')?.size, 0);
    assert.equal(types.structs('same').length, 200_000);
    assert.deepEqual([...types.structNames()], ['same']);
    const long = new BtfBuilder();
    const int = long.int('n'.repeat(2_000_000), 4);
    // Names that begin in the middle of that one.
    for (let i = 0; i < 50_000; i++) long.alias(8, '', int);
    const blob = long.build();
    for (let i = 1; i <= 50_000; i++) blob.writeUInt32LE(1 + i, 24 + 16 + 12 * (i - 1));
    const lengthy = new BtfTypes(blob);
    assert.equal([...lengthy.typedefNames()].length, 1, 'all are cut to the same name');
    assert.equal(lengthy.typedef('n'), undefined);
  }

  test('impossible sizes and kinds are refused', () => {
    refuses((b) => b.struct('bad', 8, [['x', b.int('int', 3), 0]]), /3 bytes/);
    refuses((b) => b.struct('bad', 8, [['x', b.enum('e', 9, []), 0]]), /9 bytes/);
    refuses((b) => b.struct('bad', 8, [['x', b.type(15, '.data', 0), 0]]), /cannot be the type/);
    refuses((b) => b.struct('bad', 64, [['x', b.pointer(0), 0, 3]]), /no integer/);
    refuses((b) => b.struct('bad', 64, [['x', b.int('int', 4), 1, 200]]), /200 bits/);
  });

  test('blobs that are none say why', () => {
    const b = new BtfBuilder();
    b.int('int', 4);
    b.struct('s', 4, [['m', 1, 0]]);
    const good = b.build();
    assert.equal(verifyBtf(good), undefined);
    const changed = (at: number, value: number): Buffer => {
      const blob = Buffer.from(good);
      blob.writeUInt32LE(value, at);
      return blob;
    };
    const cases: [Buffer, RegExp][] = [
      [Buffer.alloc(0), /too few/],
      [Buffer.alloc(64), /no BTF magic/],
      [good.subarray(0, good.length - 1), /cut short/],
      [changed(4, 20), /header of 20/],
      [changed(12, 0xfffffff0), /too large/],
      [changed(12, 41), /not aligned/],
      [changed(16, 0), /overlap/],
      [changed(20, 0), /no strings/],
      [changed(24, 0xffff), /type 1 has no sound name/],
      [changed(28, 0), /unknown kind 0/],
      [changed(28, 30 << 24), /unknown kind 30/],
      [changed(28, 2 << 24), /kind|end of the type section/],
      [changed(44, (4 << 24) | 7), /does not end/],
      [changed(56, 3), /refers to a type that does not exist/],
      [changed(52, 0xffff), /entry of type 2 has no sound name/],
    ];
    for (const [blob, expected] of cases) {
      assert.match(verifyBtf(blob) ?? 'sound', expected);
    }
    for (const [blob] of cases.slice(0, 8)) assert.throws(() => new BtfTypes(blob), BtfError);
    const strings = Buffer.from(good);
    strings[strings.length - 2] = 7;
    assert.match(verifyBtf(strings) ?? '', /byte 0x7/);
    strings[strings.length - 1] = 65;
    assert.match(verifyBtf(strings) ?? '', /NUL/);
  });
});
