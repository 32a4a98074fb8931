import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lsof } from '../../../plugins/linux/lsof.js';
import { byPid, pidsWith, printer } from '../../support/processes.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** `3 -> /data/notes.txt` as pairs, in order of descriptor. */
function linksOf(sample: Sample, pid: number): [number, string][] {
  const pairs = sample
    .truth(`proc/${pid}/fd.links`)
    .split('\n')
    .filter(Boolean)
    .map((line): [number, string] => [Number(line.slice(0, line.indexOf(' '))), line.slice(line.indexOf(' -> ') + 4)]);
  return pairs.sort(([left], [right]) => left - right);
}

/** Sizes of the guest's files by path (`path ino dev mode uid gid size mtime nlink`, tabs between). */
function sizesOf(sample: Sample): Map<string, number> {
  const lines = sample.hasTruth('lab/tree') ? sample.truth('lab/tree').split('\n').filter(Boolean) : [];
  return new Map(lines.map((line) => line.split('\t')).map((fields) => [fields[0] ?? '', Number(fields[6])]));
}

const found = samples([...everyAmd64, 'pae']);
test('lsof', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    await context.test(`${sample.name}: every link of every process's fd folder, and no other`, async () => {
      const { rows, run } = await rowsOf(session, lsof);
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      const files = byPid(rows);
      const printing = printer(sample);
      const pids = pidsWith(sample, 'fd.links').filter((pid) => pid !== printing);
      assert.ok(pids.length > 20, 'the guest ran more than twenty programs');
      for (const pid of pids) {
        assert.deepEqual((files.get(pid) ?? []).map((row) => [row['fd'], row['path']]), linksOf(sample, pid), `files of ${pid}`);
      }
      assert.deepEqual([...files.keys()].filter((pid) => pid !== printing && !pids.includes(pid)), []);
    });

    await context.test(`${sample.name}: positions, flags, inodes and sizes`, async () => {
      const { rows } = await rowsOf(session, lsof);
      const printing = printer(sample);
      const sizes = sizesOf(sample);
      let compared = 0;
      let sized = 0;
      for (const row of rows) {
        const { pid, fd, path } = row as { pid: number; fd: number; path: string };
        if (pid === printing || !sample.hasTruth(`proc/${pid}/fdinfo/${fd}`)) continue;
        const info = sample.truth(`proc/${pid}/fdinfo/${fd}`);
        const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(info)?.[1];
        const where = `descriptor ${fd} of ${pid}, ${path}`;
        // A terminal's position moves on with what is written to it; so does that of the console that the lab reports on.
        if (row['type'] !== 'CHR') assert.equal(String(row['offset']), field('pos'), `position of ${where}`);
        assert.equal(row['flags'], field('flags'), `flags of ${where}`);
        // Since 5.14 fdinfo tells the inode.
        if (field('ino') !== undefined) assert.equal(String(row['node']), field('ino'), `inode of ${where}`);
        const size = sizes.get(path);
        if (row['type'] === 'REG' && size !== undefined && !path.startsWith('/proc') && !path.startsWith('/run/lab/')) {
          assert.equal(Number(row['size']), size, `size of ${where}`);
          sized++;
        }
        compared++;
      }
      assert.ok(compared > 60, `${compared} descriptors compared`);
      if (sizes.size > 0) assert.ok(sized > 2, `${sized} sizes compared`);
    });
    session.close();
  }
});
