import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedReads } from '../../../src/session/resolver/shared-reads.js';
import { SymbolTable } from '../../../src/symbols/symbol-table.js';
import { FakeImage } from '../../support/image.js';
import { fakePe } from '../../support/pe.js';

const PAGE = 0x1000;
const [FILE, SAME, HOOKED, PAGED_OUT, PAGED_OUT_TOO] = [0x10000000n, 0x20000000n, 0x30000000n, 0x40000000n, 0x50000000n] as const;

/** An executable that is mapped at several addresses, as processes map it: its pages are the same, but for those that one wrote to or has not in memory. */
function mapped(): ReturnType<FakeImage['space']> {
  const image = new FakeImage();
  const bytes = fakePe({ machine: 0x8664, exports: { Open: 0x800, Close: 0x900, Alias: 0x800 } });
  const frames = Array.from({ length: bytes.length / PAGE }, (_, page) => image.map(FILE + BigInt(page * PAGE)));
  image.write(FILE, bytes);
  for (const base of [SAME, HOOKED, PAGED_OUT, PAGED_OUT_TOO]) {
    for (const [page, frame] of frames.entries()) {
      const address = base + BigInt(page * PAGE);
      if (page !== 1 || base === SAME) image.map(address, frame);
      else if (base === HOOKED) image.write(address, Buffer.from(fakePe({ machine: 0x8664, exports: { Open: 0x2f00, Close: 0x900, Alias: 0x800 } }).subarray(PAGE, 2 * PAGE)));
    }
  }
  return image.space();
}

test('exports are read once for all who map the same pages, and anew where a page that was read is another', () => {
  const space = mapped();
  const reads = new SharedReads();
  const file = reads.exports(space, FILE);
  assert.deepEqual([...file.values()].map(({ name, rva }) => [name, rva]), [['Open', 0x800], ['Close', 0x900], ['Alias', 0x800]]);
  assert.equal(reads.exports(space, SAME), file);
  const hooked = reads.exports(space, HOOKED);
  assert.deepEqual([...hooked.values()].map(({ rva }) => rva), [0x2f00, 0x900, 0x800], 'the table of the process that changed it is its own');
  const none = reads.exports(space, PAGED_OUT);
  assert.equal(none.size, 0, 'what is not in memory here is not taken from elsewhere');
  assert.equal(reads.exports(space, PAGED_OUT_TOO), none);
  assert.equal(reads.exports(space, FILE), file, 'copies do not take the place of the first');
  assert.deepEqual([...reads.functions(space, SAME)], [[0x800, ['Open', 'Alias']], [0x900, ['Close']]]);
  assert.equal(reads.functions(space, FILE), reads.functions(space, SAME));
  assert.deepEqual(reads.functions(space, HOOKED).get(0x2f00), ['Open']);
});

test('an executable that does not begin at a page, or whose space has no frames, is read each time', () => {
  const space = mapped();
  const reads = new SharedReads();
  assert.equal(reads.exports(space, FILE + 1n).size, 0);
  assert.notEqual(reads.exports(space, FILE + 1n), reads.exports(space, FILE + 1n));
});

test('tables of names are shared by what has the same exports at the same address', () => {
  const space = mapped();
  const reads = new SharedReads();
  const table = (base: bigint): SymbolTable => reads.table(undefined, reads.exports(space, base), base, () => new SymbolTable([...reads.exports(space, base).values()].map(({ name, rva }) => ({ name, address: base + BigInt(rva), kind: 'T' }))));
  assert.equal(table(FILE), table(FILE));
  assert.equal(table(SAME).lookup('Close'), SAME + 0x900n);
  assert.equal(table(HOOKED).lookup('Open'), HOOKED + 0x2f00n);
});
