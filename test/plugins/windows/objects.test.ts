import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { devicetree } from '../../../plugins/windows/devicetree.js';
import { driverirp } from '../../../plugins/windows/driverirp.js';
import { objectTreePlugin } from '../../../plugins/windows/object_tree.js';
import { objectTypes } from '../../../plugins/windows/object_types.js';
import { sessions } from '../../../plugins/windows/sessions.js';
import { unloadedModules } from '../../../plugins/windows/unloaded_modules.js';
import { deviceType } from '../../../src/kernel/windows/objects/device-types.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Timestamp } from '../../../src/object/time.js';
import type { Row } from '../../../src/plugin/columns.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

/** Tables of the object manager's, of drivers and of sessions, row by row, against what was put into the replica. */
const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const run = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown> = {}): Promise<{ rows: readonly Row[]; notes: readonly string[] }> => {
  const { rows, run: ran } = await rowsOf(session as never, plugin, args);
  return { rows, notes: ran.notes };
};
const rows = async (...args: Parameters<typeof run>): Promise<readonly Row[]> => (await run(...args)).rows;
const address = (cell: unknown): bigint => (cell as Struct).$address;
const seconds = (cell: unknown): number => Number((cell as Timestamp).ns / 1_000_000_000n);

interface Objects {
  readonly object_types: readonly { index: number; name: string; object_type: string; objects: number }[];
  readonly symlinks: readonly { path: string; name: string; target: string; object: string; created: number }[];
  readonly mutants: readonly { name: string; object: string }[];
}

interface Driver {
  readonly name: string;
  readonly object: string;
  readonly start: string;
  readonly size: string;
  readonly module: string | null;
  readonly major: readonly { index: number; name: string; address: string; module: string | null }[];
  readonly devices: readonly { object: string; name: string | null; type: number; attached_to: string | null; attached_device: string | null }[];
}

test('object types, with how many objects there are of each', { skip }, async () => {
  const truth = replicaTruth<Objects>('objects').object_types;
  const { rows: found, notes } = await run(objectTypes);
  assert.deepEqual(
    found.map((row) => [address(row['type']), row['index'], row['NumberOfObjects'], row['name']]),
    truth.map((one) => [BigInt(one.object_type), one.index, one.objects, one.name]),
  );
  // Both tables and the directory have every one.
  assert.ok(found.every((row) => row['ObTypeIndexTable'] === true && row['ObpObjectTypes'] === true && row['ObpTypeDirectoryObject'] === true));
  assert.equal(found.find((row) => row['name'] === 'Key')?.['PoolType'], 'PagedPool');
  assert.deepEqual(notes, []);
});

test('the namespace: links and where they lead, drivers, devices, mutants', { skip }, async () => {
  const truth = replicaTruth<Objects>('objects');
  const { rows: tree, notes } = await run(objectTreePlugin);
  assert.deepEqual(notes, []);
  const byPath = new Map(tree.map((row) => [row['path'], row]));
  assert.equal(byPath.size, tree.length);
  const links = tree.filter((row) => row['type'] === 'SymbolicLink');
  assert.equal(links.length, truth.symlinks.length);
  for (const link of truth.symlinks) {
    const row = byPath.get(link.path);
    assert.deepEqual([row?.['name'], row?.['target'], row?.['object'], seconds(row?.['created'])], [link.name, link.target, BigInt(link.object), link.created], link.path);
    assert.equal(row?.$depth, link.path.split('\\').length - 2);
  }
  const drivers = replicaTruth<Driver[]>('drivers');
  assert.deepEqual(tree.filter((row) => row['type'] === 'Driver').map((row) => [row['path'], row['object']]).sort(), drivers.map((one) => [one.name, BigInt(one.object)]).sort());
  const named = drivers.flatMap(({ devices }) => devices).filter((device) => device.name !== null);
  assert.deepEqual(tree.filter((row) => row['type'] === 'Device').map((row) => [row['path'], row['object']]).sort(), named.map((one) => [one.name, BigInt(one.object)]).sort());
  const mutants = new Map(truth.mutants.map((one) => [BigInt(one.object), one.name]));
  for (const row of tree) if (row['type'] === 'Mutant') assert.equal(row['name'], mutants.get(row['object'] as bigint));
  // By type; and each directory comes before what is in it.
  const only = await run(objectTreePlugin, { type_regex: /^Symbolic/ });
  assert.deepEqual(only.rows.map((row) => row['path']), links.map((row) => row['path']));
  for (const row of tree) {
    const above = String(row['path']).split('\\').slice(0, -1).join('\\');
    if (above !== '') assert.ok(tree.indexOf(byPath.get(above) as Row) < tree.indexOf(row), above);
  }
  const none = await run(objectTreePlugin, { type_regex: /Nonesuch/ });
  assert.match(none.notes.join(), /there are ALPC Port, Device, Directory/);
});

test('unloaded drivers', { skip }, async () => {
  const truth = replicaTruth<{ unloaded: { name: string; start: string; end: string; time: number }[] }>('modules').unloaded;
  const found = await rows(unloadedModules);
  assert.deepEqual(found.map((row) => [row['name'], row['start'], row['end'], seconds(row['time'])]), truth.map((one) => [one.name, BigInt(one.start), BigInt(one.end), one.time]));
});

test('functions of drivers: all 28 of each, what is not served, and the two that are hooked', { skip }, async () => {
  const truth = replicaTruth<Driver[]>('drivers');
  const found = await rows(driverirp, { all: true });
  const key = (driver: bigint, index: unknown): string => `${driver.toString(16)} ${String(index)}`;
  const byKey = new Map(found.map((row) => [key(address(row['driver']), row['idx']), row]));
  assert.equal(found.length, truth.length * 28);
  const outside: string[] = [];
  for (const driver of truth) {
    for (const function_ of driver.major) {
      const row = byKey.get(key(BigInt(driver.object), function_.index));
      assert.deepEqual([row?.['function'], row?.['func_addres'], row?.['driver_name']], [function_.name, BigInt(function_.address), driver.name]);
      const module = function_.module?.replace(/\.\w+$/, '').toLowerCase();
      assert.equal(String(row?.['module']).toLowerCase(), module === 'ntoskrnl' ? 'nt' : module, `${driver.name} ${function_.name}`);
      if (row?.['name'] !== 'nt!IopInvalidDeviceRequest' && function_.module !== driver.module && driver.module !== null) outside.push(`${driver.name} ${function_.name} ${String(row?.['hook'])}`);
      else assert.equal(row?.['hook'], null, `${driver.name} ${function_.name}`);
    }
  }
  assert.deepEqual(outside.sort(), ['\\Driver\\Tcpip IRP_MJ_DEVICE_CONTROL other driver', '\\Driver\\i8042prt IRP_MJ_INTERNAL_DEVICE_CONTROL other driver']);
  const hooked = await rows(driverirp, { hooked: true });
  assert.deepEqual(hooked.map((row) => row['name']), ['kbdclass+0x1300', 'DumpIt+0x1200']);
  // By default what nobody serves is left out.
  const served = await rows(driverirp);
  assert.equal(served.length, found.filter((row) => row['name'] !== 'nt!IopInvalidDeviceRequest').length);
  const one = await rows(driverirp, { regex: /tcpip/i });
  assert.ok(one.length > 0 && one.every((row) => row['driver_name'] === '\\Driver\\Tcpip'));
  assert.match((await run(driverirp, { regex: /nonesuch/ })).notes.join(), /No driver of that name/);
});

test('devices of drivers and the stacks on them', { skip }, async () => {
  const truth = replicaTruth<Driver[]>('drivers');
  const found = await rows(devicetree);
  const drivers = new Map(truth.map((driver) => [BigInt(driver.object), driver]));
  const devices = new Map(truth.flatMap((driver) => driver.devices.map((device) => [BigInt(device.object), { ...device, driver }] as const)));
  const expected: unknown[] = [];
  for (const row of found) {
    const driver = row['Type'] === 'DRV' ? drivers.get(row['Address'] as bigint) : undefined;
    if (!driver) continue;
    expected.push(['DRV', BigInt(driver.object), driver.name, null, null, 0]);
    for (const device of driver.devices) {
      expected.push(['DEV', BigInt(device.object), device.name, deviceType(device.type), null, 1]);
      let depth = 2;
      for (let above = device.attached_device; above !== null; depth++) {
        const attached = devices.get(BigInt(above));
        assert.ok(attached);
        expected.push(['ATT', BigInt(above), attached.name, deviceType(attached.type), attached.driver.name, depth]);
        above = attached.attached_device;
      }
    }
  }
  assert.deepEqual(found.map((row) => [row['Type'], row['Address'], row['Name'], row['device_type'], row['Path'], row.$depth]), expected);
  assert.equal(found.filter((row) => row['Type'] === 'DRV').length, truth.length);
  assert.equal(found.filter((row) => row['Type'] === 'DEV').length, devices.size);
  // Seven devices are attached to another; the tops of stacks are listed under each device below them.
  assert.equal(new Set(found.filter((row) => row['Type'] === 'ATT').map((row) => row['Address'])).size, [...devices.values()].filter((device) => device.attached_to !== null).length);
});

test('sessions and their processes, also the one that is hidden elsewhere', { skip }, async () => {
  const truth = replicaTruth<{ eprocess: string; session: number | null; ghost: boolean }[]>('pslist').filter((process) => process.session !== null && !process.ghost);
  const { rows: found, notes } = await run(sessions);
  const listed = found.map((row) => [row['session_id'], address(row['process'])] as const);
  assert.deepEqual([...listed].map(String).sort(), truth.map((one) => String([one.session, BigInt(one.eprocess)])).sort());
  assert.ok(found.every((row) => row['listed'] === true && row['image'] === null));
  assert.ok(found.some((row) => row['pid'] === 2016));
  assert.match(notes.join(), /None of these sessions has a list of images/);
  const explorer = await rows(sessions, { proc_regex: /explorer/ });
  assert.deepEqual([...new Set(explorer.map((row) => row['session_id']))], [1]);
  assert.match((await run(sessions, { pids: [4] })).notes.join(), /This process is in no session: .*; sessions without arguments shows all\./);
});
