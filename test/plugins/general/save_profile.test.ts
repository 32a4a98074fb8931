import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { pslist } from '../../../plugins/linux/pslist.js';
import { saveProfile } from '../../../plugins/general/save_profile.js';
import { Registry } from '../../../src/plugin/registry.js';
import { Session } from '../../../src/session/session.js';
import { temporary } from '../../support/folder.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny', 'la57']);
test('a saved profile', { skip: skipWithout(found) }, async (context) => {
  const folder = temporary();
  const path = join(folder, 'profile.json.gz');
  const sample = found[0] as Sample;
  await context.test('has the form and the addresses as linked', async () => {
    const session = sample.session();
    await rowsOf(session, saveProfile, { out_file: path });
    const text = gunzipSync(readFileSync(path)).toString('utf8');
    const profile = JSON.parse(text) as Record<string, Record<string, unknown>>;
    assert.deepEqual(Object.keys(profile).sort(), ['$CONSTANTS', '$ENUMS', '$FUNCTIONS', '$METADATA', '$REVENUMS', '$STRUCTS']);
    assert.equal(profile['$METADATA']?.['ProfileClass'], 'Linux64');
    assert.deepEqual(profile['$STRUCTS']?.['list_head'], [16, { next: [0, ['Pointer', { target: 'list_head' }]], prev: [8, ['Pointer', { target: 'list_head' }]] }]);
    // _text of every x86-64 kernel is linked at 0xffffffff81000000: 18446744071578845184.
    assert.match(text, /"_text": 18446744071578845184[,\n]/);
    session.close();
  });

  for (const other of found.filter((one) => one.truth('proc/version') === sample.truth('proc/version'))) {
    await context.test(`serves ${other.name}, another image of the same kernel`, async () => {
      const own = await rowsOf(other.session(), pslist);
      const session = new Session({ filename: other.image, profile: path, cache: 'memory' }, new Registry([], ''));
      const { rows } = await rowsOf(session, pslist);
      assert.deepEqual(rows.map((row) => [row['pid'], row['name'], row['binary'], String(row['start_time'])]), own.rows.map((row) => [row['pid'], row['name'], row['binary'], String(row['start_time'])]));
      session.close();
    });
  }
});
