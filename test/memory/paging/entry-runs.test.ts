import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { addressOf } from '../../../src/memory/page.js';
import { entryRuns } from '../../../src/memory/paging/entry-runs.js';
import { EntryKind } from '../../../src/memory/paging/levels.js';
import { FakeImage } from '../../support/image.js';

const LARGE = { amd64: 512, 'i386-pae': 512, i386: 1024 } as const;

test('runs tile the range, and say of each page what the walk says', () => {
  const page = fc.integer({ min: 0x10, max: 0x2fff });
  fc.assert(
    fc.property(fc.constantFrom('amd64' as const, 'i386' as const, 'i386-pae' as const), fc.uniqueArray(page, { maxLength: 30 }), fc.boolean(), page, fc.integer({ min: 1, max: 0x2000 }), (paging, mapped, large, from, count) => {
      const image = new FakeImage({ paging });
      for (const one of mapped) image.map(addressOf(one, 0));
      // Above all others, so that no page of it is mapped twice.
      if (large) image.map(addressOf(0x4000, 0), undefined, { pageSize: LARGE[paging] * 4096 });
      const space = image.space();
      const to = large ? 0x4000 + LARGE[paging] + 3 : from + count;
      let next = from;
      for (const run of entryRuns(space, from, to)) {
        assert.equal(run.page, next);
        assert.ok(run.pages > 0 && run.page + run.pages <= to);
        assert.equal(run.missing, false);
        const kind = (run.low | run.high) === 0 ? EntryKind.absent : space.kindOf(run.level, run.low, run.high);
        for (const one of [run.page, run.page + run.pages - 1]) {
          const frame = kind === EntryKind.leaf ? space.frameOf(run.level, run.low, run.high, kind) + one - run.first : undefined;
          assert.equal(space.translate(addressOf(one, 0)), frame === undefined ? undefined : frame * 4096);
        }
        next = run.page + run.pages;
      }
      assert.equal(next, to);
    }),
    { numRuns: 100 },
  );
});

test('a part without tables is one step, whatever its size; what lies outside of all addresses is left out', () => {
  const image = new FakeImage({ paging: 'amd64' });
  image.map(0x10000n);
  const runs = [...entryRuns(image.space(), 0, 2 ** 36)];
  assert.ok(runs.length < 12, `${runs.length}`);
  assert.equal(runs.reduce((sum, run) => sum + run.pages, 0), 2 ** 35);
});
