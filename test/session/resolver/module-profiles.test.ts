import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { dt } from '../../../plugins/general/dt.js';
import { addressResolver } from '../../../plugins/general/resolve.js';
import { loadProfile } from '../../../plugins/windows/load_profile.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { guidAge } from '../../../src/kernel/windows/find/rsds.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { PluginError } from '../../../src/plugin/error.js';
import { PeNames } from '../../../src/session/resolver/pe-names.js';
import type { Session } from '../../../src/session/session.js';
import { processContext } from '../../../src/session/spaces.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import { Shell } from '../../../src/console/shell.js';
import { Screen } from '../../support/console.js';
import { temporary } from '../../support/folder.js';
import { localServer } from '../../support/http-server.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { pressTab } from '../../support/tab.js';
import { replicaSession, replicaSkip as skip } from '../../support/windows.js';

/** Profiles of real modules, put under the GUIDs that the forged ones have. */
const TCPIP = sharedData('profiles', 'v1.0', 'tcpip', 'GUID', '9EFE92FF052D4253ADA74F2DF6B4AB662.gz').path;
const NTDLL = sharedData('profiles', 'v1.0', 'ntdll', 'GUID', '95A17EE52D5A4DD8A4BBC97682091AD62.gz').path;
const folder = temporary();

/** GUID and age of a module of the forged image. */
async function keyOf(session: Session, name: string, pid?: number): Promise<string> {
  const kernel = (await session.kernel()) as WindowsKernel;
  const names = (await session.resolver(pid === undefined ? null : processContext(kernel, pid))).moduleNamed(name);
  assert.ok(names instanceof PeNames && names.debug, name);
  return guidAge(names.debug);
}

async function keys(): Promise<{ tcpip: string; ntdll: string }> {
  const session = await replicaSession();
  const found = { tcpip: await keyOf(session, 'tcpip'), ntdll: await keyOf(session, 'ntdll', 444) };
  session.close();
  return found;
}

const own = skip ? { tcpip: '', ntdll: '' } : await keys();
const profiles = sharedData('profiles').path;
const repository = join(folder, 'repository');
if (!skip) {
  for (const [from, name] of [[TCPIP, `tcpip/GUID/${own.tcpip}`], [NTDLL, `ntdll/GUID/${own.ntdll}`]] as const) {
    const to = join(repository, 'v1.0', `${name}.gz`);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
}
const opened = (parameters: Record<string, unknown> = {}): Promise<Session> => replicaSession({ repository_path: [profiles, repository], ...parameters });

test('every name of a driver comes from the profile of its GUID, there and back', { skip }, async () => {
  const session = await opened();
  const truth: ProfileSource = await openProfileFile(TCPIP);
  const resolver = await session.resolver(null);
  const names = resolver.moduleNamed('tcpip.sys');
  assert.ok(names);
  let count = 0;
  for (const [name, offset] of truth.constants.entries()) {
    assert.equal(names.lookup(name), names.start + offset, name);
    // What lies behind the end of the forged image has no way back.
    if (names.start + offset < names.end) assert.ok(names.at(names.start + offset).some((symbol) => symbol.name === name), name);
    count++;
  }
  assert.ok(count > 7000, `${count}`);
  const address = await resolver.address('tcpip!PartitionTable');
  assert.equal(resolver.name(address), 'tcpip!PartitionTable');
  assert.ok(resolver.complete('tcpip!Partition').includes('tcpip!PartitionTable'));
  session.close();
});

test('types of a library: its own where its profile has some, those of the kernel where it has none', { skip }, async () => {
  const session = await opened();
  const { rows } = await rowsOf(session, dt, { target: 'ntdll!_PEB_LDR_DATA', address_space: 'pid@444' });
  const truth = (await openProfileFile(NTDLL)).types.struct('_PEB_LDR_DATA');
  assert.deepEqual(
    rows.map((row) => [row['field'], row['offset']]),
    [...(truth?.members ?? [])].map(([name, { offset }]) => [name, offset]),
  );
  assert.ok(rows.length >= 9);
  // The kernel's profile is another build's; a module without types has its types.
  const { rows: own64 } = await rowsOf(session, dt, { target: 'tcpip!_LIST_ENTRY' });
  assert.deepEqual(own64.map((row) => row['field']), ['Flink', 'Blink']);
  await assert.rejects(rowsOf(session, dt, { target: 'ntdll!_PEB' }), /No module ntdll with types here.*process context/);
  session.close();
});

test('TAB: names of the kernel under each of its names, of drivers by their profile, types of libraries in a process', { skip }, async () => {
  const session = await opened();
  await session.kernel();
  const screen = new Screen(false);
  const shell = new Shell(session, { output: screen, error: screen });
  try {
    assert.equal(await pressTab(shell, 'dis nt!PsSetLoa|'), 'dis nt!PsSetLoadImageNotifyRoutine |');
    assert.equal(await pressTab(shell, 'dis ntoskrnl.exe!PsSetLoa|'), 'dis ntoskrnl.exe!PsSetLoadImageNotifyRoutine |');
    assert.ok((await pressTab(shell, 'dis nt!PsSet|')).includes('nt!PsSetLoadImageNotifyRoutine'));
    assert.equal(await pressTab(shell, 'dis tcpip!PartitionT|'), 'dis tcpip!PartitionTable |');
    assert.equal(await pressTab(shell, 'dt nt!_EPROC|'), 'dt nt!_EPROCESS |');
    assert.ok((await pressTab(shell, 'load_profile tcp|')).includes('tcpip'));
    await shell.execute('cc 444');
    assert.equal(await pressTab(shell, 'dt ntdll!_PEB_LDR|'), 'dt ntdll!_PEB_LDR_DATA |');
    assert.equal(await pressTab(shell, 'dis ntdll!NtCreateFi|'), 'dis ntdll!NtCreateFile |');
  } finally {
    shell.close();
    session.close();
  }
});

test('a server is asked for a module that is named, once, and for none that is not', { skip }, async () => {
  const server = await localServer({ [`/v1.0/tcpip/GUID/${own.tcpip}.gz`]: readFileSync(TCPIP) });
  const cache = join(folder, 'cache');
  try {
    const session = await opened({ repository_path: [profiles, server.url], cache: 'file', cache_dir: cache });
    await rowsOf(session, pslist);
    assert.equal(server.asked.length, 0, 'the list of processes needs no module');
    const resolver = await session.resolver(null);
    const { start } = resolver.moduleNamed('tcpip') ?? { start: 0n };
    assert.match(resolver.name(start + 0x1234n) ?? '', /^tcpip/);
    assert.equal(server.asked.length, 0, 'a name of an address waits for no server');
    assert.equal(await resolver.address('tcpip!PartitionTable'), start + ((await openProfileFile(TCPIP)).constants.get('PartitionTable') ?? 0n));
    assert.equal(server.asked.filter((path) => path.includes('tcpip')).length, 1);
    await assert.rejects(resolver.address('ndis!NoSuchName'));
    const count = server.asked.length;
    await assert.rejects(resolver.address('ndis!NoSuchName'));
    assert.equal(server.asked.length, count, 'what is not there is not asked for again');
    session.close();
    // What was fetched is in the cache: at hand, and offline.
    await server.close();
    const offline = await opened({ repository_path: [profiles, server.url], cache: 'file', cache_dir: cache, offline: true });
    const again = await offline.resolver(null);
    assert.equal(again.symbol('tcpip!PartitionTable'), await resolver.address('tcpip!PartitionTable'));
    offline.close();
  } finally {
    await server.close();
  }
});

test('offline no server is asked; exports are what is left', { skip }, async () => {
  const server = await localServer({});
  try {
    const session = await opened({ repository_path: [profiles, server.url], offline: true });
    const resolver = await session.resolver(null);
    const [first] = [...resolver.search('ndis!*')];
    assert.ok(first, 'its exports are names');
    await assert.rejects(resolver.address('tcpip!PartitionTable'));
    assert.equal(server.asked.length, 0);
    session.close();
  } finally {
    await server.close();
  }
});

test('load_profile tells what it took, takes a file, and says what is missing and how it is to be had', { skip }, async () => {
  const session = await opened();
  const { rows } = await rowsOf(session, loadProfile, { module_name: 'tcpip' });
  assert.deepEqual([rows[0]?.['module'], rows[0]?.['pdb'], rows[0]?.['guid'], rows[0]?.['symbols']], ['tcpip', 'tcpip.pdb', own.tcpip, 7188]);
  await assert.rejects(rowsOf(session, loadProfile, { module_name: 'ndis' }), (error) => {
    assert.ok(error instanceof PluginError);
    assert.match(error.message, /ndis\.pdb GUID [0-9A-F]{32} age \d/);
    assert.match(error.message, /repository/);
    for (const way of [/--repository_path .*ndis\/GUID\//, /load_profile ndis file=FILE/, /build_local_profile ndis/]) assert.match(error.message, way);
    return true;
  });
  await rowsOf(session, loadProfile, { module_name: 'ndis', file: TCPIP });
  const ndis = (await session.resolver(null)).moduleNamed('ndis');
  assert.equal(ndis?.lookup('PartitionTable'), ndis && ndis.start + 1630288n);
  const other = await rowsOf(session, loadProfile, { module_name: 'afd', guid: own.tcpip });
  assert.equal(other.rows[0]?.['symbols'], 7188, 'the GUID says which');
  await assert.rejects(rowsOf(session, loadProfile, { module_name: 'nowhere' }), /No module nowhere/);
  await assert.rejects(rowsOf(session, loadProfile, { module_name: 'tcpip', guid: 'xyz' }), /no GUID/);
  session.close();
});

test('a damaged profile of a module costs its names, not the command', { skip }, async () => {
  const damaged = join(folder, 'damaged');
  mkdirSync(join(damaged, 'tcpip/GUID'), { recursive: true });
  writeFileSync(join(damaged, `tcpip/GUID/${own.tcpip}.gz`), readFileSync(TCPIP).subarray(0, 5000));
  const session = await opened({ repository_path: [profiles, damaged] });
  const resolver = await session.resolver(null);
  const { start } = resolver.moduleNamed('tcpip') ?? { start: 0n };
  assert.match(resolver.name(start + 0x1000n) ?? '', /^tcpip/);
  const { rows } = await rowsOf(session, addressResolver, { symbol: ['tcpip'] });
  assert.equal(rows[0]?.['Offset'], start);
  session.close();
  assert.ok(readdirSync(damaged).length > 0);
});
