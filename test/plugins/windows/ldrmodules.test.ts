import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ldrmodules } from '../../../plugins/windows/ldrmodules.js';
import { loadedModules, LOADER_LISTS, pebOf } from '../../../src/kernel/windows/processes/peb.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import type { LdrDataTableEntry } from '../../../src/kernel/windows/types.js';
import { Absent } from '../../../src/memory/absent.js';
import type { Row } from '../../../src/plugin/columns.js';
import { PatchedReplica } from '../../support/patched-replica.js';
import { rowsOf } from '../../support/sample.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface Dlls {
  readonly pid: number;
  readonly dlls: { readonly load_order: readonly { base: string; path: string }[]; readonly init_order: readonly string[] } | null;
  readonly dlls32: readonly { base: string; path: string }[] | null;
}
interface Vads {
  readonly pid: number;
  readonly vads: readonly { start: string; image: boolean; file: string | null }[];
}

const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const all = { method: METHODS };

test('every image of every process against the lists of the truth', { skip }, async () => {
  const { rows } = await rowsOf(session as never, ldrmodules, all);
  const lists = new Map(replicaTruth<Dlls[]>('dlls').filter(({ dlls }) => dlls).map((one) => [one.pid, one]));
  const images = replicaTruth<Vads[]>('vad').flatMap(({ pid, vads }) => vads.filter(({ image }) => image).map((vad) => ({ pid, ...vad })));
  const found = new Map(rows.map((row) => [`${String(row['pid'])} ${String(row['base'])}`, row]));
  // … and the one region that was planted: private, and with an MZ.
  assert.equal(rows.length, images.length + 1);
  let compared = 0;
  for (const { pid, start, file } of images) {
    const row = found.get(`${pid} ${BigInt(start)}`);
    assert.ok(row, `${pid} ${start}`);
    assert.deepEqual([row['mapped'], row['kind']], [file, 'Image']);
    const known = lists.get(pid);
    if (!known) {
      // No loader, or one whose PEB is paged out: neither is "not in the list".
      assert.ok(row['in_load'] === null || row['in_load'] instanceof Absent, `${pid} ${start}`);
      continue;
    }
    const native = known.dlls?.load_order.find(({ base }) => BigInt(base) === BigInt(start));
    const other = known.dlls32?.find(({ base }) => BigInt(base) === BigInt(start));
    const listed = native !== undefined || other !== undefined;
    assert.deepEqual([row['in_load'], row['in_mem'], row['wow64']], [listed, listed, native === undefined && other !== undefined], `${pid} ${start}`);
    if (!other) assert.equal(row['in_init'], known.dlls?.init_order.some((base) => BigInt(base) === BigInt(start)), `${pid} ${start}`);
    assert.equal(row['in_load_path'], (native ?? other)?.path ?? null);
    compared++;
  }
  assert.ok(compared > 1500, `${compared}`);
});

test('what is odd: the injected executable and the image without a file, and nothing else', { skip }, async () => {
  const { rows } = await rowsOf(session as never, ldrmodules, { ...all, odd: true });
  assert.deepEqual(
    rows.map((row) => [row['pid'], row['base'], row['kind'], row['remark']]),
    [
      [1652, 0x1f20000n, 'Private', 'private memory that begins with MZ'],
      [1652, 0x7fef6b20000n, 'Image', 'no file behind it; in no list of the loader'],
    ],
  );
});

test('modules that were unlinked, renamed, or made up', { skip }, async () => {
  const patched = await PatchedReplica.open();
  const { kernel } = patched;
  const process = patched.process(1652);
  const space = kernel.spaceOf(process);
  const entries = [...loadedModules(kernel, process)];
  const named = (name: RegExp): LdrDataTableEntry => entries.find((entry) => name.test(String(space.read(entry.BaseDllName.Buffer.address, entry.BaseDllName.Length).toString('utf16le')))) as LdrDataTableEntry;
  const type = kernel.struct('_LDR_DATA_TABLE_ENTRY');
  /** As malware does it: the neighbours are made to point past the entry. */
  const unlink = (entry: LdrDataTableEntry, lists: readonly (keyof typeof LOADER_LISTS)[]): void => {
    for (const list of lists) {
      const at = entry.$address + BigInt(type.offsetOf(LOADER_LISTS[list][1]));
      const [next, back] = [space.readPointer(at), space.readPointer(at + 8n)];
      patched.pointer(space, back, next);
      patched.pointer(space, next + 8n, back);
    }
  };
  const [user32, gdi32, ole32, rpcrt4] = [/^user32/i, /^gdi32/i, /^ole32/i, /^rpcrt4/i].map(named) as [LdrDataTableEntry, LdrDataTableEntry, LdrDataTableEntry, LdrDataTableEntry];
  unlink(user32, ['load', 'memory', 'init']);
  unlink(gdi32, ['memory']);
  // One that says it is elsewhere, and one that says it is another file.
  patched.pointer(space, ole32.$address + BigInt(type.offsetOf('DllBase')), 0x12340000n);
  patched.write(space, rpcrt4.FullDllName.Buffer.address, Buffer.from('C:\\Users', 'utf16le'));
  const changed = await patched.session();
  const { rows } = await rowsOf(changed, ldrmodules, { pids: [1652], method: METHODS, odd: true });
  const at = (base: bigint): Row => rows.find((row) => row['base'] === base) ?? {};
  const flags = (row: Row): unknown[] => [row['in_load'], row['in_init'], row['in_mem'], row['remark']];
  assert.deepEqual(flags(at(user32.DllBase.address)), [false, false, false, 'in no list of the loader']);
  assert.deepEqual(flags(at(gdi32.DllBase.address)), [true, true, false, 'unlinked from memory order']);
  assert.deepEqual(flags(at(0x12340000n)), [true, true, true, 'the loader lists it, and nothing is mapped there']);
  assert.deepEqual(flags(at(ole32.DllBase.address)), [false, false, false, 'in no list of the loader']);
  assert.match(String(at(rpcrt4.DllBase.address)['remark']), /^the loader calls it C:\\Users/);
  assert.equal(rows.length, 7);
  changed.close();
  // A list that loops is told, and what stands on it is still found.
  const first = space.readPointer((pebOf(kernel, process)?.$pointer('Ldr') ?? 0n) + BigInt(kernel.struct('_PEB_LDR_DATA').offsetOf('InLoadOrderModuleList')));
  patched.pointer(space, first, first);
  const looped = await patched.session();
  const { run } = await rowsOf(looped, ldrmodules, { pids: [1652], method: METHODS });
  assert.ok(run.notes.some((note) => /InLoadOrderLinks (loops|is not sound)/.test(note)), run.notes.join('\n'));
  looped.close();
  patched.close();
});
