import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { orElse } from '../../../src/memory/absent.js';
import { TypeCompiler } from '../../../src/object/compiler.js';
import { memberAt } from '../../../src/session/resolver/member-path.js';
import { profileParts } from '../../../src/symbols/convert.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { readPdb } from '../../../src/symbols/pdb/read.js';
import { rekallProfileText } from '../../../src/symbols/rekall/write.js';
import { bounded } from '../../support/effort.js';
import { fakePdb, field, type FakePdb, publicSymbol, record, u32 } from '../../support/pdb.js';
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
  for (const [name] of pdb.constants.entries()) pdb.constants.type(name);
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

test('hundred mutations of headers, directories and records of real PDBs: an error of ours, or what is there', () => {
  for (const name of ['types-amd64.pdb', 'types-i386.pdb']) {
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
