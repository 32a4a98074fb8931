import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { modules, moduleSymbols } from '../../../src/kernel/linux/modules.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { readModuleKallsyms } from '../../../src/symbols/kallsyms/module.js';
import { samples, skipWithout } from '../../support/sample.js';

const BASE = 0xffffffffc0300000n;

/** Symbol, string and type tables in one buffer. */
function tables(
  bits: 32 | 64,
  symbols: readonly { name: string; value: bigint; section: number; info?: number }[],
  letters: string,
) {
  const size = bits === 64 ? 24 : 16;
  const bytes = Buffer.alloc(0x3000);
  let text = 0x2000 + 1;
  symbols.forEach(({ name, value, section, info = 0 }, index) => {
    const at = index * size;
    bytes.writeUInt32LE(name === '' ? 0 : text - 0x2000, at);
    bytes[at + (bits === 64 ? 4 : 12)] = info;
    bytes.writeUInt16LE(section, at + (bits === 64 ? 6 : 14));
    if (bits === 64) bytes.writeBigUInt64LE(value, at + 8);
    else bytes.writeUInt32LE(Number(value), at + 4);
    bytes.write(`${name}\0`, text, 'latin1');
    text += name === '' ? 0 : name.length + 1;
  });
  bytes.write(letters, 0x1000, 'latin1');
  const space = new BufferSpace(bytes, BASE, 'module', bits);
  return {
    space,
    info: { symtab: BASE, strtab: BASE + 0x2000n, numSyms: symbols.length, typetab: BASE + 0x1000n, bits },
  };
}

for (const bits of [64, 32] as const) {
  const start = bits === 64 ? 0xffffffffc0200000n : 0xf8200000n;
  const symbols = [
    { name: '', value: 0n, section: 0 },
    { name: 'init_module', value: start, section: 1 },
    { name: 'printk', value: 0n, section: 0 },
    { name: 'some_data', value: start + 0x40n, section: 3 },
    { name: '', value: start, section: 1 },
  ];

  test(`symbols of a module, ${bits} bits`, () => {
    const { space, info } = tables(bits, symbols, '?tUdt');
    assert.deepEqual(readModuleKallsyms(space, info), [
      { name: 'init_module', address: start, kind: 't' },
      { name: 'some_data', address: start + 0x40n, kind: 'd' },
    ]);
  });
}

test('what cannot be read is left out, what is impossible is refused', () => {
  const symbols = Array.from({ length: 100 }, (_, i) => ({
    name: i === 0 ? '' : `symbol_${i}`,
    value: 0xffffffffc0200000n + BigInt(i),
    section: 1,
  }));
  const { space, info } = tables(64, symbols, 't'.repeat(100));
  assert.equal(readModuleKallsyms(space, info).length, 99);
  // Neither text nor letters can be read beyond the buffer.
  assert.deepEqual(readModuleKallsyms(space, { ...info, strtab: BASE + 0x100000n }), []);
  assert.deepEqual(readModuleKallsyms(space, { ...info, symtab: BASE + 0x100000n }), []);
  assert.equal(readModuleKallsyms(space, { ...info, typetab: BASE + 0x100000n }).length, 99);
  for (const numSyms of [-1, 0.5, 2 ** 31, NaN])
    assert.throws(() => readModuleKallsyms(space, { ...info, numSyms }), /corrupt/);
});

test('letters stand in st_info before there was a table of them', () => {
  const { space, info } = tables(
    64,
    [
      { name: '', value: 0n, section: 0 },
      { name: 'old', value: 0xffffffffc0200000n, section: 1, info: 0x62 },
    ],
    '',
  );
  const { typetab: _none, ...old } = info;
  assert.deepEqual(readModuleKallsyms(space, old), [{ name: 'old', address: 0xffffffffc0200000n, kind: 'b' }]);
});

const all = samples();
test("every module's symbols are those of the guest's /proc/kallsyms", { skip: skipWithout(all) }, async (t) => {
  for (const sample of all) {
    await t.test(sample.name, async () => {
      const guest: string[] = [];
      for (const line of sample.truth('proc/kallsyms').split('\n')) {
        const parts = /^([0-9a-f]+) (.) (\S+)\s+\[(\S+)\]$/.exec(line);
        // /proc/kallsyms shows exported symbols in upper case (kernel/kallsyms.c, s_show), which the table does not tell.
        // bpf programs and trampolines stand in the same list, but belong to no module.
        if (parts && parts[4] !== 'bpf' && !parts[4]?.startsWith('__builtin'))
          guest.push(`${parts[4]} ${parts[3]} ${BigInt(`0x${parts[1]}`)} ${parts[2]?.toLowerCase()}`);
      }
      const session = sample.session();
      const kernel = (await session.kernel()) as LinuxKernel;
      const ours: string[] = [];
      for (const module of modules(kernel))
        for (const { name, address, kind } of moduleSymbols(kernel, module))
          ours.push(`${module.name} ${name} ${address} ${kind}`);
      assert.deepEqual(ours.sort(), guest.sort());
      session.close();
    });
  }
});
