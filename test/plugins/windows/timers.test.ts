import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { timers } from '../../../plugins/windows/timers.js';
import { decodeWord, encodeWord } from '../../../src/kernel/windows/system/encoded.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { processors } from '../../../src/kernel/windows/system/kpcr.js';
import { Absent } from '../../../src/memory/absent.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Timestamp } from '../../../src/object/time.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Session } from '../../../src/session/session.js';
import { sessionOn } from '../../support/fake-session.js';
import { buildSkip, FakeWindows } from '../../support/fake-windows.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';
import { ForgedWindows, type Layout, layoutSkip } from '../../support/windows-kernel.js';

const replica = replicaSkip ? undefined : await replicaSession();
after(() => replica?.close());

test('the timers of the replica, with their encoded calls and the one that no module has', { skip: replicaSkip }, async () => {
  interface Timer {
    readonly timer: string;
    readonly due: string;
    readonly period: number;
    readonly dpc: string;
    readonly routine: string;
    readonly bucket: number;
    readonly module: string | null;
  }
  const { system } = replicaTruth<{ system: { system_time: number } }>('system');
  const truth = replicaTruth<Timer[]>('timers').sort((a, b) => a.bucket - b.bucket);
  const { rows } = await rowsOf(replica as Session, timers);
  assert.deepEqual(
    rows.map((row) => [row['Tbl'], (row['_KTIMER'] as Struct).$address, row['due'], row['period'], (row['_KDPC'] as Struct).$address, row['routine'], row['module'], row['hooked']]),
    truth.map((one) => [one.bucket, BigInt(one.timer), BigInt(one.due), one.period, BigInt(one.dpc), BigInt(one.routine), one.module, one.module === null]),
  );
  // None was due long before the image was made, and the next not long after.
  const due = rows.map((row) => (row['due_time'] as Timestamp).ms / 1000 - system.system_time);
  assert.ok(Math.min(...due) > -60 && Math.max(...due) < 900, due.join(' '));
  assert.equal((await rowsOf(replica as Session, timers, { hooked: true })).rows.length, 1);
});

test('what was encoded is decoded', () => {
  const keys = { never: 0x6d7cffa404933fbbn, always: 0x933dd660cfff8004n };
  for (const [value, address] of [[0xfffffa8001234560n, 0xfffffa8000abcde0n], [0n, 1n], [0xffffffffffffffffn, 0x8000000000000000n]] as const) {
    assert.equal(decodeWord(keys, encodeWord(keys, value, address), address), value);
  }
  const never = 0x40n;
  // A turn by a multiple of 64 is none.
  assert.equal(decodeWord({ never, always: 0n }, never, 0n), 0n);
});

/** Timers in a layout: `[list, due, routine]`, the routine 0 for none; where `encoded`, with keys. */
async function forged(layout: Layout, head: (forge: ForgedWindows, list: number) => bigint, lists: number, all: readonly (readonly [list: number, due: number, routine: bigint])[], keys?: { never: bigint; always: bigint }): Promise<ForgedWindows> {
  const forge = await ForgedWindows.of(layout);
  const { image } = forge;
  if (keys) {
    forge.put(forge.at('KiWaitNever'), 8, keys.never);
    forge.put(forge.at('KiWaitAlways'), 8, keys.always);
  }
  forge.modules([{ name: 'ntoskrnl.exe', base: forge.base, size: 0x1000000 }]);
  const entries = new Map<number, bigint[]>();
  for (const [list, due, routine] of all) {
    const timer = image.room(forge.size('_KTIMER'));
    const call = routine === 0n ? 0n : image.room(forge.size('_KDPC'));
    const word = keys ? encodeWord(keys, call, timer) : call;
    forge.set('_KTIMER', timer, { 'Header.Type': [1, 8], DueTime: [8, due], Period: [4, 250], Dpc: word });
    if (call !== 0n) forge.set('_KDPC', call, { Type: [1, 19], DeferredRoutine: routine });
    entries.set(list, [...(entries.get(list) ?? []), forge.member('_KTIMER', timer, 'TimerListEntry')]);
  }
  for (let list = 0; list < lists; list++) forge.link(head(forge, list), ...(entries.get(list) ?? []));
  return forge;
}

const shown = (rows: readonly Row[]): unknown[] => rows.map((row) => [row['Tbl'], row['due'], row['module'], row['hooked']]);
const nt = 'ntoskrnl.exe';

test('XP: 256 bare heads; Server 2003 and Vista: 512 with a time behind each', { skip: layoutSkip('xp') || layoutSkip('server2003') || layoutSkip('vista') }, async () => {
  const table = (forge: ForgedWindows): bigint => forge.at('KiTimerTableListHead');
  for (const [layout, stride, lists, keys] of [
    ['xp', 8n, 256, undefined],
    ['server2003', 16n, 512, undefined],
    ['vista', 24n, 512, { never: 0x6d7cffa404933fbbn, always: 0x933dd660cfff8004n }],
  ] as const) {
    const routine = (await ForgedWindows.of(layout)).at('KiTimerExpiration');
    const last = lists - 1;
    const forge = await forged(layout, (one, list) => table(one) + BigInt(list) * stride, lists, [[0, 10, routine], [1, 11, 0n], [last, 12, 0x12345n], [last, 13, routine]], keys);
    const { rows, run } = await rowsOf(forge.session(), timers);
    assert.deepEqual(shown(rows), [[0, 10n, nt, false], [last, 12n, null, true], [last, 13n, nt, false]], layout);
    assert.deepEqual(run.notes, [], layout);
    assert.equal((await rowsOf(forge.session(), timers, { all: true })).rows.length, 4);
    assert.ok(rows[0]?.['due_time'] instanceof Absent, 'there is no shared data page');
  }
});

test('Windows 7: a table of each processor; Windows 10: two of each; a call that is not encoded', { skip: layoutSkip('seven') || layoutSkip('ten') }, async () => {
  const keys = { never: 0x1122334455667788n, always: 0x99aabbccddeeff00n };
  for (const [layout, lists] of [['seven', 256], ['ten', 512]] as const) {
    const plain = await ForgedWindows.of(layout);
    const pcr = plain.image.room(plain.size('_KPCR'), 4096);
    const step = BigInt(plain.size('_KTIMER_TABLE_ENTRY'));
    const { prcb } = plain.processor(0, pcr);
    const head = (forge: ForgedWindows, list: number): bigint => forge.member('_KPRCB', prcb, 'TimerTable.TimerEntries') + BigInt(forge.member('_KTIMER_TABLE_ENTRY', 0n, 'Entry')) + BigInt(list) * step;
    const routine = plain.at('KiTimerExpiration');
    const forge = await forged(layout, head, lists, [[7, 1, routine], [lists - 1, 2, 0x12345n], [9, 3, 0n]], layout === 'ten' ? keys : undefined);
    forge.processor(0, pcr);
    // A call whose word is a pointer as it stands.
    const found = await rowsOf(forge.session(), timers);
    assert.deepEqual(shown(found.rows), [[7, 1n, nt, false], [lists - 1, 2n, null, true]], layout);
    assert.ok(found.rows.every((row) => row['cpu'] === 0));
    const timer = found.rows[0]?.['_KTIMER'] as Struct;
    forge.set('_KTIMER', timer.$address, { Dpc: (found.rows[0]?.['_KDPC'] as Struct).$address });
    assert.deepEqual(shown((await rowsOf(forge.session(), timers)).rows)[0], [7, 1n, nt, false], layout);
  }
});

test('lists that loop, and what is no timer', { skip: layoutSkip('xp') }, async () => {
  const routine = (await ForgedWindows.of('xp')).at('KiTimerExpiration');
  const head = (forge: ForgedWindows, list: number): bigint => forge.at('KiTimerTableListHead') + BigInt(list * 8);
  const forge = await forged('xp', head, 256, [[0, 1, routine], [0, 2, routine], [3, 3, routine], [4, 4, routine]]);
  const { rows } = await rowsOf(forge.session(), timers);
  const [first, second, third] = rows.map((row) => forge.member('_KTIMER', (row['_KTIMER'] as Struct).$address, 'TimerListEntry'));
  // The first list never comes back to its head; the third's timer is another object.
  forge.image.pointer(second as bigint, first as bigint);
  forge.set('_KTIMER', (rows[2]?.['_KTIMER'] as Struct).$address, { 'Header.Type': [1, 6] });
  const found = await rowsOf(forge.session(), timers);
  assert.deepEqual(found.rows.map((row) => row['due']), [1n, 2n, 4n]);
  assert.ok(found.run.notes.some((note) => note.includes('list 0') && note.includes('loops')), found.run.notes.join('\n'));
  assert.ok(found.run.notes.some((note) => note.includes('list 3') && note.includes('is no timer')));
  forge.image.pointer(third as bigint, 0n);
  assert.ok((await rowsOf(forge.session(), timers)).run.notes.some((note) => note.includes('null link')));
});

const dump = sharedData('windows', 'dumps', 'triage_x64.dmp');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz');

test('a real dump without the keys: the timers are there; what they call cannot be told, and is not guessed', { skip: dump.skip || isf.skip }, async () => {
  const session = new Session({ filename: dump.path, profile: isf.path, cache: 'memory' });
  const { rows } = await rowsOf(session, timers);
  // The kernel keeps one timer in each processor's block, all in one list and due at the same moment.
  const minute = rows.filter((row) => row['period'] === 60000 && row['kind'] === null);
  const blocks = processors((await session.kernel()) as WindowsKernel).map(({ prcb }) => prcb.$address);
  const within = minute.map((row) => blocks.map((block) => (row['_KTIMER'] as Struct).$address - block).find((distance) => distance === 0x8298n));
  assert.deepEqual(within, Array.from({ length: 16 }, () => 0x8298n));
  assert.deepEqual([new Set(minute.map((row) => row['due'])).size, new Set(minute.map((row) => row['Tbl'])).size], [1, 1]);
  assert.ok(rows.every((row) => row['routine'] instanceof Absent && row['hooked'] === false));
  session.close();
});

test('the timers of ExAllocateTimer in a real dump: each in the collection and due when the kernel says, their words mixed with their own addresses', { skip: dump.skip || isf.skip }, async () => {
  const session = new Session({ filename: dump.path, profile: isf.path, cache: 'memory' });
  const kernel = (await session.kernel()) as WindowsKernel;
  const rows = (await rowsOf(session, timers)).rows.filter((row) => row['kind'] !== null);
  assert.deepEqual(rows.map((row) => [row['Tbl'], row['kind']]), [
    [0, 'ExAllocateTimer, NoWake, PseudoHighRes'],
    // Of this one the dump has the first half.
    [0, 'ExAllocateTimer'],
    [2, 'ExAllocateTimer, PseudoHighRes'],
    [3, 'ExAllocateTimer, NoWake, PseudoHighRes'],
    [3, 'ExAllocateTimer, NoWake, PseudoHighRes'],
  ]);
  const structs = rows.map((row) => row['_KTIMER2'] as Struct);
  const word = (timer: Struct, member: string, index = 0n): bigint => kernel.space.readU64(timer.$addressOf(member) + index * 8n);
  // The kernel keeps with each collection when its next timer is due (of the third, at latest).
  const next = kernel.space.readU64(kernel.profile.address('KiTimer2Collections') + 3n * 24n + 16n);
  assert.equal([...structs.slice(3)].map((timer) => word(timer, 'DueTime', 1n)).sort((a, b) => (a < b ? -1 : 1))[0], next);
  // None has a routine for its end: its word is that of null, which differs from another's as their addresses do, turned.
  const turned = (value: bigint): bigint => BigInt.asUintN(64, (value >> 33n) | (value << 31n));
  const [first] = structs as [Struct];
  for (const timer of structs.slice(2)) assert.equal(word(timer, 'DisableCallback') ^ word(first, 'DisableCallback'), turned(timer.$address ^ first.$address));
  session.close();
});

test('timers of ExAllocateTimer in trees with plain and with mixed links; what calls nothing, what no module has, and a tree that comes back', { skip: layoutSkip('ten') }, async () => {
  const keys = { never: 0x6d7cffa404933fbbn, always: 0x933dd660cfff8004n };
  const forge = await ForgedWindows.of('ten');
  forge.put(forge.at('KiWaitNever'), 8, keys.never);
  forge.put(forge.at('KiWaitAlways'), 8, keys.always);
  forge.modules([{ name: 'ntoskrnl.exe', base: forge.base, size: 0x1000000 }]);
  const routine = forge.at('KiTimerExpiration');
  const collections = forge.at('KiTimer2Collections');
  for (let at = 0n; at < 5n * 24n; at += 8n) forge.put(collections + at, 8, 0);
  /** A timer, and its node in a collection. */
  const timer = (collection: number, flags: number, due: number, calls: bigint): { at: bigint; node: bigint } => {
    const at = forge.image.room(forge.size('_KTIMER2'));
    forge.set('_KTIMER2', at, { 'Header.Type': [1, 25], Period: [8, 25_000], TypeFlags: [1, flags], Callback: encodeWord(keys, calls, at), CallbackContext: encodeWord(keys, 0x77n, at) });
    forge.put(forge.member('_KTIMER2', at, 'DueTime'), 8, due);
    const second = collection >= 2;
    forge.put(forge.member('_KTIMER2', at, 'CollectionIndex'), 2, second ? 0x15 | (collection << 8) : collection | 0x1500);
    return { at, node: forge.member('_KTIMER2', at, 'RbNodes') + (second ? 24n : 0n) };
  };
  const link = (node: bigint, left: bigint, right: bigint): void => {
    forge.put(node, 8, left);
    forge.put(node + 8n, 8, right);
  };
  const [early, middle, late, silent] = [timer(1, 4, 10, routine), timer(1, 4, 20, 0x12345n), timer(1, 12, 30, routine), timer(4, 2, 5, 0n)];
  forge.put(collections + 24n, 8, middle.node);
  link(middle.node, early.node, late.node);
  // The last collection's links are mixed with the addresses of what holds them.
  const [root, child] = [timer(4, 2, 50, routine), silent];
  const tree = collections + 4n * 24n;
  forge.put(tree, 8, root.node ^ tree);
  forge.put(tree + 8n, 8, (child.node ^ tree) | 1n);
  link(root.node, child.node ^ root.node, 0n);
  const kinds = async (args = {}): Promise<unknown[]> => (await rowsOf(forge.session(), timers, args)).rows.map((row) => [row['Tbl'], row['due'], row['kind'], row['module'], row['hooked']]);
  const all = [
    [1, 10n, 'ExAllocateTimer, HighResolution', nt, false],
    [1, 20n, 'ExAllocateTimer, HighResolution', null, true],
    [1, 30n, 'ExAllocateTimer, HighResolution, NoWake', nt, false],
    [4, 5n, 'ExAllocateTimer, IdleResilient', null, false],
    [4, 50n, 'ExAllocateTimer, IdleResilient', nt, false],
  ];
  assert.deepEqual(await kinds({ all: true }), all);
  assert.deepEqual(await kinds(), all.filter(([, due]) => due !== 5n));
  const { rows } = await rowsOf(forge.session(), timers, { hooked: true });
  assert.deepEqual(rows.map((row) => [row['routine'], row['argument'], row['period'], row['comment']]), [[0x12345n, 0x77n, 3, 'ExAllocateTimer, HighResolution, outside of all modules']]);
  link(late.node, middle.node, 0n);
  assert.match((await rowsOf(forge.session(), timers)).run.notes.join('\n'), /timers of collection 1: the tree comes back to/);
});

test('8.1 has such timers, and its profile not their layout: that is told', { skip: buildSkip('8.1 x64') }, async () => {
  const fake = await FakeWindows.of('8.1 x64');
  assert.match((await rowsOf(sessionOn(fake.kernel()), timers)).run.notes.join('\n'), /^Timers made by ExAllocateTimer are not listed: /m);
});
