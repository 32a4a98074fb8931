import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { ImageError } from '../../../src/memory/image.js';
import { openFile, openImage } from '../../../src/memory/image/open.js';
import { temporary } from '../../support/folder.js';
import {
  elfBytes,
  flattenedBytes,
  kdumpBytes,
  limeBytes,
  avmlBytes,
  PAGE,
  samplePage,
  samplePages,
} from '../../support/images.js';

const folder = temporary();

function file(name: string, bytes: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const RANGES = [{ physical: 0x1000, bytes: samplePages(5) }];

test('formats are recognised by content, whatever the name', () => {
  const cases: [string, Buffer][] = [
    ['ELF64 core', elfBytes(RANGES)],
    ['ELF32 core', elfBytes(RANGES, { bits: 32 })],
    ['LiME', limeBytes(RANGES)],
    ['AVML (snappy)', avmlBytes(RANGES)],
    ['kdump (zlib)', kdumpBytes(RANGES)],
    ['kdump (zlib), flattened', flattenedBytes(kdumpBytes(RANGES))],
    ['raw', samplePages(4)],
  ];
  for (const [format, bytes] of cases) {
    const image = openImage(file('image.dat', bytes));
    assert.equal(image.format, format);
    image.close();
  }
});

test('an image at an offset in the file', () => {
  const path = file('inside.dat', Buffer.concat([Buffer.alloc(1000, 0xcc), limeBytes(RANGES)]));
  const image = openImage(path, { fileOffset: 1000 });
  assert.equal(image.format, 'LiME');
  const page = Buffer.alloc(PAGE);
  assert.equal(image.read(0x1000, page, 0, PAGE), PAGE);
  assert.deepEqual(page, samplePage(1));
  image.close();
  assert.throws(() => openImage(path, { fileOffset: 1e9 }), {
    name: 'ImageError',
    message: /nothing begins at file offset/,
  });
  assert.throws(() => openImage(path, { fileOffset: -1 }), ImageError);
});

/** What a file is and the command that the message names. */
const FOREIGN: readonly [name: string, bytes: Buffer | string, message: RegExp][] = [
  ['image.gz', gzipSync(samplePages(4)), /gzip.*gunzip -k .*image\.gz/],
  ['image.xz', Buffer.concat([Buffer.from('\xfd7zXZ\0', 'latin1'), samplePages(2)]), /xz -dk/],
  ['image.zst', Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd), samplePages(2)]), /zstd -d/],
  ['image.zlib', deflateSync(samplePages(4)), /zlib stream.*pigz -dc/],
  ['image.zip', Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), samplePages(2)]), /ZIP.*unzip -l/],
  ['disk.E01', Buffer.concat([Buffer.from('EVF\x09\x0d\x0a\xff\x00', 'latin1'), samplePages(2)]), /EWF.*ewfexport/],
  ['hiberfil.sys', Buffer.concat([Buffer.from('HIBR'), samplePages(2)]), /hibernation/],
  ['memory.dmp', Buffer.concat([Buffer.from('PAGEDU64'), samplePages(2)]), /Windows crash dump that .* Acquire or copy it again/],
  ['vm.vmsn', Buffer.concat([Buffer.of(0xd2, 0xbe, 0xd2, 0xbe), samplePages(2)]), /VMware.*vmem/],
  ['disk.qcow2', Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), samplePages(2)]), /qcow2.*dump-guest-memory/],
  ['paper.pdf', Buffer.concat([Buffer.from('%PDF-1.7\n'), samplePages(2)]), /PDF/],
  ['profile.json', JSON.stringify({ $METADATA: { Type: 'Profile' } }, undefined, 2), /JSON.*--profile/],
  ['notes.txt', 'There is no memory in here.\n'.repeat(500), /text, not a memory image/],
  ['page.html', '<!DOCTYPE html>\n<html></html>\n', /XML or HTML/],
  ['small.bin', Buffer.alloc(100, 0x80), /100 bytes, less than one page/],
];

test('files that are something else: what they are, and the next command', async (t) => {
  for (const [name, bytes, message] of FOREIGN) {
    await t.test(name, () => {
      const path = file(name, bytes);
      assert.throws(
        () => openImage(path),
        (error) => error instanceof ImageError && message.test(error.message) && error.message.includes(path),
      );
    });
  }
});

test('a Windows program', () => {
  const program = Buffer.alloc(8192);
  program.write('MZ', 0);
  program.writeUInt32LE(0x80, 60);
  program.write('PE\0\0', 0x80);
  assert.equal(openImage(file('a.exe', program)).format, 'Windows program');
  // Linux's EFI stub looks like one; its setup header is told.
  program.write('HdrS', 0x202);
  assert.throws(() => openImage(file('bzImage', program)), { name: 'ImageError', message: /Linux kernel/ });
  program.fill(0, 0x202, 0x206);
  // Without the second signature it is memory that happens to begin with two letters.
  program.fill(0, 0x80);
  assert.equal(openImage(file('a.raw', program)).format, 'raw');
});

test('no such file, a directory, an empty file, a pipe', (t) => {
  assert.throws(() => openImage(join(folder, 'none')), { name: 'ImageError', message: /no such file/ });
  assert.throws(() => openImage(join(file('plain', 'x'), 'below')), { name: 'ImageError', message: /no such file/ });
  assert.throws(() => openImage(folder), { name: 'ImageError', message: /is a directory.*ls / });
  assert.throws(() => openImage(file('empty', '')), { name: 'ImageError', message: /is empty/ });
  if (process.platform === 'win32') return t.skip('no pipes by name');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => openImage(pipe), { name: 'ImageError', message: /is a pipe.*cat / });
});

test('a closed file gives nothing', () => {
  const opened = openFile(file('closed', samplePages(1)));
  assert.equal(opened.size, PAGE);
  const page = Buffer.alloc(PAGE);
  assert.equal(opened.read(0, page, 0, PAGE), PAGE);
  opened.close();
  opened.close();
  assert.equal(opened.read(0, page, 0, PAGE), 0);
});

test('a failed open leaves no file open', () => {
  const path = file('many.gz', gzipSync(samplePages(4)));
  for (let count = 0; count < 5000; count++) assert.throws(() => openImage(path), ImageError);
});
