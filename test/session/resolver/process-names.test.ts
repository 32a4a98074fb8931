import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../support/property.js';
import type { MmStruct } from '../../../src/kernel/linux/types.js';
import { memberAt } from '../../../src/session/resolver/member-path.js';
import { moduleKey, moduleName } from '../../../src/session/resolver/module-names.js';
import { processNames } from '../../../src/session/resolver/process-names.js';
import { FakeImage, type LiteralTypes } from '../../support/image.js';
import { root } from '../../support/root.js';

const types: LiteralTypes = {
  mm_struct: [64, { mmap: [0, 'vm_area_struct *'], start_brk: [8, 'unsigned long'], brk: [16, 'unsigned long'], start_stack: [24, 'unsigned long'], context: [32, 'unsigned long'] }],
  vm_area_struct: [
    96,
    { vm_start: [0, 'unsigned long'], vm_end: [8, 'unsigned long'], vm_next: [16, 'vm_area_struct *'], vm_mm: [24, 'mm_struct *'], vm_flags: [32, 'unsigned long'], vm_pgoff: [40, 'unsigned long'], vm_file: [48, 'file *'], vm_ops: [56, 'void *'], vm_private_data: [64, 'void *'] },
  ],
  file: [64, { f_path: [0, 'path'], f_inode: [16, 'inode *'], f_mode: [24, 'int'] }],
  vfsmount: [16, { mnt_root: [0, 'dentry *'], mnt_sb: [8, 'super_block *'] }],
  path: [16, { mnt: [0, 'vfsmount *'], dentry: [8, 'dentry *'] }],
  dentry: [96, { d_name: [0, 'qstr'], d_parent: [16, 'dentry *'], d_inode: [24, 'inode *'], d_sb: [32, 'super_block *'], d_flags: [40, 'int'], d_hash: [48, 'hlist_node'], d_op: [64, 'void *'] }],
  qstr: [16, { len: [0, 'unsigned int'], name: [8, 'char *'] }],
  inode: [16, { i_ino: [0, 'unsigned long'], i_mapping: [8, 'void *'] }],
  super_block: [32, { s_magic: [0, 'unsigned long'], s_dev: [8, 'int'], s_root: [16, 'dentry *'] }],
};

interface AreaSpec {
  readonly start: bigint;
  readonly end: bigint;
  readonly file?: bigint;
  readonly page?: bigint;
}

/** A process with a list of areas, as kernels before 6.1 have it. */
function processOf(image: FakeImage, areas: readonly AreaSpec[]): MmStruct {
  const mm = image.place('mm_struct', { start_brk: 0x1000_0000n, brk: 0x1002_0000n, start_stack: 0x7fff_0000_8000n });
  const places = areas.map(() => image.place('vm_area_struct'));
  for (const [index, { start, end, file = 0n, page = 0n }] of areas.entries()) {
    image.set('vm_area_struct', places[index] as bigint, { vm_start: start, vm_end: end, vm_next: places[index + 1] ?? 0n, vm_mm: mm, vm_flags: 5, vm_file: file, vm_pgoff: page });
  }
  if (places[0] !== undefined) image.set('mm_struct', mm, { mmap: places[0] });
  return image.kernel().at<MmStruct>('mm_struct', mm);
}

function fileOf(image: FakeImage, name: string): bigint {
  const text = image.room(64);
  image.string(text, name);
  const inode = image.place('inode', { i_ino: 7 });
  const superBlock = image.place('super_block', {});
  const top = image.place('dentry', { d_sb: superBlock });
  image.set('dentry', top, { d_parent: top });
  image.set('super_block', superBlock, { s_root: top });
  const dentry = image.place('dentry', { d_name: { len: name.length, name: text }, d_parent: top, d_inode: inode, d_sb: superBlock, d_hash: { next: 0n, pprev: 1n } });
  return image.place('file', { f_path: { dentry }, f_inode: inode });
}

test('a library is one module from its header to the end of .bss; what follows is another', () => {
  const image = new FakeImage({ types });
  const library = readFileSync(join(root, 'test/data/elf/tiny-gnu.so'));
  const base = 0x7f0000000000n;
  // Segments at 0 (0x63c bytes) and 0x1eac (0x624 bytes): .bss reaches to 0x24d0.
  image.write(base, library.subarray(0, 0x63c));
  image.write(base + 0x1eacn, library.subarray(0xeac, 0xeac + 0x168));
  const file = fileOf(image, 'tiny.so.1.2');
  const data = fileOf(image, 'data.bin');
  const mm = processOf(image, [
    { start: 0x1000_0000n, end: 0x1002_0000n },
    { start: base, end: base + 0x1000n, file },
    { start: base + 0x1000n, end: base + 0x2000n, file, page: 0n },
    { start: base + 0x2000n, end: base + 0x6000n },
    { start: base + 0x10000n, end: base + 0x11000n, file: data },
    { start: base + 0x20000n, end: base + 0x21000n, file: data },
    { start: 0x7fff_0000_0000n, end: 0x7fff_0001_0000n },
  ]);
  const kernel = image.kernel();
  const faults: string[] = [];
  const { modules, ranges } = processNames(kernel, mm, image.space(), ['linux'], (what) => faults.push(what));
  assert.deepEqual(
    ranges.map(({ start, end, names }) => [names.name, start - (start >= base && start < 0x7fff_0000_0000n ? base : 0n), end - (end >= base && end < 0x7fff_0000_0000n ? base : 0n)]),
    [
      ['heap', 0x1000_0000n, 0x1002_0000n],
      ['tiny', 0n, 0x1000n],
      ['tiny', 0x1000n, 0x2000n],
      ['tiny', 0x2000n, 0x24d0n],
      ['map_0x7f00000024d0', 0x24d0n, 0x6000n],
      ['data.bin', 0x10000n, 0x11000n],
      ['map_0x7f0000020000', 0x20000n, 0x21000n],
      ['stack', 0x7fff_0000_0000n, 0x7fff_0001_0000n],
    ],
  );
  const tiny = modules.find(({ name }) => name === 'tiny');
  assert.equal(tiny?.lookup('exported_zero'), base + 0x2020n);
  assert.equal(tiny.nearest(base + 0x2024n)?.symbol.name, 'exported_zero');
  assert.ok(tiny.aliases?.includes('tiny.so.1.2'));
  assert.deepEqual(faults, []);
});

test('areas and files that lie, loop or overlap end', () => {
  const word = fc.oneof(fc.constantFrom(0n, 1n, 0x7f0000000000n, 0x7f0000001000n, 0xffff888000100000n, (1n << 64n) - 1n, 1n << 63n), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
  const library = readFileSync(join(root, 'test/data/elf/tiny-gnu.so'));
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word, word, word), { minLength: 1, maxLength: 12 }), fc.boolean(), (areas, loop) => {
      const image = new FakeImage({ types });
      image.write(0x7f0000000000n, library.subarray(0, 0x63c));
      const mm = processOf(image, areas.map(([start, end, file, page]) => ({ start, end, file: file % 3n === 0n ? fileOf(image, 'x') : file, page: page % 2n })));
      const first = mm.$pointer('mmap');
      if (loop) image.set('vm_area_struct', first, { vm_next: first });
      const { ranges, modules } = processNames(image.kernel(), mm, image.space(), [], () => undefined);
      for (const [index, range] of ranges.entries()) assert.ok(index === 0 || (ranges[index - 1] as typeof range).start <= range.start);
      for (const module of modules) void module.index().size;
    }),
    { numRuns: 60 },
  );
});

test('names of files as modules', () => {
  const cases: [string, string, string][] = [
    ['/lib/x86_64-linux-gnu/libc.so.6', 'libc', 'libc'],
    ['/usr/lib/libpython3.11.so.1.0', 'libpython3.11', 'libpython3.11'],
    ['/usr/bin/python3.11', 'python3.11', 'python3.11'],
    ['/tmp/gone/labsleep (deleted)', 'labsleep', 'labsleep'],
    ['C:\\Windows\\System32\\NTOSKRNL.EXE', 'NTOSKRNL', 'nt'],
    ['ntkrpamp.exe', 'ntkrpamp', 'nt'],
    ['vmlinux', 'vmlinux', 'linux'],
    ['loop.ko.xz', 'loop', 'loop'],
    ['.so', '.so', '.so'],
  ];
  for (const [path, name, key] of cases) {
    assert.equal(moduleName(path), name);
    assert.equal(moduleKey(path), key);
  }
});

test('which member lies at an offset', () => {
  const image = new FakeImage({
    types: {
      point: [8, { x: [0, 'int'], y: [4, 'int'] }],
      shape: [64, { name: [0, ['array', 16, 'char']], at: [16, 'point'], corners: [24, ['array', 4, 'point']], next: [56, 'shape *'] }],
    },
  });
  const { compiler } = image.profile();
  const at = (offset: number): string | undefined => {
    const found = memberAt(compiler, { kind: 'struct', name: 'shape' }, offset);
    return found && `${found.path}+${found.rest}`;
  };
  assert.equal(at(0), '.name+0');
  assert.equal(at(5), '.name+5');
  assert.equal(at(20), '.at.y+0');
  assert.equal(at(24 + 2 * 8 + 4), '.corners[2].y+0');
  assert.equal(at(24 + 2 * 8 + 6), '.corners[2].y+2');
  assert.equal(at(57), '.next+1');
  assert.equal(at(64), undefined);
  assert.equal(at(-1), undefined);
  assert.equal(memberAt(compiler, { kind: 'array', count: 0, target: { kind: 'struct', name: 'point' } }, 804)?.path, '[100].y');
});
