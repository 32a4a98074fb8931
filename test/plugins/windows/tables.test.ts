import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { cmdline, envars } from '../../../plugins/windows/cmdline.js';
import { dlllist } from '../../../plugins/windows/dlllist.js';
import { handles } from '../../../plugins/windows/handles.js';
import { modules } from '../../../plugins/windows/modules.js';
import { pstree } from '../../../plugins/windows/pstree.js';
import { threads } from '../../../plugins/windows/threads.js';
import { vad } from '../../../plugins/windows/vad.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { Absent } from '../../../src/memory/absent.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

/** Every table of the replica, row by row, against what was put into it (and what Volatility 3 reads there). */
const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const all = { method: METHODS };
const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown>): Promise<readonly Row[]> => (await rowsOf(session as never, plugin, args)).rows;
const address = (cell: unknown): bigint => (cell as Struct).$address;
const pid = (cell: unknown): number | undefined => describeStruct(cell as Struct).pid;

test('modules in the order in which they were loaded', { skip }, async () => {
  const truth = replicaTruth<{ loaded: { name: string; base: string; size: string; path: string; ldr_entry: string }[] }>('modules').loaded;
  const found = (await rows(modules, {})).map((row) => [row['name'], row['base'], row['size'], row['path'], address(row['_LDR_DATA_TABLE_ENTRY'])]);
  assert.deepEqual(found, truth.map((one) => [one.name, BigInt(one.base), Number(one.size), one.path, BigInt(one.ldr_entry)]));
});

test('queries that were written for Rekall run on its tables: modules of an artifact, members of regions', { skip }, async () => {
  const { prepareQuery } = await import('../../../src/query/prepare.js');
  const { sessionCatalog } = await import('../../../src/query/session/catalog.js');
  const ask = async (query: string): Promise<readonly Row[]> => (await prepareQuery(query, sessionCatalog(session as never))).rows();
  const truth = replicaTruth<{ loaded: { name: string; base: string; size: string; path: string; ldr_entry: string }[] }>('modules').loaded;
  const found = await ask('select offset_v, file_name, module_base, module_size, path from modules() where not (path =~ "(?i)Windows")');
  const elsewhere = truth.filter(({ path }) => !/windows/i.test(path));
  assert.deepEqual(found.map((row) => Object.values(row)), elsewhere.map((one) => [BigInt(one.ldr_entry), one.name, BigInt(one.base), Number(one.size), one.path]));
  const regions = await ask('select _EPROCESS.name, hex(VAD.start) as start, VAD.end as last, start as column, end from vad(proc_regex: "svchost")');
  assert.ok(regions.length > 100);
  for (const row of regions) assert.deepEqual([row['start'], row['last']], [`0x${String((row['column'] as bigint).toString(16))}`, row['end']]);
  const named = await ask('select name, pid from pslist() where name =~ "svchost" order by pid limit 2');
  assert.deepEqual(named.map(({ name }) => name), ['svchost.exe', 'svchost.exe']);
});

test('regions of every process', { skip }, async () => {
  interface Region {
    readonly vad: string;
    readonly type: string;
    readonly start: string;
    readonly end: string;
    readonly left: string;
    readonly right: string;
    readonly protection: string;
    readonly private: boolean;
    readonly image: boolean;
    readonly commit: number;
    readonly file: string | null;
  }
  const truth = new Map(replicaTruth<{ vads: Region[] }[]>('vad').flatMap(({ vads }) => vads.map((one) => [BigInt(one.vad), one] as const)));
  const found = await rows(vad, all);
  assert.equal(found.length, truth.size);
  // The truth's own levels were printed on a running machine, whose tree changed meanwhile in nine places: here the links count.
  const levels = new Map<bigint, number>();
  const below = new Set([...truth.values()].flatMap((one) => [BigInt(one.left), BigInt(one.right)]));
  const descend = (at: bigint, level: number): void => {
    const region = truth.get(at);
    if (!region) return;
    levels.set(at, level);
    descend(BigInt(region.left), level + 1);
    descend(BigInt(region.right), level + 1);
  };
  for (const at of truth.keys()) if (!below.has(at)) descend(at, 1);
  for (const row of found) {
    const region = truth.get(address(row['VAD']));
    assert.ok(region, String(row['VAD']));
    assert.deepEqual(
      [row['start'], row['end'], row['lev'], row['protect'], row['type'] === 'Private', row['exe'] === 'Exe', row['filename'], (row['VAD'] as Struct).$type],
      [BigInt(region.start), BigInt(region.end), levels.get(BigInt(region.vad)), region.protection, region.private, region.image, region.file, region.type],
      region.vad,
    );
    if (region.commit !== 0 && row['com'] !== -1) assert.equal(row['com'], region.commit, region.vad);
  }
});

test('handles of every process: types, rights and names', { skip }, async () => {
  interface Handle {
    readonly handle: string;
    readonly header: string;
    readonly type: string;
    readonly access: string;
    readonly name: string | null;
  }
  const truth = new Map(Object.entries(replicaTruth<Record<string, Handle[]>>('handles')).flatMap(([id, list]) => list.map((one) => [`${id} ${Number(one.handle)}`, one] as const)));
  const found = await rows(handles, all);
  assert.equal(found.length, truth.size);
  for (const row of found) {
    const handle = truth.get(`${pid(row['_EPROCESS'])} ${row['handle'] as number}`);
    assert.ok(handle);
    assert.deepEqual(
      [address(row['_OBJECT_HEADER']), row['obj_type'], row['access'], String(row['details'] ?? '').toLowerCase()],
      [BigInt(handle.header), handle.type, Number(handle.access), (handle.name ?? '').toLowerCase()],
    );
  }
  const files = await rows(handles, { ...all, object_types: ['file'], named_only: true });
  assert.ok(files.length > 500 && files.every((row) => row['obj_type'] === 'File' && row['details'] !== ''));
});

test('modules, command lines and environments of processes; what is paged out is said', { skip }, async () => {
  interface Dlls {
    readonly pid: number;
    readonly peb: unknown;
    readonly dlls: { load_order: { base: string; size: string; path: string }[] } | null;
    readonly dlls32: { base: string; path: string }[] | null;
    readonly command_line: string | null;
    readonly environment: Record<string, string> | string[] | null;
  }
  // The ghost has the id of another process, and nothing else.
  const truth = replicaTruth<Dlls[]>('dlls').filter((one) => one.dlls !== null);
  const list = await rows(dlllist, all);
  const lines = new Map((await rows(cmdline, all)).filter((row) => row['command_line'] !== null).map((row) => [pid(row['_EPROCESS']), row['command_line']]));
  const variables = await rows(envars, all);
  let modulesSeen = 0;
  let linesSeen = 0;
  for (const one of truth) {
    const own = list.filter((row) => pid(row['_EPROCESS']) === one.pid).map((row) => [row['base'], row['dll_path']]);
    const first = one.dlls?.load_order ?? [];
    // Those of the 32-bit loader that the other does not have.
    const second = (one.dlls32 ?? []).filter(({ base }) => !first.some((dll) => dll.base === base));
    const stated = [...first, ...second].map((dll) => [BigInt(dll.base), dll.path]);
    if (own.length > 0) assert.deepEqual(own, stated, `${one.pid}`);
    modulesSeen += own.length;
    const line = lines.get(one.pid);
    if (typeof line === 'string') {
      assert.equal(line, one.command_line);
      linesSeen++;
    } else if (one.command_line !== null) assert.ok(line instanceof Absent, `${one.pid}: ${String(line)}`);
    if (one.environment && !Array.isArray(one.environment)) {
      const read = Object.fromEntries(variables.filter((row) => pid(row['_EPROCESS']) === one.pid).map((row) => [row['variable'], row['value']]));
      if (Object.keys(read).length > 0) assert.deepEqual(read, one.environment, `${one.pid}`);
    }
  }
  assert.ok(modulesSeen > 1000, `${modulesSeen}`);
  assert.ok(linesSeen >= 25, `${linesSeen}`);
  const { run } = await rowsOf(session as never, dlllist, all);
  const { notes } = run;
  assert.ok(notes.some((note) => note.includes('not in memory')), notes.join('\n'));
});

test('threads of every process', { skip }, async () => {
  const truth = replicaTruth<{ pid: number; threads: { ethread: string; tid: number; start: string; win32_start: string }[] }[]>('threads');
  const found = new Map((await rows(threads, all)).map((row) => [address(row['_ETHREAD']), row]));
  let count = 0;
  for (const { pid: id, threads: list } of truth) {
    // The idle process is on no list.
    if (id === 0) continue;
    for (const thread of list) {
      const row = found.get(BigInt(thread.ethread));
      assert.ok(row, `${id} ${thread.tid}`);
      assert.deepEqual([row['pid'], row['tid'], row['start'], row['win32_start']], [id, thread.tid, BigInt(thread.start), BigInt(thread.win32_start)]);
      count++;
    }
  }
  assert.equal(found.size, count);
});

test('the tree hangs every process below its parent', { skip }, async () => {
  const truth = new Map(replicaTruth<{ pid: number; ppid: number; ghost: boolean; idle: boolean; create_time: number }[]>('pslist').filter((one) => !one.ghost && !one.idle).map((one) => [one.pid, one]));
  const found = await rows(pstree, all);
  const path: (number | undefined)[] = [];
  let children = 0;
  for (const row of found) {
    const depth = row.$depth ?? 0;
    const id = pid(row['_EPROCESS']);
    path.length = depth;
    path.push(id);
    if (depth === 0) continue;
    children++;
    assert.equal(path[depth - 1], truth.get(id ?? -1)?.ppid);
  }
  assert.ok(children > 20 && found.length === truth.size + 1, `${children} of ${found.length}`);
});
