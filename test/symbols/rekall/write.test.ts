import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { findBtf, readBtf } from '../../../src/symbols/btf/find.js';
import { BtfTypes } from '../../../src/symbols/btf/types.js';
import { findKallsyms } from '../../../src/symbols/kallsyms/find.js';
import { openKallsyms } from '../../../src/symbols/kallsyms/kallsyms.js';
import { writeProfile } from '../../../src/symbols/rekall/file.js';
import { readRekall } from '../../../src/symbols/rekall/read.js';
import { linkedSymbols, type ProfileParts, rekallProfileText } from '../../../src/symbols/rekall/write.js';
import type { StructLayout, TypeDescriptor, TypeSource } from '../../../src/symbols/types.js';
import { temporary } from '../../support/folder.js';
import { committedSample, skipWithout } from '../../support/sample.js';
import { BtfBuilder } from '../btf/build.js';
import { openPhysical } from '../physical.js';

const METADATA = { os: 'linux', arch: 'AMD64', source: 'test', banner: 'Linux version 6.1.0-test' } as const;

function textOf(parts: ProfileParts): string {
  return [...rekallProfileText(parts)].join('');
}

/** A profile's sections; integers that are not exact in a double are left alone by looking at the text. */
function sections(text: string): Record<string, Record<string, unknown>> {
  return JSON.parse(text) as Record<string, Record<string, unknown>>;
}

function smallTypes(): BtfTypes {
  const b = new BtfBuilder();
  const int = b.int('int', 4, 1);
  const flags = b.int('unsigned long', 8);
  const first = b.struct('slot', 8, [['a', int, 0]]);
  const second = b.struct('slot', 16, [['b', flags, 0]]);
  const mode = b.enum('mode', 4, [
    ['OFF', 0],
    ['ON', 1],
  ]);
  b.enum('mode', 4, [['OTHER', 7]]);
  const unnamed = b.struct('', 4, [['deep', int, 0]]);
  b.struct('all', 96, [
    ['text', b.array(b.int('char', 1, 1), 16), 0],
    ['one', b.pointer(first), 128],
    ['two', b.pointer(second), 192],
    ['mode', mode, 256],
    ['other', mode + 1, 288],
    ['kept', unnamed, 320],
    ['again', unnamed, 352],
    ['nothing', b.pointer(0), 384],
    ['call', b.pointer(b.type(13, '', int, 0)), 448],
    ['yes', b.int('_Bool', 1, 4), 512],
  ]);
  b.struct('bits', 8, [
    ['low', flags, 0, 3],
    ['state', mode, 32, 2],
  ]);
  return new BtfTypes(b.build());
}

test('types in the form of the repository', () => {
  const text = textOf({ types: smallTypes(), constants: [], metadata: METADATA });
  const { $METADATA, $STRUCTS, $ENUMS, $REVENUMS } = sections(text);
  assert.deepEqual($METADATA, { Type: 'Profile', Version: '1.0', ProfileClass: 'Linux64', ...METADATA });
  assert.deepEqual($ENUMS, { mode: { '0': 'OFF', '1': 'ON' } });
  assert.deepEqual($REVENUMS, { mode: { OFF: 0, ON: 1 } });
  assert.deepEqual($STRUCTS?.['all'], [
    96,
    {
      text: [0, ['Array', { target: 'char', count: 16 }]],
      one: [16, ['Pointer', { target: 'slot' }]],
      two: [24, ['Pointer', { target: 'slot#4' }]],
      mode: [32, ['Enumeration', { enum_name: 'mode', target: 'unsigned int' }]],
      other: [36, ['Enumeration', { choices: { '7': 'OTHER' }, target: 'unsigned int' }]],
      kept: [40, ['__unnamed_0']],
      again: [44, ['__unnamed_0']],
      nothing: [48, ['Pointer', { target: 'Void' }]],
      call: [56, ['Pointer', { target: 'Function' }]],
      yes: [64, ['Bool']],
    },
  ]);
  const bits = ($STRUCTS['bits'] as [number, Record<string, unknown>])[1];
  assert.deepEqual(bits['low'], [0, ['BitField', { start_bit: 0, end_bit: 3, target: 'unsigned long long' }]]);
  assert.deepEqual(Object.keys($STRUCTS), ['all', 'bits', 'slot', 'slot#4', '__unnamed_0']);
  assert.deepEqual($STRUCTS['slot#4'], [16, { b: [0, ['unsigned long long']] }]);
});

test('addresses are exact integers; the first of a name stands', () => {
  const constants = [
    ['z_last', 0xffffffff81000001n],
    ['a_first', 5n],
    ['z_last', 1n],
  ] as const;
  const text = textOf({ types: smallTypes(), constants, functions: [['f', 0xffffffffffffffffn]], metadata: METADATA });
  assert.match(text, /"\$CONSTANTS": \{\n "a_first": 5,\n "z_last": 18446744071578845185\n\}/);
  assert.match(text, /"f": 18446744073709551615\b/);
});

test('a slide is taken away from what slides', () => {
  const symbols = {
    symbols: () => [
      { name: 'percpu', address: 0x1000n, kind: 'A' },
      { name: 'start', address: 0xffffffffa2000000n, kind: 'T' },
      { name: 'data', address: 0xffffffffa3000000n, kind: 'd' },
    ],
    address: () => undefined,
    all: () => [],
    nearest: () => undefined,
    size: 3,
  };
  assert.deepEqual(linkedSymbols(symbols, 0x21000000n, 0xffffffff80000000n), {
    constants: [
      ['percpu', 0x1000n],
      ['data', 0xffffffff82000000n],
    ],
    functions: [['start', 0xffffffff81000000n]],
  });
});

test('a file appears whole, compressed where its name says so', async () => {
  const folder = temporary();
  const parts = { types: smallTypes(), constants: [['x', 1n]] as const, metadata: METADATA };
  await writeProfile(join(folder, 'a/profile.json.gz'), parts);
  await writeProfile(join(folder, 'profile.json'), parts);
  assert.equal(gunzipSync(readFileSync(join(folder, 'a/profile.json.gz'))).toString(), textOf(parts));
  assert.equal(readFileSync(join(folder, 'profile.json'), 'utf8'), textOf(parts));
  assert.deepEqual(readdirSync(join(folder, 'a')), ['profile.json.gz']);
});

/** A layout as text, to compare; members in the order of their offsets, unnamed structs in place. */
function shapeOf(types: TypeSource, layout: StructLayout): string {
  const members = [...layout.members].sort(([a, x], [b, y]) => x.offset - y.offset || (a < b ? -1 : 1));
  return `${layout.size}{${members.map(([name, { offset, type }]) => `${name}@${offset} ${typeText(types, type)}`).join(', ')}}`;
}

function typeText(types: TypeSource, type: TypeDescriptor): string {
  switch (type.kind) {
    case 'pointer':
      return `*${typeText(types, type.target)}`;
    case 'array':
      return `[${type.count}]${typeText(types, type.target)}`;
    case 'int':
      // The format does not say whether a char is signed.
      return type.encoding === 'char' ? 'char' : `${type.encoding ?? ''}${type.signed ? 's' : 'u'}${type.size}`;
    case 'enum':
      return `enum${type.size} ${JSON.stringify([...type.choices].sort())}`;
    case 'bitfield':
      return `${type.startBit}+${type.bits} ${typeText(types, type.base)}`;
    case 'inline':
      return shapeOf(types, type.layout);
    case 'struct': {
      const layout = type.name.startsWith('__unnamed_') ? types.struct(type.name) : undefined;
      return layout ? shapeOf(types, layout) : type.name;
    }
    default:
      return JSON.stringify(type);
  }
}

const sample = committedSample();
test(
  "a kernel's profile says what its image says, after writing and reading",
  { skip: skipWithout(sample ? [sample] : []) },
  () => {
    const physical = openPhysical(sample?.image ?? '');
    const found = findBtf(physical).find(({ problem }) => problem === undefined);
    const blob = found && readBtf(physical, found);
    const tables = [...findKallsyms(physical)][0];
    assert.ok(blob && tables);
    const types = new BtfTypes(blob);
    const symbols = openKallsyms(physical, tables);
    const text = textOf({ types, ...linkedSymbols(symbols, 0n, 0n), metadata: METADATA });
    const profile = readRekall(Buffer.from(text), 'profile.json');
    let compared = 0;
    for (const name of types.structNames()) {
      const [ours, read] = [types.struct(name), profile.types.struct(name)];
      assert.ok(ours && read, name);
      assert.equal(shapeOf(profile.types, read), shapeOf(types, ours), name);
      compared++;
    }
    assert.ok(compared > 7000);
    for (const { name } of symbols.symbols()) assert.equal(profile.constants.get(name), symbols.address(name), name);
    assert.equal(profile.metadata.banner, METADATA.banner);
    physical.close();
  },
);
