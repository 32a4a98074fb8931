import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDisassembler } from '../../src/disasm/decode.js';
import { type UsedPointer, usedPointers } from '../../src/disasm/imported.js';
import { found } from '../../src/memory/breathe.js';
import { BufferSpace } from '../../src/memory/space.js';
import { codeRanges } from '../../src/symbols/pe/imported-calls.js';
import { imports } from '../../src/symbols/pe/imports.js';
import { LoadedPe } from '../../src/symbols/pe/loaded.js';
import { mapped, NAMES, sampleBytes } from '../symbols/pe/samples.js';
import { objdump, skipWithoutObjdump } from '../support/objdump.js';

/** Where the functions that are imported would be. */
const EXPORTS = 0x7fff0000;

/** A sample as the loader leaves it at its base: each import's pointer leads to a function of its own, delay imports still into the image. */
function loaded(name: (typeof NAMES)[number]): { pe: LoadedPe; slots: readonly number[] } {
  const source = mapped(sampleBytes(name));
  const bytes = source.space.readPartial(source.base, source.sizeOfImage).bytes;
  const slots = [...imports(source)].filter((one) => !one.delayed).map(({ slot }) => slot);
  for (const [index, slot] of slots.entries()) {
    if (source.header.wide) bytes.writeBigUInt64LE(BigInt(EXPORTS + index), slot);
    else bytes.writeUInt32LE(EXPORTS + index, slot);
  }
  const space = new BufferSpace(bytes, source.base, 'loaded', source.header.wide ? 64 : 32);
  return { pe: LoadedPe.read(space, source.base), slots };
}

async function search(pe: LoadedPe, options: { tables?: boolean } = {}): Promise<readonly UsedPointer[]> {
  const steps = usedPointers({
    space: pe.space,
    disassembler: await loadDisassembler(pe.header.wide ? 64 : 32),
    code: codeRanges(pe),
    width: pe.header.wide ? 8 : 4,
    tables: options.tables === true && pe.directory(12) ? [{ start: pe.address(pe.directory(12)?.rva ?? 0), size: pe.directory(12)?.size ?? 0 }] : [],
    isExport: (address) => address >= BigInt(EXPORTS) && address < BigInt(EXPORTS + 16),
  });
  return [...found(steps)].at(-1) ?? [];
}

for (const name of NAMES) {
  test(`${name}: every import, with the calls that objdump lists`, { skip: skipWithoutObjdump }, async () => {
    const { pe, slots } = loaded(name);
    const pointers = await search(pe);
    assert.deepEqual(pointers.map(({ slot, target }) => [slot, target]), slots.map((slot, index) => [pe.address(slot), BigInt(EXPORTS + index)]));
    const [range] = codeRanges(pe);
    assert.ok(range);
    const listing = objdump(pe.space.read(range.start, range.size), range.start, pe.header.wide ? 'i386:x86-64' : 'i386');
    // The operand's address is the last number of the line: `call QWORD PTR [rip+0x1109] # 0x1800021b8`.
    const through = (text: string): bigint => BigInt(/(0x[0-9a-f]+)\]?$/.exec(text)?.[1] ?? 0);
    const indirect = listing.filter(({ text }) => /^(call|jmp) .*(\[rip\+|ds:0x)/.test(text) && slots.some((slot) => pe.address(slot) === through(text)));
    assert.deepEqual(pointers.flatMap((one) => [...one.callers]).sort(), indirect.map(({ address }) => address).sort());
    assert.ok(indirect.length >= 3);
  });

  test(`${name}: without its header, and without calls, tables still tell`, async () => {
    const { pe, slots } = loaded(name);
    const one = await search({ ...pe, space: pe.space, sections: [], header: { ...pe.header, sections: [] }, base: pe.base, sizeOfImage: pe.sizeOfImage, address: (rva: number) => pe.address(rva), directory: () => undefined } as never);
    assert.equal(one.length, slots.length);
    const bytes = pe.space.readPartial(pe.base, pe.sizeOfImage).bytes;
    const text = pe.sections[0];
    bytes.fill(0xcc, text?.rva, (text?.rva ?? 0) + (text?.size ?? 0));
    const silent = LoadedPe.read(new BufferSpace(bytes, pe.base, 'silent', pe.space.bits), pe.base);
    assert.equal((await search(silent)).length, 0);
    assert.deepEqual((await search(silent, { tables: true })).map(({ callers }) => callers.length), slots.map(() => 0));
  });
}

test('a table that is cut off, code that ends in the middle of a call, nothing but pointers: it ends', async () => {
  const bytes = Buffer.alloc(0x3000, 0xff);
  for (let at = 0; at + 2 < 0x1000; at += 6) bytes[at + 1] = 0x15;
  for (let at = 0x1000; at + 8 <= 0x3000; at += 8) bytes.writeBigUInt64LE(BigInt(EXPORTS), at);
  const space = new BufferSpace(bytes, 0x10000n);
  const steps = usedPointers({ space, disassembler: await loadDisassembler(64), code: [{ start: 0x10000n, size: 0x2ffd }], width: 8, tables: [{ start: 0x11000n, size: 1 << 30 }], isExport: () => true });
  const pointers = [...found(steps)].at(-1) ?? [];
  assert.ok(pointers.length > 0 && pointers.length < 1 << 17);
});
