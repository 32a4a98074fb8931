import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ptov } from '../../../plugins/linux/ptov.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny', 'la57']);
test('ptov', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: the frames that the guest's pagemap names lead back to their process and address`, async () => {
      const session = sample.session();
      const lines = sample.truth('marker-pages.tsv').trim().split('\n').slice(1);
      for (const line of lines.filter((_, index) => index % 16 === 0)) {
        const [pid, virtual, physical] = line.split('\t');
        const { rows } = await rowsOf(session, ptov, { offsets: [BigInt(physical ?? 0) + 3n] });
        const users = rows.filter((row) => row['owner'] === 'process').map((row) => [row['pid'], row['virtual_offset']]);
        assert.deepEqual(users, [[Number(pid), BigInt(virtual ?? 0) + 3n]]);
      }
      session.close();
    });
  }
});

test('an address outside of the image gives no row without a note', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const { run } = await rowsOf(session, ptov, { offsets: [1n << 46n] });
  assert.match(run.notes.join(), /does not hold/);
  session.close();
});
