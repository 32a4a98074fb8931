import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { psxview } from '../../../plugins/windows/psxview.js';
import { CROSS_METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { Absent } from '../../../src/memory/absent.js';
import type { Struct } from '../../../src/object/struct.js';
import { PatchedReplica } from '../../support/patched-replica.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Process {
  readonly pid: number;
  readonly name: string;
  readonly eprocess: string;
  readonly session: number | null;
  readonly hidden: boolean;
  readonly ghost: boolean;
  readonly idle: boolean;
  readonly exit_time: number;
  readonly in_active_list: boolean;
  readonly in_cid_table: boolean;
}

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const all = { method: CROSS_METHODS };

test('six sources, each against the truth', { skip }, async () => {
  const { rows } = await rowsOf(session as never, psxview, all);
  const truth = replicaTruth<Process[]>('pslist').filter(({ idle }) => !idle);
  const handles = Object.entries(replicaTruth<Record<string, { object: string; type: string }[]>>('handles'));
  const opened = (by: (pid: number) => boolean): Set<bigint> =>
    new Set(handles.filter(([pid]) => by(Number(pid))).flatMap(([, list]) => list.filter(({ type }) => type === 'Process').map(({ object }) => BigInt(object))));
  // A process that has none of the list takes no handles of its own: those of unlinked ones are not asked.
  const active = new Set(truth.filter((one) => one.in_active_list).map(({ pid }) => pid));
  const anyone = opened((pid) => active.has(pid));
  const csrss = opened((pid) => truth.some((one) => one.pid === pid && one.name === 'csrss.exe'));
  const running = new Set(replicaTruth<{ pid: number; name: string; threads: unknown[] }[]>('threads').filter(({ threads }) => threads.length > 0).map(({ pid, name }) => `${pid} ${name}`));
  const found = new Map(rows.map((row) => [(row['_EPROCESS'] as Struct).$address, row]));
  assert.equal(rows.length, truth.length);
  for (const one of truth) {
    const at = BigInt(one.eprocess);
    const row = found.get(at) ?? {};
    assert.deepEqual(
      CROSS_METHODS.map((method) => row[method]),
      [one.in_active_list, csrss.has(at), one.in_cid_table, one.session !== null && !one.ghost, anyone.has(at), running.has(`${one.pid} ${one.name}`)],
      `${one.pid} ${one.name}`,
    );
    assert.equal(row['odd'], one.hidden || one.ghost, `${one.pid}: ${String(row['remark'])}`);
    if (one.exit_time > 0) assert.match(String(row['remark']), /^not in .*: it has ended$/);
  }
});

test('the unlinked process and the ghost are odd; what Windows leaves out is explained', { skip }, async () => {
  const { rows, run } = await rowsOf(session as never, psxview, { ...all, odd: true });
  assert.deepEqual(rows.map((row) => [row['pid'], row['remark']]), [
    [504, 'only CSRSS, Handles know it'],
    [2016, 'hidden from PsActiveProcessHead'],
  ]);
  assert.ok(run.notes.some((note) => /Not asked: PSScan/.test(note)));
  const { rows: few } = await rowsOf(session as never, psxview, { method: ['PsActiveProcessHead', 'Thrdproc'], pids: [4, 208, 2016] });
  // A source that was not asked says nothing; 2016 is known by its threads alone.
  assert.deepEqual(few.map((row) => [row['pid'], row['PsActiveProcessHead'], row['CSRSS'], row['Thrdproc']]), [
    [4, true, null, true],
    [208, true, null, true],
    [2016, false, null, true],
  ]);
});

test('neither a borrowed name nor a time of exit excuses a process', { skip }, async () => {
  const patched = await PatchedReplica.open();
  const { kernel } = patched;
  const type = kernel.struct('_EPROCESS');
  const dwm = patched.process(1476);
  // Off its session's list, and called smss.exe.
  const space = kernel.spaceOf(dwm);
  const links = dwm.$address + BigInt(type.offsetOf('SessionProcessLinks'));
  const [next, back] = [space.readPointer(links), space.readPointer(links + 8n)];
  patched.pointer(space, back, next);
  patched.pointer(space, next + 8n, back);
  patched.write(space, dwm.$address + BigInt(type.offsetOf('ImageFileName')), Buffer.from('smss.exe\0'));
  // Said to have ended, while its threads run.
  patched.set('_EPROCESS', patched.process(1652).$address, 'ExitTime', 129780136266093750n);
  const changed = await patched.session();
  const { rows } = await rowsOf(changed, psxview, { ...all, odd: true });
  assert.deepEqual(rows.map((row) => [row['pid'], row['remark']]).filter(([pid]) => pid === 1476 || pid === 1652), [
    [1476, 'hidden from Sessions'],
    [1652, 'it has a time of exit, and its threads run'],
  ]);
  changed.close();
  patched.close();
});

test('a source that cannot be asked says so instead of no', { skip }, async () => {
  const patched = await PatchedReplica.open();
  const { kernel } = patched;
  // The variable leads nowhere.
  patched.pointer(kernel.space, kernel.profile.address('PspCidTable'), 0xfffff8a0deadb000n);
  const changed = await patched.session();
  const { rows, run } = await rowsOf(changed, psxview, all);
  assert.ok(rows.length >= 34 && rows.every((row) => row['PspCidTable'] instanceof Absent && row['Thrdproc'] instanceof Absent));
  assert.deepEqual(rows.filter((row) => row['odd']).map((row) => row['pid']), [504, 2016]);
  assert.ok(run.notes.some((note) => /processes by PspCidTable/.test(note)), run.notes.join('\n'));
  changed.close();
  patched.close();
});

test('the idle process, which no list has, is told', { skip }, async () => {
  const idle = replicaTruth<Process[]>('pslist').find((process) => process.idle);
  const { rows } = await rowsOf(session as never, psxview, { ...all, eprocess: [BigInt(idle?.eprocess ?? 0)] });
  assert.deepEqual([rows.length, rows[0]?.['odd']], [1, false]);
  assert.match(String(rows[0]?.['remark']), /: it is the idle process$/);
});
