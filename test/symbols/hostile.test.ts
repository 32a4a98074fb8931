import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from '../support/property.js';
import { orElse } from '../../src/memory/absent.js';
import { BufferSpace } from '../../src/memory/space.js';
import { ArrayView } from '../../src/object/array.js';
import { TypeCompiler } from '../../src/object/compiler.js';
import { memberAt } from '../../src/session/resolver/member-path.js';
import { ProfileError } from '../../src/symbols/error.js';
import { isfProfile } from '../../src/symbols/isf/read.js';
import { type JsonObject, parseJsonObject } from '../../src/symbols/json.js';
import { readRekall } from '../../src/symbols/rekall/read.js';
import { merged } from '../../src/symbols/repository/merge.js';
import type { ProfileSource } from '../../src/symbols/source.js';
import { unpacked } from '../../src/symbols/container.js';
import { pythonDictionaries } from '../../src/symbols/volatility2/python.js';
import { readZipProfile } from '../../src/symbols/volatility2/read.js';
import { bounded } from '../support/effort.js';
import { zipOf } from '../support/zip.js';

/** Milliseconds of the processor for one hostile file. */
const PATIENCE = 5000;

/** Reads what a profile says, and memory through it, as commands would. */
function everything(source: ProfileSource): void {
  const compiler = new TypeCompiler(source.types, 8);
  const space = new BufferSpace(Buffer.alloc(8192), 0x1000n);
  for (const name of source.types.structNames()) {
    const type = orElse(() => compiler.struct(name), undefined);
    const view = type?.at(space, 0x1100n);
    for (const member of type?.members.keys() ?? []) {
      const value = orElse(() => view?.$get(member), undefined);
      if (value instanceof ArrayView && value.length > 0) orElse(() => value.at(value.length - 1), undefined);
    }
    orElse(() => memberAt(compiler, { kind: 'struct', name }, 4), undefined);
  }
  for (const name of source.types.enumNames()) source.types.enum(name);
  for (const [name] of source.constants.entries()) source.constants.type(name);
}

const inTime = <T>(run: () => T): T => bounded(PATIENCE, run);

const rekall = (json: unknown): ReturnType<typeof readRekall> => {
  const profile = readRekall(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)), 'hostile.json');
  inTime(() => everything(profile));
  return profile;
};
const isf = (types: Record<string, unknown>, more: Record<string, unknown> = {}): ProfileSource => {
  const json = { metadata: { format: '6.2.0', windows: { pdb: { GUID: '1'.repeat(32), age: 1, database: 'x.pdb', machine_type: 34404 } } }, base_types: { int: { size: 4, signed: true, kind: 'int', endian: 'little' }, pointer: { size: 8, signed: false, kind: 'int', endian: 'little' } }, user_types: types, enums: {}, symbols: {}, ...more };
  const profile = isfProfile(parseJsonObject(Buffer.from(JSON.stringify(json)), 'hostile.json'), 'hostile.json');
  inTime(() => everything(profile));
  return profile;
};

test('Rekall JSON: a struct in itself, arrays of 2^40, places below zero, types without end', () => {
  const { types } = rekall({
    $METADATA: { ProfileClass: 'Nt', arch: 'AMD64' },
    $STRUCTS: {
      Self: [16, { inner: [0, ['Self']], next: [8, ['Pointer', { target: 'Self' }]] }],
      A: [8, { b: [0, ['B']] }],
      B: [8, { a: [0, ['A']] }],
      Huge: [8, { many: [0, ['Array', { count: 2 ** 40, target: 'unsigned char' }]], wide: [0, ['Array', { count: 0xffffffff, target: 'Array', target_args: { count: 0xffffffff, target: 'Huge' } }]], text: [0, ['String', { length: 2 ** 40 }]] }],
      Below: [8, { before: [-16, ['unsigned int']], far: [-(2 ** 50), ['unsigned int']], behind: [2 ** 50, ['unsigned int']] }],
      Size: [2 ** 53, {}],
      Odd: ['x', { a: 'b', c: [0], d: [0, []], e: [0, [[['int']]]], f: [1.5, ['int']], g: [null, ['int']], h: [0, ['BitField', { start_bit: 7, end_bit: 3 }]], i: [0, ['Enumeration', { target: 'Enumeration', target_args: { target: 'String' }, choices: [] }]] }],
      List: [[], [[]]],
    },
  });
  assert.equal(types.struct('Below')?.members.get('before')?.offset, -16);
  assert.deepEqual(types.struct('Huge')?.members.get('many')?.type, { kind: 'array', count: 0, target: { kind: 'int', size: 1, signed: false, name: 'unsigned char' } });
  let nested: unknown = ['int'];
  for (let depth = 0; depth < 1000; depth++) nested = ['pointer', nested];
  rekall({ $STRUCTS: { Deep: [8, { p: [0, nested] }] } });
  assert.throws(() => rekall(`{"$STRUCTS": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`), ProfileError);
});

test('Rekall JSON: unnamed structs that hold each other many times over are bounded', () => {
  const structs: Record<string, unknown> = {};
  for (let level = 0; level < 8; level++) structs[`__unnamed_${level}`] = [8, Object.fromEntries([[`m${level}`, [0, ['int']]], ...Array.from({ length: 30 }, (_, index) => [`u${index}`, [0, [`__unnamed_${level + 1}`]]])])];
  structs['S'] = [8, { u1: [0, ['__unnamed_0']] }];
  const { types } = rekall({ $METADATA: { ProfileClass: 'Nt' }, $STRUCTS: structs });
  assert.ok(types.struct('S')?.members.has('m0'));
});

test('names of JavaScript are names like any other, in every kind of profile', async () => {
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort());
  const text = `{"$METADATA": {"ProfileClass": "Nt", "arch": "AMD64", "__proto__": {"os": "linux"}}, "__proto__": {"$STRUCTS": {"Evil": [4, {}]}},
    "$STRUCTS": {"__proto__": [8, {"__proto__": [0, ["int"]], "constructor": [4, ["int"]], "hasOwnProperty": [0, ["Array", {"__proto__": {"count": 7}, "target": "int"}]]}], "toString": [4, {"then": [0, ["int"]]}]},
    "$ENUMS": {"__proto__": {"1": "one"}, "constructor": {"__proto__": "x", "2": "two"}}, "$REVENUMS": {"__proto__": {"__proto__": 3}},
    "$CONSTANTS": {"__proto__": 5, "constructor": 6}, "$FUNCTIONS": {"valueOf": 7}, "$CONSTANT_TYPES": {"__proto__": ["int"]}}`;
  const profile = rekall(text);
  assert.deepEqual([profile.constants.get('__proto__'), profile.constants.get('constructor'), profile.constants.get('valueOf'), profile.constants.get('toString')], [5n, 6n, 7n, undefined]);
  assert.deepEqual([...(profile.types.struct('__proto__')?.members.keys() ?? [])].sort(), ['__proto__', 'constructor', 'hasOwnProperty']);
  assert.equal((profile.types.struct('__proto__')?.members.get('hasOwnProperty')?.type as { count: number }).count, 0, 'no argument comes from a prototype');
  assert.equal(profile.types.struct('Evil'), undefined);
  assert.equal(profile.metadata.os, 'windows');
  const json = parseJsonObject(Buffer.from(text), 'x');
  const whole = merged(json, [json]);
  assert.ok(Object.hasOwn(whole['$STRUCTS'] as JsonObject, '__proto__') && Object.getPrototypeOf(whole) === Object.prototype);
  isf(JSON.parse('{"__proto__": {"size": 4, "kind": "struct", "fields": {"__proto__": {"offset": 0, "type": {"kind": "base", "name": "int"}}}}}') as Record<string, unknown>, JSON.parse('{"symbols": {"__proto__": {"address": 4096}}, "enums": {"constructor": {"size": 4, "base": "int", "constants": {"__proto__": 1}}}}') as Record<string, unknown>);
  const vtypes = `mac_types = {'__proto__': [8, {'__proto__': [0, ['int']]}], 'constructor': [4, {}]}`;
  assert.ok(Object.hasOwn(pythonDictionaries(vtypes, 'x').get('mac_types') as JsonObject, '__proto__'));
  await assert.rejects(readZipProfile(zipOf({ '__proto__': 'x', '../../etc/passwd': 'y' }), 'x.zip'), ProfileError);
  assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort()), before);
});

test('symbol files: structs in themselves, in each other without end, counts and places that cannot be', () => {
  const member = (type: unknown, offset = 0, anonymous = false): unknown => ({ offset, type, ...(anonymous ? { anonymous } : {}) });
  const levels = Object.fromEntries(Array.from({ length: 16 }, (_, level) => [`L${level}`, { size: 8, kind: 'struct', fields: Object.fromEntries([[`m${level}`, member({ kind: 'base', name: 'int' })], ...Array.from({ length: 20 }, (__, index) => [`unnamed_${index}`, member({ kind: 'struct', name: `L${level + 1}` }, 0, true)])]) }]));
  const { types } = isf({
    Self: { size: 8, kind: 'struct', fields: { inner: member({ kind: 'struct', name: 'Self' }), same: member({ kind: 'struct', name: 'Self' }, 0, true) } },
    Huge: { size: 2 ** 60, kind: 'union', fields: { many: member({ kind: 'array', count: 2 ** 40, subtype: { kind: 'base', name: 'int' } }), below: member({ kind: 'base', name: 'int' }, -(2 ** 40)), bits: member({ kind: 'bitfield', bit_position: 200, bit_length: 900, type: { kind: 'base', name: 'int' } }) } },
    Odd: { size: 'x', kind: 5, fields: { a: 1, b: null, c: [], d: member(null), e: member({ kind: 'pointer' }), f: member({ kind: 'array' }) } },
    NoFields: 7,
    ...levels,
  });
  assert.ok(types.struct('L0')?.members.has('m0'));
  assert.ok(types.struct('Self'));
});

test('Volatility 2: brackets without end, dictionaries that are none, members that claim more than there is', async () => {
  for (const text of [`x = ${'{'.repeat(100_000)}`, `x = {${"'a':[".repeat(50_000)}${']'.repeat(50_000)}}`, `x = {'a': __import__('os').system('id')}`, "x = {'a' 'b'}"]) {
    assert.throws(
      () => inTime(() => pythonDictionaries(text, 'x')),
      (error) => error instanceof ProfileError,
      text.slice(0, 30),
    );
  }
  const bomb = zipOf({ 'module.dwarf': Buffer.alloc(50_000_000), 'System.map': 'ffffffff81000000 T _text\n' });
  await assert.rejects(readZipProfile(bomb, 'x.zip'), ProfileError);
});

test('what unpacks to more than a profile can be is not unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(501 * 1024 * 1024), { level: 1 });
  await assert.rejects(unpacked(bomb, 'x.gz'), /no profile is that large/);
});

test('Rekall JSON of chance: an error of ours or a profile', () => {
  const leaf = fc.oneof(fc.constantFrom('int', 'Pointer', 'Array', 'BitField', 'Enumeration', 'String', 'Flags', 'S', 'pointer', 'array', '__proto__', ''), fc.integer(), fc.double(), fc.constant(null), fc.boolean());
  const value = fc.letrec((tie) => ({ any: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('any'), { maxLength: 4 }), fc.dictionary(fc.constantFrom('target', 'target_args', 'count', 'start_bit', 'end_bit', 'choices', 'length', 'S', 'a', '1', '__proto__'), tie('any'), { maxKeys: 4 })) })).any;
  const sections = fc.dictionary(fc.constantFrom('$METADATA', '$STRUCTS', '$ENUMS', '$REVENUMS', '$CONSTANTS', '$FUNCTIONS', '$CONSTANT_TYPES', '$MERGE', '$CONFIG', '$INDEX', '$INVENTORY'), value, { minKeys: 1 });
  fc.assert(
    fc.property(sections, fc.dictionary(fc.constantFrom('S', 'T', '__unnamed_1'), fc.tuple(value, fc.dictionary(fc.constantFrom('a', 'u1', 'u2'), fc.tuple(value, value)))), (json, structs) => {
      for (const whole of [json, { ...json, $STRUCTS: structs }]) {
        try {
          rekall(whole);
        } catch (error) {
          assert.ok(error instanceof ProfileError, String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});
