import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { callbacksPlugin } from '../../../plugins/windows/callbacks.js';
import { Session } from '../../../src/session/session.js';
import { sharedData } from '../../support/shared.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

const session = skip ? undefined : await replicaSession();
after(() => session?.close());

interface Stated {
  readonly table: string;
  readonly block?: string;
  readonly record?: string;
  readonly callback: string;
  readonly module: string | null;
  readonly component?: string;
  readonly driver?: string;
  readonly altitude?: string;
}

test('every callback of the replica, in the order of its table, with the two of a driver that was unloaded', { skip }, async () => {
  const truth = replicaTruth<Stated[]>('callbacks');
  const { rows, run } = await rowsOf(session as never, callbacksPlugin);
  assert.equal(rows.length, truth.length);
  const tables = [...new Set(truth.map(({ table }) => table))];
  for (const table of tables) {
    const stated = truth.filter((one) => one.table === table);
    const found = rows.filter((row) => row['type'] === `nt!${table}`);
    assert.deepEqual(
      found.map((row) => [row['offset'], row['callback'], String(row['module'] ?? null).toLowerCase()]),
      stated.map((one) => [BigInt(one.block ?? one.record ?? 0), BigInt(one.callback), String(one.module).replace(/\.\w+$/, '').toLowerCase().replace('ntoskrnl', 'nt')]),
      table,
    );
    // The replica has the component of a reason's record where Volatility 3 looks for it on x64, and wdm.h has the reason: there is none for us.
    const said = (one: Stated): string | null => (table.includes('Reason') ? null : (one.driver ?? one.component ?? (one.altitude === undefined ? null : `altitude ${one.altitude}`)));
    assert.deepEqual(found.map((row) => row['details']), stated.map(said), table);
  }
  assert.deepEqual(rows.filter((row) => row['module'] === null).map((row) => row['outside']), ['unloaded evil.sys', 'unloaded evil.sys']);
  assert.deepEqual(rows.filter((row) => row['module'] === null).map((row) => row['symbol']), ['(unloaded evil.sys)', '(unloaded evil.sys)']);
  assert.ok(rows.every((row) => (row['outside'] === null) === (row['module'] !== null)));
  assert.match(run.notes.join('\n'), /never made: .*PnpProfileNotifyList/);
  const outside = await rowsOf(session as never, callbacksPlugin, { outside: true });
  assert.deepEqual(outside.rows.map((row) => row['callback']), truth.filter(({ module }) => module === null).map((one) => BigInt(one.callback)));
});

test('the table that the seed document reads: one of _EX_FAST_REF at PspLoadImageNotifyRoutine, each to a block with the routine', { skip }, async () => {
  const { rows } = await rowsOf(session as never, callbacksPlugin, { type_regex: /PspLoadImageNotifyRoutine/ });
  // The document's listing of PsSetLoadImageNotifyRoutine shows the first slot: 0xFFFFF8A0001310BF.
  assert.deepEqual(rows.map((row) => [row['offset'], row['symbol'], row['api']]), [[0xfffff8a0001310b0n, 'CI+0x1100', 'PsSetLoadImageNotifyRoutine']]);
});

const dump = sharedData('windows', 'dumps', 'triage_x64.dmp');
const symbols = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz');

test('a real Windows 10: of its server silo monitors the dump has records of CI and NETIO; what it lacks is told, list by list', { skip: dump.skip || symbols.skip }, async () => {
  const triage = new Session({ filename: dump.path, profile: symbols.path, cache: 'memory' });
  const { rows, run } = await rowsOf(triage, callbacksPlugin, { type_regex: /Silo/ });
  assert.deepEqual(rows.map((row) => [row['module'], row['details']]), [['CI', 'CreateCallback'], ['NETIO', 'CreateCallback'], ['NETIO', 'TerminateCallback']]);
  assert.ok(run.notes.some((note) => note.startsWith('CallbackListHead cannot be read')));
  triage.close();
});
