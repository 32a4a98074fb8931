import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Absent } from '../../src/memory/absent.js';
import type { WindowsKernel } from '../../src/kernel/windows/kernel.js';
import type { Struct } from '../../src/object/struct.js';
import type { Row } from '../../src/plugin/columns.js';
import type { Session } from '../../src/session/session.js';
import { profileParts } from '../../src/symbols/convert.js';
import { isfText } from '../../src/symbols/isf/write.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { writePieces } from '../../src/symbols/rekall/file.js';
import { peerCommand } from '../bench/measure.js';
import { temporary } from '../support/folder.js';
import { rowsOf } from '../support/sample.js';
import { replicaPath, replicaSession, replicaSkip } from '../support/windows.js';

/**
 * The same Windows image seen by Volatility 3, run here and now with a symbol file made of the very profile that we use: only the image and
 * the layouts are common to the two.
 */
const peer = peerCommand();
const skip = replicaSkip || (peer ? false : 'no Volatility 3: set REKALL_VOL3 to its command');
const folder = temporary();
const session = skip === false ? await replicaSession() : undefined;
after(() => {
  session?.close();
});

type Theirs = Readonly<Record<string, string | number | boolean | null>> & { readonly __children: readonly Theirs[] };

/** A symbol file by which Volatility finds the image's kernel. */
async function symbolFolder(of: Session): Promise<string> {
  const { location, profile } = (await of.kernel()) as WindowsKernel;
  const [guid, age] = [location.guid.slice(0, 32), parseInt(location.guid.slice(32), 16)];
  mkdirSync(join(folder, 'windows', location.pdb), { recursive: true });
  const parts = profileParts(await openProfileFile(profile.metadata.source));
  await writePieces(join(folder, 'windows', location.pdb, `${guid}-${age}.json.gz`), isfText({ ...parts, metadata: { ...parts.metadata, os: 'windows' } }, { database: location.pdb, guid, age }));
  return folder;
}

async function theirs(plugin: string, ...options: readonly string[]): Promise<readonly Theirs[]> {
  const [program = '', ...words] = peer ?? [];
  const child = spawn(program, [...words, '-q', '-s', folder, '-o', folder, '-r', 'json', '-f', await replicaPath(), plugin, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pieces: Buffer[] = [];
  for await (const piece of child.stdout) pieces.push(piece as Buffer);
  // Addresses of 64 bits lose digits as numbers.
  return JSON.parse(Buffer.concat(pieces).toString('utf8').replace(/: (\d{16,})(?=[,}])/g, ': "$1"')) as Theirs[];
}

async function ours(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<readonly Row[]> {
  return (await rowsOf(session as Session, await (session as Session).plugin(command), args)).rows;
}

/** Volatility prints 48 bits of an address, in some columns. */
const low48 = (address: unknown): string => `0x${(BigInt(address as bigint | number | string) & 0xffffffffffffn).toString(16)}`;
const at = (struct: unknown): string => low48((struct as Struct).$address);
const process = (row: Row): Struct => row['_EPROCESS'] as Struct;
/** To the second: Volatility prints no fractions. */
const second = (time: unknown): string | null => (time === null ? null : String(time).slice(0, 19));
const pid = (row: Row, column = '_EPROCESS'): number => Number((row[column] as Struct).$get('UniqueProcessId'));

/** The same rows, in whatever order; what one alone has is shown, a few of each. */
function same(mine: Iterable<readonly unknown[]>, other: Iterable<readonly unknown[]>): void {
  const texts = (rows: Iterable<readonly unknown[]>): string[] => [...rows].map((cells) => cells.map(String).join(' | ')).sort();
  const [one, two] = [texts(mine), texts(other)];
  const [known, wanted] = [new Set(one), new Set(two)];
  assert.deepEqual({ ours: one.filter((row) => !wanted.has(row)).slice(0, 10), theirs: two.filter((row) => !known.has(row)).slice(0, 10) }, { ours: [], theirs: [] });
  assert.equal(one.length, two.length);
  assert.ok(one.length > 0);
}

if (skip === false) await symbolFolder(session as Session);
/** Volatility follows PsActiveProcessHead alone. */
const listed = { method: ['PsActiveProcessHead'] };

test('pslist', { skip }, async () => {
  const mine = (await ours('pslist', listed)).map((row) => [at(process(row)), pid(row), row['name'], row['ppid'], row['thread_count'], row['handle_count'], row['session_id'], row['wow64'], second(row['process_create_time']), second(row['process_exit_time'])]);
  const other = (await theirs('windows.pslist')).map((row) => [low48(row['Offset(V)']), row['PID'], row['ImageFileName'], row['PPID'], row['Threads'], row['Handles'], row['SessionId'], row['Wow64'], second(row['CreateTime']), second(row['ExitTime'])]);
  same(mine, other);
});

test('pstree, with the three ways in which a program is named', { skip }, async () => {
  const nested = (rows: readonly Theirs[]): Theirs[] => rows.flatMap((row) => [row, ...nested(row.__children)]);
  const mine = (await ours('pstree', listed)).map((row) => [pid(row), row['hnd_count'], second(row['create_time']), ...['cmd', 'path', 'audit'].map((name) => (row[name] instanceof Absent ? null : row[name] || null))]);
  const other = nested(await theirs('windows.pstree')).map((row) => [row['PID'], row['Handles'], second(row['CreateTime']), ...['Cmd', 'Path', 'Audit'].map((name) => row[name] || null)]);
  same(mine, other);
});

test('modules', { skip }, async () => {
  const mine = (await ours('modules')).map((row) => [at(row['_LDR_DATA_TABLE_ENTRY']), low48(row['base']), row['size'], row['name'], row['path']]);
  const other = (await theirs('windows.modules')).map((row) => [low48(row['Offset']), low48(row['Base']), row['Size'], row['Name'], row['Path']]);
  same(mine, other);
});

/** Volatility prints 2^51 - 1 where we say -1. */
const committed = (pages: unknown): number => (Number(pages) > 0x7fffffff ? -1 : Number(pages));

test('vad', { skip }, async () => {
  const mine = (await ours('vad', listed)).map((row) => [pid(row), at(row['VAD']), low48(row['start']), low48(row['end']), row['protect'], row['filename'] ?? null, row['tag'], row['type'] === 'Private', row['com']]);
  const other = (await theirs('windows.vadinfo')).map((row) => [row['PID'], low48(row['Offset']), low48(row['Start VPN']), low48(row['End VPN']), String(row['Protection']).replace('PAGE_', ''), row['File'], row['Tag'], row['PrivateMemory'] === 1, committed(row['CommitCharge'])]);
  same(mine, other);
});

test('handles', { skip }, async () => {
  // What processes and threads are called differs; Volatility leaves the root of the registry out.
  const name = (type: unknown, text: unknown): string => (type === 'Process' || type === 'Thread' ? '' : String(text ?? '').replace(/^\\REGISTRY\\/, ''));
  const mine = (await ours('handles', listed)).map((row) => [pid(row), row['handle'], row['obj_type'], row['access'], name(row['obj_type'], row['details'])]);
  const other = (await theirs('windows.handles')).map((row) => [row['PID'], row['HandleValue'], row['Type'], row['GrantedAccess'], name(row['Type'], row['Name'])]);
  same(mine, other);
});

test('pages of a process, and what is written of them', { skip }, async () => {
  const [listing, ...more] = await theirs('windows.memmap', '--pid', '208');
  const pages = (listing?.__children.length ? listing.__children : [listing as Theirs, ...more]).filter((row) => Number(row['Virtual']) < 2 ** 47);
  const mine = new Map((await ours('memmap', { pids: [208] })).map((row) => [Number(row['offset_v']), row['offset_p']]));
  assert.ok(pages.length > 20);
  // It follows no prototypes; ours has their pages besides.
  for (const row of pages) assert.equal(mine.get(Number(row['Virtual'])), Number(row['Physical']), low48(row['Virtual']));
  await theirs('windows.vadinfo', '--pid', '208', '--dump');
  let compared = 0;
  for (const row of await ours('vaddump', { pids: [208], dump_dir: folder })) {
    const other = readFileSync(join(folder, `pid.208.vad.0x${(row['start'] as bigint).toString(16)}-0x${(row['end'] as bigint).toString(16)}.dmp`));
    const file = row['filename'] === null ? Buffer.alloc(other.length) : readFileSync(String(row['filename']));
    assert.equal(file.length, other.length);
    for (let at = 0; at < file.length; at += 4096) {
      const [one, two] = [file.subarray(at, at + 4096), other.subarray(at, at + 4096)];
      if (two.some((byte) => byte !== 0)) assert.ok(one.equals(two), `${String(row['filename'])} +0x${at.toString(16)}`);
      if (two.some((byte) => byte !== 0)) compared++;
    }
  }
  assert.ok(compared > 15);
});

test('dlllist', { skip }, async () => {
  // Volatility reads the loader of 64 bits alone; ours shows what that of 32 has as well.
  const mine = (await ours('dlllist', listed)).filter((row) => row['wow64'] !== true).map((row) => [pid(row), low48(row['base']), row['size'], row['dll_path']]);
  const other = (await theirs('windows.dlllist')).map((row) => [row['PID'], low48(row['Base']), row['Size'], row['Path']]);
  same(mine, other);
});

test('threads', { skip }, async () => {
  const mine = (await ours('threads', listed)).map((row) => [at(row['_ETHREAD']), row['pid'], row['tid']]);
  const other = (await theirs('windows.threads')).map((row) => [low48(row['Offset']), row['PID'], row['TID']]);
  same(mine, other);
});

test('command lines and environments', { skip }, async () => {
  const mine = (await ours('cmdline', listed)).map((row) => [pid(row), row['command_line'] ?? null]).filter(([, line]) => line !== null && !(line instanceof Absent));
  const other = (await theirs('windows.cmdline')).filter((row) => !String(row['Args']).startsWith('Required memory')).map((row) => [row['PID'], row['Args']]);
  same(mine, other);
  const variables = (await ours('envars', listed)).map((row) => [pid(row), row['variable'], row['value']]);
  const others = (await theirs('windows.envars')).map((row) => [row['PID'], row['Variable'], row['Value']]);
  same(variables, others);
});

test('tokens and privileges', { skip }, async () => {
  const sids = (await ours('tokens', listed)).map((row) => [pid(row, 'Process'), row['Sid']]);
  same(sids, (await theirs('windows.getsids')).filter((row) => String(row['SID']).startsWith('S-')).map((row) => [row['PID'], row['SID']]));
  const held = (await ours('privileges', listed)).map((row) => [pid(row, 'Process'), row['Value'], row['Privileges'], String(row['Attributes']).replaceAll(', ', ',')]);
  // Volatility lists those that are not present as well.
  const others = (await theirs('windows.privileges')).filter((row) => String(row['Attributes']).includes('Present'));
  same(held, others.map((row) => [row['PID'], row['Value'], row['Privilege'], row['Attributes']]));
});

test('system services', { skip }, async () => {
  const mine = (await ours('ssdt')).filter((row) => row['table'] === 0).map((row) => [row['entry'], low48(row['target'])]);
  // Of several names at one address Volatility makes a row each.
  const other = new Map((await theirs('windows.ssdt')).map((row) => [row['Index'], low48(row['Address'])]));
  same(mine, other);
});

test("drivers' functions", { skip }, async () => {
  const name = (full: unknown): string => String(full).split('\\').at(-1) ?? '';
  const mine = (await ours('driverirp', { all: true })).map((row) => [name(row['driver_name']), row['function'], low48(row['func_addres'])]);
  const other = (await theirs('windows.driverirp')).map((row) => [row['Driver Name'], row['IRP'], low48(row['Address'])]);
  same(mine, other);
});

test('drivers that have devices', { skip }, async () => {
  // Volatility 2.11 ends each chain of devices behind the first.
  const drivers = (await ours('devicetree')).filter((row) => row['Type'] === 'DRV').map((row) => [String(row['Name']).split('\\').at(-1)]);
  same(drivers, (await theirs('windows.devicetree')).filter((row) => row['Type'] === 'DRV').map((row) => [row['DriverName']]));
});

test('drivers that were unloaded', { skip }, async () => {
  const mine = (await ours('unloaded_modules')).map((row) => [row['name'], row['start'], row['end']]);
  same(mine, (await theirs('windows.unloadedmodules')).map((row) => [row['Name'], row['StartAddress'], row['EndAddress']]));
});

test('sessions of processes', { skip }, async () => {
  // The process that hides from PsActiveProcessHead is on its session's list.
  const hidden = new Set((await ours('pslist')).map((row) => pid(row)));
  for (const row of await ours('pslist', listed)) hidden.delete(pid(row));
  assert.ok(hidden.size > 0);
  const seen = (await ours('sessions')).filter((row) => typeof row['pid'] === 'number' && !hidden.has(row['pid']));
  const mine = seen.map((row) => [row['session_id'], row['pid']]);
  same(mine, (await theirs('windows.sessions')).filter((row) => row['Session ID'] !== null).map((row) => [row['Session ID'], row['Process ID']]));
});

test('control regions of the processors', { skip }, async () => {
  const mine = (await ours('kpcr')).filter((row) => /^Offset|^KPRCB/.test(String(row['property']))).map((row) => [low48(row['value'])]);
  same(mine, (await theirs('windows.kpcrs')).flatMap((row) => [[low48(row['Offset'])], [low48(row['PRCB Offset'])]]));
});

test('callbacks', { skip }, async () => {
  // What it finds by symbols. It takes the Component of a reason's record from where wdm.h has the Reason, on x64 only: left out.
  const BY_SYMBOL = /^(?:Psp|KeBugCheck|CmRegisterCallback)/;
  const said = (type: string, details: unknown): string => (type.includes('Reason') ? '' : String(details ?? '').toLowerCase().replace('altitude: ', 'altitude '));
  const other = (await theirs('windows.callbacks'))
    .filter((row) => BY_SYMBOL.test(String(row['Type'])))
    .map((row) => {
      const type = String(row['Type']).replace('CmRegisterCallbackEx', 'CallbackListHead');
      return [type, low48(row['Callback']), String(row['Module'] ?? '-').replace('ntoskrnl', 'nt').toLowerCase(), said(type, row['Detail'])];
    });
  const mine = (await ours('callbacks'))
    .map((row) => [String(row['type']).replace('nt!', ''), row] as const)
    .filter(([type]) => BY_SYMBOL.test(type) || type === 'CallbackListHead')
    .map(([type, row]) => [type, low48(row['callback']), String(row['module'] ?? '-').toLowerCase(), said(type, row['details'])]);
  same(mine, other);
});

test('callbacks of all lists, by address', { skip }, async () => {
  // Volatility 2.11 knows some of the lists, and names those of one kind by the function that fills them.
  const known = new Set((await ours('callbacks')).map((row) => low48(row['callback'])));
  // Of a list of shutdown routines Volatility takes the head for a record: an address in no kernel.
  const callbacks = (await theirs('windows.callbacks')).filter((row) => (BigInt(row['Callback'] as number) & 0x800000000000n) !== 0n);
  assert.ok(callbacks.length > 20);
  for (const row of callbacks) assert.ok(known.has(low48(row['Callback'])), `${String(row['Type'])} ${low48(row['Callback'])}`);
});

test('regions that may hold injected code', { skip }, async () => {
  const mine = (await ours('malfind', listed)).map((row) => [pid(row), low48(row['start']), low48(row['end'])]);
  same(mine, (await theirs('windows.malfind')).map((row) => [row['PID'], low48(row['Start VPN']), low48(row['End VPN'])]));
});

test("the loader's lists beside what is mapped", { skip }, async () => {
  // Left out: where there is no PEB, or not in memory (Volatility says that no list has it), what has no file (it shows some), and what the lists of the
  // 32-bit loader have (it reads those of 64 bits alone).
  const known = await ours('ldrmodules', listed);
  const key = (process: unknown, base: unknown): string => `${String(process)} ${low48(base)}`;
  const unreadable = new Set(known.filter((row) => row['in_load'] === null || row['in_load'] instanceof Absent).map((row) => pid(row)));
  assert.ok(unreadable.size < 8);
  const apart = new Set(known.filter((row) => row['wow64'] === true || row['mapped'] === null || row['mapped'] instanceof Absent).map((row) => key(pid(row), row['base'])));
  const shown = known.filter((row) => !unreadable.has(pid(row)) && !apart.has(key(pid(row), row['base'])));
  const other = (await theirs('windows.ldrmodules')).filter((row) => !unreadable.has(Number(row['Pid'])) && !apart.has(key(row['Pid'], row['Base'])));
  assert.ok(shown.length > 1000);
  same(shown.map((row) => [pid(row), low48(row['base']), row['in_load'], row['in_init'], row['in_mem']]), other.map((row) => [row['Pid'], low48(row['Base']), row['InLoad'], row['InInit'], row['InMem']]));
});

test('imageinfo', { skip }, async () => {
  const told = new Map((await theirs('windows.info')).map((row) => [row['Variable'], String(row['Value'])]));
  const mine = new Map((await ours('imageinfo')).map((row) => [row['key'], String(row['value'])]));
  assert.deepEqual(
    [low48(mine.get('Kernel base')), mine.get('Kernel DTB'), mine.get('Processors'), mine.get('NtSystemRoot'), mine.get('Time (UTC)')?.slice(0, 19)],
    [low48(told.get('Kernel Base')), told.get('DTB'), told.get('KeNumberProcessors'), told.get('NtSystemRoot'), told.get('SystemTime')?.slice(0, 19).replace(' ', 'T')],
  );
});

test('sources of processes', { skip }, async () => {
  // What only its search of physical memory finds stands in rows of its own, with physical addresses; the process that is on no list it never asks, nor one that csrss alone knows.
  const other = (await theirs('windows.psxview')).filter((row) => row['pslist'] === true || row['csrss'] === true || row['thrdscan'] === true);
  const known = new Set(other.map((row) => low48(row['Offset(Virtual)'])));
  const mine = (await ours('psxview')).filter((row) => known.has(at(process(row))));
  assert.ok(mine.length > 30);
  same(
    mine.map((row) => [at(process(row)), pid(row), row['PsActiveProcessHead'], row['CSRSS'], row['Thrdproc']]),
    other.map((row) => [low48(row['Offset(Virtual)']), row['PID'], row['pslist'], row['csrss'], row['thrdscan']]),
  );
});
