import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { convertProfile } from '../../../plugins/general/convert_profile.js';
import { pslist } from '../../../plugins/linux/pslist.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { temporary } from '../../support/folder.js';
import { lab, labSamples, rowsOf } from '../../support/sample.js';

const symbols = join(lab, 'symbols/pae-6.1');
const isf = existsSync(symbols) ? readdirSync(symbols).find((name) => name.endsWith('.json.xz')) : undefined;
const pae = labSamples(['pae'])[0];

test('a Volatility 3 symbol file becomes a Rekall profile that works the same', { skip: isf && pae ? false : 'no symbol file of the pae kernel in the lab' }, async () => {
  const folder = temporary();
  const source = join(symbols, isf ?? '');
  const path = join(folder, 'pae.json.gz');
  const { rows } = await rowsOf(new Session({}, new Registry([], '')), convertProfile, { source, out_file: path });
  assert.ok((rows[0]?.['structs'] as number) > 5000);
  const before = await openProfileFile(source);
  const after = await openProfileFile(path);
  let members = 0;
  for (const name of ['task_struct', 'mm_struct', 'vm_area_struct', 'file', 'dentry', 'inode', 'module', 'net_device', 'sock', 'super_block']) {
    const [one, other] = [before.types.struct(name), after.types.struct(name)];
    assert.equal(other?.size, one?.size, name);
    for (const [member, { offset }] of one?.members ?? []) {
      assert.equal(other?.members.get(member)?.offset, offset, `${name}.${member}`);
      members++;
    }
  }
  assert.ok(members > 500);
  const image = pae?.image ?? '';
  const listed = async (profile: string): Promise<string[]> => {
    const { rows: processes } = await rowsOf(new Session({ filename: image, profile, cache: 'memory' }, new Registry([], '')), pslist);
    return processes.map((row) => `${String(row['pid'])} ${String(row['name'])} ${String(row['binary'])} ${String(row['start_time'])}`);
  };
  assert.deepEqual(await listed(path), await listed(source));
});

const merging = temporary();

test('what a profile takes over from others is named on, or said to be left out', async () => {
  const path = join(merging, 'merging.json');
  const merge = ['nt/GUID/other', 'nt/undocumented'];
  writeFileSync(path, JSON.stringify({ $METADATA: { os: 'windows', GUID_AGE: `${'A'.repeat(32)}1`, PDBFile: 'a.pdb' }, $MERGE: merge, $STRUCTS: { _A: [4, {}] } }));
  const session = new Session({ cache: 'memory' });
  const { run } = await rowsOf(session, convertProfile, { source: path, out_file: join(merging, 'again.json') });
  assert.deepEqual(run.notes, []);
  assert.deepEqual((JSON.parse(readFileSync(join(merging, 'again.json'), 'utf8')) as Record<string, unknown>)['$MERGE'], merge);
  const isf = await rowsOf(session, convertProfile, { source: path, out_file: join(merging, 'isf.json'), format: 'isf' });
  assert.match(isf.run.notes.join(), /Left out: what it takes over from nt\/GUID\/other, nt\/undocumented/);
});
