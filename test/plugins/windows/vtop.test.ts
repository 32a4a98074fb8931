import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { vtop } from '../../../plugins/general/vtop.js';
import type { Row } from '../../../src/plugin/columns.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Special {
  readonly pid: number;
  readonly ptes: readonly { va: string; kind: string; pte_addr: string; pte_value: string; physical: string | null; pagefile_offset?: string | null; prototype_pte_va?: string }[];
}
interface Regions {
  readonly pid: number;
  readonly vads: readonly { start: string; end: string; protection: string; private: boolean; file: string | null }[];
}

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const walk = async (va: bigint, pid: number): Promise<readonly Row[]> => (await rowsOf(session as never, vtop, { virtual_address: va, address_space: `pid@${pid}` })).rows;

test('every kind of entry is told in words, with the file and the offset of what is mapped', { skip }, async () => {
  const regions = new Map(replicaTruth<Regions[]>('vad').map(({ pid, vads }) => [pid, vads]));
  const seen = new Map<string, number>();
  for (const { pid, ptes } of replicaTruth<Special[]>('special_ptes')) {
    // Every one is in test/kernel/windows/translation.test.ts; here some of each kind, with an offset in the page.
    const some = new Map<string, number>();
    for (const pte of ptes) {
      const count = (some.get(pte.kind) ?? 0) + 1;
      some.set(pte.kind, count);
      if (count > 4) continue;
      const va = BigInt(pte.va) + 0x123n;
      const region = regions.get(pid)?.find(({ start, end }) => BigInt(start) <= va && va <= BigInt(end));
      const offset = `+0x${(va - BigInt(region?.start ?? 0)).toString(16)}`;
      const page = `+0x${(va - 0x123n - BigInt(region?.start ?? 0)).toString(16)}`;
      // The region that maps a section, as the first row and the page's own record have it.
      const what = region?.private === true ? 'private memory' : `${region?.file ?? 'shared memory'} ${offset}`;
      const place = `${region?.file ?? 'shared memory'} ${page}`;
      const rows = await walk(va, pid);
      assert.ok(String(rows[0]?.['comment']).includes(`, ${what} (`), `${String(rows[0]?.['comment'])} is not ${what}`);
      const entry = rows.find(({ level }) => level === 'PTE');
      assert.deepEqual([entry?.['entry'], entry?.['value']], [Number(pte.pte_addr), BigInt(pte.pte_value)]);
      const last = rows.at(-1);
      assert.equal(last?.['physical'] ?? null, pte.physical === null ? null : Number(pte.physical) + 0x123, pte.va);
      const prototype = rows.find(({ level }) => level === 'prototype');
      assert.equal(prototype === undefined, pte.prototype_pte_va === undefined);
      if (prototype) {
        assert.ok(String(prototype['comment']).startsWith(`at ${pte.prototype_pte_va}: `));
        assert.ok(String(prototype['comment']).endsWith(`, ${place}`), `${String(prototype['comment'])} is not ${place}`);
        assert.ok(String(last?.['comment']).includes(`; ${region?.file ? 'shared page of ' : ''}${region?.file ?? 'shared memory'} ${offset}`), String(last?.['comment']));
      }
      const words: Readonly<Record<string, RegExp>> = {
        transition: /^4 KiB page; private page, on the standby list$/,
        pagefile: new RegExp(`^in page file 0 at offset ${pte.pagefile_offset}$`),
        demand: /^demand zero: never touched, in a private /,
      };
      if (words[pte.kind]) assert.match(String(last?.['comment']), words[pte.kind] as RegExp);
      seen.set(pte.kind, (seen.get(pte.kind) ?? 0) + 1);
    }
  }
  assert.deepEqual([...seen.keys()].sort(), ['demand', 'pagefile', 'prototype', 'prototype via VAD', 'transition']);
  assert.ok([...seen.values()].every((count) => count > 80), JSON.stringify([...seen]));
});

test('pages of a mapped file that the process has not touched are found by its region', { skip }, async () => {
  // ntdll's pages that others have in memory; smss has no entries for them.
  const rows = await walk(0x76d50000n, 208);
  assert.equal(rows.find(({ level }) => level === 'PTE')?.['comment'], 'described by its VAD, prototype at 0xfffff8a000c2c090');
  assert.match(String(rows.at(-1)?.['comment']), /prototype at 0xfffff8a000c2c090: empty, not in memory, \\Windows\\System32\\ntdll\.dll \+0x10000$/);
  const nowhere = await walk(0x1000000n, 208);
  assert.equal(nowhere.at(-1)?.['comment'], 'not present, and in no region (VAD)');
});

test('the kernel: large pages, and what part of its address space it is', { skip }, async () => {
  const { rows } = await rowsOf(session as never, vtop, { virtual_address: 0xfffff8000283eb30n });
  assert.deepEqual([rows.at(-1)?.['physical'], rows.at(-1)?.['comment']], [0x283eb30, '2 MiB page; LoaderMappings']);
  const pool = await rowsOf(session as never, vtop, { virtual_address: 0xfffff8a000000000n });
  assert.equal(pool.rows.at(-1)?.['comment'], '4 KiB page; PagedPool');
});

test('page tables that are named by their root know their process and its regions', { skip }, async () => {
  for (const space of ['dtb@0x3958000', 'WindowsAMD64PagedMemory@0x3958000']) {
    const { rows } = await rowsOf(session as never, vtop, { virtual_address: 0x7fffffb2123n, address_space: space });
    assert.match(String(rows.find(({ level }) => level === 'PTE')?.['comment']), /^described by its VAD, prototype at 0xfffff8a000c2ce40$/, space);
    assert.equal(rows.at(-1)?.['physical'], 0x9fba123);
  }
});
