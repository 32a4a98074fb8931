import assert from 'node:assert/strict';
import type { PhysicalImage } from '../../src/memory/image.js';
import { PhysicalSpace } from '../../src/memory/physical.js';
import { type MemoryRange, PAGE } from './images.js';

/** The image has exactly these ranges (page aligned, sorted, not touching), in its runs and by every way of reading. */
export function assertHolds(image: PhysicalImage, ranges: readonly MemoryRange[]): void {
  assert.deepEqual(
    image.runs,
    ranges.map(({ physical, bytes }) => ({ start: physical, end: physical + bytes.length })),
  );
  const space = new PhysicalSpace(image);
  const edges = [-PAGE, 0];
  for (const { physical, bytes } of ranges) {
    const whole = Buffer.alloc(bytes.length + PAGE);
    assert.equal(
      image.read(physical, whole, 0, whole.length),
      bytes.length,
      `read of the range at 0x${physical.toString(16)}`,
    );
    assert.ok(whole.subarray(0, bytes.length).equals(bytes), `bytes of the range at 0x${physical.toString(16)}`);
    for (let at = 0; at < bytes.length; at += PAGE) {
      const page = space.pageAt((physical + at) / PAGE);
      assert.ok(page?.bytes.equals(bytes.subarray(at, at + PAGE)), `page 0x${(physical + at).toString(16)}`);
    }
    for (const edge of edges) {
      const outside = (edge < 0 ? physical : physical + bytes.length) + edge;
      const covered = ranges.some(
        (other) => outside >= other.physical && outside < other.physical + other.bytes.length,
      );
      if (outside >= 0 && !covered)
        assert.equal(space.pageAt(outside / PAGE), undefined, `page 0x${outside.toString(16)} is in a hole`);
    }
  }
}
