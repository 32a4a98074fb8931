import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
import { rowsOf } from '../support/sample.js';
import { replicaPath, replicaSession, replicaSkip } from '../support/windows.js';

/**
 * The same Windows image seen by Volatility 3, run here and now with a symbol file made of the very profile that we use: only the image and
 * the layouts are common to the two.
 */
const peer = peerCommand();
const skip = replicaSkip || (peer ? false : 'no Volatility 3: set REKALL_VOL3 to its command');
const folder = mkdtempSync(join(tmpdir(), 'rekall-peer-'));
const session = skip === false ? await replicaSession() : undefined;
after(() => {
  session?.close();
  rmSync(folder, { recursive: true, force: true });
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

async function theirs(plugin: string): Promise<readonly Theirs[]> {
  const [program = '', ...words] = peer ?? [];
  const child = spawn(program, [...words, '-q', '-s', folder, '-r', 'json', '-f', await replicaPath(), plugin], { stdio: ['ignore', 'pipe', 'ignore'] });
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
const pid = (row: Row): number => Number(process(row).$get('UniqueProcessId'));

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
  const mine = (await ours('pslist', listed)).map((row) => [at(process(row)), pid(row), row['ppid'], row['thread_count'], row['wow64']]);
  const other = (await theirs('windows.pslist')).map((row) => [low48(row['Offset(V)']), row['PID'], row['PPID'], row['Threads'], row['Wow64']]);
  same(mine, other);
});

test('modules', { skip }, async () => {
  const mine = (await ours('modules')).map((row) => [at(row['_LDR_DATA_TABLE_ENTRY']), low48(row['base']), row['size'], row['name'], row['path']]);
  const other = (await theirs('windows.modules')).map((row) => [low48(row['Offset']), low48(row['Base']), row['Size'], row['Name'], row['Path']]);
  same(mine, other);
});

test('vad', { skip }, async () => {
  const mine = (await ours('vad', listed)).map((row) => [pid(row), at(row['VAD']), low48(row['start']), low48(row['end']), row['protect'], row['filename'] ?? null]);
  const other = (await theirs('windows.vadinfo')).map((row) => [row['PID'], low48(row['Offset']), low48(row['Start VPN']), low48(row['End VPN']), String(row['Protection']).replace('PAGE_', ''), row['File']]);
  same(mine, other);
});

test('handles', { skip }, async () => {
  const mine = (await ours('handles', listed)).map((row) => [pid(row), row['handle'], row['obj_type'], row['access']]);
  const other = (await theirs('windows.handles')).map((row) => [row['PID'], row['HandleValue'], row['Type'], row['GrantedAccess']]);
  same(mine, other);
});

test('dlllist', { skip }, async () => {
  const mine = (await ours('dlllist', listed)).map((row) => [pid(row), low48(row['base']), row['size'], row['dll_path']]);
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
