import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { imageinfo, times } from '../../../plugins/windows/imageinfo.js';
import { physMap, virtMap } from '../../../plugins/windows/maps.js';
import { Absent } from '../../../src/memory/absent.js';
import { Timestamp } from '../../../src/object/time.js';
import { Session } from '../../../src/session/session.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';
import { ForgedWindows, layoutSkip } from '../../support/windows-kernel.js';

const replica = replicaSkip ? undefined : await replicaSession();
after(() => replica?.close());

interface System {
  readonly kernel: { readonly base: string; readonly guid: string; readonly age: number; readonly pdb: string; readonly dtb: string };
  readonly system: { readonly lab: string; readonly system_time: number; readonly boot_time: number; readonly processors: number; readonly system_root: string; readonly tz_bias: number };
  readonly physical_memory: { readonly ram: string; readonly runs: readonly { readonly start: string; readonly length: string }[] };
}
const seconds = (at: number): Timestamp => Timestamp.fromSeconds(BigInt(at));

async function facts(session: Session): Promise<Map<unknown, unknown>> {
  return new Map((await rowsOf(session, imageinfo)).rows.map((row) => [row['key'], row['value']]));
}

test('the replica in short', { skip: replicaSkip }, async () => {
  const { kernel, system, physical_memory: memory } = replicaTruth<System>('system');
  const found = await facts(replica as Session);
  const bytes = memory.runs.reduce((sum, { length }) => sum + Number(length), 0);
  const wanted = [
    ['Windows', 'Windows 7 x64'],
    ['Kernel DTB', kernel.dtb],
    ['Kernel base', kernel.base],
    ['PDB', `${kernel.pdb} ${kernel.guid}${kernel.age}`],
    ['NT Build Ex', system.lab],
    ['Processors', system.processors],
    ['NtSystemRoot', system.system_root],
    ['Time (UTC)', seconds(system.system_time)],
    ['Boot time', seconds(system.boot_time)],
    ['Time zone bias', `${system.tz_bias} minutes`],
    ['Sec Since Boot', system.system_time - system.boot_time],
    ['Service pack', 'none'],
    ['Product type', 'workstation'],
    ['Physical memory', bytes],
  ];
  assert.deepEqual(wanted.map(([key]) => [key, found.get(key)]), wanted);
  const [clock] = (await rowsOf(replica as Session, times)).rows;
  assert.deepEqual([clock?.['now'], clock?.['boot'], clock?.['interrupt_time']], [seconds(system.system_time), seconds(system.boot_time), BigInt(system.system_time - system.boot_time) * 1_000_000_000n]);
});

test('physical memory of the replica, beside what the image holds', { skip: replicaSkip }, async () => {
  const truth = replicaTruth<System>('system').physical_memory;
  const { rows, run } = await rowsOf(replica as Session, physMap);
  assert.deepEqual(
    rows.map((row) => [row['phys_start'], row['phys_end'], row['pages'], row['held'], row['comment']]),
    truth.runs.map(({ start, length }) => [Number(start), Number(start) + Number(length), Number(length) / 4096, Number(length), null]),
  );
  const more = Number(truth.ram) - truth.runs.reduce((sum, { length }) => sum + Number(length), 0);
  assert.deepEqual(run.notes, [`The image holds ${more} bytes more, which the kernel does not count as memory.`]);
});

test('regions of Windows 7 x64: every module of the replica lies where the layout says', { skip: replicaSkip }, async () => {
  const { rows } = await rowsOf(replica as Session, virtMap);
  const regionOf = (address: bigint): unknown => rows.find((row) => (row['virt_start'] as bigint) <= address && address < (row['virt_end'] as bigint))?.['type'];
  const modules = replicaTruth<{ loaded: { base: string; name: string }[] }>('modules').loaded;
  for (const { base, name } of modules) {
    const wanted = /^(?:win32k|TSDDD|cdd)\./i.test(name) ? 'Session' : BigInt(base) < 0xfffff88000000000n ? 'LoaderMappings' : 'SystemPtes';
    assert.equal(regionOf(BigInt(base)), wanted, name);
  }
  assert.equal(regionOf(0xfffff8a000001398n), 'PagedPool', 'a prototype entry of special_ptes.json');
  assert.equal(regionOf(0xfffffa8000000000n), 'PfnDatabase');
  const entry = rows.find((row) => row['type'] === 'PfnDatabase');
  const highest = Number(replicaTruth<System>('system').physical_memory.ram) / 4096;
  assert.equal(entry?.['length'], BigInt(highest * 48), '48 bytes for each page (_MMPFN of Windows 7 x64)');
});

test('Windows 10: assigned regions by their names', { skip: layoutSkip('ten') }, async () => {
  const forge = await ForgedWindows.of('ten');
  const state = forge.image.room(forge.size('_MI_VISIBLE_STATE'));
  forge.image.pointer(forge.at('MiVisibleState'), state);
  // _MI_ASSIGNED_REGION_TYPES of 19041: 0 non-paged pool, 1 paged pool, 5 page frames, 12 system images; 3 has no bytes.
  const all = [[0, 0xffff810000000000n, 0x100000000000n], [1, 0xffffd48000000000n, 0x100000000000n], [3, 0xffffae8000000000n, 0n], [5, 0xffffe80000000000n, 0x38000000000n], [12, 0xfffff80000000000n, 0x8000000000n]] as const;
  for (const [index, start, bytes] of all) {
    const at = forge.member('_MI_VISIBLE_STATE', state, 'SystemVaRegions') + BigInt(index * 16);
    forge.put(at, 8, start);
    forge.put(at + 8n, 8, bytes);
  }
  const { rows } = await rowsOf(forge.session(), virtMap);
  assert.deepEqual(
    rows.map((row) => [row['type'], row['virt_start'], row['virt_end'], row['source']]),
    [
      ['NonPagedPool', 0xffff810000000000n, 0xffff910000000000n, 'nt!MiVisibleState'],
      ['PagedPool', 0xffffd48000000000n, 0xffffe48000000000n, 'nt!MiVisibleState'],
      ['PfnDatabase', 0xffffe80000000000n, 0xffffeb8000000000n, 'nt!MiVisibleState'],
      ['SystemImages', 0xfffff80000000000n, 0xfffff88000000000n, 'nt!MiVisibleState'],
    ],
  );
  const without = await ForgedWindows.of('ten');
  const none = await rowsOf(without.session(), virtMap);
  assert.deepEqual([none.rows.length, none.run.notes], [0, ['Where this kernel (build 19041) keeps its regions is not in memory, and it has no fixed layout.']]);
});

test('Windows 7 x86: a byte for each 4 MiB; neighbours are one region', { skip: layoutSkip('seven') }, async () => {
  const forge = await ForgedWindows.of('seven');
  forge.image.pointer(forge.at('MmSystemRangeStart'), 0x80000000n);
  const types = Buffer.alloc(512);
  // _MI_SYSTEM_VA_TYPE: 3 boot loaded, 5 non-paged pool, 6 paged pool, 10 HAL.
  types.set([3, 3, 5, 0, 6], 0);
  types[511] = 10;
  forge.image.write(forge.at('MiSystemVaType'), types);
  const { rows } = await rowsOf(forge.session(), virtMap);
  assert.deepEqual(
    rows.map((row) => [row['type'], row['virt_start'], row['length'], row['virt_end']]),
    [
      ['BootLoaded', 0x80000000n, 0x800000n, 0x80800000n],
      ['NonPagedPool', 0x80800000n, 0x400000n, 0x80c00000n],
      ['PagedPool', 0x81000000n, 0x400000n, 0x81400000n],
      ['Hal', 0xffc00000n, 0x400000n, 0xffffffffn],
    ],
  );
});

test('XP: what its variables say; runs that cannot be', { skip: layoutSkip('xp') }, async () => {
  const forge = await ForgedWindows.of('xp');
  const values = { MmPagedPoolStart: 0xe1000000n, MmPagedPoolEnd: 0xf0bfffffn, MmNonPagedPoolStart: 0x81181000n, MmSizeOfNonPagedPoolInBytes: 0x800000n, MmPfnDatabase: 0x80c00000n, MmHighestPhysicalPage: 0x1ffffn };
  for (const [name, value] of Object.entries(values)) forge.image.pointer(forge.at(name), value);
  const { rows } = await rowsOf(forge.session(), virtMap);
  const found = new Map(rows.map((row) => [row['type'], [row['virt_start'], row['virt_end']]]));
  assert.deepEqual(found.get('PagedPool'), [0xe1000000n, 0xf0c00000n]);
  assert.deepEqual(found.get('NonPagedPool'), [0x81181000n, 0x81981000n]);
  assert.deepEqual(found.get('PfnDatabase'), [0x80c00000n, 0x80c00000n + 0x20000n * BigInt(forge.size('_MMPFN'))]);
  assert.deepEqual(found.get('PageTables'), [0xc0000000n, 0xc0800000n], 'with PAE');
  const block = forge.image.room(64);
  forge.image.pointer(forge.at('MmPhysicalMemoryBlock'), block);
  for (const [index, value] of [2n, 0x1fffn, 1n, 0x9en, 0x100n, 0x1f00n].entries()) forge.image.pointer(block + BigInt(index * 4), value);
  let memory = await rowsOf(forge.session(), physMap);
  assert.deepEqual(memory.rows.map((row) => [row['phys_start'], row['phys_end']]), [[0x1000, 0x9f000], [0x100000, 0x2000000]]);
  assert.match(String(memory.rows[1]?.['comment']), /bytes are not in the image$/);
  assert.ok(memory.run.notes.some((note) => note.startsWith('The ranges have 8094 pages; ') && note.endsWith(' counts 8191.')), memory.run.notes.join('\n'));
  forge.image.pointer(block, 0xffffffffn);
  memory = await rowsOf(forge.session(), physMap);
  assert.deepEqual(memory.rows, []);
  assert.match(memory.run.notes[0] ?? '', /states 4294967295 runs/);
});

const dump = sharedData('windows', 'dumps', 'triage_x64.dmp');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz');

test('a dump without these pages: its header says when it crashed, the rest says why it is missing', { skip: dump.skip || isf.skip }, async () => {
  const session = new Session({ filename: dump.path, profile: isf.path, cache: 'memory' });
  const found = await facts(session);
  assert.deepEqual([found.get('Processors'), String(found.get('Time (UTC)')).slice(0, 23), Math.round(Number(found.get('Sec Since Boot')) * 10)], [16, '2021-02-21T01:38:22.987', 37]);
  assert.ok(found.get('NtSystemRoot') instanceof Absent);
  assert.deepEqual((await rowsOf(session, physMap)).rows, []);
  session.close();
});
