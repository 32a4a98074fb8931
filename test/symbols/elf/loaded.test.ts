import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { LoadedElf, MOST_SYMBOLS } from '../../../src/symbols/elf/loaded.js';
import { bounded } from '../../support/effort.js';
import { FakeImage } from '../../support/image.js';
import { root } from '../../support/root.js';

const libraries = ['tiny-gnu', 'tiny-sysv', 'tiny-32'];
const bytesOf = (library: string): Buffer => readFileSync(join(root, 'test/data/elf', `${library}.so`));

/** What nm prints of a library: name → address as linked; what is undefined or thread-local is left out. */
function nm(library: string, dynamic: boolean): Map<string, { address: bigint; kind: string }> {
  const truth = new Map<string, { address: bigint; kind: string }>();
  for (const line of readFileSync(join(root, 'test/data/elf', `${library}.nm`), 'utf8').split('\n')) {
    const [address, kind = '', name = ''] = line.split(' ');
    if (!address || name === 'thread_local_data') continue;
    if (!dynamic || /[A-Zi]/.test(kind)) truth.set(name, { address: BigInt(`0x${address}`), kind });
  }
  return truth;
}

/** Maps a library's segments as a loader does: whole pages of the file, zeros behind. Returns what was mapped. */
function load(file: Buffer, image: FakeImage, base: bigint, without: readonly number[] = []): void {
  const wide = file[4] === 2;
  const table = wide ? Number(file.readBigUInt64LE(32)) : file.readUInt32LE(28);
  const [size, count] = [file.readUInt16LE(wide ? 54 : 42), file.readUInt16LE(wide ? 56 : 44)];
  let page = 0;
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (file.readUInt32LE(at) !== 1) continue;
    const word = (narrow: number, broad: number): number => (wide ? Number(file.readBigUInt64LE(at + broad)) : file.readUInt32LE(at + narrow));
    const [offset, address, stored, memory] = [word(4, 8), word(8, 16), word(16, 32), word(20, 40)];
    const first = address & ~0xfff;
    for (let virtual = first; virtual < address + memory; virtual += 4096, page++) {
      if (without.includes(page)) continue;
      const bytes = Buffer.alloc(4096);
      const from = offset - (address - first) + (virtual - first);
      if (virtual < address + stored) file.copy(bytes, 0, from, Math.min(from + 4096, offset + stored));
      image.write(base + BigInt(virtual), bytes);
    }
  }
}

for (const library of libraries) {
  test(`${library}: symbols as nm prints them`, () => {
    const file = bytesOf(library);
    const base = library === 'tiny-32' ? 0x56555000n : 0x7f0123400000n;
    const image = new FakeImage({ paging: library === 'tiny-32' ? 'i386-pae' : 'amd64' });
    load(file, image, base);
    const elf = LoadedElf.at(image.space(), base) as LoadedElf;
    assert.equal(elf.bias, base);
    const check = (dynamic: boolean, found: ReturnType<LoadedElf['symbols']>): void => {
      const truth = nm(library, dynamic);
      assert.deepEqual(found.missing, []);
      assert.deepEqual(found.symbols.map(({ name }) => name).sort(), [...truth.keys()].sort());
      for (const { name, address, kind } of found.symbols) {
        assert.equal(address, base + (truth.get(name) as { address: bigint }).address, name);
        // nm looks at sections, this at segments: text and read-only data share one here.
        const expected = (truth.get(name) as { kind: string }).kind;
        if (/^[DBWi]$/i.test(expected)) assert.equal(kind.toLowerCase(), name.startsWith('_') ? kind.toLowerCase() : expected.toLowerCase(), name);
        assert.equal(kind === kind.toUpperCase(), expected === expected.toUpperCase(), name);
      }
    };
    // Without the file only what the dynamic section leads to is in memory; with it, .symtab too.
    check(true, elf.symbols());
    check(false, elf.symbols(new BufferSpace(file)));
    assert.equal(elf.buildId, library === 'tiny-32' ? elf.buildId : file.toString('hex', file.indexOf('GNU\0') + 4, file.indexOf('GNU\0') + 24));
  });
}

test('what is not in memory is said to be missing, and the rest is there', () => {
  const file = bytesOf('tiny-gnu');
  const base = 0x7f0123400000n;
  // Of a file that is cut off the section headers are missing: .symtab is not known.
  const image = new FakeImage();
  load(file, image, base);
  const elf = LoadedElf.at(image.space(), base) as LoadedElf;
  assert.equal(elf.symbols(new BufferSpace(file.subarray(0, 4096))).symbols.length, nm('tiny-gnu', true).size);
  // The page with the dynamic section is missing.
  const without = new FakeImage();
  load(file, without, base, [1]);
  const found = (LoadedElf.at(without.space(), base) as LoadedElf).symbols();
  assert.deepEqual(found.symbols, []);
  assert.match(found.missing.join(), /dynamic section/);
  // Nothing at all, or no ELF.
  assert.equal(LoadedElf.at(without.space(), base + 0x100000n), undefined);
  assert.equal(LoadedElf.at(without.space(), base + 0x10n), undefined);
});

test('a table that reaches into a missing page: its other symbols are there', () => {
  // Half the names of a library whose strings go on in a page that is missing.
  const page = 0x10000n;
  const count = 300;
  const buffer = Buffer.alloc(0x4000);
  buffer.write('\x7fELF\x02\x01\x01', 'latin1');
  buffer.writeUInt16LE(3, 16);
  buffer.writeBigUInt64LE(64n, 32);
  buffer.writeUInt16LE(56, 54);
  buffer.writeUInt16LE(2, 56);
  const segment = (index: number, type: number, address: number, size: number): void => {
    const at = 64 + 56 * index;
    buffer.writeUInt32LE(type, at);
    buffer.writeUInt32LE(5, at + 4);
    for (const [offset, value] of [[8, address], [16, address], [32, size], [40, size]] as const) buffer.writeBigUInt64LE(BigInt(value), at + offset);
  };
  segment(0, 1, 0, 0x6000);
  segment(1, 2, 0x200, 0x60);
  const strings = 0x3000;
  for (const [index, [tag, value]] of ([[6, 0x400], [5, strings], [10, 0x3000], [4, 0x300], [0, 0]] as const).entries()) {
    buffer.writeBigUInt64LE(BigInt(tag), 0x200 + 16 * index);
    buffer.writeBigUInt64LE(BigInt(value), 0x208 + 16 * index);
  }
  buffer.writeUInt32LE(count, 0x304);
  for (let index = 1; index < count; index++) {
    const at = 0x400 + 24 * index;
    // Names of 15 letters: those of the second half lie behind 0x4000, where nothing is.
    buffer.writeUInt32LE(1 + index * 27, at);
    buffer[at + 4] = 0x12;
    buffer.writeUInt16LE(1, at + 6);
    buffer.writeBigUInt64LE(BigInt(0x100 + index), at + 8);
    if (strings + 1 + index * 27 < 0x4000) buffer.write(`name_${String(index).padStart(10, '0')}\0`, strings + 1 + index * 27);
  }
  const { symbols, missing } = (LoadedElf.at(new BufferSpace(buffer, page), page) as LoadedElf).symbols();
  const whole = Math.floor((0x1000 - 17) / 27);
  assert.equal(symbols.length, whole);
  assert.ok(symbols.every(({ name, address }) => name === `name_${String(address - page - 0x100n).padStart(10, '0')}`));
  assert.match(missing.join(), new RegExp(`names of ${count - 1 - whole} symbols`));
});

test('damaged and hostile headers end, quickly, with what can be believed', () => {
  for (const library of libraries) {
    const file = bytesOf(library);
    const places = [...Array.from({ length: 64 }, (_, index) => index), ...Array.from({ length: 0x600 }, (_, index) => 64 + index), ...Array.from({ length: 0x120 }, (_, index) => 0xe00 + index)].filter((place) => place < file.length);
    const flips = fc.array(fc.tuple(fc.constantFrom(...places), fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0x7f, 0x80, 0xff))), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(flips, (changes) => {
        const damaged = Buffer.from(file);
        for (const [place, value] of changes) damaged[place] = value;
        const elf = LoadedElf.at(new BufferSpace(damaged, 0x10000n, 'damaged'), 0x10000n);
        if (!elf) return;
        void [elf.bias, elf.end, elf.buildId];
        const { symbols } = bounded(5000, () => elf.symbols(new BufferSpace(damaged)));
        assert.ok(symbols.length <= 2 * MOST_SYMBOLS);
        for (const { address, name } of symbols) assert.ok(address >= 0n && address < 1n << 64n && name.length > 0 && name.length <= 4096);
      }),
      { numRuns: 400 },
    );
  }
});
