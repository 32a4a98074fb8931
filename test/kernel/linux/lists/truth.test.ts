import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { openFiles } from '../../../../src/kernel/linux/files.js';
import type { LinuxKernel } from '../../../../src/kernel/linux/kernel.js';
import { walkIdr } from '../../../../src/kernel/linux/lists/idr.js';
import { walkXarray } from '../../../../src/kernel/linux/lists/xarray.js';
import { processes, threads } from '../../../../src/kernel/linux/tasks.js';
import type { Inode } from '../../../../src/kernel/linux/types.js';
import type { Struct } from '../../../../src/object/struct.js';
import { samples, skipWithout } from '../../../support/sample.js';

const found = samples();

/** An open file of any process, by its name. */
function openInode(kernel: LinuxKernel, name: string): Inode | undefined {
  for (const task of processes(kernel)) {
    for (const { file } of openFiles(kernel, task)) {
      const dentry = file.f_path.dentry;
      const text = dentry === null ? '' : kernel.space.readCString((dentry.$get('d_name') as Struct).$pointer('name')).toString();
      if (text === name) return dentry?.$get('d_inode') as Inode;
    }
  }
  return undefined;
}

test('the pages of a cached file, in order, are the file', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    if (!sample.hasTruth('data/sums.txt')) continue;
    await context.test(sample.name, async () => {
      const session = sample.session();
      const kernel = (await session.kernel()) as LinuxKernel;
      const expected = /^([0-9a-f]{64})\s+\/data\/notes\.txt$/m.exec(sample.truth('data/sums.txt'))?.[1];
      assert.ok(expected !== undefined);
      const inode = openInode(kernel, 'notes.txt');
      assert.ok(inode);
      const size = Number(inode.$get('i_size'));
      const pages = (inode.$get('i_mapping') as Struct).$get('i_pages') as Struct;
      const faults: string[] = [];
      const content = Buffer.alloc(Math.ceil(size / 4096) * 4096);
      const pageSize = kernel.struct('page').size ?? 0;
      let next = 0n;
      for (const { first, last, entry } of walkXarray(kernel, pages, { onFault: (what) => faults.push(what) })) {
        assert.equal(first, next, 'no page of the file is missing');
        next = last + 1n;
        const frame = Number((entry - kernel.variable('vmemmap_base')) / BigInt(pageSize));
        for (let index = 0; index <= Number(last - first); index++) {
          kernel.physical.pageAt(frame + index)?.bytes.copy(content, (Number(first) + index) * 4096);
        }
      }
      session.close();
      assert.deepEqual(faults, []);
      assert.equal(createHash('sha256').update(content.subarray(0, size)).digest('hex'), expected);
    });
  }
});

test('identifiers in the process id namespace are those of the tasks', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(sample.name, async () => {
      const session = sample.session();
      const kernel = (await session.kernel()) as LinuxKernel;
      const namespace = kernel.global('init_pid_ns', 'pid_namespace');
      const faults: string[] = [];
      const withTask: number[] = [];
      for (const { id, entry } of walkIdr(kernel, namespace.$get('idr') as Struct, { onFault: (what) => faults.push(what) })) {
        const pid = kernel.at('pid', entry);
        const [top] = pid.$get('numbers') as Iterable<Struct>;
        // In newer kernels a flexible array, of length 0: its first element is asked for by address.
        const number = top ?? kernel.at('upid', pid.$addressOf('numbers'));
        assert.equal(number.$get('nr'), id, 'struct pid knows its number');
        // tasks[PIDTYPE_PID]: the chain of the one task of this number; process groups and sessions may outlive it.
        const [first] = pid.$get('tasks') as Iterable<Struct>;
        if (first?.$pointer('first') !== 0n) withTask.push(id);
      }
      const tasks = [...processes(kernel)].flatMap((leader) => [...threads(kernel, leader)].map((task) => task.pid));
      session.close();
      assert.deepEqual(faults, []);
      assert.ok(tasks.length > 60);
      assert.deepEqual(withTask, tasks.sort((a, b) => a - b));
    });
  }
});
