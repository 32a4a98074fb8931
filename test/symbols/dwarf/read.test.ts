import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { BtfTypes } from '../../../src/symbols/btf/types.js';
import { FileBytes, MemoryBytes } from '../../../src/symbols/elf/bytes.js';
import { ElfFile } from '../../../src/symbols/elf/elf.js';
import { readElf } from '../../../src/symbols/elf/read.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { sizeOfType } from '../../../src/symbols/native.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import type { MemberLayout, TypeDescriptor, TypeSource } from '../../../src/symbols/types.js';
import { boundedAsync } from '../../support/effort.js';
import { root } from '../../support/root.js';
import { labFile } from '../../support/shared.js';

const folder = join(root, 'test', 'data', 'dwarf');
const objects = readdirSync(folder).filter((name) => /\.(o|elf)$/.test(name));

/** sizes, offsets, and [first bit, bits] as the compiled program itself found them in memory */
type Truth = Record<string, Record<string, number | [number, number]>>;

function truthOf(name: string): Truth {
  return JSON.parse(readFileSync(join(folder, name.startsWith('i386') ? 'i386.json' : 'amd64.json'), 'utf8')) as Truth;
}

function member(source: ProfileSource, struct: string, name: string): MemberLayout {
  const found = source.types.struct(struct)?.members.get(name);
  assert.ok(found, `${struct}.${name}`);
  return found;
}

for (const name of objects) {
  test(`${name}: every size, offset and bit as in memory`, async () => {
    const source = await openProfileFile(join(folder, name));
    const pointer = source.metadata.arch === 'I386' ? 4 : 8;
    assert.equal(source.metadata.arch, name.startsWith('i386') ? 'I386' : 'AMD64');
    for (const [struct, { size, ...members }] of Object.entries(truthOf(name))) {
      const layout = source.types.struct(struct);
      assert.equal(layout?.size, size, struct);
      assert.deepEqual([...(layout?.members.keys() ?? [])], Object.keys(members), struct);
      for (const [key, place] of Object.entries(members)) {
        const { offset, type } = member(source, struct, key);
        if (!Array.isArray(place)) assert.equal(offset, place, `${struct}.${key}`);
        else {
          assert.ok(type.kind === 'bitfield', `${struct}.${key} is a ${type.kind}`);
          assert.deepEqual([offset * 8 + type.startBit, type.bits], place, `${struct}.${key}`);
          assert.ok(offset + type.base.size <= Number(size), `${struct}.${key} reads beyond its struct`);
        }
      }
    }
    const outer = (key: string): TypeDescriptor => member(source, 'outer', key).type;
    assert.deepEqual(outer('flags'), { kind: 'int', size: 8, signed: false, name: 'long long unsigned int' });
    assert.deepEqual(outer('count'), { kind: 'struct', name: 'counter_t' });
    assert.ok(source.types.struct('counter_t')?.members.has('counter'));
    assert.equal(outer('named').kind, 'inline');
    const char = { kind: 'int', size: 1, signed: true, encoding: 'char', name: 'char' };
    assert.deepEqual(outer('name'), { kind: 'array', count: 16, target: char });
    const matrix = outer('matrix');
    assert.ok(matrix.kind === 'array' && matrix.count === 3 && matrix.target.kind === 'array' && matrix.target.count === 5);
    assert.deepEqual(outer('handler'), { kind: 'pointer', target: { kind: 'function' } });
    assert.deepEqual(outer('opaque'), { kind: 'pointer', target: { kind: 'struct', name: 'undefined' } });
    assert.equal(source.types.struct('undefined'), undefined);
    assert.deepEqual(outer('chain'), { kind: 'array', count: 4, target: { kind: 'pointer', target: { kind: 'struct', name: 'packed' } } });
    assert.deepEqual(outer('ratio'), { kind: 'float', size: 4, name: 'float' });
    const tail = outer('tail');
    assert.ok(tail.kind === 'array' && tail.count === 0 && sizeOfType(tail.target, pointer, () => 0) === 1);
    const colour = source.types.enum('colour');
    assert.deepEqual([colour?.size, colour?.signed, Object.fromEntries(colour?.choices ?? [])], [4, true, { '-1': 'VIOLET', '0': 'RED', '5': 'GREEN' }]);
    assert.deepEqual(Object.fromEntries(source.types.enum('wide')?.choices ?? []), { '1': 'SMALL', '9223372036854775809': 'HUGE_LABEL' });
    assert.deepEqual(Object.fromEntries(source.types.enum('switch_t')?.choices ?? []), { '0': 'OFF', '1': 'ON' });
    assert.ok(!new Set(source.types.structNames()).has('local'));
  });
}

test('a linked file: addresses, variables and their types, banner, two structs of one name', async () => {
  const source = await openProfileFile(join(folder, 'amd64-linked.elf'));
  const { constants, types } = source;
  assert.equal(source.metadata.banner, 'Linux version 0.0.0 (test)\n');
  assert.equal(constants.get('use'), 0xffffffff81000000n);
  assert.equal(constants.kind('use'), 'function');
  assert.equal(constants.kind('static_list'), 'data');
  assert.deepEqual(constants.type('static_list'), { kind: 'struct', name: 'list' });
  assert.deepEqual(constants.type('pointer_to_outer'), { kind: 'pointer', target: { kind: 'struct', name: 'outer' } });
  assert.equal(constants.type('external_wide')?.kind, 'enum');
  const [first, second] = ['first_shared', 'second_shared'].map((name) => constants.type(name));
  assert.ok(first?.kind === 'struct' && second?.kind === 'struct');
  assert.deepEqual([...(types.struct(first.name)?.members.keys() ?? [])], ['only_here']);
  assert.deepEqual([...(types.struct(second.name)?.members.keys() ?? [])], ['other', 'more']);
  assert.deepEqual([...types.structNames()].filter((name) => name.startsWith('shared')), ['shared']);
});

test('what is no vmlinux is refused with the next step', async () => {
  const elf = readFileSync(join(folder, 'amd64-linked.elf'));
  const cases: [string, (bytes: Buffer) => void][] = [
    ['core', (bytes) => bytes.writeUInt16LE(4, 16)],
    ['machine', (bytes) => bytes.writeUInt16LE(8, 18)],
    ['big-endian', (bytes) => bytes.writeUInt8(2, 5)],
    ['class', (bytes) => bytes.writeUInt8(9, 4)],
    ['sections beyond the end', (bytes) => bytes.writeBigUInt64LE(0xffffffffffn, 40)],
    ['no sections', (bytes) => bytes.writeBigUInt64LE(0n, 40)],
  ];
  for (const [what, damage] of cases) {
    const bytes = Buffer.from(elf);
    damage(bytes);
    await assert.rejects(
      async () => readElf(new ElfFile(new MemoryBytes(bytes), 'bad')),
      (error) => error instanceof ProfileError && error.next.length > 10,
      what,
    );
  }
});

test('any damage gives a profile or a ProfileError, soon', async () => {
  for (const name of objects) {
    const whole = readFileSync(join(folder, name));
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(flips, fc.option(fc.nat(whole.length), { freq: 6 }), async (changes, cut) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          const source = await readElf(new ElfFile(new MemoryBytes(cut === null ? bytes : bytes.subarray(0, cut)), 'fuzz'));
          for (const struct of source.types.structNames()) source.types.struct(struct);
          for (const [constant] of source.constants.entries()) source.constants.type(constant);
        } catch (error) {
          assert.ok(error instanceof ProfileError, String(error));
        }
      }),
      { numRuns: 150 },
    );
  }
});

/** Where bits of a member are, and how many: comparable between sources that choose storage units differently. */
function place({ offset, type }: MemberLayout, pointer: number, types: TypeSource): string {
  if (type.kind === 'bitfield') return `${offset * 8 + type.startBit}+${type.bits}`;
  return `${offset * 8}+${sizeOfType(type, pointer, (name) => types.struct(name)?.size) * 8}`;
}

for (const kernel of ['cloud-6.1', 'cloud-6.12']) {
  const { path, skip } = labFile('symbols', kernel);
  test(`${kernel}: DWARF and BTF of one vmlinux agree on every struct`, { skip }, async () => {
    const file = join(path, readdirSync(path).find((name) => name.startsWith('vmlinux')) ?? '');
    const source = await boundedAsync(100_000, () => openProfileFile(file));
    const elf = new ElfFile(new FileBytes(file), file);
    const section = elf.section('.BTF');
    assert.ok(section);
    const btf = new BtfTypes(elf.content(section).read(0, section.size));
    let structs = 0;
    let members = 0;
    const different = new Set<string>();
    for (const name of btf.structNames()) {
      const mine = source.types.struct(name);
      if (!mine) continue;
      structs++;
      // Files of the kernel use some names for structs of their own: any of them may be the first.
      const same = (theirs: typeof mine): boolean =>
        mine.size === theirs.size &&
        mine.union === theirs.union &&
        mine.members.size === theirs.members.size &&
        [...theirs.members].every(([key, layout]) => {
          const own = mine.members.get(key);
          return own !== undefined && place(own, 8, source.types) === place(layout, 8, btf);
        });
      const candidates = btf.structs(name);
      members += mine.members.size;
      const typedef = btf.struct(name);
      if (!(candidates.length > 0 ? candidates : typedef ? [typedef] : []).some(same)) different.add(name);
    }
    assert.deepEqual([...different], []);
    assert.ok(structs > 7000 && members > 40_000, `${structs} structs, ${members} members`);
  });
}
