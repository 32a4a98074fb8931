import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { TypeCompiler } from '../../../src/object/compiler.js';
import { profileParts } from '../../../src/symbols/convert.js';
import { IdStream } from '../../../src/symbols/pdb/ids.js';
import { readStreams } from '../../../src/symbols/pdb/info.js';
import { openMsf } from '../../../src/symbols/pdb/msf.js';
import { readPdb } from '../../../src/symbols/pdb/read.js';
import { readRekall } from '../../../src/symbols/rekall/read.js';
import { rekallProfileText } from '../../../src/symbols/rekall/write.js';
import type { TypeDescriptor } from '../../../src/symbols/types.js';
import { root } from '../../support/root.js';

const folder = join(root, 'test', 'data', 'pdb');
const file = (name: string): Buffer => readFileSync(join(folder, name));

interface Stated {
  readonly name: string;
  readonly segment: number;
  readonly offset: number;
  /** index of the type */
  readonly type: string;
}

/** What llvm-pdbutil says (test/data/pdb/make.sh) of functions, data, prototypes and ids. */
function truth(name: string) {
  const text = gunzipSync(file(name)).toString('utf8');
  const sections = [...text.matchAll(/^\s+([0-9A-F]+) virtual address$/gm)].map(([, address = '']) => Number.parseInt(address, 16));
  const stated = (found: RegExpMatchArray): Stated => ({ name: found[1] ?? '', segment: Number(found[2]), offset: Number(found[3]), type: found[4] ?? '' });
  const functions = [...text.matchAll(/S_[GL]PROC32 \[size = \d+\] `(.*)`\n.*addr = (\d+):(\d+), .*\n\s+type = `0x([0-9A-F]+)/g)].map(stated);
  const data = [...text.matchAll(/S_LDATA32 \[size = \d+\] `(.*)`\n\s+type = (0x[0-9A-F]+) .*addr = (\d+):(\d+)/g)].map(([all, name, type, segment, offset]) => stated([all, name, segment, offset, type] as RegExpMatchArray));
  const records = new Map((text.split('Types (IPI Stream)')[0] ?? '').split(/\n(?= {2}0x[0-9A-F]{4} \| )/).map((record) => [/^ {2}0x([0-9A-F]{4})/.exec(record)?.[1] ?? '', record]));
  const typeName = (index: string, known: string | undefined): string => {
    if (known !== undefined) return known;
    const record = records.get(index) ?? '';
    const [, target = '', name] = /referent = 0x([0-9A-F]+)(?: \((.*?)\))?,/.exec(record) ?? [];
    if (/LF_POINTER/.test(record)) return `${typeName(target, name)}*`;
    if (/LF_MODIFIER/.test(record)) return typeName(target, name);
    return /`(.*)`/.exec(record)?.[1] ?? '';
  };
  const procedures = new Map<string, { returns: string; list: string; self: string; convention: string }>();
  for (const [index, record] of records) {
    const [, type = '', name, list = ''] = /return type = 0x([0-9A-F]+)(?: \((.*)\))?, # args = \d+, param list = 0x([0-9A-F]+)/.exec(record) ?? [];
    const [, self] = /this type = 0x([0-9A-F]+),/.exec(record) ?? [];
    if (list !== '') procedures.set(index, { returns: typeName(type, name), list, self: self === undefined ? '' : typeName(self, undefined), convention: /calling conv = (.*?),/.exec(record)?.[1] ?? '' });
  }
  const lists = new Map([...text.matchAll(/0x([0-9A-F]+) \| LF_ARGLIST \[size = \d+\]((?:\n\s+(?:0x[0-9A-F]+|<no type>).*`)*)/g)].map(([, index = '', parts = '']) => [index, [...parts.matchAll(/: `(.*)`/g)].map(([, type = '']) => type)]));
  const functionIds = [...text.matchAll(/0x([0-9A-F]+) \| LF_M?FUNC_ID \[size = \d+\]\n\s+name = .*, type = 0x([0-9A-F]+)/g)].map(([, id = '', type = '']) => [Number.parseInt(id, 16), Number.parseInt(type, 16)] as const);
  const texts = [...text.matchAll(/0x([0-9A-F]+) \| LF_STRING_ID \[size = \d+\] ID: <no type>, String: (.*)/g)].map(([, id = '', text = '']) => [Number.parseInt(id, 16), text] as const);
  const builds = [...text.matchAll(/0x([0-9A-F]+) \| LF_BUILDINFO \[size = \d+\]\n((?:\s+(?:0x[0-9A-F]+: `.*`|<no type>: ``)\n)*)/g)].map(([, id = '', parts = '']) => [Number.parseInt(id, 16), [...parts.matchAll(/: `(.*)`/g)].map(([, text = '']) => text)] as const);
  const declared = [...text.matchAll(/LF_UDT_SRC_LINE \[size = \d+\]\n\s+udt = 0x([0-9A-F]+), file = (\d+), line = (\d+)/g)].map(([, type = '', file, line]) => ({ name: typeName(type, undefined), file: texts.find(([id]) => id === Number(file))?.[1], line: Number(line) }));
  const lines = new Map<number, { file: string; line: number }>();
  /** where functions end */
  const ends = new Set<number>();
  for (const [, file = '', chunks = ''] of (text.split(/\n\s+Lines\s+\n/)[1] ?? '').matchAll(/^(\S+) \(MD5.*\)\n((?: +.*\n)*)/gm)) {
    for (const [, segment, end = '', entries = ''] of chunks.matchAll(/(\d{4}):[0-9A-F]{8}-([0-9A-F]{8}), line\/addr entries = \d+\n((?:\s+\d+ [0-9A-F]{8} !.*\n)+)/g)) {
      const base = sections[Number(segment) - 1] ?? 0;
      ends.add(base + Number.parseInt(end, 16));
      for (const [, line, offset = ''] of entries.matchAll(/(\d+) ([0-9A-F]{8}) !/g)) lines.set(base + Number.parseInt(offset, 16), { file, line: Number(line) });
    }
  }
  return { sections, functions, data, procedures, lists, functionIds, texts, builds, declared, lines, ends };
}

/** A type as both sides can say it: integers by width, references as pointers, without const and volatile. */
const NAMES: Readonly<Record<string, string>> = {
  ...{ int: 'i4', long: 'i4', unsigned: 'u4', 'unsigned long': 'u4', __int64: 'i8', 'unsigned __int64': 'u8', 'long long': 'i8', char: 'i1', 'unsigned char': 'u1', bool: 'u1', wchar_t: 'u2', double: 'f8', float: 'f4' },
};
function statedShape(type: string): string {
  const plain = type.replace(/\b(?:const|volatile) /g, '').replace(/ (?:const|volatile)\b/g, '').replaceAll('&', '*').trim();
  if (/\(.*\)\*$/.test(plain)) return 'function*';
  const [, base = '', stars = ''] = /^(.*?)(\**)$/.exec(plain) ?? [];
  return `${NAMES[base] ?? base}${stars}`;
}
function shape(type: TypeDescriptor): string {
  if (type.kind === 'pointer') return `${shape(type.target)}*`;
  if (type.kind === 'int') return `${type.signed ? 'i' : 'u'}${type.size}`;
  if (type.kind === 'float') return `f${type.size}`;
  return 'name' in type && type.name !== undefined ? type.name : type.kind;
}

for (const arch of ['amd64', 'i386'] as const) {
  const name = `program-${arch}`;
  const pdb = readPdb(file(`${name}.pdb`), `${name}.pdb`);
  const stated = truth(`${name}.truth.txt.gz`);
  const at = ({ segment, offset }: Stated): bigint => BigInt((stated.sections[segment - 1] ?? 0) + offset);
  /** The name under which ours has what is at a place: its own, or with a number. */
  const named = (one: Stated): string | undefined => [...pdb.constants.entries()].find(([name, address]) => address === at(one) && (name === one.name || name.replace(/_\d+$/, '') === one.name))?.[0];

  test(`${arch}: functions and data that only modules have are where llvm-pdbutil says`, () => {
    assert.ok(stated.functions.length > 15 && stated.data.length >= 7, `${stated.functions.length} functions, ${stated.data.length} data`);
    for (const one of stated.functions) assert.equal(pdb.constants.kind(named(one) ?? ''), 'function', `${one.name} at ${at(one)}`);
    for (const one of stated.data) assert.equal(pdb.constants.kind(named(one) ?? ''), 'data', `${one.name} at ${at(one)}`);
    // Three functions share a name, in two modules.
    assert.deepEqual([...pdb.constants.entries()].map(([name]) => name).filter((name) => /^complete(_\d)?$/.test(name)), ['complete', 'complete_1', 'complete_2']);
    assert.equal(pdb.constants.kind('_underscored'), 'function', 'a name of the source keeps its underscore');
  });

  test(`${arch}: functions take and give what llvm-pdbutil says, object first`, () => {
    const conventions: Readonly<Record<string, string | undefined>> = { cdecl: undefined, stdcall: 'stdcall', fastcall: 'fastcall', thiscall: 'thiscall' };
    const met = new Set<string | undefined>();
    for (const one of stated.functions) {
      const procedure = stated.procedures.get(one.type);
      const type = pdb.constants.type(named(one) ?? '');
      assert.ok(procedure && type?.kind === 'function' && type.signature, one.name);
      const { returns, parameters, variadic, convention } = type.signature;
      const list = stated.lists.get(procedure.list) ?? [];
      const takes = [...(procedure.self === '' ? [] : [procedure.self]), ...list.filter((type) => type !== '')];
      assert.deepEqual([shape(returns), parameters.map(shape), variadic], [statedShape(procedure.returns), takes.map(statedShape), list.includes('')], one.name);
      assert.equal(convention, conventions[procedure.convention], one.name);
      met.add(convention);
    }
    assert.deepEqual([...met].map(String).sort(), arch === 'i386' ? ['fastcall', 'stdcall', 'thiscall', 'undefined'] : ['undefined']);
    const compiler = new TypeCompiler(pdb.types, arch === 'i386' ? 4 : 8);
    const written = (name: string): string | undefined => {
      const type = pdb.constants.type(name);
      return type && compiler.describe(type);
    };
    const thiscall = arch === 'i386' ? '__thiscall ' : '';
    assert.equal(written('shapes::Shape::scaled'), `long ${thiscall}(shapes::Shape *, unsigned char, shapes::Shape *)`);
    assert.equal(written('complete_1'), 'long (Request *, long, unsigned char)');
    assert.match(written('mean') ?? '', /^double \(float \*, unsigned long, \.\.\.\)$/);
    assert.deepEqual(pdb.constants.type('requests'), { kind: 'array', count: 4, target: { kind: 'struct', name: 'Request' } });
  });

  test(`${arch}: the stream of ids says what llvm-pdbutil says`, () => {
    const msf = openMsf(file(`${name}.pdb`));
    assert.ok(readStreams(msf.stream(1)).ids);
    const ids = new IdStream(msf.stream(4));
    assert.ok(stated.functionIds.length >= 8 && stated.texts.length >= 5 && stated.builds.length === 2);
    for (const [id, type] of stated.functionIds) assert.equal(ids.functionType(id), type);
    for (const [id, text] of stated.texts) assert.equal(ids.text(id), text);
    for (const [id, [folder, tool, source, pdb, command]] of stated.builds) assert.deepEqual(ids.build(id), { folder, tool, source, pdb, command });
    assert.equal(ids.functionType(stated.texts[0]?.[0] ?? 0), undefined, 'a text is no function');
    assert.equal(ids.build(stated.functionIds[0]?.[0] ?? 0), undefined);
  });

  test(`${arch}: code is of the lines, types are declared in those, that llvm-pdbutil says`, () => {
    assert.ok(stated.lines.size > 30, `${stated.lines.size} lines`);
    for (const [offset, line] of stated.lines) {
      assert.deepEqual(pdb.line?.(offset), line);
      // The next byte is of the same line, unless another begins there, or the function is at its end.
      assert.deepEqual(pdb.line?.(offset + 1), stated.lines.get(offset + 1) ?? (stated.ends.has(offset + 1) ? undefined : line));
    }
    assert.equal(pdb.line?.(0), undefined);
    for (const end of stated.ends) assert.deepEqual(pdb.line?.(end), stated.lines.get(end));
    assert.ok(stated.declared.length >= 3);
    for (const { name, file, line } of stated.declared) assert.deepEqual(pdb.types.declaration?.(name), { file, line }, name);
    assert.equal(pdb.types.declaration?.('Unheard'), undefined);
  });

  test(`${arch}: who made it, and how`, () => {
    const { compilers, builds } = pdb.making();
    assert.deepEqual([...compilers].sort(), ['Debian clang version 14.0.6 14.0.6.0 (C)', 'Debian clang version 14.0.6 14.0.6.0 (C++)', 'LLVM Linker 14.10.25019.0 (linker)']);
    assert.deepEqual(builds.map(({ folder, source }) => [folder, source]), [['.', 'program.cpp'], ['.', 'helper.c'], ['/tmp/rekall-pdb', '']]);
    assert.match(builds[2]?.command ?? '', /\/pdbaltpath:program\.pdb/);
    assert.deepEqual(pdb.notes(), []);
  });

  test(`${arch}: a profile keeps prototypes`, () => {
    const written = readRekall(Buffer.from([...rekallProfileText(profileParts(pdb))].join('')), 'written.json');
    let count = 0;
    for (const [name] of pdb.constants.entries()) {
      const [one, other] = [pdb.constants.type(name), written.constants.type(name)];
      if (one?.kind !== 'function') continue;
      count++;
      assert.ok(other?.kind === 'function');
      assert.deepEqual([other.signature?.parameters.map(shape), other.signature?.variadic, other.signature?.convention], [one.signature?.parameters.map(shape), one.signature?.variadic, one.signature?.convention], name);
    }
    assert.ok(count > 15);
  });
}

test('typedefs are types', () => {
  const { types } = readPdb(file('program-amd64.pdb'), 'program.pdb');
  assert.deepEqual(types.typedef('REQUEST'), { kind: 'struct', name: 'Request' });
  assert.deepEqual(types.typedef('wchar_t'), { kind: 'int', size: 2, signed: false, name: 'unsigned short' });
  assert.equal(new TypeCompiler(types, 8).struct('REQUEST').size, 16);
  assert.equal(types.typedef('Unheard'), undefined);
});
