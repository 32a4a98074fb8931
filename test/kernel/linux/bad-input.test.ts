import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { pslist } from '../../../plugins/linux/pslist.js';
import { pstree } from '../../../plugins/linux/pstree.js';
import { threads } from '../../../plugins/linux/threads.js';
import { DetectionError } from '../../../src/kernel/error.js';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { processByPid } from '../../../src/kernel/linux/tasks.js';
import { PluginError } from '../../../src/plugin/error.js';
import { ImageError } from '../../../src/memory/image.js';
import { Absent } from '../../../src/memory/absent.js';
import { committedSample, labSamples, rowsOf, type Sample, skipWithout } from '../../support/sample.js';
import { Tampered } from '../../support/tamper.js';

const sample: Sample | undefined = committedSample() ?? labSamples(['tiny'])[0];
const found = sample ? [sample] : [];

/** Physical places in the undamaged image. */
async function places(one: Sample): Promise<{ kernel: LinuxKernel; count: number; physical: (symbol: string) => number }> {
  const session = one.session();
  const kernel = (await session.kernel()) as LinuxKernel;
  const { rows } = await rowsOf(session, pslist);
  return { kernel, count: rows.length, physical: (symbol) => kernel.physicalOf(kernel.profile.address(symbol)) };
}

test('damaged images', { skip: skipWithout(found) }, async (context) => {
  const one = sample as Sample;
  const { kernel, count, physical } = await places(one);
  const tampered = async (name: string, damage: (image: Tampered) => void, check: (image: Tampered) => Promise<void>): Promise<void> => {
    await context.test(name, async () => {
      const image = new Tampered(one.image);
      try {
        damage(image);
        await check(image);
      } finally {
        image.remove();
      }
    });
  };

  await tampered(
    'a list that loops: forward ends, backward finds the others, a note says so',
    (image) => {
      const task = processByPid(kernel, 20);
      const own = Buffer.alloc(8);
      own.writeBigUInt64LE(task.$addressOf('tasks'));
      image.write(kernel.physicalOf(task.$addressOf('tasks')), own);
    },
    async (image) => {
      const { rows, run } = await rowsOf(image.session(), pslist);
      assert.equal(rows.length, count);
      assert.match(run.notes.join(), /loops/);
    },
  );

  await tampered(
    'a link to nowhere: both ends of the list are found',
    (image) => image.write(kernel.physicalOf(processByPid(kernel, 20).$addressOf('tasks')), Buffer.from('deadbeefdeadbeef', 'hex')),
    async (image) => {
      const { rows, run } = await rowsOf(image.session(), pslist);
      assert.equal(rows.length, count);
      assert.match(run.notes.join(), /broken/);
    },
  );

  await tampered(
    'parents in a circle: every process is still shown once',
    (image) => {
      for (const [pid, parent] of [[1, 2], [2, 1]] as const) {
        const address = Buffer.alloc(8);
        address.writeBigUInt64LE(processByPid(kernel, parent).$address);
        image.write(kernel.physicalOf(processByPid(kernel, pid).$addressOf('real_parent')), address);
      }
    },
    async (image) => {
      const { rows } = await rowsOf(image.session(), pstree);
      assert.equal(rows.length, count);
    },
  );

  await tampered(
    'the kernel page table is gone: another that maps the kernel serves, or the message says what to do',
    (image) => image.write(kernel.location.dtb, Buffer.alloc(4096)),
    async (image) => {
      const session = image.session();
      try {
        await session.kernel();
      } catch (error) {
        assert.ok(error instanceof DetectionError);
        assert.match(error.next, /--dtb/);
      }
      assert.ok(session.trace.steps.some((step) => step.stage === 'page tables' && step.outcome === 'failed'));
    },
  );

  await tampered(
    'no kallsyms: the message names the steps and the next command',
    // The tables stand in .rodata, behind the banner and before the types.
    (image) => image.write(physical('linux_banner'), Buffer.alloc(physical('__start_BTF') - physical('linux_banner'))),
    async (image) => {
      await assert.rejects(image.session().kernel(), (error) => error instanceof DetectionError && error.next.length > 0 && error.steps.length > 2);
    },
  );

  await tampered(
    'damaged BTF is refused, and the message names the file that has the types',
    (image) => image.write(physical('__start_BTF') + 5000, Buffer.alloc(100_000, 0xff)),
    async (image) => {
      await assert.rejects(image.session().kernel(), (error) => error instanceof DetectionError && /vmlinux/.test(error.message) && /--profile/.test(error.next));
    },
  );

  for (const part of [0.3, 0.6, 0.9]) {
    await tampered(
      `cut to ${part * 100} %: rows with the faults marked, or a message with the next command`,
      (image) => image.cut(Math.floor(80 * 1024 * 1024 * part)),
      async (image) => {
        try {
          const { rows, run } = await rowsOf(image.session(), pslist);
          assert.ok(rows.length <= count);
          assert.ok(rows.length === count || run.notes.length > 0, 'fewer rows come with a note');
        } catch (error) {
          assert.ok(error instanceof DetectionError || error instanceof ImageError, String(error));
        }
      },
    );
  }

  await context.test('bytes flipped at random: rows, notes or a clear error, never a crash or a hang', async () => {
    const image = new Tampered(one.image);
    try {
      const text = kernel.physicalOf(kernel.profile.address('_text'));
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 48 * 1024 * 1024 }), fc.uint8Array({ minLength: 1, maxLength: 64 })), { minLength: 1, maxLength: 40 }), async (flips) => {
          for (const [offset, bytes] of flips) image.write(text + offset, Buffer.from(bytes));
          const session = image.session();
          try {
            for (const plugin of [pslist, threads, pstree]) await rowsOf(session, plugin);
          } catch (error) {
            assert.ok(error instanceof DetectionError || error instanceof PluginError || error instanceof Absent, error instanceof Error ? error.stack : String(error));
          } finally {
            session.close();
          }
        }),
        { numRuns: 12 },
      );
    } finally {
      image.remove();
    }
  });
});
