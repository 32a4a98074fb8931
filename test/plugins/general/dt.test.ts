import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dt } from '../../../plugins/general/dt.js';
import { Absent } from '../../../src/memory/absent.js';
import { UsageError } from '../../../src/plugin/error.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny']);
test('dt shows members, and values where an address is given', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const list = await rowsOf(session, dt, { target: 'list_head' });
  assert.deepEqual(list.rows.map((row) => [row['offset'], row['field'], row['type'], row['content']]), [
    [0, 'next', 'list_head *', null],
    [8, 'prev', 'list_head *', null],
  ]);
  const names = await (await session.resolver()).address('init_uts_ns');
  const uts = await rowsOf(session, dt, { target: 'linux!uts_namespace', offset: names, depth: 1 });
  const release = uts.rows.find((row) => row['field'] === 'release');
  assert.equal(release?.['content'], /^Linux version (\S+)/.exec(sample.truth('proc/version'))?.[1]);
  assert.equal(release?.['$depth'], 1);
  await assert.rejects(rowsOf(session, dt, { target: 'task_strukt' }), /no struct task_strukt/);
  session.close();
});

test('paths, arrays, enumerations, typed globals, types of modules', { skip: skipWithout(found) }, async (context) => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const resolver = await session.resolver();
  const init = await resolver.address('init_task');
  const fields = async (args: Readonly<Record<string, unknown>>): Promise<unknown[][]> =>
    (await rowsOf(session, dt, args)).rows.map((row) => [row['$depth'], row['offset'], row['field'], row['type'], row['content']]);

  await context.test('a path leads through pointers, and with an address to the values there', async () => {
    assert.deepEqual(await fields({ target: 'task_struct.comm', offset: init }), [[0, 0, '', 'char[16]', 'swapper/0']]);
    const types = await fields({ target: 'task_struct.cred' });
    assert.ok(types.some(([, offset, field]) => field === 'uid' && offset === 8));
    const named = await rowsOf(session, dt, { target: 'task_struct.cred', offset: init });
    assert.equal(named.rows[0]?.['address'], await resolver.address('init_cred'));
    assert.equal(named.rows.find((row) => row['field'] === 'securebits')?.['content'], 0);
    const deep = await rowsOf(session, dt, { target: 'task_struct.nsproxy.uts_ns.name', offset: init });
    assert.equal(deep.rows.find((row) => row['field'] === 'release')?.['content'], /^Linux version (\S+)/.exec(sample.truth('proc/version'))?.[1]);
  });

  await context.test('a global whose type is known stands for its type and its place', async () => {
    const { rows, run } = await rowsOf(session, dt, { target: 'linux!init_uts_ns.name' });
    assert.match(run.notes.join(), /struct new_utsname at 0x[0-9a-f]+, 390 bytes/);
    assert.equal(rows.find((row) => row['field'] === 'sysname')?.['content'], 'Linux');
  });

  await context.test('arrays by element, enumerations by label', async () => {
    const list = await fields({ target: 'list_head[2]', offset: await resolver.address('modules') });
    assert.deepEqual(list.map((row) => row.slice(0, 4)), [
      [0, 0, '[0]', 'list_head'], [1, 0, 'next', 'list_head *'], [1, 8, 'prev', 'list_head *'],
      [0, 16, '[1]', 'list_head'], [1, 16, 'next', 'list_head *'], [1, 24, 'prev', 'list_head *'],
    ]);
    assert.deepEqual((await fields({ target: 'enum pid_type' })).slice(0, 2).map((row) => [row[2], row[4]]), [['PIDTYPE_PID', 0n], ['PIDTYPE_TGID', 1n]]);
  });

  await context.test('pointers to code carry the name, bit fields their place, modules their own types', async () => {
    const truth = sample.truth('proc/kallsyms').split('\n').map((line) => line.split(/\s+/));
    const read = truth.find((words) => words[2] === 'pipe_read');
    const operations = await rowsOf(session, dt, { target: 'file_operations', offset: await resolver.address('pipefifo_fops') });
    assert.equal(operations.rows.find((row) => row['field'] === 'read_iter')?.['content'], `0x${read?.[0]} linux!pipe_read`);
    const bits = await rowsOf(session, dt, { target: 'task_struct' });
    assert.match(String(bits.rows.find((row) => row['field'] === 'in_execve')?.['type']), /:1 \(bit \d+\)$/);
    const own = await rowsOf(session, dt, { target: 'loop!loop_device' });
    assert.equal(own.rows[0]?.['field'], 'lo_number');
  });

  await context.test('the member that a byte is in, and what cannot be read', async () => {
    const comm = (await session.kernel()).profile.struct('task_struct').offsetOf('comm');
    assert.deepEqual((await rowsOf(session, dt, { target: 'task_struct', member_offset: comm + 3 })).rows.map((row) => row['field']), ['comm']);
    const { rows, run } = await rowsOf(session, dt, { target: 'list_head', offset: 0x1000n });
    assert.ok(rows.every((row) => row['content'] instanceof Absent));
    assert.equal(run.faults, 2);
  });

  await context.test('mistakes point at their place', async () => {
    const places: [string, string][] = [['task_struct.nosuch', 'nosuch'], ['task_strukt.mm', 'task_strukt'], ['nomod!task_struct', 'nomod'], ['task_struct.comm[99]', '[99]'], ['task_struct.pid.x', 'x']];
    for (const [target, expected] of places) {
      await assert.rejects(rowsOf(session, dt, { target }), (error: unknown) => {
        assert.ok(error instanceof UsageError && error.place);
        assert.equal(error.place.line.slice(error.place.start, error.place.end), expected, target);
        return true;
      });
    }
  });
  session.close();
});
