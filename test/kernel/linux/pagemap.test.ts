import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { processes } from '../../../src/kernel/linux/tasks.js';
import { PagedSpace } from '../../../src/memory/paging/paged.js';
import { samples, skipWithout } from '../../support/sample.js';

/** The guest's /proc/PID/pagemap as it printed it: address of the first page, its frame, and how many follow each other in both. */
function pagemap(text: string): Map<number, number> {
  const frames = new Map<number, number>();
  for (const [, address, frame, pages] of text.matchAll(/^([0-9a-f]+) ([0-9a-f]+) (\d+)$/gm)) {
    for (let index = 0; index < Number(pages); index++) frames.set(Number(BigInt(`0x${address}`) >> 12n) + index, Number(`0x${frame}`) + index);
  }
  return frames;
}

/** Pages of [vvar], where the kernel shows its clock: the guest's pagemap leaves them out (VM_PFNMAP: no page of the process's own). */
function clockPages(maps: string): { first: number; end: number }[] {
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) .*\[vvar/gm)].map(([, first, end]) => ({ first: Number(BigInt(`0x${first}`) >> 12n), end: Number(BigInt(`0x${end}`) >> 12n) }));
}

const hex = (page: number): string => `0x${page.toString(16)}`;

const found = samples().filter((sample) => sample.list('proc').some((pid) => sample.hasTruth(`proc/${pid}/pagemap`)));
test('pages of every process', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    await context.test(`${sample.name}: each lies where the guest's pagemap says, and there are no others`, async () => {
      const session = sample.session();
      const kernel = (await session.kernel()) as LinuxKernel;
      const wrong: string[] = [];
      const more: string[] = [];
      let checked = 0;
      let spaces = 0;
      for (const task of processes(kernel)) {
        const space = kernel.spaceOf(task);
        if (!task.mm || !(space instanceof PagedSpace) || !sample.hasTruth(`proc/${task.tgid}/pagemap`)) continue;
        const frames = pagemap(sample.truth(`proc/${task.tgid}/pagemap`));
        if (frames.size === 0) continue;
        spaces++;
        for (const [page, frame] of frames) {
          checked++;
          if (space.frameAt(page) !== frame) wrong.push(`${task.comm} (${task.tgid}), page ${hex(page)}: ${hex(space.frameAt(page))}, not ${hex(frame)}`);
        }
        const clock = clockPages(sample.truth(`proc/${task.tgid}/maps`));
        for (const { page, frame, pages } of space.leaves(0, 2 ** 51)) {
          for (let index = 0; index < pages; index++) {
            const special = clock.some(({ first, end }) => page + index >= first && page + index < end);
            if (!frames.has(page + index) && !special) more.push(`${task.comm} (${task.tgid}), page ${hex(page + index)}: ${hex(frame + index)}`);
          }
        }
      }
      session.close();
      assert.deepEqual(wrong, []);
      assert.deepEqual(more, []);
      assert.ok(spaces > 20 && checked > 6000, `${checked} pages of ${spaces} processes`);
    });
  }
});
