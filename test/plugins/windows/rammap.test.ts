import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pagefiles } from '../../../plugins/windows/pagefiles.js';
import { pfn } from '../../../plugins/windows/pfn.js';
import { rammap } from '../../../plugins/windows/rammap.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { findProcesses, METHODS, pidOf } from '../../../src/kernel/windows/processes/processes.js';
import type { Struct } from '../../../src/object/struct.js';
import { prepareQuery } from '../../../src/query/prepare.js';
import { sessionCatalog } from '../../../src/query/session/catalog.js';
import type { Row } from '../../../src/plugin/columns.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Special {
  readonly pid: number;
  readonly ptes: readonly { va: string; kind: string; physical: string | null }[];
}
interface Owned {
  readonly physical: string;
  readonly kind: 'page' | 'proto' | 'large';
  readonly pte_va: string;
  readonly pte_frame: string;
  readonly owners: readonly { process: string; va: string }[];
}
interface Regions {
  readonly pid: number;
  readonly vads: readonly { start: string; end: string; private: boolean; file: string | null }[];
}

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const whole = skip ? undefined : await rowsOf(session as never, rammap, {});
const byFrame = new Map((whole?.rows ?? []).map((row) => [(row['phys_offset'] as number) / 4096, row]));
const at = (physical: string | number | null): Row => byFrame.get(Number(physical) / 4096) as Row;
const address = (row: Row): string => `0x${(row['VA'] as bigint).toString(16)}`;

test('every page of memory has a row', { skip }, () => {
  const { runs } = replicaTruth<{ physical_memory: { runs: { start: string; length: string }[] } }>('system').physical_memory;
  const expected = runs.flatMap(({ start, length }) => Array.from({ length: Number(length) / 4096 }, (_, index) => Number(start) / 4096 + index));
  assert.deepEqual((whole?.rows ?? []).map((row) => (row['phys_offset'] as number) / 4096), expected);
});

test('owners of pages are those of the truth', { skip }, () => {
  for (const page of replicaTruth<Owned[]>('ptov')) {
    const row = at(page.physical);
    if (page.kind === 'proto') {
      assert.match(String(row['Use']), /^(Mapped File|Shared Memory)$/);
      const users = page.owners.map(({ process, va }) => `${/\((\d+)\)/.exec(process)?.[1] ?? 4} ${va}`);
      // System maps a library, and has not touched it.
      if (row['pid'] !== 4) assert.ok(users.includes(`${String(row['pid'])} ${address(row)}`), page.physical);
      continue;
    }
    const [owner] = page.owners;
    assert.equal(address(row), owner?.va, page.physical);
    const pid = /\((\d+)\)/.exec(owner?.process ?? '')?.[1];
    if (pid === undefined) assert.ok(row['Process'] === null && !['Private', 'Unused', 'Unknown', 'Page Table'].includes(String(row['Use'])), JSON.stringify(row['Use']));
    else assert.deepEqual([row['Use'], row['pid']], ['Private', Number(pid)], page.physical);
  }
});

test('pages in transition are on the standby list, and still known', { skip }, () => {
  let count = 0;
  for (const { pid, ptes } of replicaTruth<Special[]>('special_ptes')) {
    for (const pte of ptes.filter(({ kind }) => kind === 'transition')) {
      const row = at(pte.physical);
      assert.deepEqual([row['List'], row['Use'], row['pid'], address(row)], ['Standby', 'Private', pid, pte.va]);
      count++;
    }
  }
  assert.equal(count, 850);
});

test('read from below, memory is what page tables and regions say from above', { skip }, async () => {
  const kernel = (await session?.kernel()) as WindowsKernel;
  const regions = new Map(replicaTruth<Regions[]>('vad').map(({ pid, vads }) => [pid, vads]));
  const seen = { private: 0, file: 0, shared: 0 };
  for (const { process } of findProcesses(kernel, METHODS)) {
    const pid = pidOf(process) as number;
    if (kernel.dtbOf(process) === 0 || pid === 4 || pid === 0) continue;
    for (const run of kernel.spaceOf(process).leaves(0, 2 ** 35)) {
      const row = byFrame.get(run.frame) as Row;
      const va = BigInt(run.page) << 12n;
      // Every process has the page of the system's shared data; its record names one of them.
      if (va === 0x7ffe0000n) continue;
      const region = regions.get(pid)?.find(({ start, end }) => BigInt(start) <= va && va <= BigInt(end));
      if (row['Use'] === 'Private') {
        assert.deepEqual([row['pid'], row['VA']], [pid, va]);
        seen.private++;
      } else if (region?.file) {
        assert.deepEqual([row['Use'], row['Filename'], row['Offset']], ['Mapped File', region.file, Number(va - BigInt(region.start))], `${pid} 0x${va.toString(16)}`);
        seen.file++;
      } else {
        assert.deepEqual([row['Use'], row['Filename']], ['Shared Memory', null]);
        seen.shared++;
      }
    }
  }
  assert.ok(seen.private > 5000 && seen.file > 7000 && seen.shared > 1000, JSON.stringify(seen));
});

test('a range, everybody who maps a page of it, and a summary by a query', { skip }, async () => {
  const { rows } = await rowsOf(session as never, rammap, { start: 0xfe35000, end: 0xfe36000, all: true });
  assert.equal(rows.length, 31);
  assert.deepEqual([...new Set(rows.map((row) => row['Filename']))], ['\\Windows\\System32\\ntdll.dll']);
  assert.deepEqual(rows.map((row) => row.$depth), [0, ...Array.from({ length: 30 }, () => 1)]);
  const none = await rowsOf(session as never, rammap, { start: 2 ** 40 });
  assert.match(none.run.notes.join(), /has no memory in this range/);
  const query = await prepareQuery("select Use, count() as pages from rammap() where List = 'Standby' group by Use order by Use", sessionCatalog(session as never));
  assert.deepEqual((await query.rows()).map((row) => [row['Use'], Number(row['pages'])]), [['Mapped File', 115], ['Private', 850], ['Shared Memory', 190]]);
});

test('pfn: the entry that leads to a page, and its owner', { skip }, async () => {
  const facts = async (frame: number): Promise<Map<unknown, Row>> => new Map((await rowsOf(session as never, pfn, { pfn: frame })).rows.map((row) => [row['fact'], row]));
  for (const page of replicaTruth<Owned[]>('ptov')) {
    const told = await facts(Number(page.physical) / 4096);
    assert.equal(told.get('Controlling PTE (VA)')?.['Address'], BigInt(page.pte_va));
    assert.equal(told.get('Controlling PTE (PA)')?.['Address'], BigInt(page.pte_frame) * 4096n + (BigInt(page.pte_va) & 0xfffn));
    assert.equal(told.get('Controlling PTE Type')?.['Value'], page.kind === 'proto' ? 'Prototype' : 'Hardware');
  }
  const root = await facts(0x187);
  assert.equal((root.get('Owning process')?.['Value'] as Struct).$address, 0xfffffa80004b09e0n);
  const zeroed = await facts(0x5000);
  assert.deepEqual([...zeroed.keys()], ['PFN', 'Physical address', 'PFN Record VA', 'Type', 'Flink', 'Blink']);
  const missing = await rowsOf(session as never, pfn, { pfn: 0xfe35000 });
  assert.match(missing.run.notes.join(), /no record of page 0xfe35000/);
  await assert.rejects(rowsOf(session as never, pfn, { pfn: -1 }), /No page has the number/);
});

test('pagefiles says why there are none', { skip }, async () => {
  const { rows, run } = await rowsOf(session as never, pagefiles, {});
  assert.deepEqual(rows, []);
  assert.match(run.notes.join(), /no page files/);
});
