import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ptov } from '../../../plugins/windows/ptov.js';
import { walkedPlaces } from '../../../src/kernel/windows/memory/page-use.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { pidOf } from '../../../src/kernel/windows/processes/processes.js';
import { found } from '../../../src/memory/breathe.js';
import type { PagedSpace } from '../../../src/memory/paging/paged.js';
import type { Row } from '../../../src/plugin/columns.js';
import { processContext } from '../../../src/session/spaces.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Owned {
  readonly physical: string;
  readonly kind: 'page' | 'proto' | 'large';
  readonly pte_va: string;
  readonly owners: readonly { process: string; va: string }[];
}

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const rows = async (...offsets: bigint[]): Promise<readonly Row[]> => (await rowsOf(session as never, ptov, { offsets })).rows;

test('every owner of every page of the truth, and nobody else', { skip }, async () => {
  const kinds = new Map<string, number>();
  for (const page of replicaTruth<Owned[]>('ptov')) {
    const all = await rows(BigInt(page.physical) + 0x21n);
    for (const row of all) assert.equal(row['physical_offset'], Number(page.physical) + 0x21);
    // Regions that describe the page, and whose process has not touched it, are no owners to the truth.
    const owners = all.filter((row) => ['process', 'kernel'].includes(String(row['owner'])) && !String(row['comment']).endsWith('not in its page tables yet'));
    const said = owners.map((row) => `${row['owner'] === 'kernel' ? 'System' : `${String(row['name'])}(${String(row['pid'])})`} 0x${((row['virtual_offset'] as bigint) - 0x21n).toString(16)}`);
    assert.deepEqual(said.sort(), page.owners.map(({ process, va }) => `${process} ${va}`).sort(), page.physical);
    if (page.kind === 'proto') assert.match(String(all[0]?.['owner']), /^(image file|mapped file|shared memory)$/);
    if (page.kind === 'large') assert.match(String(all[0]?.['comment']), /2 MiB page, PDE 0x/);
    kinds.set(page.kind, (kinds.get(page.kind) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(kinds), { page: 151, proto: 101, large: 108 });
});

test('the seed: lsass, an address of ntdll, its physical page: every process has it', { skip }, async () => {
  const kernel = (await session?.kernel()) as WindowsKernel;
  const physical = (processContext(kernel, 444).space as PagedSpace).translate(0x76d40123n);
  assert.equal(physical, 0xfe35123);
  const all = await rows(BigInt(physical));
  assert.deepEqual([all[0]?.['owner'], all[0]?.['name'], all[0]?.['comment']], ['image file', '\\Windows\\System32\\ntdll.dll', 'file offset 0x123; mapped by 31 processes']);
  const regions = replicaTruth<{ pid: number; vads: { file: string | null }[] }[]>('vad').filter(({ vads }) => vads.some(({ file }) => file === '\\Windows\\System32\\ntdll.dll'));
  assert.deepEqual(all.slice(1).map((row) => row['pid']), regions.map(({ pid }) => pid));
  for (const row of all.slice(1)) assert.equal(row['virtual_offset'], 0x76d40123n);
});

test('roots, tables of page tables, pages that nobody has', { skip }, async () => {
  const kernel = (await session?.kernel()) as WindowsKernel;
  const lsass = processContext(kernel, 444).space as PagedSpace;
  const way = lsass.walk(0x76d40000n).steps;
  const [root, pdpt, directory, table] = way.map(({ address }) => BigInt(address) & ~0xfffn) as [bigint, bigint, bigint, bigint];
  const said = await rows(root, pdpt, directory, table);
  assert.deepEqual(said.map((row) => [row['owner'], row['pid']]), [['root', 444], ['page table', 444], ['page table', 444], ['page table', 444]]);
  // The page table maps from the 2 MiB that its entry is of, and the entries above it are those of the walk.
  assert.equal(said[3]?.['comment'], `maps from 0x76c00000 on; ${way.slice(0, 3).reverse().map(({ name, address }) => `${name} 0x${address.toString(16)}`).join(' < ')}`);
  assert.equal(said[1]?.['comment'], `maps from 0x0 on; PML4E 0x${way[0]?.address.toString(16)}`);
  const [unused, unknown] = await rows(0x5000000n, 0x1000n);
  assert.deepEqual([unused?.['owner'], unused?.['comment']], ['unused', 'on the zeroed list: its content was erased']);
  assert.equal(unknown?.['owner'], 'unknown');
  const { run, rows: none } = await rowsOf(session as never, ptov, { offsets: [1n << 40n] });
  assert.deepEqual(none, []);
  assert.match(run.notes.join(' '), /does not hold.*no record of page.*No page table leads/s);
});

test('walking all page tables, for where there is no page database, gives the same mappings', { skip }, async () => {
  const kernel = (await session?.kernel()) as WindowsKernel;
  for (const page of replicaTruth<Owned[]>('ptov').filter((_, index) => index % 40 === 0)) {
    const walked = [...found(walkedPlaces(kernel, Number(page.physical) / 4096))].map(({ process, page: at }) => `${process ? pidOf(process) : 'System'} 0x${BigInt.asUintN(64, BigInt(at) << 12n).toString(16)}`);
    assert.deepEqual(walked.sort(), page.owners.map(({ process, va }) => `${/\((\d+)\)/.exec(process)?.[1] ?? process} ${va}`).sort(), page.physical);
  }
});
