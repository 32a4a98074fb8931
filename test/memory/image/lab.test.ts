import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PhysicalImage } from '../../../src/memory/image.js';
import { openImage } from '../../../src/memory/image/open.js';
import { temporary } from '../../support/folder.js';
import { elfBytes, flattenedBytes, noteBytes, PAGE } from '../../support/images.js';
import { lab } from '../../support/root.js';

const folder = join(lab, 'images');
const files = existsSync(folder) ? readdirSync(folder) : [];
/** Raw images that are small enough to be compared whole. */
const names = ['tiny', 'la57', 'pae'].filter((name) => files.includes(`${name}.raw`));
const skip = names.length > 0 ? false : 'no lab images (set REKALL_LAB)';

interface Comparison {
  same: number;
  different: number;
  absent: number;
  absentZeros: number;
}

/** Compares every page that `raw` has with what the image says of it. */
function compare(raw: PhysicalImage, image: PhysicalImage): Comparison {
  const result = { same: 0, different: 0, absent: 0, absentZeros: 0 };
  const expected = Buffer.alloc(PAGE);
  const page = Buffer.alloc(PAGE);
  const zeros = Buffer.alloc(PAGE);
  for (const { start, end } of raw.runs) {
    for (let at = start; at < end; at += PAGE) {
      assert.equal(raw.read(at, expected, 0, PAGE), PAGE);
      if (image.read(at, page, 0, PAGE) === PAGE) result[page.equals(expected) ? 'same' : 'different']++;
      else {
        result.absent++;
        if (expected.equals(zeros)) result.absentZeros++;
      }
    }
  }
  return result;
}

test('every format of a lab image has the pages of the raw one', { skip }, async (t) => {
  for (const name of names) {
    const raw = openImage(join(folder, `${name}.raw`));
    const pages = raw.runs.reduce((sum, run) => sum + (run.end - run.start) / PAGE, 0);
    for (const file of files.filter((other) => other.startsWith(`${name}.`) && !other.endsWith('.raw'))) {
      await t.test(file, () => {
        const image = openImage(join(folder, file));
        assert.deepEqual(compare(raw, image), { same: pages, different: 0, absent: 0, absentZeros: 0 });
        assert.deepEqual(image.warnings, []);
        image.close();
      });
    }
    raw.close();
  }
});

const converter = spawnSync('makedumpfile', ['-v']).error === undefined;

test(
  'what makedumpfile makes of the tiny image',
  { skip: skip || (converter ? false : 'no makedumpfile') },
  async (t) => {
    const work = temporary();
    const raw = openImage(join(folder, 'tiny.raw'));
    try {
      const core = join(work, 'core.elf');
      writeFileSync(core, plainCore());
      for (const options of ['-c -d 0', '-l -d 0', '-d 0', '-c -d 1', '-l -d 31', '-E -d 0', '-E -d 31']) {
        await t.test(options, () => {
          const dump = join(work, 'dump');
          rmSync(dump, { force: true });
          const done = spawnSync('makedumpfile', [...options.split(' '), core, dump], { encoding: 'utf8' });
          assert.equal(done.status, 0, done.stdout + done.stderr);
          const image = openImage(dump);
          const { different, absent } = compare(raw, image);
          assert.equal(different, 0);
          if (options.endsWith('31')) assert.ok(absent > 0 && absent < 10_000);
          else assert.equal(absent, 0);
          // The stream for pipes has the same pages.
          const flat = spawnSync('makedumpfile', [...options.split(' '), '-F', core], { maxBuffer: 1 << 28 });
          writeFileSync(`${dump}.flat`, flat.stdout);
          const flattened = openImage(`${dump}.flat`);
          assert.equal(flattened.format, `${image.format}, flattened`);
          assert.deepEqual(flattened.runs, image.runs);
          assert.deepEqual(compare(image, flattened), {
            same: 20480 - absent,
            different: 0,
            absent: 0,
            absentZeros: 0,
          });
          assert.deepEqual(flattened.hints, image.hints);
        });
      }
      await t.test('--split', () => {
        const parts = [join(work, 'part1'), join(work, 'part2')];
        assert.equal(spawnSync('makedumpfile', ['-c', '-d', '0', '--split', core, ...parts]).status, 0);
        assert.throws(() => openImage(parts[0] as string), { name: 'ImageError', message: /--reassemble/ });
      });
      await t.test('-R undoes a flattened stream of ours', () => {
        const dump = join(work, 'kdump');
        rmSync(dump, { force: true });
        assert.equal(spawnSync('makedumpfile', ['-c', '-d', '0', core, dump]).status, 0);
        const image = openImage(dump);
        const bytes = Buffer.alloc(4096 * 3);
        image.read(0x100000, bytes, 0, bytes.length);
        const stream = flattenedBytes(bytes, 1000, (count) => [...Array(count).keys()].reverse());
        const back = spawnSync('makedumpfile', ['-R', join(work, 'back')], { input: stream });
        assert.equal(back.status, 0);
        const raw = openImage(join(work, 'back'));
        const again = Buffer.alloc(bytes.length);
        raw.read(0, again, 0, again.length);
        assert.ok(again.equals(bytes));
      });
    } finally {
      raw.close();
    }
  },
);

/** The lab's core with its program headers behind the ELF header: makedumpfile looks for them nowhere else. */
function plainCore(): Buffer {
  const image = openImage(join(folder, 'tiny.elf'));
  const run = image.runs[0];
  assert.ok(run);
  const bytes = Buffer.alloc(run.end - run.start);
  assert.equal(image.read(run.start, bytes, 0, bytes.length), bytes.length);
  const notes = Buffer.concat([
    noteBytes('CORE', 1, Buffer.alloc(336)),
    noteBytes('VMCOREINFO', 0, Buffer.from(image.hints.vmcoreinfo ?? '', 'latin1')),
  ]);
  image.close();
  return elfBytes([{ physical: run.start, bytes }], { notes });
}
