import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from '../../support/property.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { plainName } from '../../../src/symbols/pdb/names.js';
import { readPdb } from '../../../src/symbols/pdb/read.js';
import type { TypeDescriptor } from '../../../src/symbols/types.js';
import { root } from '../../support/root.js';

const folder = join(root, 'test', 'data', 'pdb');
const file = (name: string): Buffer => readFileSync(join(folder, name));

/** What llvm-pdbutil says of a PDB (test/data/pdb/make.sh): members, enumerators and symbols. */
function truth(name: string): { members: Map<string, Map<string, number>>; sizes: Map<string, number>; enums: Map<string, Map<string, string>>; publics: { name: string; segment: number; offset: number; code: boolean }[]; sections: number[]; guid: string } {
  const text = gunzipSync(file(name)).toString('utf8');
  const lists = new Map<string, Map<string, number>>();
  const values = new Map<string, Map<string, string>>();
  const members = new Map<string, Map<string, number>>();
  const enums = new Map<string, Map<string, string>>();
  const sizes = new Map<string, number>();
  for (const record of text.split(/\n(?= {2}0x[0-9A-F]{4} \| )/)) {
    const [, index = '', kind = '', label = ''] = /^ {2}0x([0-9A-F]{4}) \| (\w+) \[size = \d+\](?: `(.*)`)?/.exec(record) ?? [];
    if (kind === 'LF_FIELDLIST') {
      lists.set(index, new Map([...record.matchAll(/LF_MEMBER \[name = `(.*?)`.*offset = (\d+)/g)].map(([, member = '', offset]) => [member, Number(offset)])));
      values.set(index, new Map([...record.matchAll(/LF_ENUMERATE \[(\w+) = (-?\d+)\]/g)].map(([, member = '', value = '']) => [member, value])));
    }
    const list = /field list: 0x([0-9A-F]+)/.exec(record)?.[1] ?? '';
    const known = /unnamed-tag/.test(label) ? `__unnamed_${Number.parseInt(index, 16) - 1}` : label;
    if ((kind === 'LF_STRUCTURE' || kind === 'LF_UNION') && lists.has(list)) {
      members.set(known, lists.get(list) ?? new Map());
      sizes.set(known, Number(/sizeof (\d+)/.exec(record)?.[1]));
    }
    if (kind === 'LF_ENUM') enums.set(known, values.get(list) ?? new Map());
  }
  const publics = [...text.matchAll(/S_PUB32 \[size = \d+\] `(.*)`\n\s+flags = (.*), addr = (\d+):(\d+)/g)].map(([, symbol = '', flags, segment, offset]) => ({ name: symbol, segment: Number(segment), offset: Number(offset), code: flags !== 'none' }));
  const sections = [...text.matchAll(/^\s+([0-9A-F]+) virtual address$/gm)].map(([, address = '']) => Number.parseInt(address, 16));
  return { members, sizes, enums, publics, sections, guid: (/GUID: \{(.*)\}/.exec(text)?.[1] ?? '').replaceAll('-', '') };
}

for (const arch of ['amd64', 'i386'] as const) {
  test(`types, names and places of a PDB for ${arch} are those that llvm-pdbutil prints`, () => {
    const pdb = readPdb(file(`types-${arch}.pdb`), 'types.pdb');
    const stated = truth(`types-${arch}.truth.txt.gz`);
    assert.equal(pdb.identity.guid, stated.guid);
    assert.equal(pdb.metadata.arch, arch === 'amd64' ? 'AMD64' : 'I386');
    assert.ok(stated.members.size >= 4 && stated.publics.length > 10);
    assert.deepEqual([...pdb.types.structNames()].sort(), [...stated.members.keys()].sort());
    for (const [name, members] of stated.members) {
      const layout = pdb.types.struct(name);
      assert.equal(layout?.size, stated.sizes.get(name), name);
      assert.deepEqual(new Map([...(layout?.members ?? [])].map(([member, { offset }]) => [member, offset])), members, name);
    }
    assert.deepEqual([...pdb.types.enumNames()].sort(), [...stated.enums.keys()].sort());
    for (const [name, choices] of stated.enums) {
      // llvm-pdbutil prints negative values of 32 bits without their sign.
      assert.deepEqual(new Map([...(pdb.types.enum(name)?.choices ?? [])].map(([value, label]) => [label, BigInt.asUintN(32, BigInt(value)).toString()])), choices);
    }
    for (const symbol of stated.publics) {
      const name = plainName(symbol.name, arch === 'amd64' ? 64 : 32);
      assert.equal(pdb.constants.get(name), BigInt((stated.sections[symbol.segment - 1] ?? 0) + symbol.offset), symbol.name);
      assert.equal(pdb.constants.kind(name), symbol.code ? 'function' : 'data', name);
    }
  });
}

test('members have the types that the source gives them', () => {
  const { types, constants } = readPdb(file('types-amd64.pdb'), 'types.pdb');
  const process = types.struct('_PROCESS');
  const type = (member: string): TypeDescriptor | undefined => process?.members.get(member)?.type;
  const int = (size: number, signed: boolean) => ({ size, signed });
  const pick = (member: string): unknown => {
    const found = type(member);
    return found?.kind === 'int' ? int(found.size, found.signed) : found;
  };
  assert.deepEqual(pick('PriorityClass'), int(1, false));
  assert.deepEqual(pick('Small'), int(1, true));
  assert.deepEqual(pick('Short'), int(2, true));
  assert.deepEqual(pick('ULong'), int(4, false));
  assert.deepEqual(pick('LongLong'), int(8, true));
  assert.equal((type('Alive') as { encoding?: string }).encoding, 'bool');
  assert.deepEqual(type('Single'), { kind: 'float', size: 4, name: 'float' });
  assert.deepEqual(type('Links'), { kind: 'struct', name: '_LIST_NODE' });
  assert.deepEqual(type('Path'), { kind: 'named', name: 'UnicodeString', args: { length: 32 } });
  assert.deepEqual(type('Object'), { kind: 'pointer', target: { kind: 'void' } });
  assert.deepEqual(type('Callback'), { kind: 'pointer', target: { kind: 'function' } });
  assert.deepEqual(type('Children'), { kind: 'array', count: 4, target: { kind: 'pointer', target: { kind: 'struct', name: '_PROCESS' } } });
  assert.equal((type('Matrix') as { count?: number }).count, 2);
  const bits = (member: string): unknown => {
    const found = type(member);
    return found?.kind === 'bitfield' ? [found.startBit, found.bits, found.base.size] : found;
  };
  assert.deepEqual([bits('Flags'), bits('Exiting'), bits('Rest'), bits('Wide'), bits('WideRest')], [[0, 3, 4], [3, 1, 4], [4, 28, 4], [0, 33, 8], [33, 31, 8]]);
  assert.equal((type('State') as { name?: string }).name, 'STATE');
  assert.deepEqual(constants.type('InitialProcess'), { kind: 'struct', name: '_PROCESS' });
  assert.equal(constants.kind('HiddenCount'), 'data', 'a static variable');
});

test('names lose the decoration of 32-bit calls; strings are named after their text', () => {
  assert.equal(plainName('_IopFreeDCB@4', 32), 'IopFreeDCB');
  assert.equal(plainName('@MiRemoveZeroPage@4', 32), 'MiRemoveZeroPage');
  assert.equal(plainName('_KdDebuggerEnabled', 32), 'KdDebuggerEnabled');
  assert.equal(plainName('__imp__READ_PORT_UCHAR@4', 32), '_imp__READ_PORT_UCHAR');
  assert.equal(plainName('__real@0000000000000000', 32), '_real@0000000000000000');
  assert.equal(plainName('_alloca', 64), '_alloca');
  assert.equal(plainName('?enable@?2??ADD_MAP_REGISTERS@@9@9', 32), '?enable@?2??ADD_MAP_REGISTERS@@9@9');
  assert.equal(plainName('??_C@_0BN@LMLIGAPC@Hello?0?5?2world?2?5?9?5it?8s?7100?$CF?5?$IB?$AA@', 32), "str:Hello,_\\world\\_-_it's_100%_\x81");
  assert.equal(plainName('??_C@_1BE@ECCCNBIJ@?$AAW?$AAi?$AAd?$AAe?$AA?5?$AAt?$AAe?$AAx?$AAt?$AA?$AA@', 64), 'str:Wide_text');
});

test('a damaged PDB gives an error that says what is wrong, or types that are there; never more', () => {
  const good = file('types-amd64.pdb');
  const survive = (bytes: Buffer): void => {
    try {
      const { types, constants } = readPdb(bytes, 'damaged.pdb');
      for (const name of types.structNames()) types.struct(name);
      for (const name of types.enumNames()) types.enum(name);
      for (const [name] of constants.entries()) constants.type(name);
    } catch (error) {
      assert.ok(error instanceof ProfileError, String(error));
    }
  };
  for (const length of [0, 31, 32, 56, 100, 4096, 8192, good.length - 4096]) survive(good.subarray(0, length));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      survive(bytes);
    }),
    { numRuns: 300 },
  );
});
