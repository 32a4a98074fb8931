import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mount } from '../../../plugins/linux/mount.js';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { mountsOf, rootOf } from '../../../src/kernel/linux/mounts.js';
import { dentryPath, mountPath } from '../../../src/kernel/linux/path.js';
import { processes } from '../../../src/kernel/linux/tasks.js';
import type { Dentry } from '../../../src/kernel/linux/types.js';
import type { Nsproxy } from '../../../src/kernel/linux/types-fs.js';
import type { Row } from '../../../src/plugin/columns.js';
import { pidsWith } from '../../support/processes.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** A row as a line of /proc/PID/mountinfo (proc(5)). */
function line(row: Row): string {
  const optional = row['propagation'] === '' ? '' : `${String(row['propagation'])} `;
  const before = ['id', 'parent'].map((name) => String(row[name])).join(' ');
  return `${before} ${String(row['major'])}:${String(row['minor'])} ${String(row['root'])} ${String(row['Path'])} ${String(row['flags'])} ${optional}- ${String(row['Type'])} ${String(row['Device'])} ${String(row['options'])}`;
}

function linesOf(sample: Sample, pid: number): string[] {
  return sample.truth(`proc/${pid}/mountinfo`).split('\n').filter(Boolean);
}

const found = samples([...everyAmd64, 'pae']);
test('mount', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    await context.test(`${sample.name}: every line of mountinfo in every namespace`, async () => {
      const { rows, run } = await rowsOf(session, mount);
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      const namespaces = new Map<number, Row[]>();
      for (const row of rows) namespaces.set(row['namespace'] as number, [...(namespaces.get(row['namespace'] as number) ?? []), row]);
      // A zombie has left its namespaces.
      const links = pidsWith(sample, 'ns.links').map((pid) => /mnt -> mnt:\[(\d+)\]/.exec(sample.truth(`proc/${pid}/ns.links`))?.[1]);
      const truth = new Set(links.filter((number) => number !== undefined).map(Number));
      assert.deepEqual([...namespaces.keys()].sort(), [...truth].sort());
      assert.ok(truth.size >= 3, "init's, kdevtmpfs's and labns's");
      for (const shown of namespaces.values()) {
        const reachable = shown.filter((row) => row['reachable'] === true);
        assert.deepEqual(reachable.map(line), linesOf(sample, shown[0]?.['pid'] as number));
      }
    });

    await context.test(`${sample.name}: paths from the root of every process, chroot and all`, async () => {
      const kernel = (await session.kernel()) as LinuxKernel;
      const pids = new Set(pidsWith(sample, 'mountinfo'));
      let compared = 0;
      for (const task of processes(kernel)) {
        if (!pids.delete(task.pid)) continue;
        const namespace = (task.nsproxy as Nsproxy).mnt_ns;
        assert.ok(namespace);
        const root = rootOf(task);
        const places: string[] = [];
        for (const one of mountsOf(kernel, namespace)) {
          const { path, reachable } = mountPath(kernel, one, root);
          if (reachable) places.push(`${one.mnt_id} ${dentryPath(kernel, one.mnt.mnt_root as Dentry)} ${path}`);
        }
        const truth = linesOf(sample, task.pid).map((text) => text.split(' '));
        assert.deepEqual(places, truth.map(([id, , , top, path]) => `${id} ${top} ${path}`), `mounts of ${task.pid}`);
        compared++;
      }
      assert.ok(compared > 50, `${compared} processes compared`);
      assert.equal(pids.size, 0);
    });
    session.close();
  }
});
