import assert from 'node:assert/strict';
import { test } from 'node:test';
import { info } from '../../../plugins/general/info.js';
import { plugins } from '../../../plugins/general/plugins.js';
import { nothing, version } from '../../../plugins/general/version.js';
import { arg } from '../../../src/plugin/args.js';
import { col } from '../../../src/plugin/columns.js';
import { definePlugin } from '../../../src/plugin/plugin.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { committedSample, rowsOf } from '../../support/sample.js';

/** Commands for one system, for another, and one that finds out by itself. */
function registry(): Registry {
  const all = new Registry([], '');
  const common = { topic: 'network', args: { to: arg.int('last', { default: 3 }), at: arg.address.required('where') }, columns: { port: col.int('the port', { unit: 'number' }) }, collect: () => [] };
  all.add(definePlugin({ ...common, name: 'netscan', needs: ['windows'], summary: 'scans for connections', examples: [{ line: 'netscan' }] }));
  all.add(definePlugin({ ...common, name: 'netstat', needs: ['linux'], summary: 'lists sockets', aliases: ['ss'], examples: [{ line: 'netstat', doc: 'all' }] }));
  all.add(definePlugin({ ...common, name: 'netns', needs: ['linux'], summary: 'lists namespaces', applies: () => 'it has no namespaces', examples: [{ line: 'netns' }] }));
  all.add(plugins);
  return all;
}

test('commands are listed, with what they need', async () => {
  const session = new Session({ cache: 'memory' }, registry());
  const { rows } = await rowsOf(session, plugins);
  assert.deepEqual(rows.map((row) => [row['name'], row['needs'], row['applies']]), [['netscan', 'windows', null], ['netstat', 'linux', null], ['netns', 'linux', null], ['plugins', 'none', 'yes']]);
  const names = async (...search: string[]): Promise<unknown[]> => (await rowsOf(session, plugins, { search })).rows.map((row) => row['name']);
  assert.deepEqual(await names('SOCKETS'), ['netstat']);
  assert.deepEqual(await names('port', 'network'), ['netscan', 'netstat', 'netns']);
  assert.deepEqual(await names('ss'), ['netstat', 'plugins']);
  const none = await rowsOf(session, plugins, { search: ['xyzzy'] });
  assert.deepEqual([none.rows.length, none.run.notes], [0, ['plugins found nothing.']]);
});

test('on an image it says which commands work there', { skip: committedSample() ? false : 'no committed sample' }, async () => {
  const session = new Session({ cache: 'memory', filename: committedSample()?.image }, registry());
  const { rows } = await rowsOf(session, plugins, { search: ['net'] });
  assert.deepEqual(rows.map((row) => row['applies']), ['yes', 'no: it has no namespaces']);
  const all = (await rowsOf(session, plugins, { search: ['net'], all: true })).rows.map((row) => [row['name'], row['applies']]);
  assert.deepEqual(all.slice(0, 3), [['netscan', 'no: needs windows, this is linux'], ['netstat', 'yes'], ['netns', 'no: it has no namespaces']]);
  const { rows: other } = await rowsOf(session, plugins, { search: ['connections', 'xp'], all: true });
  assert.deepEqual(other.map((row) => [row['name'], row['applies'], row['topic']]), [['connections', 'no: needs windows; see netstat', 'Rekall'], ['connscan', 'no: needs windows; see netstat', 'Rekall']]);
  session.close();
});

test('an image without a kernel leaves the list and a note', async () => {
  const session = new Session({ cache: 'memory', filename: '/no/such/image' }, registry());
  const { rows, run } = await rowsOf(session, plugins, { search: ['netstat'] });
  assert.deepEqual(rows.map((row) => row['applies']), ['no: no kernel was found']);
  assert.match(run.notes.join(), /\/no\/such\/image/);
});

test('info documents commands and parameters', async () => {
  const session = new Session({ cache: 'memory' }, registry());
  const all = await rowsOf(session, info);
  for (const name of ['netscan', 'plugins', 'filename', 'timezone']) assert.ok(all.rows.some((row) => row['function'] === name), name);
  const one = await rowsOf(session, info, { item: 'ss' });
  assert.deepEqual(one.rows, [
    { function: 'netstat', provider: 'command', type: 'linux', default: null, docs: 'lists sockets' },
    { function: 'to', provider: 'argument', type: 'int', default: 3, docs: 'last' },
    { function: 'at', provider: 'argument', type: 'address', default: null, docs: 'where (required)' },
    { function: 'port', provider: 'column', type: 'int (number)', default: null, docs: 'the port' },
    { function: 'netstat', provider: 'example', type: null, default: null, docs: 'all' },
  ]);
  const parameter = await rowsOf(session, info, { item: 'profile-path' });
  assert.deepEqual(parameter.rows.map((row) => [row['function'], row['provider']]), [['repository_path', 'parameter']]);
  await assert.rejects(rowsOf(session, info, { item: 'netscna' }), (error: Error & { next?: string }) => error.next === 'info netscan');
});

test('version and null', async () => {
  const session = new Session({ cache: 'memory' }, registry());
  const versions = new Map((await rowsOf(session, version)).rows.map((row) => [row['component'], row['version']]));
  assert.equal(versions.get('node'), process.versions.node);
  assert.match(String(versions.get('rekall')), /^\d+\.\d+\.\d+$/);
  const { rows, run } = await rowsOf(session, nothing);
  assert.deepEqual([rows, run.notes], [[], ['Nothing was done.']]);
});
