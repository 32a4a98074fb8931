import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { after, test } from 'node:test';
import { memmap } from '../../../plugins/windows/memmap.js';
import { vaddump } from '../../../plugins/windows/vaddump.js';
import { vadmap } from '../../../plugins/windows/vadmap.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import type { Eprocess } from '../../../src/kernel/windows/types.js';
import type { Session } from '../../../src/session/session.js';
import { processWithId } from '../../../src/session/processes.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Special {
  readonly pid: number;
  readonly ptes: { va: string; kind: string; physical: string | null; pagefile_offset?: string | null }[];
}
interface Regions {
  readonly pid: number;
  readonly eprocess: string;
  readonly name: string;
  readonly vads: { start: string; end: string; file: string | null; private: boolean }[];
}

const session = skip ? undefined : await replicaSession();
const folder = temporary();
after(() => {
  session?.close();
});
const run = (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown>) => rowsOf(session as never, plugin, args);
const regionsOf = (pid: number): Regions['vads'] => replicaTruth<Regions[]>('vad').find((one) => one.pid === pid && one.vads.length > 0)?.vads ?? [];

test('every entry that is special: its type, its place', { skip }, async () => {
  let compared = 0;
  for (const { pid, ptes } of replicaTruth<Special[]>('special_ptes')) {
    for (const { va, kind, physical, pagefile_offset: offset } of ptes) {
      // Their pages alone: the whole tables are compared below.
      const { rows } = await run(vadmap, { pids: [pid], start: BigInt(va), end: BigInt(va) + 0x1000n, coalesce: false });
      const [row] = rows;
      assert.ok(rows.length === 1 && row, `${va} of ${pid}`);
      assert.deepEqual([row['VAddr'], row['length']], [BigInt(va), 0x1000]);
      const shared = kind.startsWith('prototype');
      assert.equal(row['prototype'], shared, `${kind} ${va} of ${pid}`);
      if (kind === 'demand') assert.equal(row['type'], 'Demand Zero');
      else if (kind === 'pagefile') assert.deepEqual([row['type'], row['page_file'], row['page_file_offset']], ['Pagefile', 0, BigInt(offset ?? 0)]);
      else if (kind === 'transition') assert.equal(row['type'], 'Transition');
      else assert.match(String(row['type']), /^(Valid|Transition)$/);
      if (physical !== null) assert.equal(row['PAddr'], Number(physical));
      compared++;
    }
  }
  assert.ok(compared > 150, `${compared}`);
});

test('pages tile the regions, and those in memory are those of memmap', { skip }, async () => {
  for (const pid of [208, 444, 2860]) {
    const pages = new Map<bigint, number>();
    for (const row of (await run(memmap, { pids: [pid] })).rows) pages.set(row['offset_v'] as bigint, row['offset_p'] as number);
    for (const coalesce of [true, false]) {
      const { rows } = await run(vadmap, { pids: [pid], coalesce });
      let index = 0;
      for (const { start, end, file } of regionsOf(pid)) {
        let next = BigInt(start);
        while (next <= BigInt(end)) {
          const row = rows[index++];
          assert.equal(row?.['VAddr'], next, `${pid} ${start}`);
          const offset = Number(next - BigInt(start));
          if (file !== null && row['filename'] !== null && row['file_offset'] !== null) assert.equal(row['filename'], file);
          if (!coalesce && row['type'] === 'Valid') {
            // What only the region describes has no entry, and memmap does not know it.
            const known = pages.get(next);
            assert.ok(known === row['PAddr'] || (known === undefined && row['prototype'] === true), `${start} +${offset}`);
            pages.delete(next);
          }
          next += BigInt(row['length'] as number);
        }
        assert.equal(next, BigInt(end) + 1n);
      }
      assert.equal(index, rows.length);
    }
    for (const [page, frame] of pages) {
      const special = replicaTruth<Special[]>('special_ptes').find((one) => one.pid === pid)?.ptes.find(({ va }) => BigInt(va) === page);
      assert.ok(special && Number(special.physical) === frame, `0x${page.toString(16)} of ${pid} is in no region, or not valid there`);
    }
  }
});

test('a part of the address space alone, and processes without regions', { skip }, async () => {
  const { rows } = await run(vadmap, { pids: [208], start: 0x47a91000n, end: 0x47a94000n, coalesce: false });
  assert.deepEqual(rows.map((row) => row['VAddr']), [0x47a91000n, 0x47a92000n, 0x47a93000n]);
  assert.ok(rows.every((row) => row['filename'] === '\\Windows\\System32\\smss.exe'));
  assert.deepEqual(rows.map((row) => row['file_offset']), [0x1000, 0x2000, 0x3000]);
  const none = await run(vadmap, { pids: [1180] });
  assert.equal(none.rows.length, 0);
  assert.match(none.run.notes.join(), /no region/);
});

test('the dump of each region is what its addresses hold; what is too large, or nowhere, has no file', { skip }, async () => {
  const { rows } = await run(vaddump, { pids: [208], dump_dir: folder, max_size: 8 << 20 });
  const truth = replicaTruth<Regions[]>('vad').find((one) => one.pid === 208);
  assert.deepEqual(rows.map((row) => [row['start'], row['end']]), truth?.vads.map(({ start, end }) => [BigInt(start), BigInt(end)]));
  const kernel = (await (session as Session).kernel()) as WindowsKernel;
  const process = processWithId(kernel, 208) as Eprocess;
  const space = kernel.spaceOf(process);
  const place = kernel.space.translate(process.$address)?.toString(16);
  let written = 0;
  for (const row of rows) {
    if (row['filename'] === null) {
      assert.match(String(row['comment']), (row['length'] as number) > 8 << 20 ? /larger than max_size/ : /none of its pages/);
      continue;
    }
    written++;
    const [start, end] = [row['start'] as bigint, row['end'] as bigint];
    const hex = (address: bigint): string => address.toString(16).padStart(8, '0');
    assert.equal(basename(String(row['filename'])), `smss.exe.${place}.${hex(start)}-${hex(end)}.dmp`);
    const { bytes, gaps } = space.readPartial(start, row['length'] as number);
    assert.ok(readFileSync(String(row['filename'])).equals(bytes));
    assert.equal(row['missing'], gaps.reduce((sum, gap) => sum + Number(gap.end - gap.start) / 4096, 0));
  }
  // Volatility 3 2.11 dumps the same regions, byte by byte but for pages behind prototypes, which it does not follow.
  assert.equal(written, 12);
  assert.equal(readdirSync(folder).length, written);
  const image = rows.find((row) => row['start'] === 0x76d40000n);
  assert.equal(image?.['comment'], '\\Windows\\System32\\ntdll.dll');
  // Zeros are holes: of 428 pages a few take room.
  assert.ok(statSync(String(image['filename'])).blocks * 512 < 200_000);
  const one = await run(vaddump, { pids: [208], dump_dir: folder, offset: 0x47a92000n });
  assert.deepEqual(one.rows.map((row) => row['start']), [0x47a90000n]);
  const named = await run(vaddump, { pids: [208], dump_dir: folder, regex: /ntdll/i });
  assert.equal(named.rows.length, 1);
  const nothing = await run(vaddump, { pids: [208], dump_dir: folder, regex: /no such file/ });
  assert.match(nothing.run.notes.join(), /No region was chosen/);
});
