import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openProfileFile } from '../../../src/symbols/open.js';
import { readPdb } from '../../../src/symbols/pdb/read.js';
import type { TypeDescriptor } from '../../../src/symbols/types.js';
import { sharedData } from '../../support/shared.js';

const pdb = sharedData('windows', 'pdb', 'ntkrnlpa.pdb');
const published = sharedData('profiles', 'v1.0', 'nt', 'GUID', '30B5FB31AE7E4ACAABA750AA241FF3311.gz');
const symbols = sharedData('windows', 'pdb', 'sym.txt');
const skip = pdb.skip || published.skip;

/** A type as text, without the names that sources give to equal integers. */
function shape(type: TypeDescriptor): string {
  switch (type.kind) {
    case 'int':
      // The published profile has CHAR, which is signed (T_RCHAR), as unsigned.
      return type.size === 1 ? 'byte' : `${type.signed ? 'i' : 'u'}${type.size}`;
    case 'float':
      return `f${type.size}`;
    case 'pointer':
      return `${shape(type.target)}*${type.size ?? ''}`;
    case 'array':
      return `${shape(type.target)}[${type.count}]`;
    case 'struct':
      return type.name;
    case 'enum':
      return `enum ${type.name} ${type.signed ? 'i' : 'u'}${type.size}`;
    case 'bitfield':
      return `${shape(type.base)}:${type.startBit}+${type.bits}`;
    case 'named':
      return `${type.name} ${JSON.stringify(type.args)}`;
    default:
      return type.kind;
  }
}

test('every struct, member and enumeration of a kernel is that of its published profile', { skip }, async () => {
  const ours = readPdb(readFileSync(pdb.path), pdb.path);
  const theirs = await openProfileFile(published.path);
  assert.deepEqual([...ours.types.structNames()].sort(), [...theirs.types.structNames()].sort());
  const stated = (JSON.parse(gunzipSync(readFileSync(published.path)).toString('utf8')) as { $STRUCTS: Record<string, [number, Record<string, unknown>]> }).$STRUCTS;
  let members = 0;
  for (const name of theirs.types.structNames()) {
    const [one, other] = [ours.types.struct(name), theirs.types.struct(name)];
    assert.equal(one?.size, other?.size, name);
    // Our reader of profiles lifts members of unnamed structs into the struct that holds them; here only what is stated counts.
    const lines = (layout: typeof one): string[] => [...(layout?.members ?? [])].filter(([member]) => Object.hasOwn(stated[name]?.[1] ?? {}, member)).map(([member, { offset, type }]) => `${name}.${member} @${offset} ${shape(type)}`).sort();
    assert.deepEqual(lines(one), lines(other));
    assert.equal(one?.members.size, Object.keys(stated[name]?.[1] ?? {}).length, name);
    members += one?.members.size ?? 0;
  }
  assert.equal(members, 4446);
  // The published profile knows an enumeration by the members that use it.
  // Of two labels of one value the published profile has the last, ours the first; and it reads -1 as 255.
  const renamed: string[] = [];
  for (const name of theirs.types.enumNames()) {
    const [one, other] = [ours.types.enum(name), theirs.types.enum(name)];
    assert.ok(one, name);
    for (const [value, label] of other?.choices ?? []) if (label !== '-' && one.choices.get(value) !== label) renamed.push(`${name}.${label}`);
  }
  const cor = ['COR_VTABLE_32BIT', 'COR_VTABLE_64BIT', 'COR_VTABLE_FROM_UNMANAGED', 'IMAGE_COR_MIH_BASICBLOCK', 'MAX_PACKAGE_NAME'];
  assert.deepEqual(renamed, [
    'LSA_FOREST_TRUST_RECORD_TYPE.ForestTrustRecordTypeLast',
    ...cor.map((label) => `ReplacesCorHdrNumericDefines.${label}`),
    '_ARBITER_REQUEST_SOURCE.ArbiterRequestUndefined',
    '_ARBITER_RESULT.ArbiterResultUndefined',
    '_BUS_DATA_TYPE.ConfigurationSpaceUndefined',
    '_INTERFACE_TYPE.InterfaceTypeUndefined',
  ]);
  for (const name of ['_ARBITER_REQUEST_SOURCE', '_ARBITER_RESULT', '_BUS_DATA_TYPE', '_INTERFACE_TYPE']) {
    assert.match(ours.types.enum(name)?.choices.get('-1') ?? '', /Undefined$/);
  }
});

test('every constant and function of a kernel is that of its published profile', { skip }, async () => {
  const ours = readPdb(readFileSync(pdb.path), pdb.path);
  const theirs = await openProfileFile(published.path);
  const different: string[] = [];
  for (const [name, address] of theirs.constants.entries()) {
    // The published names of strings are decoded incompletely where the text has punctuation, and one name stands for several.
    if (name.startsWith('str:')) continue;
    if (ours.constants.get(name) !== address || ours.constants.kind(name) !== theirs.constants.kind(name)) different.push(`${name} ${address} ${ours.constants.get(name)}`);
  }
  assert.deepEqual(different, []);
  const places = new Set([...ours.constants.entries()].map(([, address]) => address));
  for (const [name, address] of theirs.constants.entries()) assert.ok(places.has(address), name);
  assert.equal(ours.metadata.arch, 'I386');
});

test('every symbol is where another program found it', { skip: skip || symbols.skip }, () => {
  const ours = readPdb(readFileSync(pdb.path), pdb.path);
  const places = new Set([...ours.constants.entries()].map(([, address]) => address));
  let count = 0;
  for (const line of readFileSync(symbols.path, 'latin1').split(/\r?\n/)) {
    const found = /^(?:0x)?([0-9a-f]{8})\b/i.exec(line.trim());
    if (!found) continue;
    count++;
    assert.ok(places.has(BigInt(`0x${found[1]}`) - 0x804d7000n), line);
  }
  assert.ok(count > 5000, `${count} lines`);
});

test('a PDB says the key by which repositories and servers have it, where the file was counted on since', { skip }, async () => {
  const { metadata, identity } = readPdb(readFileSync(pdb.path), 'ntkrnlpa.pdb');
  assert.equal(metadata['GUID_AGE'], basename(published.path, '.gz'));
  // The published profile states the age of the file itself, under which nobody has it.
  assert.deepEqual([identity.age, (await openProfileFile(published.path)).metadata['GUID_AGE']], [2, metadata['GUID_AGE'].replace(/1$/, '2')]);
});
