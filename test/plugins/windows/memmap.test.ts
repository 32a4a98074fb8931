import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, test } from 'node:test';
import { memdump, memmap } from '../../../plugins/windows/memmap.js';
import type { Row } from '../../../src/plugin/columns.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { replicaPath, replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

const session = skip ? undefined : await replicaSession();
const folder = temporary();
after(() => {
  session?.close();
});
const run = (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown>) => rowsOf(session as never, plugin, args);

/** Page → frame, in bytes. */
function pagesOf(rows: readonly Row[]): Map<bigint, number> {
  const pages = new Map<bigint, number>();
  for (const row of rows) for (let at = 0; at < Number(row['process_size']); at += 4096) pages.set((row['offset_v'] as bigint) + BigInt(at), (row['offset_p'] as number) + at);
  return pages;
}

interface Special {
  readonly pid: number;
  readonly ptes: { va: string; kind: string; physical: string | null }[];
}

test('pages of processes: valid ones, and those in transition and behind prototypes where memory has them', { skip }, async () => {
  let compared = 0;
  for (const { pid, ptes } of replicaTruth<Special[]>('special_ptes').slice(0, 12)) {
    const { rows } = await run(memmap, { pids: [pid] });
    const pages = pagesOf(rows);
    for (const { va, physical, kind } of ptes) {
      assert.equal(pages.get(BigInt(va)), physical === null ? undefined : Number(physical), `${kind} ${va} of ${pid}`);
      compared++;
    }
    // The walks of the truth lead through all levels.
    for (const one of replicaTruth<{ pid: number; va: string; physical: string | null }[]>('vtop').filter((walk) => walk.pid === pid && walk.physical !== null && BigInt(walk.va) < 1n << 47n)) {
      assert.equal(pages.get(BigInt(one.va) & ~0xfffn), Number(one.physical) & ~0xfff, `${one.va} of ${pid}`);
    }
    assert.ok(rows.every((row) => row['pid'] === pid));
    const joined = await run(memmap, { pids: [pid], coalesce: true });
    assert.deepEqual(pagesOf(joined.rows), pages);
  }
  assert.ok(compared > 60, `${compared}`);
});

test('the kernel half on request; what has no pages is told', { skip }, async () => {
  const own = await run(memmap, { pids: [208], coalesce: true });
  const all = await run(memmap, { pids: [208], coalesce: true, all: true });
  assert.ok(all.rows.length > own.rows.length && all.rows.some((row) => (row['offset_v'] as bigint) >= 0xfffff80000000000n));
  // What Volatility 3 2.11 counts, and four pages behind prototypes, which it does not follow (they are in the truth).
  assert.equal(pagesOf(all.rows).size, 10889 + 4);
  const system = await run(memmap, { pids: [4] });
  assert.equal(system.rows.length, 0);
  assert.match(system.run.notes.join(), /no pages of their own/);
});

test('the dump of a process holds each page where the index says', { skip }, async () => {
  const { rows, run: made } = await run(memdump, { pids: [208], dump_dir: folder });
  assert.deepEqual(made.notes, []);
  assert.deepEqual(readdirSync(folder), ['smss.exe_208.dmp']);
  const bytes = readFileSync(String(rows[0]?.['filename']));
  assert.equal(basename(String(rows[0]?.['filename'])), 'smss.exe_208.dmp');
  const pages = pagesOf((await run(memmap, { pids: [208] })).rows);
  assert.equal(bytes.length, pages.size * 4096);
  const physical = session?.physical();
  assert.ok(physical && (await replicaPath()));
  for (const row of rows) {
    for (let at = 0; at < Number(row['length']); at += 4096) {
      const frame = pages.get((row['virtual'] as bigint) + BigInt(at));
      assert.ok(frame !== undefined);
      const position = (row['file_addr'] as number) + at;
      assert.ok(bytes.subarray(position, position + 4096).equals(physical.read(BigInt(frame), 4096)));
    }
  }
});
