import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pslist } from '../../../plugins/windows/pslist.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Timestamp } from '../../../src/object/time.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly eprocess: string;
  readonly threads: number;
  readonly handles: number;
  readonly session: number | null;
  readonly wow64: boolean;
  readonly create_time: number;
  readonly exit_time: number;
  readonly hidden: boolean;
  readonly ghost: boolean;
  readonly idle: boolean;
  readonly in_active_list: boolean;
  readonly in_cid_table: boolean;
}

test('every process of the truth, with who knows it: also the one that unlinked itself and the ghost', { skip }, async () => {
  const session = await replicaSession();
  const { rows } = await rowsOf(session, pslist, { method: METHODS });
  const truth = replicaTruth<Process[]>('pslist').filter((process) => !process.idle);
  const byAddress = new Map(rows.map((row) => [(row['_EPROCESS'] as Struct).$address, row]));
  assert.equal(rows.length, truth.length);
  for (const process of truth) {
    const row = byAddress.get(BigInt(process.eprocess));
    assert.ok(row, process.name);
    assert.equal(row['PsActiveProcessHead'], process.in_active_list, process.name);
    if (process.ghost) {
      assert.ok(row['CSRSS'] === true && row['PsActiveProcessHead'] === false);
      continue;
    }
    const { name, pid } = describeStruct(row['_EPROCESS'] as Struct);
    assert.deepEqual([name, pid], [process.name, process.pid]);
    assert.equal(row['PspCidTable'], process.in_cid_table, process.name);
    assert.deepEqual(
      [row['ppid'], row['thread_count'], row['wow64'], row['session_id']],
      [process.ppid, process.threads, process.wow64, process.session],
      process.name,
    );
    if (process.handles > 0) assert.equal(row['handle_count'], process.handles, process.name);
    assert.equal((row['process_create_time'] as Timestamp).ns / 1_000_000_000n, BigInt(process.create_time), process.name);
    if (process.exit_time > 0) assert.equal((row['process_exit_time'] as Timestamp).ns / 1_000_000_000n, BigInt(process.exit_time));
    else assert.equal(row['process_exit_time'], null);
  }
  session.close();
});

test('one method alone gives what it knows', { skip }, async () => {
  const session = await replicaSession();
  const truth = replicaTruth<Process[]>('pslist');
  const { rows } = await rowsOf(session, pslist, { method: ['PsActiveProcessHead'] });
  assert.equal(rows.length, truth.filter((process) => process.in_active_list).length);
  const named = await rowsOf(session, pslist, { method: METHODS, proc_regex: /^svchost/i });
  assert.equal(named.rows.length, truth.filter((process) => process.name.startsWith('svchost')).length);
  // As the banner proposes: name and number are columns, if not shown ones.
  const pairs = named.rows.map((row) => `${String(row['pid'])} ${String(row['name'])}`).sort();
  assert.deepEqual(pairs, truth.filter((process) => process.name.startsWith('svchost')).map(({ pid, name }) => `${pid} ${name}`).sort());
  session.close();
});
