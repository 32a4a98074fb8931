import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { orElse } from '../../../src/memory/absent.js';
import { TypeCompiler } from '../../../src/object/compiler.js';
import { memberAt } from '../../../src/session/resolver/member-path.js';
import { profileParts } from '../../../src/symbols/convert.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { readPdb } from '../../../src/symbols/pdb/read.js';
import { rekallProfileText } from '../../../src/symbols/rekall/write.js';
import { bounded } from '../../support/effort.js';
import { buildInfo, fakePdb, field, type FakePdb, id, procedure, publicSymbol, record, u32 } from '../../support/pdb.js';
import { root } from '../../support/root.js';

/** T_ULONG, T_64PVOID */
const [ULONG, VOID_POINTER] = [0x22, 0x603];
/** Milliseconds of the processor that one hostile file may take: all of them together would not be missed. */
const PATIENCE = 5000;

/** Reads all that a PDB says, as a command that writes it would. */
function everything(bytes: Buffer): ReturnType<typeof readPdb> {
  const pdb = readPdb(bytes, 'hostile.pdb');
  const compiler = new TypeCompiler(pdb.types, 8);
  for (const name of pdb.types.structNames()) {
    const type = compiler.struct(name);
    // A member may be of a struct that the file does not have.
    for (const member of type.members.keys()) assert.ok(orElse(() => type.value(member).size, 0) >= 0);
    orElse(() => memberAt(compiler, { kind: 'struct', name }, 4), undefined);
  }
  for (const name of pdb.types.enumNames()) pdb.types.enum(name);
  for (const name of pdb.types.structNames()) pdb.types.declaration?.(name);
  for (const [name, offset] of pdb.constants.entries()) {
    pdb.constants.type(name);
    pdb.line?.(Number(offset) + 1);
  }
  pdb.making();
  pdb.notes();
  return pdb;
}

const inTime = <T>(run: () => T): T => bounded(PATIENCE, run);

const read = (pdb: FakePdb): ReturnType<typeof readPdb> => inTime(() => everything(fakePdb(pdb)));

test('what we write as a PDB is one: members, labels, symbols', () => {
  const { types, constants, identity } = read({
    types: [record.fields(field.member('a', ULONG, 0), field.member('next', 0x1002, 8)), record.struct('S', 0x1000, 16), record.pointer(0x1001), record.fields(field.label('One', 1), field.label('Two', 2)), record.enumeration('E', ULONG, 0x1003)],
    symbols: [publicSymbol('Entry', 0x20)],
  });
  assert.equal(identity.guid, '11'.repeat(16));
  assert.deepEqual([...(types.struct('S')?.members ?? [])].map(([name, { offset, type }]) => [name, offset, type.kind]), [['a', 0, 'int'], ['next', 8, 'pointer']]);
  assert.deepEqual([...(types.enum('E')?.choices ?? [])], [['1', 'One'], ['2', 'Two']]);
  assert.equal(constants.get('Entry'), 0x1020n);
});

test('types that go round in circles end: modifiers, pointers, arrays, bit fields, field lists, bases', () => {
  const circles: readonly (readonly Buffer[])[] = [
    [record.modifier(0x1001), record.modifier(0x1000)],
    [record.pointer(0x1000)],
    [record.array(0x1000, 64)],
    [record.bits(0x1000, 3, 0)],
    [record.enumeration('E', 0x1000, 0x1000)],
    [record.fields(field.member('x', ULONG, 0), field.more(0x1000))],
    [record.fields(field.base(0x1001, 0)), record.struct('B', 0x1000, 8)],
  ];
  for (const [index, circle] of circles.entries()) {
    const first = 0x1000 + circle.length;
    const { types } = read({ types: [...circle, record.fields(field.member('m', 0x1000, 0), field.member('n', 0x1000 + circle.length - 1, 8)), record.struct('S', first, 16)] });
    assert.ok(types.struct('S')?.members.has('n'), `circle ${index}`);
  }
  // A struct that holds itself in place, and two that hold each other.
  const { types } = read({ types: [record.fields(field.member('self', 0x1001, 0)), record.struct('S', 0x1000, 16), record.fields(field.member('b', 0x1005, 0)), record.struct('A', 0x1002, 8), record.fields(field.member('a', 0x1003, 0)), record.struct('B', 0x1004, 8)] });
  assert.deepEqual(types.struct('S')?.members.get('self')?.type, { kind: 'struct', name: 'S' });
});

test('bases of bases, many times over, are bounded', () => {
  const levels = 40;
  const types = Array.from({ length: levels }, (_, level) => {
    const below = 0x1000 + level * 2 - 1;
    const own = field.member(`m${level}`, ULONG, 4);
    const bases = level === 0 ? [] : Array.from({ length: 50 }, () => field.base(below, 0));
    return [record.fields(own, ...bases), record.struct(`C${level}`, 0x1000 + level * 2, 64)];
  }).flat();
  const { types: found } = read({ types });
  assert.equal(found.struct('C1')?.members.size, 2);
  assert.ok((found.struct(`C${levels - 1}`)?.members.size ?? 0) <= levels);
});

test('an enumeration that ten thousand members are of is read once; a million names that are the same one are numbered', () => {
  const labels = record.fields(...Array.from({ length: 3000 }, (_, value) => field.label(`L${value}`, value)));
  const members = (from: number): Buffer => record.fields(...Array.from({ length: 2000 }, (_, index) => field.member(`m${from + index}`, 0x1001, (index * 4) & 0x7fff)));
  const { types } = read({ types: [labels, record.enumeration('E', ULONG, 0x1000), ...Array.from({ length: 5 }, (_, index) => [members(index * 2000), record.struct(`S${index}`, 0x1002 + index * 2, 8000)]).flat()] });
  assert.equal(types.struct('S4')?.members.size, 2000);
  const { constants } = read({ types: [], symbols: Array.from({ length: 200_000 }, (_, index) => publicSymbol('f', index * 4)) });
  assert.equal(constants.get('f_199999'), 0x1000n + 199_999n * 4n);
});

test('sizes, counts and places that cannot be', () => {
  const huge = [
    [record.array(ULONG, 0xffffffff), record.fields(field.member('a', 0x1000, 0)), record.struct('S', 0x1001, 0x7fff)],
    [record.array(0x1001, 0xffffffff), record.array(0x1000, 0xffffffff), record.fields(field.member('a', 0x1000, 0)), record.struct('S', 0x1002, 8)],
    [record.bits(ULONG, 255, 255), record.bits(ULONG, 0, 0), record.fields(field.member('a', 0x1000, 0), field.member('b', 0x1001, 0)), record.struct('S', 0x1002, 8)],
    [record.fields(field.member('__proto__', ULONG, 0), field.member('constructor', ULONG, 4), field.member('then', ULONG, 8)), record.struct('__proto__', 0x1000, 16), record.struct('S', 0x1000, 16)],
  ];
  for (const types of huge) assert.ok(read({ types }).types.struct('S'));
  assert.equal(({} as Record<string, unknown>)['constructor'], Object);
  // A field list whose constants' values are numbers of no form.
  assert.throws(() => read({ types: [record.fields(Buffer.concat([Buffer.from([0x0d, 0x15, 3, 0]), u32(ULONG), Buffer.from([0xff, 0xff])])), record.struct('S', 0x1000, 8)] }), ProfileError);
});

test('functions that name an id have the type of that id, and their module makes them symbols', () => {
  const types = [record.parameters(ULONG, VOID_POINTER), record.procedure(ULONG, 0x1000, 2)];
  const ids = [id.functionOf(0x1001), id.method(0x1000, 0x1001), id.text('D:\\src', 0), id.text(' /GS', 0x1004), id.list(0x1005), id.text('cl /c', 0), id.build(0x1002, 0x1002, 0, 0, 0x1003)];
  const { constants, making, notes } = read({ types, ids, modules: [[procedure('first', 0x10, { id: 0x1000 }), procedure('second', 0x20, { id: 0x1001 })], [procedure('third', 0x30, { type: 0x1001 }), buildInfo(0x1006)]] });
  assert.deepEqual([...constants.entries()], [['first', 0x1010n], ['second', 0x1020n], ['third', 0x1030n]]);
  for (const name of ['first', 'second', 'third']) {
    const type = constants.type(name);
    assert.deepEqual(type?.kind === 'function' && type.signature?.parameters.map(({ kind }) => kind), ['int', 'pointer'], name);
  }
  assert.deepEqual(making().builds, [{ folder: 'D:\\src', tool: 'D:\\src', source: '', pdb: '', command: 'cl /c /GS' }]);
  assert.deepEqual(notes(), []);
});

test('ids that go round in circles, lead nowhere, or are many', () => {
  const functionOf = (index: number): readonly Buffer[] => [procedure('f', 0, { id: index })];
  const nowhere: readonly (readonly Buffer[])[] = [
    [id.text('x', 0x1001), id.list(0x1000, 0x1000), id.build(0x1000, 0x1001, 0x1002, 0xffffffff, 5)],
    [id.functionOf(0x1000), id.functionOf(0xffffffff)],
    [id.build(...Array.from({ length: 100 }, () => 0x1000))],
    // A list of more than it has, ids of a few bytes, a function without a type.
    [Buffer.concat([id.list(), u32(0)]).fill(0xff, 2, 6), Buffer.from([0x01, 0x16]), Buffer.from([0x05, 0x16, 0, 0]), Buffer.from([0x03, 0x16])],
  ];
  for (const ids of nowhere) {
    for (let index = 0; index < ids.length; index++) read({ types: [], ids, modules: [[...functionOf(0x1000 + index), buildInfo(0x1000 + index)]] });
  }
  // Each text stands for a hundred of the one below it, ten levels deep.
  const levels = Array.from({ length: 10 }, (_, level) => [id.list(...Array.from({ length: 100 }, () => 0x1000 + level * 2 - 1)), id.text('x', 0x1000 + level * 2)]).flat();
  const { making } = read({ types: [], ids: [...levels, ...Array.from({ length: 1000 }, () => id.build(0x1013))], modules: [Array.from({ length: 1000 }, (_, index) => buildInfo(0x1014 + index))] });
  assert.ok(making().builds.every(({ folder }) => folder.length <= 1 << 15));
  assert.ok(making().builds.length <= 16);
});

test('a stream that thousands of modules name is read once; a module that is cut off costs only itself', () => {
  const own = Array.from({ length: 5000 }, (_, index) => procedure(`f${index}`, index * 16, { type: 0x1000 }));
  const { constants } = read({ types: [record.procedure(ULONG, 0x1000, 0)], modules: [own, ...Array.from({ length: 5000 }, () => 0)] });
  assert.equal(constants.size, 5000);
  const cut = procedure('cut', 0x20, { type: 0x1000 }).subarray(0, 12);
  const damaged = read({ types: [], modules: [[procedure('before', 0x10, { type: 0x1000 }), cut, procedure('behind', 0x30, { type: 0x1000 })], [procedure('next', 0x40, { type: 0x1000 })]] });
  assert.deepEqual([...damaged.constants.entries()].map(([name]) => name), ['before', 'next']);
  assert.match(damaged.notes().join(), /module0\.obj ends in the middle of a record/);
});

test('functions of many parameters, of themselves, of lists that are none', () => {
  const many = record.parameters(...Array.from({ length: 10_000 }, () => 0x1002));
  const types = [many, record.procedure(0x1001, 0x1000, 10_000), record.pointer(0x1001), record.procedure(0xffffffff, 0x1001, 3)];
  const { constants } = read({ types, modules: [[...Array.from({ length: 5000 }, (_, index) => procedure(`f${index}`, index * 16, { type: 0x1001 })), procedure('g', 8, { type: 0x1003 })]] });
  const type = constants.type('f4999');
  assert.ok(type?.kind === 'function' && type.signature && type.signature.parameters.length <= 64);
  assert.deepEqual(type.signature.parameters[0], { kind: 'pointer', target: { kind: 'function' } });
  assert.deepEqual(constants.type('g'), { kind: 'function', signature: { returns: { kind: 'void' }, parameters: [], variadic: false } });
});

test('kinds of records that are not read are named once', () => {
  const matrix = Buffer.from([0x1c, 0x15, 0, 0, 0, 0]);
  const { notes } = read({ types: [matrix, matrix, record.fields(field.member('a', ULONG, 0), Buffer.from([0x77, 0x17, 0, 0])), record.struct('S', 0x1002, 8)] });
  assert.deepEqual(notes(), ['LF_MATRIX is not read: 2 records passed over.', 'kind 0x1777 is not read: 1 record passed over.']);
});

test('hundred mutations of headers, directories and records of real PDBs: an error of ours, or what is there', () => {
  for (const name of ['types-amd64.pdb', 'program-i386.pdb']) {
    const good = readFileSync(join(root, 'test/data/pdb', name));
    const numbers = fc.constantFrom(0, 1, 0x7f, 0xff, 0x100, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length / 4 - 1), numbers), { minLength: 1, maxLength: 6 }), fc.option(fc.nat(good.length), { freq: 4 }), (changes, cut) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes.writeUInt32LE(value, at * 4);
        try {
          inTime(() => everything(cut === null ? bytes : bytes.subarray(0, cut)));
        } catch (error) {
          assert.ok(error instanceof ProfileError && error.message.length < 2000, String(error));
        }
      }),
      { numRuns: 100 },
    );
  }
});

test('what was read of a hostile PDB can be written as a profile', () => {
  const { types, constants, metadata } = read({ types: [record.fields(field.member('self', 0x1001, 0), field.member('p', VOID_POINTER, 8)), record.struct('S', 0x1000, 16)], symbols: [publicSymbol('__proto__', 4), publicSymbol('a"b\n', 8)] });
  const text = [...rekallProfileText(profileParts({ types, constants, metadata }))].join('');
  const json = JSON.parse(text) as { $FUNCTIONS: Record<string, number> };
  assert.deepEqual(Object.entries(json.$FUNCTIONS).sort(), [['__proto__', 0x1004], ['a"b\n', 0x1008]].sort());
});
