import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environ } from '../../../plugins/linux/environ.js';
import { psaux } from '../../../plugins/linux/psaux.js';
import { byPid, pidsWith } from '../../support/processes.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** Texts of a file in which the lab wrote newlines for NULs. */
function texts(sample: Sample, path: string): string[] {
  return sample.truth(path).split('\n').slice(0, -1);
}

const found = samples([...everyAmd64, 'pae']);
test('psaux', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: every process's arguments, and what has none by name`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, psaux);
      assert.equal(run.faults, 0);
      const shown = new Map([...byPid(rows)].map(([pid, [row]]) => [pid, row]));
      const programs = new Set(pidsWith(sample, 'cmdline'));
      let workers = 0;
      for (const pid of pidsWith(sample, 'stat')) {
        const row = shown.get(pid);
        assert.ok(row, `process ${pid}`);
        const stat = sample.truth(`proc/${pid}/stat`);
        const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
        if (programs.has(pid)) {
          const truth = texts(sample, `proc/${pid}/cmdline`);
          assert.deepEqual(row['arguments'], truth, `arguments of ${pid}`);
          assert.equal(row['command'], truth.join(' ').trimEnd());
        } else if (name.startsWith('kworker/') && !name.startsWith('kworker/R-')) {
          // What a worker works on changes from moment to moment; that it is told is what counts.
          const [stem] = name.split(/[-+]/, 1);
          assert.match(String(row['command']), new RegExp(`^\\[${stem}([-+].+)?\\]$`));
          if (String(row['command']) === `[${name}]`) workers++;
        } else {
          assert.equal(row['command'], `[${name}]${/\) [ZX] /.test(stat) ? ' <defunct>' : ''}`);
        }
      }
      assert.ok(programs.size > 20 && workers > 3, `${programs.size} programs, ${workers} workers by their full name`);
      session.close();
    });
  }
});

test('environ', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: every process's variables, and no other`, async () => {
      const session = sample.session();
      const { rows, run } = await rowsOf(session, environ);
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      const shown = byPid(rows);
      const pids = pidsWith(sample, 'environ');
      assert.ok(pids.length > 20);
      for (const pid of pids) {
        const lines = (shown.get(pid) ?? []).map((row) => `${String(row['variable'])}=${String(row['value'])}`);
        assert.deepEqual(lines, texts(sample, `proc/${pid}/environ`), `environment of ${pid}`);
      }
      assert.deepEqual([...shown.keys()].filter((pid) => !pids.includes(pid)), []);
      session.close();
    });
  }
});
