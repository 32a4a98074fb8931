import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { versionScan } from '../../../plugins/general/version_scan.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';

const folder = temporary();

const record = (name: string, age = 2): Buffer => Buffer.concat([Buffer.from('RSDS'), Buffer.from('b5a8e2f8b7c9f44ba6e4a48f18009994', 'hex'), Buffer.from([age, 0, 0, 0]), Buffer.from(`${name}\0`)]);

test('records of a file: at its very ends, across slices, and not what only looks like one', async () => {
  const size = 34 * 1024 * 1024 + 77;
  const bytes = Buffer.alloc(size);
  const slice = 32 * 1024 * 1024;
  const places: [number, string][] = [[0, 'first.pdb'], [4090, 'd:\\build\\page.pdb'], [slice - 2, 'border.pdb'], [slice + 100, 'ntkrnlmp.pdb'], [size - record('last.pdb').length, 'last.pdb']];
  for (const [at, name] of places) record(name).copy(bytes, at);
  record('no.txt').copy(bytes, 5000);
  record('control\u0007.pdb').copy(bytes, 6000);
  bytes.write('RSDS', 7000, 'latin1');
  const path = join(folder, 'pagefile.sys');
  writeFileSync(path, bytes);
  const session = new Session({ cache: 'memory' }, new Registry([], ''));
  const { rows } = await rowsOf(session, versionScan, { scan_filename: path });
  assert.deepEqual(rows.map((row) => [row['offset'], row['pdb']]), places.map(([at, name]) => [at, name.split('\\').at(-1)]));
  assert.equal(rows[0]?.['guid'], 'F8E2A8B5C9B74BF4A6E4A48F180099942');
  const some = await rowsOf(session, versionScan, { scan_filename: path, name_regex: /krnl/i });
  assert.deepEqual(some.rows.map((row) => row['pdb']), ['ntkrnlmp.pdb']);
  const none = await rowsOf(session, versionScan, { scan_filename: path, name_regex: /nothing/i });
  assert.deepEqual(none.run.notes, ['No debug record of a PDB named /nothing/ was found.']);
  await assert.rejects(rowsOf(session, versionScan, { scan_filename: join(folder, 'none') }), /no such file/);
  await assert.rejects(rowsOf(session, versionScan), /No image is open/);
});

test('the kernel of an image, as the truth has it', { skip: replicaSkip }, async () => {
  const { kernel } = replicaTruth<{ kernel: { guid: string; age: number } }>('system');
  const session = await replicaSession();
  const { rows } = await rowsOf(session, versionScan, { name_regex: /ntkrnl/i });
  assert.deepEqual(rows.map((row) => [row['guid'], row['pdb']]), [[`${kernel.guid}${kernel.age}`, 'ntkrnlmp.pdb']]);
  session.close();
});
