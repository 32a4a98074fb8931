import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceFlags, resources } from '../../../src/kernel/linux/resources.js';
import { FakeImage } from '../../support/image.js';

const types = {
  resource: [64, { start: [0, 'u64'], end: [8, 'u64'], name: [16, 'char *'], flags: [24, 'unsigned long'], parent: [40, 'resource *'], sibling: [48, 'resource *'], child: [56, 'resource *'] }],
} as const;

/** A root with children a and b, of which a has a child c. */
function tree(): { image: FakeImage; at: Readonly<Record<'root' | 'a' | 'b' | 'c', bigint>>; walk: () => { found: string[]; faults: string[] } } {
  const image = new FakeImage({ types });
  const c = image.place('resource', { start: 3 });
  const b = image.place('resource', { start: 2 });
  const a = image.place('resource', { start: 1, child: c, sibling: b });
  const root = image.place('resource', { child: a });
  image.symbol('iomem_resource', root);
  const walk = (): { found: string[]; faults: string[] } => {
    const faults: string[] = [];
    const found = [...resources(image.kernel(), 'iomem_resource', { onFault: (what) => faults.push(what) })];
    return { found: found.map(({ resource, depth }) => `${depth}:${String(resource.start)}`), faults };
  };
  return { image, at: { root, a, b, c }, walk };
}

test('children before siblings', () => {
  assert.deepEqual(tree().walk(), { found: ['0:1', '1:3', '0:2'], faults: [] });
});

test('a tree that comes back to itself ends, and says so', () => {
  const { image, at, walk } = tree();
  image.set('resource', at.c, { child: at.a });
  const { found, faults } = walk();
  assert.deepEqual(found, ['0:1', '1:3', '0:2']);
  assert.match(faults.join(), /loops/);
});

test('a link out of the image costs what is behind it', () => {
  const { image, at, walk } = tree();
  image.set('resource', at.a, { child: 0xffff999900000000n });
  const { found, faults } = walk();
  assert.deepEqual(found, ['0:1', '0:2']);
  assert.match(faults.join(), /could not be read/);
});

test('names of flags', () => {
  assert.deepEqual(resourceFlags(0x81000200n), ['MEM', 'SYSRAM', 'BUSY']);
});
