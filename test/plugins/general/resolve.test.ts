import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressResolver, lookup } from '../../../plugins/general/resolve.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny']);
test('patterns, pointers and modules', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const truth = sample.truth('proc/kallsyms').split('\n').map((line) => line.trim().split(/\s+/));
  const wanted = truth.filter((words) => words[3] === undefined && /^init_.*_ns$/.test(words[2] ?? '')).map((words) => words[2]);
  const { rows } = await rowsOf(session, addressResolver, { symbol: ['linux!init_*_ns'] });
  assert.deepEqual(rows.map((row) => String(row['Symbol']).slice('linux!'.length)).sort(), wanted.sort());
  const module = truth.find((words) => words[3] === '[loop]' && words[1]?.toLowerCase() === 't');
  const open = await rowsOf(session, addressResolver, { symbol: [`loop!${module?.[2]}`] });
  assert.equal(open.rows[0]?.['Offset'], BigInt(`0x${module?.[0]}`));
  const base = await rowsOf(session, lookup, { constant: 'page_offset_base', target: 'unsigned long' });
  const star = await rowsOf(session, addressResolver, { symbol: ['*page_offset_base'] });
  assert.equal(star.rows[0]?.['Offset'], base.rows[0]?.['field']);
  await assert.rejects(rowsOf(session, addressResolver, { symbol: ['a b c'] }), /not expected/);
  session.close();
});
