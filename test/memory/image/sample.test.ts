import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openImage } from '../../../src/memory/image/open.js';
import { root } from '../../support/root.js';

const folder = join(root, 'fixtures/linux-6.1-tiny');
const skip = existsSync(join(folder, 'image.kdump')) ? false : 'no committed sample';

test('the committed sample: a flattened kdump by QEMU', { skip }, () => {
  const image = openImage(join(folder, 'image.kdump'));
  assert.equal(image.format, 'kdump (zlib), flattened');
  assert.deepEqual(image.warnings, []);
  // 80 MiB of RAM and the flash below 4 GiB
  assert.deepEqual(image.runs, [
    { start: 0, end: 0x5000000 },
    { start: 0xfffc0000, end: 0x100000000 },
  ]);
  image.close();
});

test('the committed sample: every page that the guest marked is where the guest saw it', { skip }, () => {
  const image = openImage(join(folder, 'image.kdump'));
  const lines = readFileSync(join(folder, 'marker-pages.tsv'), 'latin1').trimEnd().split('\n').slice(1);
  assert.ok(lines.length > 50);
  for (const line of lines) {
    const [, , physical, content] = line.split('\t') as [string, string, string, string];
    const bytes = Buffer.alloc(content.length);
    assert.equal(image.read(Number(physical), bytes, 0, bytes.length), bytes.length);
    assert.equal(bytes.toString('latin1'), content);
  }
  image.close();
});

test("the committed sample: the hints agree with QEMU's registers and the guest's kernel", { skip }, () => {
  const image = openImage(join(folder, 'image.kdump'));
  const registers = readFileSync(join(folder, 'registers.txt'), 'latin1');
  const stated = (name: string): bigint =>
    BigInt(`0x${new RegExp(`\\b${name}=([0-9a-f]+)`).exec(registers)?.[1] ?? ''}`);
  const { pageTableRoots, controlRegisters, vmcoreinfo, architecture } = image.hints;
  assert.deepEqual(pageTableRoots, [stated('CR3')]);
  assert.deepEqual(controlRegisters, [{ cr0: stated('CR0'), cr3: stated('CR3'), cr4: stated('CR4') }]);
  assert.equal(architecture, 'amd64');
  assert.match(vmcoreinfo ?? '', /^OSRELEASE=6\.1\.0-56-cloud-amd64\n/);
  assert.ok(vmcoreinfo?.endsWith('\n'));
  image.close();
});
