import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openImage } from '../../../src/memory/image/open.js';
import { PhysicalSpace } from '../../../src/memory/physical.js';
import { createPagedSpace, type PagingKind } from '../../../src/memory/paging/create.js';
import type { PagedSpace } from '../../../src/memory/paging/paged.js';
import { lab } from '../../support/root.js';

/**
 * The truth: the tables of the processor that stood still, as QEMU's monitor walked them (`info tlb`: every leaf, with
 * the leaf's own bits; `info mem`: ranges, with the rights of all levels together; `info registers`: CR3).
 */
const variants: readonly (readonly [name: string, kind: PagingKind])[] = [
  ['tiny', 'amd64'],
  ['tiny-dirty', 'amd64'],
  ['generic', 'amd64'],
  ['cloud612', 'amd64'],
  ['cloud510', 'amd64'],
  ['la57', 'amd64-la57'],
  ['pae', 'i386-pae'],
];

interface Found {
  readonly name: string;
  readonly kind: PagingKind;
  readonly image: string;
  truth(file: string): string;
}

const found = variants.flatMap(([name, kind]): Found[] => {
  const image = ['raw', 'elf', 'kdump-zlib'].map((extension) => join(lab, 'images', `${name}.${extension}`)).find((path) => existsSync(path));
  const folder = join(lab, 'truth', name);
  if (image === undefined || !existsSync(join(folder, 'tlb.txt'))) return [];
  return [{ name, kind, image, truth: (file) => readFileSync(join(folder, file), 'latin1') }];
});
const skip = found.length === 0 ? 'no lab image with QEMU\'s tlb.txt: make the lab images and set REKALL_LAB' : false;

/** The space that CR3 of the first processor names. */
function spaceOf({ truth, kind, image }: Found): PagedSpace {
  const cr3 = /CR3=([0-9a-f]+)/.exec(truth('registers.txt'))?.[1];
  assert.ok(cr3 !== undefined);
  return createPagedSpace(kind, new PhysicalSpace(openImage(image)), Number(BigInt(`0x${cr3}`) & 0xffffffffff000n) + (kind === 'i386-pae' ? Number(`0x${cr3}`) & 0xfe0 : 0));
}

const hex = (value: bigint | number): string => value.toString(16).padStart(16, '0');

test('leaves are those that QEMU finds, with the same bits', { skip }, async (context) => {
  for (const one of found) {
    await context.test(one.name, () => {
      const space = spaceOf(one);
      // QEMU 7.2 leaves bit 63 in the addresses that it prints for PAE.
      const expected = one
        .truth('tlb.txt')
        .split(/\r?\n/)
        .filter(Boolean)
        .map((line) => line.replace(/^([0-9a-f]{16}: )8/, '$10'));
      const lines: string[] = [];
      for (const { virtual, physical, pageSize } of space.mappings()) {
        const { steps } = space.walk(virtual);
        const leaf = steps.at(-1);
        assert.ok(leaf);
        const { flags, value } = leaf;
        const letters = [
          [flags.noExecute, 'X'],
          [flags.global, 'G'],
          [flags.large, 'P'],
          [flags.dirty, 'D'],
          [flags.accessed, 'A'],
          // caching is nothing that our flags keep
          [(value & 0x10n) !== 0n, 'C'],
          [(value & 0x8n) !== 0n, 'T'],
          [flags.user, 'U'],
          [flags.writable, 'W'],
        ] as const;
        lines.push(`${hex(virtual)}: ${hex(physical)} ${letters.map(([set, letter]) => (set ? letter : '-')).join('')}`);
        assert.equal(pageSize > 4096, flags.large);
      }
      assert.equal(lines.length, expected.length);
      assert.deepEqual(lines, expected);
      assert.ok(lines.length > 4000);
    });
  }
});

test('effective rights and extents are those that QEMU finds', { skip }, async (context) => {
  for (const one of found) {
    const expected = one.truth('mem.txt').split(/\r?\n/).filter(Boolean);
    // QEMU 7.2 prints no range at all with five levels.
    await context.test(one.name, { skip: expected.length > 0 ? false : 'mem.txt is empty' }, () => {
      const ranges: { start: bigint; end: bigint; rights: string }[] = [];
      for (const { virtual, length, flags } of spaceOf(one).mappings()) {
        const rights = `${flags.user ? 'u' : '-'}r${flags.writable ? 'w' : '-'}`;
        const last = ranges.at(-1);
        if (last?.end === virtual && last.rights === rights) last.end += BigInt(length);
        else ranges.push({ start: virtual, end: virtual + BigInt(length), rights });
      }
      const lines = ranges.map(({ start, end, rights }) => `${hex(start)}-${hex(end)} ${hex(end - start)} ${rights}`);
      assert.deepEqual(lines, expected);
    });
  }
});

test('walk, translate, frameAt and leaves give one answer', { skip }, async (context) => {
  for (const one of found) {
    await context.test(one.name, () => {
      const space = spaceOf(one);
      for (const { page, frame, pages } of space.leaves()) {
        assert.equal(space.frameAt(page), frame);
        assert.equal(space.frameAt(page + pages - 1), frame + pages - 1);
        assert.equal(space.walk(BigInt(page) << 12n).physical, frame * 4096);
      }
    });
  }
});
