import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { grep } from '../../../plugins/general/grep.js';
import { vtop } from '../../../plugins/general/vtop.js';
import { versionScan } from '../../../plugins/general/version_scan.js';
import { cmdline, envars } from '../../../plugins/windows/cmdline.js';
import { dlllist } from '../../../plugins/windows/dlllist.js';
import { handles } from '../../../plugins/windows/handles.js';
import { modules } from '../../../plugins/windows/modules.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { pstree } from '../../../plugins/windows/pstree.js';
import { threads } from '../../../plugins/windows/threads.js';
import { unloadedModules } from '../../../plugins/windows/unloaded_modules.js';
import { vad } from '../../../plugins/windows/vad.js';
import { Shell } from '../../../src/console/shell.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Timestamp } from '../../../src/object/time.js';
import type { Row } from '../../../src/plugin/columns.js';
import { prepareInSession } from '../../../src/query/session/statements.js';
import { Screen } from '../../support/console.js';
import { rowsOf } from '../../support/sample.js';
import { pressTab } from '../../support/tab.js';
import { sampleSession, sampleTruth } from '../../support/windows-sample.js';

/** The forged sample that is committed, table by table, against what the forge meant. Volatility 3 reads the same there (fixtures/windows-sample/README.md). */
const session = sampleSession();
const truth = sampleTruth();
after(() => session.close());
const all = { method: METHODS };
const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown> = {}): Promise<readonly Row[]> => (await rowsOf(session, plugin, args)).rows;
const address = (cell: unknown): bigint => (cell as Struct).$address;
const pid = (cell: unknown): number | undefined => describeStruct(cell as Struct).pid;
/** In the order of their ids, in which commands list them. */
const ordered = [...truth.processes].sort((one, other) => one.pid - other.pid);
const living = ordered.filter(({ exited }) => exited === null);

test('the profile beside the image is found without being named', async () => {
  const kernel = await session.kernel();
  assert.equal(kernel.banner, '7600.16385.amd64fre.win7_forge.260101-0000');
});

test('processes, and which method knows each', async () => {
  const found = await rows(pslist, all);
  assert.equal(found.length, truth.processes.length);
  // Who has a handle to a process: csrss, and others.
  const opened = (by: (name: string) => boolean): Set<string> =>
    new Set(truth.handles.filter(({ pid: owner, type }) => type === 'Process' && truth.processes.some((one) => one.pid === owner && !one.unlinked && by(one.name))).map(({ object }) => object));
  const csrss = opened((name) => name === 'csrss.exe');
  const others = opened(() => true);
  for (const process of truth.processes) {
    const row = found.find((one) => address(one['_EPROCESS']) === BigInt(process.eprocess));
    assert.ok(row, process.name);
    assert.deepEqual([describeStruct(row['_EPROCESS'] as Struct).name, pid(row['_EPROCESS'])], [process.name, process.pid]);
    assert.deepEqual([row['ppid'], row['thread_count'], row['session_id']], [process.ppid, process.threads.length, process.session], process.name);
    assert.equal((row['process_create_time'] as Timestamp).ns, BigInt(Date.parse(process.created)) * 1000000n, process.name);
    assert.deepEqual(
      [row['PsActiveProcessHead'], row['CSRSS'], row['PspCidTable'], row['Sessions'], row['Handles']],
      [!process.unlinked, csrss.has(process.eprocess), process.exited === null, process.session !== null, others.has(process.eprocess)],
      process.name,
    );
  }
  const unlinked = found.filter((row) => row['PsActiveProcessHead'] === false).map((row) => pid(row['_EPROCESS']));
  assert.deepEqual(unlinked, [1512]);
});

test('the tree of processes', async () => {
  const depths = new Map((await rows(pstree, all)).map((row) => [pid(row['_EPROCESS']), row.$depth ?? 0]));
  assert.equal(depths.size, truth.processes.length);
  const depth = (id: number): number => {
    const parent = truth.processes.find((one) => one.pid === truth.processes.find((other) => other.pid === id)?.ppid);
    return parent ? depth(parent.pid) + 1 : 0;
  };
  for (const process of truth.processes) assert.equal(depths.get(process.pid), depth(process.pid), process.name);
});

test('modules of the kernel', async () => {
  const found = (await rows(modules)).map((row) => [row['name'], row['base'], row['size'], row['path'], address(row['_LDR_DATA_TABLE_ENTRY'])]);
  assert.deepEqual(found, truth.modules.map((one) => [one.name, BigInt(one.base), Number(one.size), one.path, BigInt(one.ldr_entry)]));
});

test('libraries, command lines and environments; one PEB is in the page file', async () => {
  const libraries = (await rows(dlllist, all)).map((row) => [pid(row['_EPROCESS']), row['base'], row['size'], row['dll_path']]).filter(([, base]) => typeof base === 'bigint');
  const readable = living.filter(({ command_line: line }) => line !== null);
  assert.deepEqual(libraries, readable.flatMap((process) => process.dlls.map((one) => [process.pid, BigInt(one.base), Number(one.size), one.path])));
  const lines = new Map((await rows(cmdline, all)).map((row) => [pid(row['_EPROCESS']), row['command_line']]));
  for (const process of readable) assert.equal(lines.get(process.pid), process.command_line);
  const variables = await rows(envars, all);
  for (const process of readable) {
    const own = variables.filter((row) => pid(row['_EPROCESS']) === process.pid && row['variable'] !== '=::').map((row) => [row['variable'], row['value']]);
    assert.deepEqual(own, Object.entries(process.environment ?? {}), process.name);
  }
  assert.equal(variables.filter((row) => pid(row['_EPROCESS']) === 1388 && typeof row['value'] === 'string').length, 0);
});

test('regions of all processes', async () => {
  const found = await rows(vad, all);
  const expected = ordered.flatMap(({ vads, pid: owner }) => vads.map((one) => [owner, BigInt(one.vad), BigInt(one.start), BigInt(one.end), one.level, one.protection, one.commit, one.private, one.image, one.file]));
  assert.deepEqual(
    found.map((row) => [pid(row['_EPROCESS']), address(row['VAD']), row['start'], row['end'], row['lev'], row['protect'], row['com'], row['type'] === 'Private', row['exe'] === 'Exe', row['filename']]),
    expected,
  );
});

test('handles of all processes', async () => {
  const found = await rows(handles, all);
  assert.deepEqual(
    found.map((row) => [pid(row['_EPROCESS']), Number(row['handle']), row['obj_type'], row['details'], Number(row['access'])]).map(String).sort(),
    truth.handles.map((one) => [one.pid, Number(one.handle), one.type, one.name, Number(one.access)]).map(String).sort(),
  );
});

test('threads of all processes', async () => {
  const found = await rows(threads, all);
  assert.deepEqual(
    found.map((row) => [address(row['_ETHREAD']), row['pid'], row['tid'], row['start'], row['win32_start']]),
    ordered.flatMap((process) => process.threads.map((one) => [BigInt(one.ethread), process.pid, one.tid, BigInt(one.start), BigInt(one.win32_start)])),
  );
});

test('debug records of the kernel and of libraries', async () => {
  const found = await rows(versionScan, { name_regex: /ntkrnl/ });
  assert.deepEqual(found.map((row) => row['pdb']), ['ntkrnlmp.pdb']);
});

test('a shared page of ntdll is where the forge put it, in every process that maps it', async () => {
  const page = truth.ptov.find(({ file, page: number }) => file === '\\Windows\\System32\\ntdll.dll' && number === 1);
  assert.ok(page && page.valid_in.length > 8);
  for (const { pid: owner, va } of page.valid_in.slice(0, 4)) {
    const process = truth.processes.find((one) => one.pid === owner);
    const shell = new Shell(session, { output: new Screen(false), error: new Screen(false) });
    if (process?.unlinked === true) continue;
    assert.equal(await shell.execute(`cc ${owner}`), 'done');
    const last = (await rows(vtop, { virtual_address: BigInt(va) })).at(-1);
    assert.equal(Number(last?.['physical']), Number(page.physical), process?.name);
  }
  session.context = undefined;
});

test('a driver that was unloaded, with its time, though the profile calls that a number', async () => {
  const [driver, ...others] = await rows(unloadedModules);
  assert.deepEqual(others, []);
  assert.deepEqual([driver?.['name'], driver?.['start'], driver?.['end']], [truth.unloaded.name, BigInt(truth.unloaded.start), BigInt(truth.unloaded.end)]);
  assert.equal((driver?.['time'] as Timestamp).ns, BigInt(Date.parse(truth.unloaded.time)) * 1000000n);
});

test('grep that found nothing reminds of UTF-16, in which names of objects are', async () => {
  const narrow = await rowsOf(session, grep, { keyword: ['Forge484'] });
  assert.deepEqual(narrow.rows, []);
  assert.match(narrow.run.notes.join(' '), /utf16=yes/);
  const wide = await rowsOf(session, grep, { keyword: ['Forge484'], utf16: true });
  assert.ok(wide.rows.length > 0);
  assert.doesNotMatch((await rowsOf(session, grep, { keyword: ['{de ad be ef 12 34}'] })).run.notes.join(' '), /utf16/);
});

test('a type that no object has is told; TAB knows those that there are', async () => {
  const { rows: none, run } = await rowsOf(session, handles, { object_types: ['Fil'] });
  assert.deepEqual([none, run.notes.filter((note) => note.includes('type Fil; object_types lists'))].map(({ length }) => length), [0, 1]);
  assert.deepEqual((await rowsOf(session, handles, { object_types: ['file'] })).run.notes, []);
  const shell = new Shell(session, { output: new Screen(true), error: new Screen(false) });
  assert.equal(await pressTab(shell, 'handles object_types=Fi|'), 'handles object_types=File |');
  assert.equal(await pressTab(shell, 'handles object_types=P|'), 'handles object_types=Pro|');
});

test('processes answer to cmdline in queries', async () => {
  const found = await (await prepareInSession(session, 'select pid, _EPROCESS.cmdline as line from pslist() where _EPROCESS.cmdline =~ "agent"')).rows();
  const agent = truth.processes.filter(({ command_line: line }) => line?.includes('agent') === true);
  assert.deepEqual(found.map((row) => [row['pid'], row['line']]), agent.map((process) => [process.pid, process.command_line]));
});

test('regions that fit nothing: of how many', async () => {
  assert.match((await rowsOf(session, vad, { pids: [484], offset: 1n })).run.notes.join(' '), /^None of \d+ regions holds 0x1; vad without it shows them\.$/);
  assert.match((await rowsOf(session, vad, { pids: [484], regex: /nosuch/ })).run.notes.join(' '), /^None of \d+ regions maps a file of the name \/nosuch\/; vad without it shows them\.$/);
  assert.deepEqual((await rowsOf(session, vad, { pids: [484], regex: /ntdll/ })).run.notes, []);
});
