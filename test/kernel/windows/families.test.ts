import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openProfileFile } from '../../../src/symbols/open.js';
import { TypeCompiler } from '../../../src/object/compiler.js';
import { sharedData } from '../../support/shared.js';

const guids = sharedData('profiles', 'v1.0', 'nt', 'GUID');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb');

/** A kernel of each family that Windows has had, by the beginning of its GUID. */
const FAMILIES: Readonly<Record<string, string>> = {
  '7428295B': 'XP',
  '30B5FB31': 'XP SP3',
  '80A87123': 'Server 2003 x86',
  C81DDF69: 'Server 2003 x64',
  '22FA3051': 'Vista x86',
  '197D68CC': 'Vista SP2 x64',
  '5B308B4E': '7 x86',
  F8E2A8B5: '7 x64',
  '5A722668': '8 x64',
  '2BCBB42C': '8.1 x64',
  '925ACA3E': '10 1607',
  '5278AFF8': '10 19041',
};

/** What is read of a kernel, one of each line at least: structs' members, and symbols. */
const MEMBERS = [
  ['_OBJECT_DIRECTORY.HashBuckets'],
  ['_OBJECT_DIRECTORY_ENTRY.ChainLink'],
  ['_OBJECT_DIRECTORY_ENTRY.Object'],
  ['_OBJECT_HEADER.TypeIndex', '_OBJECT_HEADER.Type'],
  ['_OBJECT_HEADER.InfoMask', '_OBJECT_HEADER.NameInfoOffset'],
  ['_OBJECT_HEADER_NAME_INFO.Directory'],
  ['_OBJECT_TYPE.Index'],
  ['_OBJECT_TYPE.TotalNumberOfObjects'],
  ['_OBJECT_TYPE.Key'],
  ['_OBJECT_TYPE_INITIALIZER.PoolType'],
  ['_OBJECT_SYMBOLIC_LINK.LinkTarget'],
  ['_OBJECT_SYMBOLIC_LINK.CreationTime'],
  ['_DRIVER_OBJECT.MajorFunction'],
  ['_DRIVER_OBJECT.DriverName'],
  ['_DEVICE_OBJECT.AttachedDevice'],
  ['_DEVICE_OBJECT.Queue'],
  ['_MM_SESSION_SPACE.ProcessList'],
  ['_MM_SESSION_SPACE.WsListEntry'],
  ['_MM_SESSION_SPACE.ImageList', '_MM_SESSION_SPACE.ImageTree'],
  ['_EPROCESS.SessionProcessLinks'],
];
const SYMBOLS = [
  ['ObpRootDirectoryObject'],
  ['ObpTypeDirectoryObject'],
  ['ObpObjectTypes'],
  ['IopInvalidDeviceRequest'],
  ['MmUnloadedDrivers'],
  ['MmLastUnloadedDriver'],
  ['MiSessionWsList', 'MiState'],
  ['PspCreateProcessNotifyRoutine'],
  ['PspCreateThreadNotifyRoutine'],
  ['PspLoadImageNotifyRoutine'],
  ['CmpCallBackVector', 'CallbackListHead'],
  ['KeBugCheckCallbackListHead'],
  ['IopFsNotifyChangeQueueHead'],
  ['IopNotifyShutdownQueueHead'],
  ['IopNotifyLastChanceShutdownQueueHead'],
  ['IopDiskFileSystemQueueHead'],
  ['SeFileSystemNotifyRoutinesHead'],
  ['IopProfileNotifyList', 'PnpProfileNotifyList'],
  ['IopDeviceClassNotifyList', 'PnpDeviceClassNotifyList'],
];

for (const [guid, what] of Object.entries(FAMILIES)) {
  test(`objects, drivers, sessions and callbacks: what is read of them is in the kernel of ${what}`, { skip: guids.skip || isf.skip }, async () => {
    const path = [guids.path, isf.path].flatMap((folder) => readdirSync(folder).map((file) => join(folder, file))).find((file) => file.includes(guid));
    assert.ok(path, guid);
    const source = await openProfileFile(path);
    const types = new TypeCompiler(source.types, source.metadata.arch === 'I386' ? 4 : 8);
    const has = (member: string): boolean => {
      const [struct = '', name = ''] = member.split('.');
      return types.hasStruct(struct) && types.struct(struct).has(name);
    };
    for (const line of MEMBERS) assert.ok(line.some(has), `${what} has no ${line.join(' nor ')}`);
    for (const line of SYMBOLS) assert.ok(line.some((symbol) => source.constants.get(symbol) !== undefined), `${what} has no ${line.join(' nor ')}`);
  });
}
