import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vtop } from '../../../plugins/general/vtop.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples();
test('vtop', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: the top entry is read from the process's own table, and the end is where the pagemap says`, async () => {
      const session = sample.session();
      const [pid, virtual, physical] = (sample.truth('marker-pages.tsv').split('\n')[1] as string).split('\t');
      const { rows } = await rowsOf(session, vtop, { virtual_address: BigInt(virtual ?? 0), address_space: `pid@${pid}` });
      assert.equal(rows.at(-1)?.['physical'], Number(physical));
      assert.match(String(rows.at(-2)?.['flags']), /present, writable, user, no-execute/);
      session.close();
    });
  }
});

test('where translation ends, the last row says why', { skip: skipWithout(found) }, async () => {
  const session = (found[0] as Sample).session();
  const empty = await rowsOf(session, vtop, { virtual_address: 0x1000n });
  assert.equal(empty.rows.at(-1)?.['level'], 'none');
  assert.match(String(empty.rows.at(-1)?.['comment']), /not present/);
  const hole = await rowsOf(session, vtop, { virtual_address: 0x0000900000000000n });
  assert.match(String(hole.rows.at(-1)?.['comment']), /not a canonical address/);
  await assert.rejects(rowsOf(session, vtop, { virtual_address: 0n, address_space: 'P' }), /no page tables/);
  await assert.rejects(rowsOf(session, vtop, { virtual_address: 0n, address_space: 'Z' }), /There are|there are/);
  session.close();
});
