import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProfileError } from '../../../src/symbols/error.js';
import { readIsf } from '../../../src/symbols/isf/read.js';
import { sizeOfType } from '../../../src/symbols/native.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import { labFile, sharedData } from '../../support/shared.js';

const BASE = {
  int: { size: 4, signed: true, kind: 'int', endian: 'little' },
  'unsigned int': { size: 4, signed: false, kind: 'int', endian: 'little' },
  char: { size: 1, signed: true, kind: 'char', endian: 'little' },
  pointer: { size: 8, signed: false, kind: 'int', endian: 'little' },
  void: { size: 0, signed: false, kind: 'void', endian: 'little' },
};

const read = (isf: unknown) => readIsf(Buffer.from(JSON.stringify(isf)), 'test.json');

test('structs, unnamed members, bit fields, enumerations, symbols', () => {
  const source = read({
    metadata: { format: '6.2.0', linux: {} },
    base_types: BASE,
    enums: { e: { size: 4, base: 'unsigned int', constants: { A: 0, B: 1, ALSO_B: 1 } } },
    user_types: {
      s: {
        kind: 'struct',
        size: 32,
        fields: {
          z: { offset: 0, type: { kind: 'pointer', subtype: { kind: 'struct', name: 's' } } },
          unnamed_field_8: { offset: 8, anonymous: true, type: { kind: 'union', name: 'unnamed_1' } },
          a: { offset: 16, type: { kind: 'bitfield', bit_position: 3, bit_length: 2, type: { kind: 'base', name: 'int' } } },
          e: { offset: 20, type: { kind: 'enum', name: 'e' } },
          flexible: { offset: 24, type: { kind: 'array', count: 0, subtype: { kind: 'base', name: 'char' } } },
        },
      },
      unnamed_1: { kind: 'union', size: 8, fields: { x: { offset: 0, type: { kind: 'base', name: 'int' } }, y: { offset: 4, type: { kind: 'base', name: 'int' } } } },
      empty: { kind: 'struct', size: 0, fields: null },
      round: { kind: 'struct', size: 8, fields: { u: { offset: 0, anonymous: true, type: { kind: 'struct', name: 'round' } } } },
    },
    symbols: {
      init_task: { address: 1, type: { kind: 'struct', name: 's' } },
      schedule: { address: 2, type: { kind: 'function' } },
      untyped: { address: 3, type: { kind: 'base', name: 'void' } },
      linux_banner: { address: 4, constant_data: Buffer.from('Linux version 6.1.0 (x)\n\0').toString('base64') },
    },
  });
  const layout = source.types.struct('s');
  assert.deepEqual(
    [...(layout?.members ?? [])].map(([name, { offset, type }]) => [name, offset, type.kind]),
    [
      ['z', 0, 'pointer'],
      ['x', 8, 'int'],
      ['y', 12, 'int'],
      ['a', 16, 'bitfield'],
      ['e', 20, 'enum'],
      ['flexible', 24, 'array'],
    ],
  );
  assert.deepEqual(source.types.enum('e')?.choices, new Map([['0', 'A'], ['1', 'B']]));
  assert.equal(source.types.enum('e')?.signed, false);
  assert.equal(source.types.struct('unnamed_1')?.union, true);
  assert.equal(source.types.struct('empty')?.members.size, 0);
  assert.equal(source.types.struct('round')?.members.size, 0);
  assert.deepEqual(source.constants.type('init_task'), { kind: 'struct', name: 's' });
  assert.equal(source.constants.kind('schedule'), 'function');
  assert.equal(source.constants.type('untyped'), undefined);
  assert.equal(source.metadata.os, 'linux');
  assert.equal(source.metadata.arch, 'AMD64');
  assert.equal(source.metadata.banner, 'Linux version 6.1.0 (x)\n');
});

test('a file without user_types is refused', () => {
  assert.throws(() => read({ base_types: BASE }), ProfileError);
  assert.throws(() => read({ base_types: [], user_types: {} }), ProfileError);
});

const windows = sharedData('windows', 'isf');
const newer = sharedData('profiles-newer', 'v1.0', 'nt', 'GUID', 'DCA4AD4BEEB4746D48F84C0125019E431.gz');

/** Differences in sizes, members, offsets, member sizes and bit positions of the structs that both have. */
function compare(ours: ProfileSource, theirs: ProfileSource): { structs: number; members: number; differences: string[] } {
  const differences: string[] = [];
  let structs = 0;
  let members = 0;
  for (const name of theirs.types.structNames()) {
    // Unnamed ones are numbered by each producer on its own; this Rekall profile has them all under one name.
    if (/unnamed|anonymous/.test(name)) continue;
    const a = ours.types.struct(name);
    const b = theirs.types.struct(name);
    if (!b) continue;
    structs++;
    if (a?.size !== b.size) differences.push(`${name}: ${a?.size} and ${b.size} bytes`);
    for (const [member, { offset, type }] of b.members) {
      members++;
      const mine = a?.members.get(member);
      if (mine?.offset !== offset) differences.push(`${name}.${member}: at ${mine?.offset} and ${offset}`);
      if (mine?.type.kind === 'bitfield' || type.kind === 'bitfield') {
        const [x, y] = [mine?.type, type].map((t) => (t?.kind === 'bitfield' ? `${t.startBit}+${t.bits}` : t?.kind));
        if (x !== y) differences.push(`${name}.${member}: bits ${x} and ${y}`);
      } else if (mine && type.kind !== 'named' && !/anonymous/.test(JSON.stringify(type, (_key, value) => (value instanceof Map ? null : value)))) {
        const [x, y] = ([[ours, mine.type], [theirs, type]] as const).map(([source, t]) => sizeOfType(t, 8, (n) => source.types.struct(n)?.size));
        if (x !== y) differences.push(`${name}.${member}: ${x} and ${y} bytes`);
      }
    }
  }
  return { structs, members, differences };
}

test('Windows 10 18362: the symbol file and the Rekall profile of the same GUID agree', { skip: windows.skip || newer.skip }, async () => {
  const isf = await openProfileFile(join(windows.path, 'ntkrnlmp.pdb', 'DCA4AD4BEEB4746D48F84C0125019E43-1.json.xz'));
  const rekall = await openProfileFile(newer.path);
  assert.equal(isf.metadata['GUID_AGE'], 'DCA4AD4BEEB4746D48F84C0125019E431');
  const { structs, members, differences } = compare(isf, rekall);
  assert.deepEqual(differences, []);
  assert.ok(structs > 1000 && members > 10_000, `${structs} structs, ${members} members`);
  assert.equal(isf.constants.get('PsActiveProcessHead'), rekall.constants.get('PsActiveProcessHead'));
});

test('every Windows symbol file loads', { skip: windows.skip }, async () => {
  const files = (readdirSync(windows.path, { recursive: true }) as string[]).filter((name) => name.endsWith('.xz'));
  for (const file of files) {
    const source = await openProfileFile(join(windows.path, file));
    assert.equal(source.metadata.os, 'windows');
    for (const name of source.types.structNames()) assert.ok(source.types.struct(name), `${file} ${name}`);
    assert.ok(source.constants.size > 0);
  }
  assert.ok(files.length >= 12);
});

const symbols = labFile('symbols', 'cloud-6.1');

test('a Linux symbol file made by dwarf2json', { skip: symbols.skip }, async () => {
  const file = readdirSync(symbols.path).find((name) => name.endsWith('.json.xz')) ?? '';
  const source = await openProfileFile(join(symbols.path, file));
  assert.match(source.metadata.banner ?? '', /^Linux version 6\.1\.0-\d+-cloud-amd64/);
  assert.deepEqual([source.metadata.os, source.metadata.arch], ['linux', 'AMD64']);
  assert.deepEqual(source.constants.type('init_task'), { kind: 'struct', name: 'task_struct' });
  assert.ok((source.types.struct('page')?.members.get('mapping')?.offset ?? 0) > 0);
});
