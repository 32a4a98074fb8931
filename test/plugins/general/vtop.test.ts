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

test('in a process the first row names file, offset and symbol, the last one the page of the file', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const pid = sample.list('proc').find((name) => sample.hasTruth(`proc/${name}/comm`) && sample.truth(`proc/${name}/comm`).trim() === 'bash');
  if (pid === undefined) return session.close();
  // The C library's code, as /proc/PID/maps has it.
  const line = sample.truth(`proc/${pid}/maps`).split('\n').find((one) => / r-xp .*libc\.so\.6$/.test(one)) ?? '';
  const [range = '', , pgoff = '', , , path = ''] = line.split(/\s+/);
  const start = BigInt(`0x${range.split('-')[0]}`);
  const { rows } = await rowsOf(session, vtop, { virtual_address: start + 0x123n, address_space: `pid@${pid}` });
  const offset = `${path} +0x${(BigInt(`0x${pgoff}`) + 0x123n).toString(16)}`;
  assert.ok(String(rows[0]?.['comment']).startsWith(`bash (${pid}), ${offset} (r-xp)`), String(rows[0]?.['comment']));
  assert.ok(String(rows.at(-1)?.['comment']).startsWith(`4 KiB page; page cache of ${offset}`), String(rows.at(-1)?.['comment']));
  // A page of data that was written to is the process's own.
  const data = sample.truth(`proc/${pid}/maps`).split('\n').find((one) => / rw-p .*libc\.so\.6$/.test(one)) ?? '';
  const written = await rowsOf(session, vtop, { virtual_address: BigInt(`0x${data.split('-')[0]}`), address_space: `pid@${pid}` });
  assert.match(String(written.rows.at(-1)?.['comment']), /anonymous, a private copy of the file's page/);
  const { run } = await rowsOf(session, vtop, { virtual_address: start });
  assert.match(run.notes.join(), /cc, or say address_space=pid@/);
  session.close();
});
