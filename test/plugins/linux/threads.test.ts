import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threads } from '../../../plugins/linux/threads.js';
import { everyAmd64, rowsOf, samples, skipWithout } from '../../support/sample.js';

const found = samples([...everyAmd64, 'pae']);
test('threads', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: the threads of every process, as /proc/PID/task has them`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, threads);
      assert.equal(run.faults, 0);
      const known = new Map(rows.map((row) => [`${String(row['pid'])}/${String(row['tid'])}`, row]));
      let compared = 0;
      for (const pid of sample.list('proc').filter((name) => /^\d+$/.test(name))) {
        for (const tid of sample.list(`proc/${pid}/task`)) {
          const stat = sample.truth(`proc/${pid}/task/${tid}/stat`);
          const row = known.get(`${pid}/${tid}`);
          assert.ok(row, `thread ${tid} of ${pid}`);
          const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
          if (row['kernel_thread'] !== true) assert.equal(row['name'], comm);
          // Field 39 of proc(5): the processor it last ran on; user programs of the guest sleep.
          const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
          if (fields[0] === 'S' && comm.startsWith('thr-')) assert.equal(row['cpu'], Number(fields[36]));
          compared++;
        }
      }
      assert.ok(compared > 4, `${compared} threads compared`);
      const named = rows.map((row) => row['name']);
      for (const name of ['thr-alpha', 'thr-bravo', 'thr-charlie', 'thr-delta', 'thr-echo']) assert.ok(named.includes(name), name);
      session.close();
    });
  }
});
