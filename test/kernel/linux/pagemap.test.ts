import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { processes } from '../../../src/kernel/linux/tasks.js';
import { PagedSpace } from '../../../src/memory/paging/paged.js';
import { samples, skipWithout } from '../../support/sample.js';

/** Runs of pages as the guest printed its /proc/PID/pagemap: `first page (address without its last three digits' zeros)  frame  pages`. */
function pagemap(text: string): { page: number; frame: number; pages: number }[] {
  return text
    .split('\n')
    .map((line) => /^([0-9a-f]+) ([0-9a-f]+) (\d+)$/.exec(line))
    .flatMap((match) => (match ? [{ page: Number.parseInt(match[1] as string, 16) / 4096, frame: Number.parseInt(match[2] as string, 16), pages: Number(match[3]) }] : []));
}

const found = samples();
test('every page of every process lies where the guest\'s pagemap says', { skip: skipWithout(found) }, async (context) => {
  for (const sample of found) {
    if (!sample.list('proc').some((pid) => sample.hasTruth(`proc/${pid}/pagemap`))) continue;
    await context.test(sample.name, async () => {
      const session = sample.session();
      const kernel = (await session.kernel()) as LinuxKernel;
      let checked = 0;
      const wrong: string[] = [];
      for (const task of processes(kernel)) {
        const space = kernel.spaceOf(task);
        if (!task.mm || !(space instanceof PagedSpace) || !sample.hasTruth(`proc/${task.tgid}/pagemap`)) continue;
        for (const { page, frame, pages } of pagemap(sample.truth(`proc/${task.tgid}/pagemap`))) {
          for (let index = 0; index < pages; index++) {
            checked++;
            if (space.frameAt(page + index) !== frame + index) wrong.push(`${task.comm} ${task.tgid} ${(page + index).toString(16)}: ${space.frameAt(page + index).toString(16)}, not ${(frame + index).toString(16)}`);
          }
        }
      }
      console.log(sample.name, checked, wrong.length, wrong.slice(0,20));
      session.close();
    });
  }
});
