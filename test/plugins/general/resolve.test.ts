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

test('names of a process, types, aliases; lookup of members and in other spaces', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const pid = sample.list('proc').find((name) => sample.hasTruth(`proc/${name}/comm`) && sample.truth(`proc/${name}/comm`).trim() === 'bash');
  const inBash = await rowsOf(session, addressResolver, { symbol: ['libc!printf', 'bash!ma?n'], address_space: `pid@${pid}` });
  assert.deepEqual(inBash.rows.map((row) => row['Symbol']), ['libc!_IO_printf', 'libc!printf', 'bash!main']);
  await assert.rejects(rowsOf(session, addressResolver, { symbol: ['libc!printf'] }), /process context/);
  const typed = await rowsOf(session, addressResolver, { symbol: ['linux!init_task.comm', 'init_net'] });
  assert.deepEqual(typed.rows.map((row) => [row['Symbol'], row['type']]), [['linux!init_task.comm', 'char[16]'], ['linux!init_net', 'net']]);
  const outside = await rowsOf(session, addressResolver, { symbol: ['0x1000'] });
  assert.deepEqual(outside.rows.map((row) => [row['Symbol'], row['Offset'], row['kind']]), [['0x1000', 0x1000n, null]]);
  const none = await rowsOf(session, addressResolver, { symbol: ['linux!*no_such_symbol*'] });
  assert.match(none.run.notes.join(), /No symbol matches/);

  const version = sample.truth('proc/version').trim();
  const values = async (args: Readonly<Record<string, unknown>>): Promise<unknown> => (await rowsOf(session, lookup, args)).rows[0]?.['field'];
  assert.equal(await values({ constant: 'init_uts_ns.name.release' }), /^Linux version (\S+)/.exec(version)?.[1]);
  assert.equal(await values({ constant: 'linux_banner', target: 'char[13]' }), 'Linux version');
  assert.equal(await values({ constant: 'init_task.pid', target: 'enum pid_type' }), 'PIDTYPE_PID (0)');
  // The first bytes of a program are those of an ELF file.
  assert.equal(await values({ constant: 'bash', target: 'unsigned int', address_space: `pid@${pid}` }), 0x464c457f);
  await assert.rejects(rowsOf(session, lookup, { constant: 'init_task', target: 'strukt' }), /No type strukt/);
  session.close();
});
