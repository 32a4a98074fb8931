import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkBanner, ProfileMismatchError } from '../../src/symbols/banner.js';
import { convertProfile } from '../../src/symbols/convert.js';
import { ProfileError } from '../../src/symbols/error.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { sizeOfType } from '../../src/symbols/native.js';
import type { ProfileSource } from '../../src/symbols/source.js';
import type { MemberLayout } from '../../src/symbols/types.js';
import { temporary } from '../support/folder.js';
import { root } from '../support/root.js';
import { sharedData } from '../support/shared.js';
import { zipOf } from '../support/zip.js';

const folder = temporary();

function written(name: string, content: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const OBJECTS = join(root, 'test', 'data', 'dwarf');
const REKALL = '{"$METADATA":{"ProfileClass":"Linux64","Type":"Profile"},"$STRUCTS":{"s":[8,{"m":[0,["int"]]}]},"$CONSTANTS":{"x":18446744071587233952}}';
/** `{"$STRUCTS": {"s": [8, {}]}}` by `xz -9` */
const XZ = '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQAceyIkU1RSVUNUUyI6IHsicyI6IFs4LCB7fV19fQoAAAAAJM2OVpT7Fb4AATUdRBux4R+2830BAAAAAARZWg==';

test('kinds are told by content, packed or not, whatever the name', async () => {
  const elf = readFileSync(join(OBJECTS, 'amd64-linked.elf'));
  const cases: [string, Buffer | string, string][] = [
    ['plain.dat', REKALL, 's'],
    ['packed.json', gzipSync(REKALL), 's'],
    ['x.gz', Buffer.from(XZ, 'base64'), 's'],
    ['with-mark.json', `\uFEFF${REKALL}`, 's'],
    ['isf', '{"metadata":{"linux":{}},"base_types":{},"user_types":{"s":{"size":8,"kind":"struct","fields":{}}},"symbols":{},"enums":{}}', 's'],
    ['vmlinux.json', elf, 'outer'],
    ['vmlinux.gz', gzipSync(elf), 'outer'],
    ['profile.json', zipOf({ 'System.map': 'c1000000 T _text\n', 'module.dwarf': readFileSync(join(OBJECTS, 'i386-dwarf2.libdwarf.txt')) }), 'outer'],
    ['module.dwarf', readFileSync(join(OBJECTS, 'amd64-dwarf5.libdwarf.txt')), 'outer'],
  ];
  for (const [name, content, struct] of cases) {
    const source = await openProfileFile(written(name, content));
    assert.ok(source.types.struct(struct), name);
  }
});

test('what cannot be used says why, and what to try', async () => {
  const cases: [string, Buffer | string][] = [
    ['empty', ''],
    ['text', 'hello'],
    ['array', '[]'],
    ['other JSON', '{"a": 1}'],
    ['cut gzip', gzipSync(REKALL).subarray(0, 40)],
    ['cut xz', Buffer.from(XZ, 'base64').subarray(0, 50)],
    ['damaged xz', Buffer.concat([Buffer.from(XZ, 'base64').subarray(0, 30), Buffer.alloc(20, 0x41), Buffer.from(XZ, 'base64').subarray(50)])],
    ['cut JSON', REKALL.slice(0, 60)],
    ['zeros', Buffer.alloc(100_000)],
    ['System.map', 'ffffffff81000000 T _text\n'],
    ['cut ELF', readFileSync(join(OBJECTS, 'amd64-linked.elf')).subarray(0, 3000)],
  ];
  const paths = cases.map(([name, content]) => written(name, content));
  for (const path of [...paths, folder, join(folder, 'no such file')]) {
    await assert.rejects(openProfileFile(path), (error) => error instanceof ProfileError && error.message.includes(folder) && error.next.length > 10, path);
  }
});

test('no control characters of a file reach the message', async () => {
  await assert.rejects(openProfileFile(written('escape', '{"a": \u001b[2J')), (error) => error instanceof ProfileError && !error.message.includes('\u001b'));
});

test('a profile of another kernel is refused with both banners', () => {
  const ours = 'Linux version 6.1.0-1-amd64 (a@b) #1 SMP Debian 6.1.1-1 (2026-01-01)';
  const theirs = 'Linux version 6.1.0-2-amd64 (a@b) #1 SMP Debian 6.1.2-1 (2026-02-01)\u001b[31m';
  checkBanner(ours, `${ours}\n\0`);
  checkBanner(undefined, theirs);
  checkBanner(ours, '');
  assert.throws(
    () => checkBanner(ours, theirs),
    (error) =>
      error instanceof ProfileMismatchError &&
      error.profileBanner === ours &&
      error.imageBanner === theirs &&
      error.message.includes(`profile: ${ours}\n  image:   Linux version 6.1.0-2-amd64`) &&
      !error.message.includes('\u001b'),
  );
});

/** Bits of a member, however the storage unit was chosen. */
function place(source: ProfileSource, { offset, type }: MemberLayout): string {
  const pointer = source.metadata.arch === 'I386' ? 4 : 8;
  if (type.kind === 'bitfield') return `${offset * 8 + type.startBit}+${type.bits}`;
  if (type.kind === 'named') return `${offset} ${type.name} ${JSON.stringify(type.args)}`;
  return `${offset * 8}+${sizeOfType(type, pointer, (name) => source.types.struct(name)?.size) * 8}`;
}

function assertSame(ours: ProfileSource, theirs: ProfileSource): void {
  assert.deepEqual([ours.metadata.os, ours.metadata.arch, ours.metadata.banner], [theirs.metadata.os, theirs.metadata.arch, theirs.metadata.banner]);
  for (const name of theirs.types.structNames()) {
    const [a, b] = [ours.types.struct(name), theirs.types.struct(name)];
    assert.equal(a?.size, b?.size, name);
    for (const [member, layout] of b?.members ?? []) {
      const own = a?.members.get(member);
      assert.equal(own && place(ours, own), place(theirs, layout), `${name}.${member}`);
    }
  }
  for (const name of theirs.types.enumNames()) assert.deepEqual(ours.types.enum(name)?.choices, theirs.types.enum(name)?.choices, name);
  assert.equal(ours.constants.size, theirs.constants.size);
  for (const [name, address] of theirs.constants.entries()) {
    assert.equal(ours.constants.get(name), address, name);
    assert.equal(ours.constants.kind(name), theirs.constants.kind(name), name);
    const type = theirs.constants.type(name);
    if (type && type.kind !== 'function') assert.equal(ours.constants.type(name)?.kind, type.kind, name);
  }
  assert.deepEqual(ours.metadata.config, theirs.metadata.config);
}

test('converted profiles say the same as their sources', async () => {
  const zip = written('v2.zip', zipOf({ 'System.map': 'ffffffff81000000 T _text\n', 'module.ko': readFileSync(join(OBJECTS, 'amd64-dwarf5.o')), config: 'CONFIG_SMP=y\n' }));
  for (const source of [join(OBJECTS, 'amd64-linked.elf'), join(OBJECTS, 'i386-dwarf2.o'), zip]) {
    for (const out of ['out.json', 'out.json.gz']) {
      const read = await convertProfile(source, join(folder, out));
      const content = readFileSync(join(folder, out));
      assert.equal(content.readUInt16BE(0) === 0x1f8b, out.endsWith('.gz'));
      const again = await openProfileFile(join(folder, out));
      assertSame(again, read);
    }
  }
  // Two structs of one name stay two.
  const read = await convertProfile(join(OBJECTS, 'amd64-linked.elf'), join(folder, 'two.json'));
  const again = await openProfileFile(join(folder, 'two.json'));
  const type = again.constants.type('second_shared');
  assert.ok(type?.kind === 'struct' && again.types.struct(type.name)?.members.has('other'));
  assert.equal(read.metadata.banner, again.metadata.banner);
});

const shared = sharedData('profiles', 'v1.0');

test('profiles of the repository survive conversion', { skip: shared.skip }, async () => {
  for (const name of ['nt/GUID/F8E2A8B5C9B74BF4A6E4A48F180099942', 'OSX/10.9.5_13F34.64bit', 'OSX/10.7.1_11B26.32bit', 'Ubuntu/3.13.0-24-generic', 'VMCS', 'pe', 'mimikatz/AMD64']) {
    const read = await convertProfile(join(shared.path, `${name}.gz`), join(folder, 'again.json.gz'));
    assertSame(await openProfileFile(join(folder, 'again.json.gz')), read);
  }
});
