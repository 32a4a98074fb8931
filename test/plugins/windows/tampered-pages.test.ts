import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vtop } from '../../../plugins/general/vtop.js';
import { pfn } from '../../../plugins/windows/pfn.js';
import { ptov } from '../../../plugins/windows/ptov.js';
import { rammap } from '../../../plugins/windows/rammap.js';
import { pageFrames } from '../../../src/kernel/windows/memory/pfn.js';
import { partsOf, sectionOf } from '../../../src/kernel/windows/memory/sections.js';
import { viewsOf } from '../../../src/kernel/windows/memory/views.js';
import { PatchedReplica } from '../../support/patched-replica.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSkip as skip } from '../../support/windows.js';

test('a file that is in memory, and that no process maps, is told as the file cache', { skip }, async () => {
  const patched = await PatchedReplica.open();
  const { kernel } = patched;
  // Of its one process the region loses its prototypes; the page's record names the part of the file, as Windows has it there.
  const view = viewsOf(kernel, patched.process(880)).at(0x7fef8602);
  assert.ok(view?.prototypes);
  patched.set('_MMVAD', view.vad.node.$address, 'FirstPrototypePte', 0n);
  const frames = pageFrames(kernel);
  const part = partsOf(kernel, view.prototypes.area).find(frames.at(0x953)?.pte ?? 0n);
  assert.ok(part);
  const entry = BigInt.asUintN(64, part.address << 16n) | 0x420n;
  patched.pointer(kernel.space, frames.addressOf(0x953) + BigInt(kernel.struct('_MMPFN').offsetOf('OriginalPte')), entry);
  const name = sectionOf(kernel, part.area).file;
  assert.match(name ?? '', /\.dll$/);
  const session = await patched.session();
  const { rows } = await rowsOf(session, ptov, { offsets: [0x953010n] });
  // The replica's images lie in their files as in memory.
  const offset = Number(0x7fef8602000n - view.vad.start);
  assert.deepEqual(rows.map((row) => [row['owner'], row['name'], row['comment']]), [['image file', name, `file offset 0x${(offset + 0x10).toString(16)}; still in memory, but no process maps it: it is in the file cache`]]);
  const all = await rowsOf(session, rammap, { start: 0x953000, end: 0x954000, all: true });
  assert.deepEqual(all.rows.map((row) => [row['Use'], row['Process'], row['VA'], row['Offset'], row['Filename']]), [['Mapped File', null, null, offset, name]]);
  const facts = await rowsOf(session, pfn, { pfn: 0x953 });
  const original = facts.rows.find(({ fact }) => fact === 'Original PTE');
  assert.deepEqual([original?.['Address'], original?.['Value']], [entry, `${name} +0x${offset.toString(16)}`]);
  session.close();
  patched.close();
});

test('a library that a process has written to: a private copy, and the process shares the page no more', { skip }, async () => {
  const patched = await PatchedReplica.open();
  const { kernel } = patched;
  const space = kernel.spaceOf(patched.process(1432));
  const entry = 0xfffff68000000000n + (0x76d40000n >> 12n) * 8n;
  patched.pointer(space, entry, 0x2c4867n);
  const session = await patched.session();
  const { rows, run } = await rowsOf(session, ptov, { offsets: [0xfe35000n] });
  assert.equal(rows[0]?.['comment'], 'file offset 0x0; mapped by 30 processes');
  assert.equal(rows.some((row) => row['pid'] === 1432), false);
  assert.match(run.notes.join(), /Copies of their own, since they wrote to it, have instead: svchost\.exe \(1432\)/);
  const walk = await rowsOf(session, vtop, { virtual_address: 0x76d40010n, address_space: 'pid@1432' });
  assert.equal(walk.rows.at(-1)?.['comment'], '4 KiB page; private copy of \\Windows\\System32\\ntdll.dll +0x10');
  session.close();
  patched.close();
});

test('without the page database ptov walks page tables, rammap says what is left out', { skip }, async () => {
  const patched = await PatchedReplica.open();
  patched.pointer(patched.kernel.space, patched.kernel.profile.address('MmPfnDatabase'), 0xfffffb0000000000n);
  const session = await patched.session();
  const { rows, run } = await rowsOf(session, ptov, { offsets: [0x2c4123n, 0x283eb30n] });
  assert.deepEqual(rows.map((row) => [row['owner'], row['pid'] ?? null, row['virtual_offset']]), [['process', 1432, 0x3f50123n], ['kernel', null, 0xfffff8000283eb30n]]);
  assert.match(run.notes.join(' '), /no record of page 0x2c4: all page tables were walked/);
  const map = await rowsOf(session, rammap, { start: 0x200000, end: 0x210000 });
  assert.deepEqual(map.rows, []);
  assert.match(map.run.notes.join(), /16 pages are left out: the image does not hold their records/);
  session.close();
  patched.close();
});

test('a record that names a wrong entry is told, and page tables decide', { skip }, async () => {
  const patched = await PatchedReplica.open();
  const frames = pageFrames(patched.kernel);
  patched.pointer(patched.kernel.space, frames.addressOf(0x2c4) + BigInt(patched.kernel.struct('_MMPFN').offsetOf('PteAddress')), 0xfffff6800001fa88n);
  const session = await patched.session();
  const { rows, run } = await rowsOf(session, ptov, { offsets: [0x2c4000n] });
  assert.deepEqual(rows.map((row) => [row['pid'], row['virtual_offset']]), [[1432, 0x3f50000n]]);
  assert.match(run.notes.join(), /does not lead to it/);
  session.close();
  patched.close();
});
