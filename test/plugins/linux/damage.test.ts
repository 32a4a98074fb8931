import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { environ } from '../../../plugins/linux/environ.js';
import { lsmod, lsmodParameters, lsmodSections } from '../../../plugins/linux/lsmod.js';
import { lsof } from '../../../plugins/linux/lsof.js';
import { maps } from '../../../plugins/linux/maps.js';
import { memmap } from '../../../plugins/linux/memmap.js';
import { mount } from '../../../plugins/linux/mount.js';
import { psaux } from '../../../plugins/linux/psaux.js';
import type { LinuxKernel } from '../../../src/kernel/linux/kernel.js';
import { rowsOf, type Sample, samples, skipWithout } from '../../support/sample.js';

/** A stream of numbers from 0 to 1 (xorshift32): damage has to be the same when a test is run again. */
function stream(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Damages words of a block of the image: flipped bits, words copied from elsewhere, zeros, ones. */
function damage(block: Buffer, rate: number, next: () => number): void {
  for (let at = 0; at + 8 <= block.length; at += 8) {
    if (next() >= rate) continue;
    const kind = Math.floor(next() * 4);
    if (kind === 0) {
      block[at + Math.floor(next() * 8)] = Math.floor(next() * 256);
    } else if (kind === 1) {
      const from = Math.floor((next() * block.length) / 8) * 8;
      block.copy(block, at, from, from + 8);
    } else {
      block.fill(kind === 2 ? 0 : 0xff, at, at + 8);
    }
  }
}

const plugins = [maps, lsof, mount, lsmod, lsmodSections, lsmodParameters, psaux, environ, memmap];
const found = samples(['cloud612', 'cloud510']);

test('words damaged at random everywhere: rows, faults and notes, never a crash or a hang', { skip: skipWithout(found), timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.constantFrom(0.0005, 0.005, 0.02, 0.1), fc.nat(), async (seed, rate, which) => {
      const session = (found[which % found.length] as Sample).session();
      const kernel = (await session.kernel()) as LinuxKernel;
      // The types were checked when the kernel was found; they are read before the damage, as whoever works with the image has.
      void kernel.profile.compiler;
      const image = kernel.physical.image as { read: (physical: number, target: Buffer, offset: number, length: number) => number };
      const read = image.read.bind(image);
      image.read = (physical, target, offset, length) => {
        const count = read(physical, target, offset, length);
        damage(target.subarray(offset, offset + count), rate, stream(seed ^ physical));
        return count;
      };
      kernel.physical.flush();
      kernel.space.flush();
      for (const plugin of plugins) {
        const args = plugin === memmap ? { coalesce: true } : plugin === lsmodParameters ? { builtin: true } : {};
        const { rows, run } = await rowsOf(session, plugin, args);
        assert.ok(rows.length + run.notes.length > 0, `${plugin.name}: an empty table without a note`);
        // A damaged page table may lead to 512 others, each process's anew.
        assert.ok(rows.length < (plugin === memmap ? 5_000_000 : 200_000), `${plugin.name}: ${rows.length} rows`);
      }
      session.close();
    }),
    { numRuns: 12, includeErrorInReport: true },
  );
});
