import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { readRekall } from '../../../src/symbols/rekall/read.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import type { TypeDescriptor } from '../../../src/symbols/types.js';
import { sharedData } from '../../support/shared.js';

const read = (profile: unknown) => readRekall(Buffer.from(JSON.stringify(profile)), 'test.json');

function member(source: ProfileSource, struct: string, name: string): { offset: number; type: TypeDescriptor } {
  const found = source.types.struct(struct)?.members.get(name);
  assert.ok(found, `${struct}.${name}`);
  return found;
}

test('the struct of the seed document, in new and old forms', () => {
  const source = read({
    $METADATA: { ProfileClass: 'Linux64', Type: 'Profile', arch: 'AMD64' },
    $STRUCTS: {
      foobar: [
        24,
        {
          flags: [0, ['Enumeration', { target: 'unsigned int', choices: { '1': 'OPT1', '2': 'OPT2' } }]],
          bar: [4, ['short unsigned int']],
          foo: [8, ['Pointer', { target: 'unsigned char' }]],
          self: [16, ['pointer', ['foobar']]],
          list: [16, ['array', 4, ['unsigned short']]],
          computed: [null, ['int']],
        },
      ],
      holder: [16, { u1: [8, ['__unnamed_1']] }],
      __unnamed_1: [8, { mapping: [0, ['pointer', ['void']]], u1: [4, ['__unnamed_2']] }],
      __unnamed_2: [4, { deep: [0, ['long int']] }],
    },
  });
  const foobar = source.types.struct('foobar');
  assert.deepEqual([...(foobar?.members.keys() ?? [])], ['flags', 'bar', 'foo', 'self', 'list']);
  assert.deepEqual(member(source, 'foobar', 'flags').type, {
    kind: 'enum',
    size: 4,
    signed: false,
    choices: new Map([
      ['1', 'OPT1'],
      ['2', 'OPT2'],
    ]),
  });
  assert.deepEqual(member(source, 'foobar', 'bar').type, { kind: 'int', size: 2, signed: false, name: 'short unsigned int' });
  assert.deepEqual(member(source, 'foobar', 'self').type, { kind: 'pointer', target: { kind: 'struct', name: 'foobar' } });
  assert.deepEqual(member(source, 'foobar', 'list').type, { kind: 'array', count: 4, target: { kind: 'int', size: 2, signed: false, name: 'unsigned short' } });
  // Members without a name in C stand in the struct that holds them.
  assert.equal(member(source, 'holder', 'mapping').offset, 8);
  assert.deepEqual(member(source, 'holder', 'deep'), { offset: 12, type: { kind: 'int', size: 8, signed: true, name: 'long int' } });
  assert.equal(source.types.struct('constructor'), undefined);
});

test('long is a word on Linux and four bytes on Windows', () => {
  const structs = { s: [8, { m: [0, ['unsigned long', {}]] }] };
  const linux = read({ $METADATA: { ProfileClass: 'Linux64' }, $STRUCTS: structs });
  const windows = read({ $METADATA: { ProfileClass: 'Nt', arch: 'AMD64' }, $STRUCTS: structs });
  assert.deepEqual(member(linux, 's', 'm').type, { kind: 'int', size: 8, signed: false, name: 'unsigned long' });
  assert.deepEqual(member(windows, 's', 'm').type, { kind: 'int', size: 4, signed: false, name: 'unsigned long' });
});

test('constants, functions, their types; sections nobody knows are kept', () => {
  const text =
    '{"$METADATA":{"ProfileClass":"Linux64","Type":"Profile"},"$MERGE":["a","b"],"$CONFIG":{"CONFIG_SMP":"y"},"$NEW":[18446744071596802016],' +
    '"$CONSTANTS":{"init_task":18446744071606217280,"MiSystemVaType":3,"__proto__":1},"$FUNCTIONS":{"schedule":18446744071587233952},' +
    '"$CONSTANT_TYPES":{"init_task":["task_struct"],"MiSystemVaType":["Array",{"target":"Enumeration"},{"target_args":{"enum_name":"VA","target":"byte"}}]},' +
    '"$ENUMS":{"VA":{"-1":"None","1":"Paged"}},"$REVENUMS":{"VA":{"Paged":1,"Other":2}}}';
  const source = readRekall(Buffer.from(text), 'test.json');
  assert.equal(source.constants.get('init_task'), 18446744071606217280n);
  assert.equal(source.constants.get('schedule'), 18446744071587233952n);
  assert.equal(source.constants.kind('schedule'), 'function');
  assert.equal(source.constants.kind('init_task'), 'data');
  assert.equal(source.constants.get('toString'), undefined);
  assert.equal(source.constants.get('__proto__'), 1n);
  assert.equal(source.constants.size, 4);
  assert.equal([...source.constants.entries()].length, 4);
  assert.deepEqual(source.constants.type('init_task'), { kind: 'struct', name: 'task_struct' });
  const array = source.constants.type('MiSystemVaType');
  assert.ok(array?.kind === 'array' && array.target.kind === 'enum' && array.target.size === 1);
  assert.deepEqual(Object.fromEntries(source.types.enum('VA')?.choices ?? []), { '-1': 'None', '1': 'Paged', '2': 'Other' });
  assert.deepEqual(source.merge, ['a', 'b']);
  assert.equal(source.metadata.config?.['CONFIG_SMP'], 'y');
  assert.deepEqual(source.section('$NEW'), ['18446744071596802016']);
});

test('hostile vtypes end', () => {
  let deep: unknown = ['int'];
  for (let i = 0; i < 1000; i++) deep = ['pointer', deep];
  const source = read({
    $STRUCTS: {
      a: [8, { m: [0, deep], n: [0, 'x'], o: [0, ['Array', { count: -5, target: 'int' }]], p: ['x', []], q: [0, ['BitField', { start_bit: 9, end_bit: 3 }]] }],
      __unnamed_1: [8, { u1: [0, ['__unnamed_1']] }],
      s: [8, { u1: [0, ['__unnamed_1']] }],
      t: 'no list',
    },
  });
  assert.deepEqual([...(source.types.struct('a')?.members.keys() ?? [])], ['m', 'n', 'o', 'q']);
  assert.deepEqual(member(source, 'a', 'o').type, { kind: 'array', count: 0, target: { kind: 'int', size: 4, signed: true, name: 'int' } });
  assert.equal(member(source, 'a', 'q').type.kind, 'named');
  assert.deepEqual([...(source.types.struct('s')?.members.keys() ?? [])], ['u1']);
  assert.equal(source.types.struct('t'), undefined);
});

test('what is no profile is refused with the next step', () => {
  for (const text of ['', 'not json', '[1,2]', '{}', '{"$STRUCTS": []}', '{"$STRUCTS": {', '"x"', '['.repeat(200_000)]) {
    assert.throws(
      () => readRekall(Buffer.from(text), 'bad.json'),
      (error) => error instanceof ProfileError && error.message.startsWith('bad.json') && error.next.length > 10,
      text.slice(0, 20),
    );
  }
});

test('any damage gives a profile or a ProfileError', () => {
  const whole = Buffer.from(
    JSON.stringify({
      $METADATA: { ProfileClass: 'Linux64', arch: 'AMD64' },
      $STRUCTS: { s: [16, { a: [0, ['Pointer', { target: 'Array', target_args: { count: 3, target: 's' } }]], b: [8, ['BitField', { start_bit: 1, end_bit: 3, target: 'int' }]] }] },
      $ENUMS: { e: { '1': 'A' } },
      $CONSTANTS: { x: 1234567 },
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }), fc.nat(whole.length), (flips, cut) => {
      const bytes = Buffer.from(whole);
      for (const [at, byte] of flips) bytes[at] = byte;
      try {
        const source = readRekall(cut % 3 === 0 ? bytes.subarray(0, cut) : bytes, 'fuzz');
        for (const name of source.types.structNames()) source.types.struct(name);
        for (const name of source.types.enumNames()) source.types.enum(name);
        for (const [name] of source.constants.entries()) source.constants.get(name);
      } catch (error) {
        assert.ok(error instanceof ProfileError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

const profiles = sharedData('profiles', 'v1.0');

test('every profile of the official repository loads, every struct of it', { skip: profiles.skip }, async () => {
  const files = (readdirSync(profiles.path, { recursive: true }) as string[]).filter((name) => name.endsWith('.gz')).sort();
  const kinds = new Map<string, number>();
  for (const file of files) {
    const source = await openProfileFile(join(profiles.path, file));
    kinds.set(source.metadata.os, (kinds.get(source.metadata.os) ?? 0) + 1);
    for (const name of source.types.structNames()) {
      const layout = source.types.struct(name);
      assert.ok(layout, `${file} ${name}`);
    }
    for (const name of source.types.enumNames()) assert.ok(source.types.enum(name), `${file} ${name}`);
    let entries = 0;
    for (const [name, address] of source.constants.entries()) {
      entries++;
      assert.equal(typeof address, 'bigint', name);
    }
    assert.equal(entries, source.constants.size, file);
  }
  assert.ok(files.length > 100 && (kinds.get('windows') ?? 0) >= 56, `${files.length} files, ${[...kinds]}`);
});

test('spot checks: Windows 7 x64, XP, OSX, Linux', { skip: profiles.skip }, async () => {
  const win7 = await openProfileFile(join(profiles.path, 'nt/GUID/F8E2A8B5C9B74BF4A6E4A48F180099942.gz'));
  assert.equal(win7.metadata.arch, 'AMD64');
  assert.equal(win7.metadata.os, 'windows');
  assert.equal(win7.types.struct('_EPROCESS')?.size, 0x4d0);
  assert.equal(member(win7, '_EPROCESS', 'ImageFileName').offset, 0x2e0);
  assert.equal(member(win7, '_EPROCESS', 'UniqueProcessId').offset, 0x180);
  assert.equal(win7.constants.get('PsActiveProcessHead'), 2226992n);
  const xp = await openProfileFile(join(profiles.path, 'nt/GUID/30B5FB31AE7E4ACAABA750AA241FF3311.gz'));
  assert.equal(xp.metadata.arch, 'I386');
  assert.equal(member(xp, '_EPROCESS', 'ImageFileName').offset, 0x174);
  const osx = await openProfileFile(join(profiles.path, 'OSX/10.9.5_13F34.64bit.gz'));
  assert.equal(osx.metadata.os, 'darwin');
  assert.equal(osx.constants.get('_version'), 18446743523961765968n);
  assert.deepEqual(member(osx, 'proc', 'p_comm'), { offset: 724, type: { kind: 'array', count: 17, target: { kind: 'int', size: 1, signed: true, encoding: 'char', name: 'char' } } });
  const linux = await openProfileFile(join(profiles.path, 'Ubuntu/3.13.0-24-generic.gz'));
  assert.equal(linux.metadata.os, 'linux');
  assert.equal(linux.types.struct('page')?.size, 64);
  assert.equal(member(linux, 'page', 'mapping').offset, 8);
  assert.equal(linux.constants.get('linux_banner'), 18446744071587233952n);
});
