import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pstree } from '../../../plugins/linux/pstree.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples([...everyAmd64, 'pae']);
test('pstree', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: each process stands below its parent of /proc, one step deeper`, async () => {
      const session = sample.session();
      const { rows } = await rowsOf(session, pstree);
      const path: number[] = [];
      for (const row of rows) {
        const depth = row['depth'] as number;
        path.length = depth;
        const pid = row['pid'] as number;
        if (sample.hasTruth(`proc/${pid}/stat`)) {
          const stat = sample.truth(`proc/${pid}/stat`);
          const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
          if (depth > 0) assert.equal(path[depth - 1], parent, `parent of ${pid}`);
          else assert.equal(parent, 0, `${pid} has no parent`);
        }
        path.push(pid);
      }
      assert.equal(new Set(rows.map((row) => row['pid'])).size, rows.length, 'each process once');
      session.close();
    });
  }
});
