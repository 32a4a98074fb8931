import assert from 'node:assert/strict';
import { test } from 'node:test';
import { devicetree } from '../../../plugins/windows/devicetree.js';
import { driverirp } from '../../../plugins/windows/driverirp.js';
import { objectTreePlugin } from '../../../plugins/windows/object_tree.js';
import { unloadedModules } from '../../../plugins/windows/unloaded_modules.js';
import { attachedTo, devicesOf, driverName, findDrivers } from '../../../src/kernel/windows/objects/drivers.js';
import { findObjectTypes } from '../../../src/kernel/windows/objects/object-types.js';
import { objectPath, objectTree, symbolicLink } from '../../../src/kernel/windows/objects/object-tree.js';
import { objectOfBody } from '../../../src/kernel/windows/objects/objects.js';
import { findSessions, sessionImages } from '../../../src/kernel/windows/processes/sessions.js';
import { processAt } from '../../../src/kernel/windows/processes/processes.js';
import { unicodeText } from '../../../src/kernel/windows/strings.js';
import { pointerTable } from '../../../src/kernel/windows/tables.js';
import { undocumented } from '../../../src/kernel/windows/undocumented.js';
import { unloadedDrivers } from '../../../src/kernel/windows/system/unloaded.js';
import type { Struct } from '../../../src/object/struct.js';
import type { PagingKind } from '../../../src/memory/paging/create.js';
import { ForgedObjects, OLD_HEADER, type Structs } from '../../support/forged-objects.js';
import { rowsOf } from '../../support/sample.js';

const BOTH: readonly { paging: PagingKind; structs: Structs; what: string }[] = [
  { paging: 'amd64', structs: {}, what: 'Windows 7 x64' },
  { paging: 'i386-pae', structs: OLD_HEADER, what: 'XP with PAE' },
];

for (const { paging, structs, what } of BOTH) {
  test(`a namespace of ${what}: names, types and full names; loops, damaged chains and objects cost only themselves`, async () => {
    const image = new ForgedObjects({ paging, structs });
    const nowhere = paging === 'amd64' ? 0xfffffa8012345000n : 0x8f345000n;
    const link = image.object('SymbolicLink', '_OBJECT_SYMBOLIC_LINK', { LinkTarget: image.unicode('\\Device\\Disk0') }, 'C:');
    const deep = image.directory('Deep', []);
    const inner = image.directory('Device', [[link, nowhere, deep.body]]);
    const root = image.directory(undefined, [[inner.body], [image.object('Callback', '_LIST_ENTRY', {}, 'b')], [image.object('Callback', '_LIST_ENTRY', {}, 'a')]]);
    for (const [body, above] of [[inner.body, root.body], [link, inner.body], [deep.body, inner.body]] as const) {
      image.set('_OBJECT_HEADER_NAME_INFO', body - BigInt(image.offsetOf('_OBJECT_HEADER', 'Body') + image.size('_OBJECT_HEADER_NAME_INFO')), { Directory: above });
    }
    // A directory that holds the root and itself; a chain that leads back to its first entry; one into nothing.
    image.set('_OBJECT_DIRECTORY_ENTRY', image.place('_OBJECT_DIRECTORY_ENTRY'), {});
    const self = image.place('_OBJECT_DIRECTORY_ENTRY', { Object: deep.body });
    const up = image.place('_OBJECT_DIRECTORY_ENTRY', { Object: root.body, ChainLink: self });
    image.set('_OBJECT_DIRECTORY_ENTRY', self, { ChainLink: up });
    image.set('_OBJECT_DIRECTORY', deep.body, { HashBuckets: [up, nowhere] });
    image.words('ObpRootDirectoryObject', root.body);
    const kernel = image.windows();
    const faults: string[] = [];
    const found = [...objectTree(kernel, (fault) => faults.push(fault))];
    assert.deepEqual(
      found.map(({ path, depth, object }) => [path, depth, object.type]),
      [
        ['\\a', 0, 'Callback'],
        ['\\b', 0, 'Callback'],
        ['\\Device', 0, 'Directory'],
        ['\\Device\\C:', 1, 'SymbolicLink'],
        ['\\Device\\Deep', 1, 'Directory'],
        // The root and the directory itself are shown where they are, and not entered again.
        ['\\Device\\Deep\\', 2, 'Directory'],
        ['\\Device\\Deep\\Deep', 2, 'Directory'],
      ],
    );
    assert.equal(faults.length, 3, faults.join('\n'));
    for (const one of [/^bucket 0 .* leads back to an entry/, /^bucket 1 .* cannot be read/, /^the object at .*, in \\Device, cannot be read/]) assert.ok(faults.some((fault) => one.test(fault)), String(one));
    assert.equal(objectPath(kernel, objectOfBody(kernel, link)), '\\Device\\C:');
    assert.equal(symbolicLink(kernel, link).target, '\\Device\\Disk0');
    const types = findObjectTypes(kernel).map(({ type, sources }) => [unicodeText(type.$get('Name') as Struct), [...sources].join()]);
    assert.deepEqual(types, ['Type', 'Directory', 'SymbolicLink', 'Driver', 'Device', 'Callback', 'Process'].map((name) => [name, paging === 'amd64' ? 'ObTypeIndexTable' : 'ObpObjectTypes']));
    const { run } = await rowsOf(image.session(), objectTreePlugin);
    assert.ok((await run.rows()).length === 7 && run.notes.length === 3);
  });

  test(`drivers and devices of ${what}: chains that loop, and a driver that only a device leads to`, async () => {
    const image = new ForgedObjects({ paging, structs });
    const hidden = image.object('Driver', '_DRIVER_OBJECT', { DriverName: image.unicode('\\Driver\\hidden') });
    const filter = image.object('Device', '_DEVICE_OBJECT', { DriverObject: hidden, DeviceType: 7 });
    const driver = image.object('Driver', '_DRIVER_OBJECT', { DriverName: image.unicode('\\Driver\\disk'), DriverStart: 0x1000, DriverSize: 0x100, MajorFunction: [0x1080] }, 'disk');
    const one = image.object('Device', '_DEVICE_OBJECT', { DriverObject: driver, AttachedDevice: filter }, 'One');
    const two = image.object('Device', '_DEVICE_OBJECT', { DriverObject: driver, NextDevice: one });
    image.set('_DEVICE_OBJECT', one, { NextDevice: two });
    image.set('_DEVICE_OBJECT', filter, { AttachedDevice: filter });
    image.set('_DRIVER_OBJECT', driver, { DeviceObject: two });
    const drivers = image.directory('Driver', [[driver]]);
    image.words('ObpRootDirectoryObject', image.directory(undefined, [[drivers.body]]).body);
    const kernel = image.windows();
    const found = findDrivers(kernel);
    assert.deepEqual(found.map(({ driver: object, path }) => [driverName(object), path]), [['\\Driver\\disk', '\\Driver\\disk'], ['\\Driver\\hidden', undefined]]);
    const faults: string[] = [];
    const disk = found[0]?.driver as Struct;
    assert.deepEqual([...devicesOf(kernel, disk, (fault) => faults.push(fault))].map((device) => device.$address), [two, one]);
    assert.deepEqual([...attachedTo(kernel, kernel.at('_DEVICE_OBJECT', one), (fault) => faults.push(fault))].map((device) => device.$address), [filter]);
    assert.match(faults.join('\n'), /NextDevice leads back to[^]*AttachedDevice leads back to/);
    const tree = await rowsOf(image.session(), devicetree);
    assert.deepEqual(tree.rows.map((row) => [row['Type'], row.$depth, row['Name'], row['Path']]), [
      ['DRV', 0, '\\Driver\\disk', null],
      ['DEV', 1, null, null],
      ['DEV', 1, '\\One', null],
      ['ATT', 2, null, '\\Driver\\hidden'],
      ['DRV', 0, '\\Driver\\hidden', null],
    ]);
    assert.match(tree.run.notes.join(), /hidden at 0x\w+ is not in the namespace/);
    const functions = await rowsOf(image.session(), driverirp, { regex: /disk/ });
    assert.deepEqual(functions.rows.slice(0, 2).map((row) => row['hook']), [null, 'null']);
  });
}

test('the ring of unloaded drivers, once it is full, begins with the slot that comes next', async () => {
  const image = new ForgedObjects();
  const empty = image.windows();
  const size = undocumented(empty, '_UNLOADED_DRIVERS').size as number;
  assert.equal(size, 40);
  const ring = image.room(50 * size);
  for (let slot = 0; slot < 50; slot++) {
    const at = ring + BigInt(slot * size);
    const bytes = Buffer.from(`d${slot}.sys`, 'utf16le');
    const text = image.room(bytes.length);
    image.write(text, bytes);
    const record = Buffer.alloc(size);
    record.writeUInt16LE(bytes.length, 0);
    // A name that is gone costs its cell only.
    record.writeBigUInt64LE(slot === 8 ? 0xfffffa8012345000n : text, 8);
    record.writeBigUInt64LE(BigInt(0x1000 * (slot + 1)), 16);
    image.write(at, record);
  }
  image.words('MmUnloadedDrivers', ring);
  image.words('MmLastUnloadedDriver', 7n);
  const starts = unloadedDrivers(image.windows())?.map((entry) => Number(entry.$pointer('StartAddress')) / 0x1000 - 1);
  assert.deepEqual(starts, [...Array(50).keys()].map((i) => (i + 7) % 50));
  const { rows } = await rowsOf(image.session(), unloadedModules);
  assert.deepEqual(rows.slice(0, 3).map((row) => (typeof row['name'] === 'string' ? row['name'] : 'absent')), ['d7.sys', 'absent', 'd9.sys']);
  image.words('MmUnloadedDrivers', 0n);
  const none = await rowsOf(image.session(), unloadedModules);
  assert.match(none.run.notes.join(), /No driver was unloaded/);
  const unknown = await rowsOf(new ForgedObjects().session(), unloadedModules);
  assert.match(unknown.run.notes.join(), /cannot be read: this kernel has no symbol MiState/);
});

test('sessions: a list that loops, one known by its working set only, images of a list and of a tree that comes back', () => {
  const image = new ForgedObjects();
  const links = BigInt(image.offsetOf('_EPROCESS', 'SessionProcessLinks'));
  const member = (name: string): bigint => BigInt(image.offsetOf('_MM_SESSION_SPACE', name));
  const space = image.place('_MM_SESSION_SPACE', { SessionId: 1 });
  const idle = image.place('_MM_SESSION_SPACE', { SessionId: 0 });
  const process = (pid: number): bigint => image.place('_EPROCESS', { Pcb: { DirectoryTableBase: image.dtb }, UniqueProcessId: pid, ImageFileName: `p${pid}`, Session: space });
  const [first, second, unlinked] = [process(4), process(8), process(12)];
  // The second leads back to the first, past the head.
  image.ring(space + member('ProcessList'), first + links, second + links);
  image.set('_LIST_ENTRY', second + links, { Flink: first + links });
  image.list('MiSessionWsList', [space + member('WsListEntry'), idle + member('WsListEntry')]);
  const entry = image.room(40);
  image.pointer(entry + 16n, 0xfffff96000040003n);
  image.ring(space + member('ImageList'), entry);
  const kernel = image.windows();
  const faults: string[] = [];
  const found = findSessions(kernel, [first, second, unlinked].map((at) => processAt(kernel, at)), true, (fault) => faults.push(fault));
  assert.deepEqual(
    found.map(({ session, processes }) => [session.$get('SessionId'), processes.map((one) => [one.process.$address, one.listed])]),
    [
      [0, []],
      [1, [[first, true], [second, true], [unlinked, false]]],
    ],
  );
  assert.match(faults.join('\n'), /loops at/);
  assert.deepEqual([...sessionImages(kernel, found[1]?.session as Struct)].map(({ base }) => base), [0xfffff96000040000n]);

  const tree = new ForgedObjects({ structs: { _RTL_AVL_TREE: { Root: '_RTL_BALANCED_NODE *' }, _MM_SESSION_SPACE: { SessionId: 'u32', ImageTree: '_RTL_AVL_TREE' } } });
  const [left, root, right] = [tree.room(64), tree.room(64), tree.room(64)];
  for (const [index, node] of [left, root, right].entries()) tree.pointer(node + 0x28n, BigInt(0x10000 * (index + 1)) | 3n);
  tree.set('_RTL_BALANCED_NODE', root, { Left: left, Right: right });
  tree.set('_RTL_BALANCED_NODE', right, { Right: root });
  tree.set('_RTL_BALANCED_NODE', left, { Left: 0xfffffa8012345000n });
  const newer = tree.place('_MM_SESSION_SPACE', { ImageTree: { Root: root } });
  const ten = tree.windows();
  const told: string[] = [];
  const bases = [...sessionImages(ten, ten.at('_MM_SESSION_SPACE', newer), (fault) => told.push(fault))].map(({ base }) => base);
  assert.deepEqual(bases, [0x10000n, 0x20000n, 0x30000n]);
  assert.match(told.join('\n'), /cannot be read[^]*comes back/);
});

test('a symbolic link whose target a function gives; a table that ends where the next symbol begins', () => {
  const image = new ForgedObjects({ structs: { _OBJECT_SYMBOLIC_LINK: { CreationTime: '_LARGE_INTEGER', Callback: 'void *', CallbackContext: 'void *', DosDeviceDriveIndex: 'u32', Flags: 'u32' } } });
  const link = image.object('SymbolicLink', '_OBJECT_SYMBOLIC_LINK', { Callback: 0xfffff80002601000n, Flags: 0x10 }, 'X');
  const table = image.words('Table', 1n, 0n, 3n, 4n);
  image.symbol('Next', table + 24n);
  const kernel = image.windows();
  assert.deepEqual({ ...symbolicLink(kernel, link), created: undefined }, { target: undefined, callback: 0xfffff80002601000n, created: undefined });
  assert.deepEqual([...pointerTable(kernel, 'Table', 64)].map(({ index, value }) => [index, value]), [[0, 1n], [2, 3n]]);
});
