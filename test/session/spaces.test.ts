import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxKernel } from '../../src/kernel/linux/kernel.js';
import { processByPid } from '../../src/kernel/linux/tasks.js';
import type { PagedSpace } from '../../src/memory/paging/paged.js';
import type { MmStruct } from '../../src/kernel/linux/types.js';
import { bindArguments } from '../../src/plugin/bind.js';
import { arg } from '../../src/plugin/args.js';
import { UsageError } from '../../src/plugin/error.js';
import { wordsOf } from '../../src/plugin/words.js';
import { findSpace, processContext, resolverIn, spaceNamed, spaceNames } from '../../src/session/spaces.js';
import { type Sample, samples, skipWithout } from '../support/sample.js';

const found = samples(['tiny']);

test('spaces by name', { skip: skipWithout(found) }, async (context) => {
  const sample = found[0] as Sample;
  const session = sample.session();
  const kernel = (await session.kernel()) as LinuxKernel;
  const dtb = kernel.dtbOf(processByPid(kernel, 1).mm as MmStruct);
  const start = BigInt(`0x${sample.truth('proc/1/maps').split('-')[0]}`);

  await context.test('kernel, physical, processes, page tables', async () => {
    for (const name of ['K', 'kernel', ' Kernel ']) assert.equal(await spaceNamed(session, name), kernel.space);
    for (const name of ['P', 'p', 'Physical']) assert.equal(await spaceNamed(session, name), session.physical());
    const init = await findSpace(session, 'pid@1');
    assert.equal(init.kind, 'process');
    assert.equal(init.context?.name, sample.truth('proc/1/comm').trim());
    assert.equal((init.space as PagedSpace).dtb, dtb);
    const expected = init.space.read(start, 64);
    for (const name of [`amd64@0x${dtb.toString(16)}`, `AMD64PagedMemory@0x${dtb.toString(16)}`, `dtb@${dtb}`]) {
      const { space, kind } = await findSpace(session, name);
      assert.equal(kind, 'tables');
      assert.deepEqual(space.read(start, 64), expected, name);
    }
  });

  await context.test('without a name the process context, or the kernel', async () => {
    assert.equal(await spaceNamed(session, undefined), kernel.space);
    session.context = processContext(kernel, 1);
    assert.deepEqual((await spaceNamed(session, undefined)).read(start, 4), Buffer.from('\x7fELF', 'latin1'));
    assert.equal(await spaceNamed(session, 'K'), kernel.space);
    session.context = undefined;
  });

  await context.test('what is no space says what there is', async () => {
    const cases: [string, RegExp][] = [
      ['Z', /No address space Z: there are K \(kernel\), P \(physical\), pid@N/],
      ['kernl', /Did you mean kernel/],
      ['pid@', /number is missing/],
      ['pid@bash', /number is missing/],
      ['pid@99999', /There is no process 99999/],
      ['pid@-1', /number is missing/],
      ['amd46@0x1000', /No kind of page tables is called amd46.*Did you mean amd64/],
      ['amd64@0xfffffffff000', /does not hold physical 0xfffffffff000/],
      ['amd64@0xffffffffffffffffffff', /does not hold/],
      ['@5', /No kind of page tables/],
    ];
    for (const [name, message] of cases) await assert.rejects(findSpace(session, name), message, name);
  });

  await context.test('names for completion', () => {
    const names = spaceNames(kernel);
    assert.deepEqual(names.slice(0, 2), ['K', 'P']);
    assert.ok(names.includes('pid@1') && names.includes('amd64@'));
    // Kernel threads have no space of their own.
    assert.ok(!names.includes('pid@2'));
  });

  await context.test("an address is looked up in the space that stands beside it, and a mistake in it is the line's", async () => {
    const pid = sample.list('proc').find((name) => sample.hasTruth(`proc/${name}/comm`) && sample.truth(`proc/${name}/comm`).trim() === 'bash');
    const command = { name: 'dump', args: { offset: arg.address('', { positional: true }), address_space: arg.space('where', { positional: true }) } };
    const bind = async (...argv: string[]): Promise<Readonly<Record<string, unknown>>> =>
      (await bindArguments(command, wordsOf(argv, 'dump'), { resolve: async (text, space) => (await resolverIn(session, space)).address(text) })).args;
    const bound = await bind('libc!printf', `pid@${pid}`);
    assert.equal(bound['offset'], await (await session.resolver(processContext(kernel, Number(pid)))).address('libc!printf'));
    for (const [argv, expected] of [[['libc!printf'], 'libc'], [['linux!init_task + (nosuch)'], 'nosuch'], [['linux!init_task.cmm'], 'cmm']] as const) {
      await assert.rejects(bind(...argv), (error: unknown) => {
        assert.ok(error instanceof UsageError && error.place);
        assert.equal(error.place.line.slice(error.place.start, error.place.end), expected);
        assert.ok(error.place.line.startsWith('dump '));
        return true;
      });
    }
  });
  session.close();
});
