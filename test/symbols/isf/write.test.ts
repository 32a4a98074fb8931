import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { profileParts } from '../../../src/symbols/convert.js';
import { readIsf } from '../../../src/symbols/isf/read.js';
import { isfText } from '../../../src/symbols/isf/write.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import type { TypeDescriptor } from '../../../src/symbols/types.js';
import { root } from '../../support/root.js';
import { sharedData } from '../../support/shared.js';

const pdb = { database: 'ntkrnlmp.pdb', guid: 'DCA4AD4BEEB4746D48F84C0125019E43', age: 1 };
const written = (source: ProfileSource): ProfileSource => readIsf(Buffer.from([...isfText(profileParts(source), pdb)].join('')), 'written.json');

/** What matters of a type in memory: kind, width, sign, bits, and what it leads to. */
function shape(type: TypeDescriptor | undefined): string {
  if (!type) return '';
  switch (type.kind) {
    case 'int':
      return `${type.signed ? 's' : 'u'}${type.size}`;
    case 'bitfield':
      return `${type.base.size}:${type.startBit}+${type.bits}`;
    case 'pointer':
      return `*${type.size ?? ''}${type.target.kind}`;
    case 'array':
      return `${shape(type.target)}[${type.count}]`;
    case 'enum':
      return `enum ${type.size} ${[...type.choices].map(([value, label]) => `${label}=${value}`).sort().join()}`;
    case 'struct':
      return `struct ${type.name}`;
    case 'named':
      return type.name === 'UnicodeString' ? `s2[${Number(type.args['length']) / 2}]` : type.name;
    default:
      return type.kind;
  }
}

for (const arch of ['amd64', 'i386']) {
  test(`types and names of a PDB stay what they are, ${arch}`, async () => {
    const source = await openProfileFile(join(root, `test/data/pdb/types-${arch}.pdb`));
    const again = written(source);
    let members = 0;
    for (const name of source.types.structNames()) {
      const [one, other] = [source.types.struct(name), again.types.struct(name)];
      assert.deepEqual([other?.size ?? 0, other?.union], [one?.size ?? 0, one?.union], name);
      for (const [member, { offset, type }] of one?.members ?? []) {
        const found = other?.members.get(member);
        assert.equal(found?.offset, offset, `${name}.${member}`);
        if (type.kind !== 'inline') assert.equal(shape(found.type), shape(type), `${name}.${member}`);
        else assert.equal(found.type.kind === 'struct' ? again.types.struct(found.type.name)?.size : undefined, type.layout.size, `${name}.${member}`);
        members++;
      }
    }
    assert.ok(members >= 40, `${members} members`);
    assert.deepEqual(new Map(again.constants.entries()), new Map(source.constants.entries()));
    assert.equal(again.metadata['GUID_AGE'], `${pdb.guid}1`);
    assert.equal(again.metadata.arch, arch === 'i386' ? 'I386' : 'AMD64');
  });
}

const ours = sharedData('profiles-newer/v1.0/nt/GUID', `${pdb.guid}1.gz`);
const theirs = sharedData('windows/isf/ntkrnlmp.pdb', `${pdb.guid}-1.json.xz`);

test("a Rekall profile becomes the symbol file that Volatility 3 makes of the same kernel's PDB", { skip: ours.skip || theirs.skip }, async () => {
  const made = written(await openProfileFile(ours.path));
  const real = await openProfileFile(theirs.path);
  let members = 0;
  const missing: string[] = [];
  for (const name of real.types.structNames()) {
    const [one, other] = [real.types.struct(name), made.types.struct(name)];
    // Unnamed ones are named by each maker as it likes.
    if (!one || !other || /^__|^<unnamed/.test(name)) continue;
    assert.equal(other.size, one.size, name);
    for (const [member, { offset }] of one.members) {
      const found = other.members.get(member);
      if (!found) missing.push(`${name}.${member}`);
      else assert.equal(found.offset, offset, `${name}.${member}`);
      members++;
    }
  }
  // Rekall's parser knew no HRESULT.
  assert.deepEqual(missing.filter((name) => !name.endsWith('.hr')), []);
  assert.ok(members > 10_000, `${members} members`);
  let [symbols, other] = [0, 0];
  for (const [name, address] of made.constants.entries()) {
    const stated = real.constants.get(name);
    if (stated === undefined) continue;
    if (address !== stated) other++;
    symbols++;
  }
  assert.ok([...made.constants.entries()].every(([name]) => !name.includes('!')));
  // Of several static functions with one name, each maker took its own.
  assert.ok(other < symbols / 200, `${other} of ${symbols} differ`);
  assert.ok(symbols > 10_000, `${symbols} symbols`);
});
