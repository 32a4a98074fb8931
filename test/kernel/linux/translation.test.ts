import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ptov } from '../../../plugins/linux/ptov.js';
import { vtop } from '../../../plugins/general/vtop.js';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { processByPid, processes } from '../../../src/kernel/linux/tasks.js';
import type { TaskStruct } from '../../../src/kernel/linux/types.js';
import type { PagedSpace } from '../../../src/memory/paging/paged.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** What a marker program wrote of itself in the guest (/run/lab/labmarker.PID). */
interface Marker {
  readonly pid: number;
  readonly va: bigint;
  readonly pages: number;
  readonly tag: string;
}

function markersOf(sample: Sample): Marker[] {
  return sample
    .list('run/lab')
    .filter((name) => name.startsWith('labmarker.'))
    .map((name) => {
      const facts = sample.truth(`run/lab/${name}`);
      const fact = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(facts)?.[1] ?? '';
      return { pid: Number(name.split('.')[1]), va: BigInt(fact('marker_va')), pages: Number(fact('marker_pages')), tag: fact('marker_tag') };
    });
}

const found = samples();
test('translation', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    const session = sample.session();
    const kernel = (await session.kernel()) as LinuxKernel;
    const markers = markersOf(sample);

    await context.test(`${sample.name}: every marker page holds the text that the guest wrote at that address`, () => {
      assert.ok(markers.length >= 2);
      for (const { pid, va, pages, tag } of markers) {
        const space = kernel.spaceOf(processByPid(kernel, pid));
        for (let page = 0; page < pages; page++) {
          const at = va + BigInt(page) * 4096n;
          const text = space.readCString(at, 256).toString('latin1');
          assert.equal(text, `LABMARK:${tag}:pid=${pid}:page=${String(page).padStart(6, '0')}:va=0x${at.toString(16)}:END`);
        }
      }
    });

    await context.test(`${sample.name}: every marker page lies in the page frame that the guest's pagemap names`, () => {
      const lines = sample.truth('marker-pages.tsv').trim().split('\n').slice(1);
      assert.ok(lines.length > 80);
      for (const line of lines) {
        const [pid, virtual, physical] = line.split('\t');
        const space = kernel.spaceOf(processByPid(kernel, Number(pid))) as PagedSpace;
        assert.equal(space.translate(BigInt(virtual ?? 0)), Number(physical), line);
      }
    });

    await context.test(`${sample.name}: vtop ends at the byte, and ptov leads back from it to this process alone`, async () => {
      const marker = markers[0] as Marker;
      const { rows } = await rowsOf(session, vtop, { virtual_address: marker.va + 5n, address_space: `pid@${marker.pid}` });
      const last = rows.at(-1);
      assert.equal(last?.['level'], 'physical');
      const physical = last['physical'] as number;
      assert.equal(kernel.physical.readCString(BigInt(physical), 8).toString('latin1'), 'RK:alpha'.slice(0, 8));
      assert.equal(rows.length, kernel.location.paging === 'amd64-la57' ? 7 : 6);
      const back = await rowsOf(session, ptov, { offsets: [BigInt(physical)] });
      const users = back.rows.filter((row) => row['owner'] === 'process');
      assert.deepEqual(users.map((row) => [row['pid'], row['virtual_offset']]), [[marker.pid, marker.va + 5n]]);
      assert.ok(back.rows.some((row) => row['owner'] === 'direct map'));
    });

    await context.test(`${sample.name}: a page of a program file belongs to the page cache and to all who run it`, async () => {
      const marker = markers[0] as Marker;
      const code = processByPid(kernel, marker.pid).mm?.start_code;
      assert.ok(code !== undefined);
      const space = kernel.spaceOf(processByPid(kernel, marker.pid)) as PagedSpace;
      const physical = space.translate(BigInt(code));
      assert.ok(physical !== undefined);
      const { rows } = await rowsOf(session, ptov, { offsets: [BigInt(physical)] });
      const cache = rows.find((row) => row['owner'] === 'page cache');
      assert.match(String(cache?.['name']), /^\/bin\//);
      const sharing = new Set(rows.filter((row) => row['owner'] === 'process').map((row) => row['pid'] as number));
      // Other processes that run the same file (labmarker, labnetd … are links to one) share the page if they touched it.
      assert.ok(sharing.has(marker.pid) && sharing.size > 1, `shared by ${sharing.size}`);
    });

    await context.test(`${sample.name}: the leaves of each process's tables agree with one-by-one translation`, () => {
      let checked = 0;
      for (const task of processes(kernel)) {
        const mm = (task as TaskStruct).mm;
        if (!mm) continue;
        const space = kernel.spaceOfMm(mm, task.comm);
        for (const run of space.leaves(0, 2 ** 44)) {
          assert.equal(space.translate(BigInt(run.page) << 12n), run.frame * 4096);
          if (++checked % 20_000 === 0) break;
        }
        if (checked > 40_000) break;
      }
      assert.ok(checked > 1000);
    });
    session.close();
  }
});
