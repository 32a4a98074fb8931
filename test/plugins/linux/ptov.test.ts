import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import type { PagedSpace } from '../../../src/memory/paging/paged.js';
import { processContext } from '../../../src/session/spaces.js';
import { ptov } from '../../../plugins/linux/ptov.js';
import { printer } from '../../support/processes.js';
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

test('a page of a library that processes share: every mapping in the guest, and nothing else', { skip: skipWithout(found) }, async () => {
  const sample = found[0] as Sample;
  const session = sample.session();
  // frame → where the guest's pagemaps have it
  const truth = new Map<bigint, string[]>();
  for (const pid of sample.list('proc').filter((name) => sample.hasTruth(`proc/${name}/pagemap`) && Number(name) !== printer(sample))) {
    for (const line of sample.truth(`proc/${pid}/pagemap`).trim().split('\n')) {
      const [virtual, frame, count] = line.split(' ');
      if (count === undefined || frame === 'swapped') continue;
      for (let page = 0n; page < BigInt(count); page++) {
        const at = BigInt(`0x${frame}`) + page;
        truth.set(at, [...(truth.get(at) ?? []), `${pid} ${BigInt(`0x${virtual}`) + page * 4096n}`]);
      }
    }
  }
  const libc = sample
    .truth(`proc/${pidOf(sample, 'bash')}/maps`)
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter((words) => words[5]?.endsWith('libc.so.6'));
  const kernel = (await session.kernel()) as LinuxKernel;
  const bash = processContext(kernel, pidOf(sample, 'bash')).space as PagedSpace;
  let shared = 0;
  for (const [range = '', , pgoff = ''] of libc) {
    const [start, end] = range.split('-').map((text) => BigInt(`0x${text}`)) as [bigint, bigint];
    for (let at = start; at < end; at += 0x20000n) {
      const physical = bash.translate(at);
      const users = physical === undefined ? [] : (truth.get(BigInt(physical) >> 12n) ?? []);
      if (physical === undefined || users.length < 2) continue;
      shared++;
      const { rows, run } = await rowsOf(session, ptov, { offsets: [BigInt(physical) + 7n] });
      const said = rows.filter((row) => row['owner'] === 'process').map((row) => `${String(row['pid'])} ${(row['virtual_offset'] as bigint) - 7n}`);
      assert.deepEqual(said.sort(), users.sort());
      const [first] = rows;
      assert.equal(first?.['owner'], 'page cache');
      assert.equal(first?.['name'], '/lib/x86_64-linux-gnu/libc.so.6');
      assert.equal(first?.['comment'], `file offset 0x${(BigInt(`0x${pgoff}`) + at - start + 7n).toString(16)}; shared by ${users.length} processes`);
      assert.deepEqual(run.notes, []);
    }
  }
  assert.ok(shared >= 5, `${shared} shared pages`);
  session.close();
});

function pidOf(sample: Sample, comm: string): number {
  return Number(sample.list('proc').find((pid) => sample.hasTruth(`proc/${pid}/comm`) && sample.truth(`proc/${pid}/comm`).trim() === comm));
}
