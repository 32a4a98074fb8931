import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { memdump } from '../../../plugins/linux/memdump.js';
import { memmap } from '../../../plugins/linux/memmap.js';
import type { Row } from '../../../src/plugin/columns.js';
import { temporary } from '../../support/folder.js';
import { byPid, pidsWith, printer } from '../../support/processes.js';
import { everyAmd64, rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const PAGE = 4096;

/** Pages that the guest's /proc/PID/pagemap shows as present: `va pfn count` in hex, hex, decimal. Page number → frame. */
function truthOf(sample: Sample, pid: number): Map<number, number> {
  const pages = new Map<number, number>();
  for (const line of sample.truth(`proc/${pid}/pagemap`).split('\n').filter(Boolean)) {
    const [virtual, frame, count] = line.split(' ');
    if (frame === 'swapped') continue;
    const first = Number(BigInt(`0x${virtual}`) / 4096n);
    for (let i = 0; i < Number(count); i++) pages.set(first + i, Number.parseInt(frame ?? '', 16) + i);
  }
  return pages;
}

/** Page numbers of the guest's [vvar]. */
function vvarOf(sample: Sample, pid: number): { first: number; end: number } | undefined {
  const area = /^(\w+)-(\w+) .*\[vvar\]$/m.exec(sample.truth(`proc/${pid}/maps`));
  return area ? { first: Number(BigInt(`0x${area[1]}`) / 4096n), end: Number(BigInt(`0x${area[2]}`) / 4096n) } : undefined;
}

function pagesOf(rows: readonly Row[]): Map<number, number> {
  const pages = new Map<number, number>();
  for (const row of rows) {
    const first = Number((row['offset_v'] as bigint) / 4096n);
    const frame = (row['offset_p'] as number) / PAGE;
    for (let i = 0; i < Number(row['process_size']) / PAGE; i++) pages.set(first + i, frame + i);
  }
  return pages;
}

const found = samples([...everyAmd64, 'pae']);
test('memmap', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: every page of the guest's pagemap at its frame`, async () => {
      const session = sample.session();
      const printing = printer(sample);
      const pids = pidsWith(sample, 'maps').filter((pid) => pid !== printing && sample.hasTruth(`proc/${pid}/pagemap`));
      const { rows, run } = await rowsOf(session, memmap, { pids, coalesce: true });
      assert.equal(run.faults, 0);
      const shown = byPid(rows);
      let compared = 0;
      for (const pid of pids) {
        const truth = truthOf(sample, pid);
        const pages = pagesOf(shown.get(pid) ?? []);
        for (const [page, frame] of truth) assert.equal(pages.get(page), frame, `page 0x${page.toString(16)}000 of ${pid}`);
        // pagemap passes over areas that map frames directly (VM_PFNMAP; mm/pagewalk.c: walk_page_test): the kernel's own [vvar].
        const direct = vvarOf(sample, pid);
        const extra = [...pages.keys()].filter((page) => !truth.has(page) && !(direct && page >= direct.first && page < direct.end));
        assert.deepEqual(extra, [], `pages of ${pid} that pagemap does not have`);
        compared += truth.size;
      }
      assert.ok(compared > 3000, `${compared} pages`);
      session.close();
    });
  }
});

test('memmap: single pages, and joined', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const single = await rowsOf(session, memmap, { pids: [1] });
  const joined = await rowsOf(session, memmap, { pids: [1], coalesce: true });
  assert.ok(joined.rows.length < single.rows.length);
  assert.deepEqual([...pagesOf(joined.rows)], [...pagesOf(single.rows)]);
  const all = await rowsOf(session, memmap, { pids: [1], coalesce: true, all: true });
  assert.deepEqual(all.rows.slice(0, joined.rows.length).map((row) => row['offset_v']), joined.rows.map((row) => row['offset_v']));
  assert.ok(all.rows.some((row) => (row['offset_v'] as bigint) > 0xffff800000000000n), "the kernel's half");
  session.close();
});

test('memdump', { skip: skipWithout(found) }, async (context) => {
  const folder = temporary();
  context.after(() => rmSync(folder, { recursive: true }));
  for (const sample of found.filter(({ name }) => name !== 'big')) {
    await context.test(`${sample.name}: marker pages lie where the index says`, async () => {
      const session = sample.session();
      const facts = sample.list('run/lab').map((name) => name.replace(/\.gz$/, '')).filter((name) => name.startsWith('labmarker.'));
      assert.ok(facts.length >= 2);
      const { rows, run } = await rowsOf(session, memdump, { proc_regex: /^labmarker/, dump_dir: folder });
      assert.equal(run.faults, 0);
      assert.deepEqual(run.notes, []);
      const shown = byPid(rows);
      for (const name of facts) {
        const pid = Number(name.split('.')[1]);
        const index = shown.get(pid) ?? [];
        const path = String(index[0]?.['filename']);
        assert.equal(basename(path), `labmarker_${pid}.dmp`);
        const bytes = readFileSync(path);
        assert.equal(bytes.length, index.reduce((sum, row) => sum + Number(row['length']), 0));
        const at = (virtual: bigint): number => {
          const row = index.find((one) => virtual >= (one['virtual'] as bigint) && virtual < (one['virtual'] as bigint) + BigInt(one['length'] as number));
          assert.ok(row, `0x${virtual.toString(16)} is in the index`);
          return (row['file_addr'] as number) + Number(virtual - (row['virtual'] as bigint));
        };
        const fact = (key: string): string => new RegExp(`^${key}=(.*)`, 'm').exec(sample.truth(`run/lab/${name}`))?.[1] ?? '';
        const start = BigInt(fact('marker_va'));
        for (let page = 0; page < Number(fact('marker_pages')); page++) {
          const text = `LABMARK:${fact('marker_tag')}:pid=${pid}:page=${String(page).padStart(6, '0')}:`;
          const offset = at(start + BigInt(page * PAGE));
          assert.equal(bytes.toString('latin1', offset, offset + text.length), text);
        }
      }
      session.close();
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    });
  }
});
