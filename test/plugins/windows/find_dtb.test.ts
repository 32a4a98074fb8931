import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findDtb } from '../../../plugins/windows/find_dtb.js';
import { versionModules } from '../../../plugins/windows/version_modules.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Session } from '../../../src/session/session.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';
import { ForgedWindows, layoutSkip } from '../../support/windows-kernel.js';

const replica = skip ? undefined : await replicaSession();
after(() => replica?.close());

interface Process {
  readonly name: string;
  readonly ghost: boolean;
  readonly dtb: string;
  readonly eprocess_physical: string;
}

test('page tables of the replica, by its processes and without them', { skip }, async () => {
  const { kernel } = replicaTruth<{ kernel: { dtb: string } }>('system');
  const { rows } = await rowsOf(replica as Session, findDtb);
  const own = rows.filter((row) => row['comment'] === 'in use');
  assert.ok(own.length >= 3, 'System, Idle, and methods that need no process');
  assert.ok(own.every((row) => row['dtv'] === Number(kernel.dtb) && row['valid'] === true));
  const names = ['cmd.exe', 'System', 'csrss.exe', 'svchost.exe', 'lsass.exe', 'winlogon.exe', 'Idle'];
  const truth = replicaTruth<Process[]>('pslist').filter((one) => names.includes(one.name) && !one.ghost);
  const found = rows.filter((row) => row['_EPROCESS'] !== null);
  const pairs = (list: (readonly [unknown, unknown])[]): string[] => list.map(([object, dtb]) => `${String(object)} ${String(dtb)}`).sort();
  assert.deepEqual(pairs(found.map((row) => [(row['_EPROCESS'] as Struct).$address, row['dtv']])), pairs(truth.map((one) => [BigInt(one.eprocess_physical), Number(one.dtb)])));
  assert.ok(found.every((row) => row['valid'] === true));
  const some = await rowsOf(replica as Session, findDtb, { process_name: ['System', 'nobody.exe'] });
  assert.deepEqual(some.rows.map((row) => [row['method'], row['valid']]), [['process System', true]]);
  assert.equal(BigInt.asUintN(64, (some.rows[0]?.['_EPROCESS'] as Struct).$address) < 1n << 40n, true, 'an address of physical memory');
  const nobody = await rowsOf(replica as Session, findDtb, { process_name: ['nobody.exe'] });
  assert.deepEqual([nobody.rows, nobody.run.notes], [[], ['No process object is named nobody.exe.']]);
});

test('a process object whose tables are not the kernel\'s, one that has none, text that only reads so', { skip: layoutSkip('ten') }, async () => {
  const forge = await ForgedWindows.of('ten');
  const { image } = forge;
  image.write(0xfffff7800000026cn, Buffer.from([10, 0, 0, 0, 0, 0, 0, 0]));
  image.write(forge.base, Buffer.from('MZ'));
  const object = (name: string, dtb: number, type = 3): bigint => {
    const at = image.room(forge.size('_EPROCESS'), 4096);
    forge.set('_EPROCESS', at, { 'Pcb.Header.Type': [1, type], 'Pcb.DirectoryTableBase': BigInt(dtb) });
    image.write(forge.member('_EPROCESS', at, 'ImageFileName'), Buffer.from(name));
    forge.link(forge.member('_EPROCESS', at, 'ThreadListHead'), image.room(16));
    return at;
  };
  object('System', image.dtb);
  object('csrss.exe', image.frames.fresh(1) * 4096);
  object('lsass.exe', 0);
  object('winlogon.exe', image.dtb, 5);
  object('svchost.exe2', image.dtb);
  const broken = object('cmd.exe', image.dtb);
  image.pointer(forge.member('_EPROCESS', broken, 'ThreadListHead'), 0n);
  const { rows } = await rowsOf(forge.session(), findDtb);
  const shown = rows.filter((row) => row['_EPROCESS'] !== null && row['_EPROCESS'] !== undefined).map((row) => [row['method'], row['valid'], row['comment']]);
  assert.deepEqual(shown, [
    ['process cmd.exe', false, 'its list of threads does not lead back'],
    ['process System', true, 'in use'],
    ['process csrss.exe', false, 'they do not map the page that all processes share'],
    ['process lsass.exe', false, 'it has no page tables: the process has ended'],
  ]);
});

test('debug records of the modules of the replica', { skip }, async () => {
  const { kernel } = replicaTruth<{ kernel: { guid: string; age: number; pdb: string; base: string; rsds_rva: string } }>('system');
  const truth = replicaTruth<{ loaded: { name: string; base: string; pdb_guid: string | null }[] }>('modules').loaded;
  const { rows } = await rowsOf(replica as Session, versionModules);
  assert.equal(rows.length, truth.length);
  for (const [index, one] of truth.entries()) {
    const row = rows[index];
    const guid = one.pdb_guid ?? kernel.guid;
    assert.deepEqual([row?.['name'], String(row?.['guid']).slice(0, 32), row?.['base']], [one.name, guid, BigInt(one.base)], one.name);
  }
  const [nt] = (await rowsOf(replica as Session, versionModules, { name_regex: /^ntoskrnl/ })).rows;
  assert.deepEqual([nt?.['guid'], nt?.['pdb'], nt?.['offset_v']], [`${kernel.guid}${kernel.age}`, kernel.pdb, BigInt(kernel.base) + BigInt(kernel.rsds_rva)]);
  const none = await rowsOf(replica as Session, versionModules, { name_regex: /nothing/ });
  assert.deepEqual(none.run.notes, ['No module is named /nothing/.']);
});

test('modules whose pages are missing say which', { skip: layoutSkip('xp') }, async () => {
  const forge = await ForgedWindows.of('xp');
  const module = (base: bigint, directory: number): void => {
    const header = Buffer.alloc(0x200);
    header.write('MZ', 0, 'latin1');
    header.writeUInt32LE(0x80, 0x3c);
    header.write('PE\0\0', 0x80, 'latin1');
    header.writeUInt16LE(0x14c, 0x84);
    header.writeUInt16LE(0xe0, 0x94);
    header.writeUInt16LE(0x10b, 0x98);
    header.writeUInt32LE(16, 0x98 + 92);
    header.writeUInt32LE(directory, 0x98 + 96 + 6 * 8);
    header.writeUInt32LE(28, 0x98 + 96 + 6 * 8 + 4);
    forge.image.write(base, header);
  };
  const bases = { 'ntoskrnl.exe': forge.base, 'a.sys': 0xf7000000n, 'b.sys': 0xf7100000n, 'c.sys': 0xf7200000n, 'd.sys': 0xf7300000n, 'e.sys': 0xf7400000n };
  module(bases['a.sys'], 0);
  module(bases['b.sys'], 0x5000);
  module(bases['c.sys'], 0x180);
  const record = Buffer.alloc(28);
  record.writeUInt32LE(2, 12);
  record.writeUInt32LE(0x9000, 20);
  forge.image.write(bases['c.sys'] + 0x180n, record);
  forge.image.write(bases['d.sys'], Buffer.from('not an executable'));
  module(bases['e.sys'], 0x180);
  record.writeUInt32LE(0x1c0, 20);
  forge.image.write(bases['e.sys'] + 0x180n, record);
  forge.image.write(bases['e.sys'] + 0x1c0n, Buffer.concat([Buffer.from('RSDS'), Buffer.from('00112233445566778899aabbccddeeff', 'hex'), Buffer.from([10, 0, 0, 0]), Buffer.from('d:\\x\\e.pdb\0')]));
  forge.modules(Object.entries(bases).map(([name, base]) => ({ name, base, size: 0x10000 })));
  const { rows, run } = await rowsOf(forge.session(), versionModules);
  assert.deepEqual(rows.map((row) => [row['name'], row['guid'] ?? null, row['comment'] ?? null]), [
    ['ntoskrnl.exe', null, 'its header is not in memory'],
    ['a.sys', null, 'it was linked without a debug directory'],
    ['b.sys', null, 'its debug directory is not in memory'],
    ['c.sys', null, 'its debug record is not in memory, or there is none'],
    ['d.sys', null, 'it has no header: no MZ'],
    ['e.sys', '33221100554477668899AABBCCDDEEFFA', null],
  ]);
  assert.deepEqual([rows[5]?.['offset_v'], rows[5]?.['pdb'], rows[5]?.['path']], [0xf74001c0n, 'e.pdb', 'd:\\x\\e.pdb']);
  assert.deepEqual(run.notes, ['Of 5 of 6 modules the record is not to be had: it is paged out, or there is none.']);
});
