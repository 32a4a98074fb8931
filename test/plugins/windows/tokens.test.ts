import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { privileges, tokens } from '../../../plugins/windows/tokens.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import type { Struct } from '../../../src/object/struct.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

/** The tokens that were put into the replica; Volatility 3 reads the same (its table of privileges, and its 86 well-known SIDs). */
interface Truth {
  readonly pid: number;
  readonly name: string;
  readonly token: { readonly object: string; readonly sids: readonly string[]; readonly present: readonly number[]; readonly enabled: readonly number[] } | null;
}

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const all = { method: METHODS };
const truth = skip ? [] : replicaTruth<Truth[]>('tokens').filter(({ token }) => token !== null);

test('SIDs of every token, in its order', { skip }, async () => {
  const { rows, run } = await rowsOf(session as never, tokens, all);
  const found = rows.map((row) => [row['pid'], (row['_TOKEN'] as Struct).$address, row['Sid']]);
  assert.deepEqual(found, truth.flatMap(({ pid, token }) => (token?.sids ?? []).map((sid) => [pid, BigInt(token?.object ?? 0), sid])));
  assert.equal(rows.length, 267);
  assert.ok(rows.every((row) => typeof row['Comment'] === 'string' && row['Comment'] !== ''));
  assert.deepEqual(rows.filter((row) => row['pid'] === 1652).map((row) => row['Comment']).slice(0, 5), ['User', 'Domain Users', 'Everyone', 'Administrators', 'Users']);
  assert.deepEqual(rows.filter((row) => row['pid'] === 4).map((row) => [row['kind'], row['Comment']]).at(-1), ['integrity', 'System Mandatory Level']);
  // The ghost has none, and nothing is made up for it.
  assert.ok(run.notes.some((note) => note.startsWith('Without a token: a process without name (504)')), run.notes.join());
});

test('privileges of every token: present and enabled', { skip }, async () => {
  const { rows } = await rowsOf(session as never, privileges, all);
  const found = rows.map((row) => [row['pid'], row['Value'], row['enabled']]);
  assert.deepEqual(found, truth.flatMap(({ pid, token }) => (token?.present ?? []).map((value) => [pid, value, token?.enabled.includes(value)])));
  assert.ok(rows.length > 500 && rows.every((row) => String(row['Privileges']).startsWith('Se') && row['description'] !== null));
  const debug = await rowsOf(session as never, privileges, { ...all, regex: /debug/i });
  assert.deepEqual(debug.rows.map((row) => row['pid']), truth.filter(({ token }) => token?.present.includes(20)).map(({ pid }) => pid));
});

test('getsids is the same command', { skip }, () => {
  assert.deepEqual(tokens.aliases, ['getsids']);
});
