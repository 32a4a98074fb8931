import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { blockChecksum, Cabinet } from '../../../src/symbols/cab/cab.js';
import { ProfileError } from '../../../src/symbols/error.js';
import { cabinetOf } from '../../support/cabinet.js';

/** Text whose later blocks repeat earlier ones: packed with a look back across blocks. */
const phrase = randomBytes(1000);
const long = Buffer.concat(Array.from({ length: 150 }, (_, index) => Buffer.concat([phrase.subarray(0, 990), Buffer.from(`${index}`.padStart(10))])));
const files = { 'a.txt': Buffer.from('first'), 'folder\\ntkrnlmp.pdb': long, empty: Buffer.alloc(0), z: Buffer.from('last') };

test('files come out as they went in, stored, MSZIP with a dictionary carried from block to block, LZX with all kinds of blocks', () => {
  for (const method of ['none', 'mszip', 'lzx'] as const) {
    const packed = cabinetOf(files, method);
    if (method === 'mszip') assert.ok(packed.length < 10_000, `the blocks look back: ${packed.length}`);
    const cabinet = new Cabinet(packed, 'x.cab');
    assert.deepEqual(cabinet.files.map(({ name }) => name), Object.keys(files));
    for (const file of cabinet.files) assert.deepEqual(cabinet.read(file), files[file.name as keyof typeof files], `${method} ${file.name}`);
  }
});

test('checksums are looked at where there are any', () => {
  const packed = cabinetOf({ a: Buffer.from('1234567') }, 'none');
  const start = packed.readUInt32LE(36);
  packed.writeUInt32LE(blockChecksum(packed.subarray(start + 4, start + 8), packed.subarray(start + 8)), start);
  const read = (): Buffer => {
    const cabinet = new Cabinet(packed, 'x.cab');
    return cabinet.read(cabinet.files[0] as (typeof cabinet.files)[number]);
  };
  assert.equal(read().toString(), '1234567');
  // By hand: '1234' ^ '5' '6' '7' as 0x353637 ^ the header 7 | 7 << 16.
  assert.equal(packed.readUInt32LE(start), (0x34333231 ^ 0x353637 ^ 0x00070007) >>> 0);
  packed[start + 9] = 0x21;
  assert.throws(read, /checksum of block 0/);
});

test('what is cut off, damaged, of a set, or packed otherwise is said in a sentence', () => {
  const whole = cabinetOf(files);
  const readAll = (bytes: Buffer): void => {
    const cabinet = new Cabinet(bytes, 'x.cab');
    for (const file of cabinet.files) cabinet.read(file);
  };
  for (let length = 0; length < whole.length - 1; length += length < 400 ? 1 : 997) assert.throws(() => readAll(whole.subarray(0, length)), ProfileError, `${length} bytes`);
  const set = Buffer.from(whole);
  set.writeUInt16LE(2, 30);
  assert.throws(() => readAll(set), /one of a set/);
  assert.throws(() => readAll(cabinetOf(files, 'quantum')), /Quantum/);
  const huge = Buffer.from(whole);
  huge.writeUInt32LE(0xfffffff0, 44);
  assert.throws(() => readAll(huge), /would have/);
  const lzx = cabinetOf(files, 'lzx');
  // Any damage ends in a sentence or in bytes, never in another error.
  for (let round = 0; round < 400; round++) {
    const damaged = Buffer.from(round % 4 < 2 ? whole : lzx);
    for (let i = 0; i < 3; i++) damaged[Math.floor(Math.random() * (round % 2 === 0 ? 200 : damaged.length))] = Math.floor(Math.random() * 256);
    try {
      readAll(damaged);
    } catch (error) {
      assert.ok(error instanceof ProfileError, String(error));
    }
  }
});
