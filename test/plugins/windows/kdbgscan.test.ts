import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { kdbgscan } from '../../../plugins/windows/kdbgscan.js';
import { encodeWord } from '../../../src/kernel/windows/system/encoded.js';
import { KDBG_FIELDS } from '../../../src/kernel/windows/system/kdbg.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Session } from '../../../src/session/session.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';
import { ForgedWindows, layoutSkip } from '../../support/windows-kernel.js';

const replica = replicaSkip ? undefined : await replicaSession();
after(() => replica?.close());

const valuesOf = (rows: readonly Row[], block?: bigint): Map<string, unknown> => new Map(rows.filter((row) => block === undefined || row['block'] === block).map((row) => [String(row['Key']), row['Value']]));

test("the replica's block: what it says, and that its signature was overwritten", { skip: replicaSkip }, async () => {
  const { kdbg } = replicaTruth<{ kdbg: { va: string; owner_tag: string; size: number; fields: Record<string, string> } }>('system');
  const { rows, run } = await rowsOf(replica as Session, kdbgscan, { members: true });
  const found = valuesOf(rows);
  assert.deepEqual([found.get('Offset (V)'), found.get('KDBG owner tag check'), found.get('Encoded'), found.get('Size')], [kdbg.va, 'wrong', 'no', `0x${kdbg.size.toString(16)}`]);
  assert.equal(found.get('Problem'), `its signature was overwritten: '${kdbg.owner_tag}' instead of KDBG`);
  assert.deepEqual(run.notes, ['The signature KDBG stands nowhere else: whoever depends on it finds no block here.']);
  assert.match(String(found.get('Build string (NtBuildLab)')), /^7600\.16385\./);
  assert.match(String(found.get('PsLoadedModuleList')), /\bnt!PsLoadedModuleList$/);
  const counts = rows.filter((row) => / \(\d+ /.test(String(row['Value']))).map((row) => [row['Key'], /\((\d+) (\w+)\)/.exec(String(row['Value']))?.slice(1)]);
  const active = replicaTruth<{ in_active_list: boolean }[]>('pslist').filter((one) => one.in_active_list).length;
  assert.deepEqual(counts, [['PsActiveProcessHead', [String(active), 'processes']], ['PsLoadedModuleList', ['137', 'modules']]]);
  // The truth read members of two bytes as if they had eight.
  const words = KDBG_FIELDS.filter(({ size, name }) => size === 8 && kdbg.fields[name] !== undefined);
  assert.ok(words.length > 80, `${words.length}`);
  const members = new Map(rows.slice(rows.findIndex((row) => row['Key'] === 'KernBase')).map((row) => [row['Key'], row]));
  for (const { name } of words) {
    assert.equal(members.get(name)?.['address'], BigInt(kdbg.fields[name] as string), name);
    assert.equal(members.get(name)?.['differs'], false, name);
  }
  const physical = (await (replica as Session).kernel()).space.translate(BigInt(kdbg.va));
  assert.equal(found.get('Offset (P)'), `0x${physical?.toString(16)}`);
});

/** Writes a block that is on a list; returns its bytes. */
function block(forge: ForgedWindows, at: bigint, fields: Readonly<Record<string, bigint>>, tag = 'KDBG'): Buffer {
  const wide = forge.image.types.pointerSize === 8;
  const bytes = Buffer.alloc(832);
  const list = forge.image.room(16);
  forge.link(list, at);
  forge.image.pointer(list, at);
  for (const index of [0, 1]) {
    if (wide) bytes.writeBigUInt64LE(list, index * 8);
    else bytes.writeUInt32LE(Number(list), index * 4);
  }
  bytes.write(tag, 16, 'latin1');
  bytes.writeUInt32LE(wide ? 0x388 : 0x290, 20);
  for (const [name, value] of Object.entries(fields)) {
    const field = KDBG_FIELDS.find((one) => one.name === name);
    assert.ok(field);
    // x86 stores addresses with their sign extended.
    bytes.writeBigUInt64LE(wide ? value : BigInt.asUintN(64, BigInt.asIntN(32, value)), field.offset);
  }
  forge.image.write(at, bytes);
  return bytes;
}

test('Windows 10: an encoded block is decoded; without the keys that is said; decoys are shown for what they are', { skip: layoutSkip('ten') }, async () => {
  const forge = await ForgedWindows.of('ten');
  const own = forge.at('KdDebuggerDataBlock');
  const keys = { never: 0x6d7cffa404933fbbn, always: 0x933dd660cfff8004n };
  const fields = { KernBase: forge.base, PsLoadedModuleList: forge.at('PsLoadedModuleList'), PsActiveProcessHead: forge.at('PsActiveProcessHead') + 0x40n, PspCidTable: forge.at('PspCidTable') };
  const plain = block(forge, own, fields);
  const encode = (): void => {
    for (let offset = 0; offset < plain.length; offset += 8) forge.put(own + BigInt(offset), 8, encodeWord(keys, plain.readBigUInt64LE(offset), forge.at('KdpDataBlockEncoded')));
    forge.put(forge.at('KdpDataBlockEncoded'), 1, 1);
  };
  forge.put(forge.at('KdpDataBlockEncoded'), 1, 0);
  assert.deepEqual([valuesOf((await rowsOf(forge.session(), kdbgscan)).rows).get('Encoded')], ['no']);
  encode();
  const session = forge.session();
  let found = valuesOf((await rowsOf(session, kdbgscan)).rows);
  assert.deepEqual([found.get('Encoded'), found.get('KDBG owner tag check')], ['yes', 'wrong']);
  assert.equal(found.get('Problem'), 'it is encoded, and nt!KiWaitNever and nt!KiWaitAlways are not in memory');
  forge.put(forge.at('KiWaitNever'), 8, keys.never);
  forge.put(forge.at('KiWaitAlways'), 8, keys.always);
  forge.modules([{ name: 'ntoskrnl.exe', base: forge.base, size: 0x1046000 }]);
  const { rows } = await rowsOf(forge.session(), kdbgscan, { members: true });
  found = valuesOf(rows);
  assert.deepEqual([found.get('Encoded'), found.get('KDBG owner tag check'), found.get('Problem'), found.get('Size')], ['yes', 'right', undefined, '0x388']);
  const summary = rows.find((row) => row['Key'] === 'PsActiveProcessHead');
  assert.deepEqual([summary?.['differs'], summary?.['address']], [true, fields.PsActiveProcessHead], 'a list of processes that is not the kernel\'s');
  assert.match(String(rows.find((row) => row['Key'] === 'PsLoadedModuleList')?.['Value']), /\(1 modules\)$/);
  assert.equal(rows.find((row) => row['Key'] === 'PspCidTable')?.['symbol'], 'nt!PspCidTable');
  // A decoy in the loader's range, one elsewhere, and chance letters.
  const [decoy, far] = [0xfffff80012345000n, 0xffffa00000001000n];
  block(forge, decoy, { KernBase: 0xfffff80099990000n });
  block(forge, far, { KernBase: forge.base });
  forge.image.write(0xfffff80012346ffen, Buffer.from('KDBG for one and all'));
  const blocks = (list: readonly Row[]): unknown[] => [...new Set(list.map((row) => row['block']))];
  const near = await rowsOf(forge.session(), kdbgscan);
  assert.deepEqual(blocks(near.rows), [own, decoy]);
  assert.equal(valuesOf(near.rows, decoy).get('Problem'), 'it states the kernel at 0xfffff80099990000');
  const full = await rowsOf(forge.session(), kdbgscan, { full_scan: true });
  assert.deepEqual(new Set(blocks(full.rows)), new Set([own, decoy, far]));
});

test('XP: addresses with their sign extended; a block that is not there', { skip: layoutSkip('xp') }, async () => {
  const forge = await ForgedWindows.of('xp');
  const own = forge.at('KdDebuggerDataBlock');
  const none = await rowsOf(forge.session(), kdbgscan);
  assert.deepEqual(none.rows, []);
  assert.match(none.run.notes[0] ?? '', /^The block is not where the profile has it: unreadable/);
  block(forge, own, { KernBase: forge.base, PsActiveProcessHead: forge.at('PsActiveProcessHead') });
  const found = valuesOf((await rowsOf(forge.session(), kdbgscan)).rows);
  assert.deepEqual([found.get('KDBG owner tag check'), found.get('Problem'), found.get('KernelBase')], ['right', undefined, '0x804d7000 (Matches MZ: no)']);
  assert.match(String(found.get('PsActiveProcessHead')), new RegExp(`^0x${forge.at('PsActiveProcessHead').toString(16)} `));
});

const dump = sharedData('windows', 'dumps', 'triage_x64.dmp');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz');

test('the block of a real Windows 10 dump: every variable that it names is where the symbols have it', { skip: dump.skip || isf.skip }, async () => {
  const session = new Session({ filename: dump.path, profile: isf.path, cache: 'memory' });
  const { rows } = await rowsOf(session, kdbgscan, { members: true });
  const found = valuesOf(rows);
  assert.deepEqual([found.get('Offset (V)'), found.get('KDBG owner tag check'), found.get('Encoded'), found.get('Problem')], ['0xfffff8047c600b20', 'right', 'no', undefined]);
  const named = rows.filter((row) => KDBG_FIELDS.some(({ name }) => name === row['Key']) && String(row['symbol']) === `nt!${String(row['Key'])}`);
  assert.ok(named.length >= 30, `${named.length}`);
  assert.deepEqual(rows.filter((row) => row['differs'] === true).map((row) => row['Key']), []);
  session.close();
});
