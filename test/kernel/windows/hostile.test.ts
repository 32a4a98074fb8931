import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cmdline } from '../../../plugins/windows/cmdline.js';
import { handles } from '../../../plugins/windows/handles.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { vad } from '../../../plugins/windows/vad.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { vads } from '../../../src/kernel/windows/memory/vad.js';
import type { Plugin } from '../../../src/plugin/plugin.js';
import type { Row } from '../../../src/plugin/columns.js';
import { PatchedReplica } from '../../support/patched-replica.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSkip as skip } from '../../support/windows.js';

/** Damage to the structures of processes: rows go on, and what is wrong is told. */
const NOWHERE = 0xfffff8a0deadb000n;

async function damaged(damage: (patched: PatchedReplica) => void, plugin: Plugin, args: Readonly<Record<string, unknown>>): Promise<{ readonly rows: readonly Row[]; readonly notes: string; readonly before: readonly Row[] }> {
  const patched = await PatchedReplica.open();
  damage(patched);
  const session = await patched.session();
  const { rows, run } = await rowsOf(session, plugin, args);
  const before = (await rowsOf(patched.unchanged, plugin, args)).rows;
  session.close();
  patched.close();
  return { rows, notes: run.notes.join('\n'), before };
}

const active = { method: ['PsActiveProcessHead'] };
const pids = (rows: readonly Row[]): unknown[] => rows.map((row) => row['pid']);
/** Address of a process's entry on the active list. */
const entry = (patched: PatchedReplica, pid: number): bigint => patched.process(pid).$address + BigInt(patched.kernel.struct('_EPROCESS').offsetOf('ActiveProcessLinks'));

test('an active list that is cut is walked from the other side', { skip }, async () => {
  const { rows, notes, before } = await damaged((patched) => patched.pointer(patched.kernel.space, entry(patched, 856), NOWHERE), pslist, active);
  assert.deepEqual(pids(rows), pids(before));
  assert.match(notes, /is broken after 0x/);
});

test('an active list that goes round without its head, both ways, ends, and what stands on it is found', { skip }, async () => {
  const { rows, notes, before } = await damaged(
    (patched) => {
      const { space } = patched.kernel;
      // Forwards 880 leads back to 208; backwards 880 leads to itself.
      patched.pointer(space, entry(patched, 880), entry(patched, 208));
      patched.pointer(space, entry(patched, 880) + 8n, entry(patched, 880));
    },
    pslist,
    active,
  );
  assert.deepEqual(pids(rows), pids(before));
  assert.match(notes, /loops at 0x|is not sound/);
});

test('all methods together know a process that one damaged list has lost', { skip }, async () => {
  // Cut on both sides of what lies between: the list's ends are found, the middle only by other means.
  const { rows, before } = await damaged(
    (patched) => {
      patched.pointer(patched.kernel.space, entry(patched, 428), 0n);
      patched.pointer(patched.kernel.space, entry(patched, 1076) + 8n, 0n);
    },
    pslist,
    { method: METHODS },
  );
  assert.deepEqual(pids(rows), pids(before));
  const middle = rows.find((row) => row['pid'] === 444);
  assert.deepEqual([middle?.['PsActiveProcessHead'], middle?.['PspCidTable']], [false, true]);
});

test('regions: a child that leads nowhere costs its branch, one that leads up costs nothing', { skip }, async () => {
  const nodes = (patched: PatchedReplica): bigint[] => [...vads(patched.kernel, patched.process(1652))].filter(({ level }) => level === 3).map(({ node }) => node.$address);
  const cut = await damaged((patched) => patched.set('_MMVAD_SHORT', nodes(patched)[0] ?? 0n, 'LeftChild', NOWHERE), vad, { pids: [1652], method: METHODS });
  assert.ok(cut.rows.length < cut.before.length && cut.rows.length > cut.before.length / 2, `${cut.rows.length} of ${cut.before.length}`);
  assert.match(cut.notes, /the VADs of explorer\.exe \(1652\): .*(cannot be read|is no region)/);
  const loop = await damaged(
    (patched) => {
      const [first = 0n] = nodes(patched);
      patched.set('_MMVAD_SHORT', first, 'RightChild', first);
    },
    vad,
    { pids: [1652], method: METHODS },
  );
  assert.match(loop.notes, /the tree comes back to 0x/);
  assert.ok(loop.rows.length > loop.before.length / 2);
  // A root that leads nowhere: a process without regions, which is told.
  const root = await damaged((patched) => patched.pointer(patched.kernel.space, patched.process(1652).$addressOf('VadRoot') + 16n, NOWHERE), vad, { pids: [1652], method: METHODS });
  assert.equal(root.rows.length, 0);
  assert.match(root.notes, /VADs of explorer\.exe/);
});

test('handle tables: levels that no table has, pages that are gone or are their own parents, and a bound that hides', { skip }, async () => {
  const table = (patched: PatchedReplica, pid: number): bigint => patched.process(pid).$pointer('ObjectTable');
  const only = { pids: [444, 504], method: METHODS };
  const count = (rows: readonly Row[], pid: number): number => rows.filter((row) => row['pid'] === pid).length;
  for (const [what, code] of [
    ['states 8 levels', (old: bigint) => old | 7n],
    ['cannot be read', () => NOWHERE],
    ['cannot be read', () => NOWHERE | 2n],
  ] as const) {
    const { rows, notes, before } = await damaged((patched) => patched.set('_HANDLE_TABLE', table(patched, 444), 'TableCode', code(patched.kernel.at('_HANDLE_TABLE', table(patched, 444)).$pointer('TableCode'))), handles, only);
    assert.equal(count(rows, 444), 0, what);
    assert.equal(count(rows, 504), count(before, 504));
    assert.match(notes, new RegExp(what));
  }
  // A page of handles taken for one of pages: nothing of it is a table, and that is told once, not for each.
  const mixed = await damaged((patched) => patched.set('_HANDLE_TABLE', table(patched, 504), 'TableCode', (patched.kernel.at('_HANDLE_TABLE', table(patched, 504)).$pointer('TableCode') & ~7n) | 2n), handles, only);
  assert.equal(count(mixed.rows, 444), count(mixed.before, 444));
  assert.ok(mixed.notes.split('\n').length < 12, mixed.notes);
  // Handles are there, whatever their table says of its size.
  const hidden = await damaged((patched) => patched.write(patched.kernel.space, patched.kernel.at('_HANDLE_TABLE', table(patched, 444)).$addressOf('NextHandleNeedingPool'), Buffer.alloc(4)), handles, only);
  assert.equal(count(hidden.rows, 444), count(hidden.before, 444));
});

test('a PEB that is paged out, or none: the line says which', { skip }, async () => {
  const { rows } = await damaged((patched) => patched.set('_EPROCESS', patched.process(1652).$address, 'Peb', 0x7fff0000n), cmdline, { pids: [444, 916, 1652, 4], method: METHODS });
  assert.deepEqual(
    rows.map((row) => [row['pid'], row['command_line'] === null ? null : typeof row['command_line'] === 'string' ? 'text' : String(row['command_line']).slice(0, 10)]),
    [
      [4, null],
      [444, 'text'],
      [916, 'unreadable'],
      [1652, 'unreadable'],
    ],
  );
});
