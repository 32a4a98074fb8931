import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ssdt } from '../../../plugins/windows/ssdt.js';
import { Absent } from '../../../src/memory/absent.js';
import type { Session } from '../../../src/session/session.js';
import { PageTables } from '../../support/page-tables.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';
import { ForgedWindows, layoutSkip } from '../../support/windows-kernel.js';

const replica = replicaSkip ? undefined : await replicaSession();
after(() => replica?.close());

interface Service {
  readonly index: number;
  readonly name: string;
  readonly address: string;
  readonly module: string;
  readonly hooked: boolean;
  /** of all arguments; four of them are in registers */
  readonly stack_args: number;
}

test('the services of the replica, entry by entry, with the one that was replaced', { skip: replicaSkip }, async () => {
  const truth = replicaTruth<Service[]>('ssdt');
  const { rows, run } = await rowsOf(replica as Session, ssdt);
  assert.deepEqual(
    rows.map((row) => [row['entry'], row['target'], row['module'], row['hooked'], row['args']]),
    truth.map((one) => [one.index, BigInt(one.address), one.module, one.hooked, Math.max(0, one.stack_args - 4)]),
  );
  // Three functions that do nothing share their code with others.
  const named = rows.filter((row, index) => row['symbol'] === `nt!${truth[index]?.name}`);
  assert.ok(named.length >= 398, `${named.length}`);
  const hooked = await rowsOf(replica as Session, ssdt, { hooked: true });
  assert.deepEqual(hooked.rows.map((row) => [row['entry'], row['comment']]), [[50, 'in kdcom.dll instead of the kernel']]);
  assert.ok(run.notes.some((note) => /win32k's table at 0xfffff96000042000 .* is in the memory of no session/.test(note)));
});

/** Processes on the active list, with their threads. */
function processes(forge: ForgedWindows, all: readonly { readonly name: string; readonly pid: number; readonly dtb: number; readonly session?: bigint; readonly threads?: readonly bigint[] }[]): void {
  const { image } = forge;
  const links = all.map(({ name, pid, dtb, session = 0n, threads = [] }) => {
    const process = image.room(forge.size('_EPROCESS'));
    forge.set('_EPROCESS', process, { 'Pcb.DirectoryTableBase': BigInt(dtb), UniqueProcessId: BigInt(pid), Session: session });
    image.write(forge.member('_EPROCESS', process, 'ImageFileName'), Buffer.from(name));
    const entries = threads.map((table, index) => {
      const thread = image.room(forge.size('_ETHREAD'));
      forge.set('_ETHREAD', thread, { 'Tcb.ServiceTable': table, 'Cid.UniqueThread': BigInt(index + 8), 'Cid.UniqueProcess': BigInt(pid) });
      return forge.member('_ETHREAD', thread, 'ThreadListEntry');
    });
    forge.link(forge.member('_EPROCESS', process, 'ThreadListHead'), ...entries);
    return forge.member('_EPROCESS', process, 'ActiveProcessLinks');
  });
  forge.link(forge.at('PsActiveProcessHead'), ...links);
}

test('x86: addresses, bytes of arguments, a table of a thread, a table that was moved', { skip: layoutSkip('xp') }, async () => {
  const forge = await ForgedWindows.of('xp');
  const { image } = forge;
  const own = forge.at('KiServiceTable');
  const [moved, counts, hidden] = [image.room(16), image.room(4), image.room(64)];
  const descriptor = (at: bigint, base: bigint, limit: number, argumentTable: bigint): void => {
    for (const [index, value] of [base, 0n, BigInt(limit), argumentTable].entries()) image.pointer(at + BigInt(index * 4), value);
  };
  forge.modules([
    { name: 'ntoskrnl.exe', base: forge.base, size: 0x214000 },
    { name: 'win32k.sys', base: 0xbf800000n, size: 0x1c0000 },
    { name: 'spud.sys', base: 0xf7000000n, size: 0x8000 },
  ]);
  for (const [index, target] of [forge.at('NtClose'), 0xf7000010n, 0x1000n].entries()) image.pointer(own + BigInt(index * 4), target);
  image.write(counts, Buffer.from([4, 0x2c, 0]));
  image.pointer(moved, forge.at('NtClose'));
  image.pointer(0xbf999000n, 0xbf800100n);
  image.pointer(0xbf999004n, forge.at('NtClose'));
  // Four descriptors: XP's fourth is empty, the third another driver's.
  descriptor(forge.at('KeServiceDescriptorTable'), own, 3, counts);
  descriptor(forge.at('KeServiceDescriptorTableShadow'), own, 3, counts);
  descriptor(forge.at('KeServiceDescriptorTableShadow') + 16n, 0xbf999000n, 2, counts);
  descriptor(hidden, moved, 1, counts);
  image.write(hidden + 16n, Buffer.alloc(48));
  processes(forge, [{ name: 'System', pid: 4, dtb: image.dtb, threads: [forge.at('KeServiceDescriptorTable'), hidden, hidden] }]);
  const { rows, run } = await rowsOf(forge.session(), ssdt);
  const shown = rows.map((row) => ['table', 'entry', 'target', 'module', 'args', 'hooked', 'comment'].map((column) => row[column]));
  assert.deepEqual(shown, [
    [0, 0, forge.at('NtClose'), 'ntoskrnl.exe', 1, false, null],
    [0, 1, 0xf7000010n, 'spud.sys', 11, true, 'in spud.sys instead of the kernel'],
    [0, 2, 0x1000n, null, 0, true, 'outside of all modules'],
    [1, 0, 0xbf800100n, 'win32k.sys', 1, false, null],
    [1, 1, forge.at('NtClose'), 'ntoskrnl.exe', 11, true, 'in ntoskrnl.exe instead of win32k'],
    [0, 0, forge.at('NtClose'), 'ntoskrnl.exe', 1, false, null],
  ]);
  assert.equal(rows[0]?.['symbol'], 'nt!NtClose');
  assert.match(String(rows[5]?.['divider']), /thread 9 of System/);
  assert.ok(run.notes.some((note) => note.startsWith('thread 9 of System has service tables of its own at 0x')));
  assert.deepEqual(rows.map((row) => row['number']), [0, 1, 2, 0x1000, 0x1001, 0]);
});

test('x64: entries of Server 2003 are not shifted; a table of another size than can be', { skip: layoutSkip('ten') }, async () => {
  const forge = await ForgedWindows.of('ten');
  const own = forge.at('KiServiceTable');
  forge.modules([{ name: 'ntoskrnl.exe', base: forge.base, size: 0x1046000 }]);
  const names = ['NtClose', 'NtOpenFile', 'NtCreateFile'] as const;
  const write = (shift: boolean): void => {
    for (const [index, name] of names.entries()) {
      const distance = Number(forge.at(name) - own);
      forge.put(own + BigInt(index * 4), 4, (shift ? distance * 16 : distance & ~15) + index);
    }
  };
  const table = forge.at('KeServiceDescriptorTable');
  for (const name of ['', 'Shadow', 'Filter']) forge.image.write(forge.at(`KeServiceDescriptorTable${name}`), Buffer.alloc(64));
  forge.image.pointer(table, own);
  forge.put(table + 16n, 4, 3);
  processes(forge, []);
  write(true);
  let found = await rowsOf(forge.session(), ssdt);
  assert.deepEqual(found.rows.map((row) => [row['target'], row['symbol'], row['args']]), names.map((name, index) => [forge.at(name), `nt!${name}`, index]));
  assert.ok(found.run.notes.includes('win32k has not brought its table: nt!KeServiceDescriptorTableShadow has none of number 1.'));
  write(false);
  found = await rowsOf(forge.session(), ssdt);
  assert.deepEqual(found.rows.map((row) => row['target']), names.map((name) => forge.at(name) & ~15n));
  forge.put(table + 16n, 4, 0xffffffff);
  found = await rowsOf(forge.session(), ssdt);
  assert.equal(found.rows.length, 4096);
  assert.ok(found.run.notes.some((note) => note.includes('states 4294967295 services')));
  assert.ok(found.rows.some((row) => row['target'] instanceof Absent), 'what is not mapped says so');
});

test("win32k's table is read in a session's space, once for all sessions that have the same", { skip: layoutSkip('ten') }, async () => {
  const forge = await ForgedWindows.of('ten');
  const { image } = forge;
  const [session, table] = [0xffffa08000000000n, 0xffffa08000010000n];
  forge.modules([
    { name: 'ntoskrnl.exe', base: forge.base, size: 0x1046000 },
    { name: 'win32k.sys', base: table, size: 0x80000 },
  ]);
  const shadow = forge.at('KeServiceDescriptorTableShadow');
  image.pointer(shadow + 32n, table);
  forge.put(shadow + 48n, 4, 2);
  const roots = [1, 2, 3].map((id) => {
    const tables = new PageTables('amd64', image.frames);
    const [own, code] = [image.frames.fresh(1), image.frames.fresh(1)];
    tables.map(session, own * 4096, {});
    tables.map(table, code * 4096, {});
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(0x100 * 16 + 1, 0);
    // The third session's second entry leads elsewhere.
    bytes.writeInt32LE((id === 3 ? -0x1000 : 0x200) * 16, 4);
    image.frames.write(code * 4096, bytes);
    const number = Buffer.alloc(4);
    number.writeUInt32LE(id);
    image.frames.write(own * 4096 + Number(forge.member('_MM_SESSION_SPACE', 0n, 'SessionId')), number);
    return tables.root;
  });
  processes(forge, [{ name: 'System', pid: 4, dtb: image.dtb }, ...roots.map((dtb, index) => ({ name: 'csrss.exe', pid: 400 + index, dtb, session }))].map((one) => ({ ...one, threads: [] })));
  const { rows } = await rowsOf(forge.session(), ssdt);
  assert.deepEqual(rows.map((row) => [row['session'], row['entry'], row['target'], row['hooked']]), [
    [1, 0, table + 0x100n, false],
    [1, 1, table + 0x200n, false],
    [3, 0, table + 0x100n, false],
    [3, 1, table - 0x1000n, true],
  ]);
});
