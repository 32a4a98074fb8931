import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pslist } from '../../../plugins/linux/pslist.js';
import type { Timestamp } from '../../../src/object/time.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** Fields of /proc/PID/stat (proc(5)) by position after the name in parentheses. */
interface Stat {
  readonly pid: number;
  readonly comm: string;
  readonly state: string;
  readonly ppid: number;
  readonly threads: number;
  /** clock ticks (1/100 s) after boot */
  readonly start: number;
}

function parseStat(text: string): Stat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const rest = text.slice(close + 2).split(' ');
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: rest[0] ?? '',
    ppid: Number(rest[1]),
    threads: Number(rest[17]),
    start: Number(rest[19]),
  };
}

function processesOf(sample: Sample): Stat[] {
  return sample
    .list('proc')
    .filter((name) => /^\d+$/.test(name) && sample.hasTruth(`proc/${name}/stat`))
    .map((name) => parseStat(sample.truth(`proc/${name}/stat`)));
}

const found = samples([...everyAmd64, 'pae']);
test('pslist', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: every process of the guest's /proc, and no other`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, pslist);
      assert.equal(run.faults, 0);
      const truth = processesOf(sample);
      assert.ok(truth.length > 50, 'the guest ran more than fifty processes');
      const byPid = new Map(rows.map((row) => [row['pid'] as number, row]));
      const boot = Number(/^btime (\d+)/m.exec(sample.truth('proc/stat'))?.[1]);
      for (const one of truth) {
        const row = byPid.get(one.pid);
        assert.ok(row, `process ${one.pid} (${one.comm})`);
        // Workers of the kernel take their queue's name while the guest prints (fs/proc/array.c adds it): compare their stem.
        const stem = (name: string): string => name.replace(/[-+:].*$/, '');
        assert.equal(stem(String(row['name'])), stem(one.comm).slice(0, 15));
        assert.equal(row['ppid'], one.ppid, `parent of ${one.pid}`);
        assert.equal(row['threads'], one.threads, `threads of ${one.pid}`);
        const start = (row['start_time'] as Timestamp).ms / 1000;
        assert.ok(Math.abs(start - boot - one.start / 100) < 1.1, `start of ${one.pid}: ${start - boot} s after boot, not ${one.start / 100}`);
      }
      // What only the image has: tasks that came or went while the guest printed.
      const extra = rows.filter((row) => !truth.some((one) => one.pid === row['pid']));
      assert.ok(extra.length <= 2, `unexpected: ${extra.map((row) => String(row['name'])).join(', ')}`);
      session.close();
    });

    await context.test(`${sample.name}: ids, states and executables`, async () => {
      const session = sample.session();
      const { rows } = await rowsOf(session, pslist);
      const byPid = new Map(rows.map((row) => [row['pid'] as number, row]));
      let compared = 0;
      for (const { pid, state, comm } of processesOf(sample)) {
        const row = byPid.get(pid);
        assert.ok(row);
        if (sample.hasTruth(`proc/${pid}/status`)) {
          const status = sample.truth(`proc/${pid}/status`);
          assert.equal(row['uid'], Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]), `uid of ${pid}`);
          assert.equal(row['gid'], Number(/^Gid:\s+(\d+)/m.exec(status)?.[1]), `gid of ${pid}`);
        }
        // The process that printed was running then and waits now; kernel workers come and go.
        if (!comm.startsWith('lab') && !/^(kworker|rcu|ksoftirqd|init|kcompactd)/.test(comm)) assert.equal(row['state'], state, `state of ${pid} (${comm})`);
        const links = sample.hasTruth(`proc/${pid}.links`) ? sample.truth(`proc/${pid}.links`) : '';
        const exe = /^exe -> (.*)$/m.exec(links)?.[1];
        if (exe !== undefined) {
          assert.equal(row['binary'], exe, `executable of ${pid}`);
          compared++;
        }
      }
      assert.ok(compared > 10, `${compared} executables compared`);
      session.close();
    });
  }
});

test('pslist selects by pid and by name', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const one = await rowsOf(session, pslist, { pids: [1] });
  assert.deepEqual(one.rows.map((row) => row['pid']), [1]);
  const none = await rowsOf(session, pslist, { pids: [999999] });
  assert.equal(none.rows.length, 0);
  assert.match(none.run.notes.join(), /No process 999999/);
  const named = await rowsOf(session, pslist, { proc_regex: /^labthreads$/i });
  assert.deepEqual(named.rows.map((row) => row['name']), ['labthreads']);
  session.close();
});
