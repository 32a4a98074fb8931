import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { CachedFile } from '../../../src/kernel/linux/page-cache.js';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { processByPid } from '../../../src/kernel/linux/tasks.js';
import type { Inode, MmStruct } from '../../../src/kernel/linux/types.js';
import { vmaName, vmas } from '../../../src/kernel/linux/vma.js';
import { type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny']);

test("a file's content from the page cache is what the guest's sha256sum saw", { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const kernel = (await session.kernel()) as LinuxKernel;
  const pid = Number(sample.list('proc').find((name) => sample.hasTruth(`proc/${name}/comm`) && sample.truth(`proc/${name}/comm`).trim() === 'labfiles'));
  const mm = processByPid(kernel, pid).mm as MmStruct;
  const bounds = { heapStart: 0n, heapEnd: 0n, stack: 0n };
  const area = [...vmas(kernel, mm)].find((vma) => vmaName(kernel, vma, bounds) === '/data/mapped.bin');
  const inode = area?.vm_file?.f_inode as Inode;
  const file = new CachedFile(kernel, inode, 'mapped.bin');
  const content = file.read(0n, Number(inode.i_size));
  const [sum] = sample.truth('data/sums.txt').split('\n').filter((line) => line.endsWith('/data/mapped.bin'))[0]?.split(' ') ?? [];
  // After the sum labfiles wrote 47 bytes through its shared mapping (fixtures/lab/guest/lab.c): what was there before is put back.
  assert.equal(content.toString('latin1', 8192, 8192 + 46), 'LABMAPPED:written through a shared mapping:END');
  content.write('LABFILE:mapped.bin:page=2:END'.padEnd(47, 'C'), 8192);
  assert.equal(createHash('sha256').update(content).digest('hex'), sum);
  assert.equal(file.pageAt(8), undefined);
  assert.equal(file.pageAt(2 ** 40), undefined);
  session.close();
});
