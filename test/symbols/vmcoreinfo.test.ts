import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/property.js';
import { findVmcoreinfo, parseVmcoreinfo } from '../../src/symbols/vmcoreinfo.js';
import { samples, skipWithout } from '../support/sample.js';
import { memoryOf, openPhysical } from './physical.js';

const TEXT = `OSRELEASE=6.12.0-test
BUILD-ID=7f76f39faf07f34cfa9fadd801e131bfa8cb6dc3
PAGESIZE=4096
SYMBOL(init_uts_ns)=ffffffff99a21bc0
OFFSET(uts_namespace.name)=8
SIZE(page)=64
LENGTH(zone.free_area)=11
NUMBER(VMALLOC_START)=0xffffcb72c0000000
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129
NUMBER(phys_base)=-381681664
KERNELOFFSET=16c00000
CONFIG_X86_PAE=y
CRASHTIME=1700000000
SYMBOL(damaged)=xyz
SIZE(damaged)=-1
no line at all
`;

test('all kinds of lines', () => {
  const info = parseVmcoreinfo(TEXT);
  assert.ok(info);
  assert.equal(info.osrelease, '6.12.0-test');
  assert.equal(info.buildId, '7f76f39faf07f34cfa9fadd801e131bfa8cb6dc3');
  assert.equal(info.pageSize, 4096);
  assert.equal(info.kernelOffset, 0x16c00000n);
  assert.equal(info.physBase, -381681664n);
  assert.deepEqual([...info.symbols], [['init_uts_ns', 0xffffffff99a21bc0n]]);
  assert.deepEqual([...info.sizes], [['page', 64]]);
  assert.deepEqual([...info.offsets], [['uts_namespace.name', 8]]);
  assert.deepEqual([...info.lengths], [['zone.free_area', 11]]);
  assert.equal(info.numbers.get('VMALLOC_START'), 0xffffcb72c0000000n);
  assert.equal(info.numbers.get('PAGE_BUDDY_MAPCOUNT_VALUE'), -129n);
  assert.equal(info.others.get('CONFIG_X86_PAE'), 'y');
  assert.equal(info.others.get('CRASHTIME'), '1700000000');
  assert.equal(parseVmcoreinfo('PAGESIZE=4096\n'), undefined);
  assert.equal(parseVmcoreinfo(''), undefined);
});

test('texts in memory are found across pages; the format string is none', () => {
  const bytes = Buffer.alloc(0x4000);
  bytes.write('OSRELEASE=%s\nPAGESIZE=%ld\n', 0x100, 'latin1');
  bytes.write(TEXT, 0xff0, 'latin1');
  bytes.write('OSRELEASE=5.0\n', 0x3000, 'latin1');
  const found = [...findVmcoreinfo(memoryOf(0x10000, bytes))];
  assert.deepEqual(
    found.map(({ physical, text }) => [physical, text]),
    [[0x10ff0, TEXT]],
  );
  assert.equal([...findVmcoreinfo(memoryOf(0x10000, bytes), { from: 0x11000 })].length, 0);
});

test('any text is parsed without harm', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.constantFrom('SYMBOL(', ')=', 'NUMBER(a)=', 'SIZE', '-', '0x', '\n', 'f'.repeat(40))),
      (text, parts) => {
        const info = parseVmcoreinfo(`OSRELEASE=${text}\n${parts.join('')}`);
        assert.ok(info);
        for (const value of info.symbols.values()) assert.ok(value >= 0n && value < 1n << 64n);
      },
    ),
  );
});

const all = samples(['tiny', 'la57', 'generic', 'cloud612', 'cloud510', 'pae']);
test("the kernel's own text agrees with the guest", { skip: skipWithout(all) }, async (t) => {
  for (const sample of all) {
    await t.test(sample.name, () => {
      const physical = openPhysical(sample.image);
      const guest = new Map(
        sample
          .truth('proc/kallsyms')
          .split('\n')
          .map((line) => [line.split(' ')[2] ?? '', BigInt(`0x${line.split(' ')[0] || '0'}`)]),
      );
      const release = /^Linux version (\S+)/.exec(sample.truth('proc/version'))?.[1];
      const texts = [...findVmcoreinfo(physical)].map(({ info }) => info);
      assert.ok(texts.length > 0);
      for (const info of texts) {
        assert.equal(info.osrelease, release);
        assert.equal(info.symbols.get('_stext'), guest.get('_stext'));
        for (const [name, address] of info.symbols) {
          // Variables that hold addresses (vmemmap, mem_section) are given by value; 32-bit kernels list functions only.
          if (['vmemmap', 'mem_section'].includes(name) || !guest.has(name)) continue;
          assert.equal(address, guest.get(name), name);
        }
        if (info.physBase !== undefined) assert.equal(info.sizes.get('list_head'), 16);
      }
      physical.close();
    });
  }
});
