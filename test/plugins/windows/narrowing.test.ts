import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { prepareQuery } from '../../../src/query/prepare.js';
import { sessionCatalog } from '../../../src/query/session/catalog.js';
import { replicaSession, replicaSkip as skip } from '../../support/windows.js';

/** Conditions on the process reach the selection of processes, and change no result. */
const session = skip ? undefined : await replicaSession();
after(() => session?.close());
const ask = async (query: string): Promise<readonly Row[]> => (await prepareQuery(query, sessionCatalog(session as never))).rows();
/** Cells in a form that can be compared. */
const plain = (row: Row): unknown => Object.values(row).map((cell) => (typeof cell === 'object' && cell !== null && '$address' in cell ? (cell as Struct).$address : String(cell)));

const TABLES: Readonly<Record<string, string>> = {
  pslist: '_EPROCESS, pid, name, ppid, CSRSS',
  vad: '_EPROCESS, pid, VAD, lev, start, filename',
  handles: '_EPROCESS, pid, handle, obj_type, details',
  dlllist: '_EPROCESS, pid, base, dll_path',
  cmdline: '_EPROCESS, pid, command_line',
  envars: '_EPROCESS, pid, variable, value',
  threads: 'Process, pid, tid, start',
};

for (const [table, columns] of Object.entries(TABLES)) {
  const process = columns.split(',')[0] ?? '';
  test(`${table} of one process: the same rows as when all are asked for`, { skip }, async () => {
    // Two processes have the id 504: the one that Windows runs, and what a handle of csrss still knows.
    const all = await ask(`select ${columns} from ${table}()`);
    for (const [condition, chosen] of [
      ['pid == 504', (row: Row) => row['pid'] === 504],
      [`${process}.pid in (208, 1652)`, (row: Row) => row['pid'] === 208 || row['pid'] === 1652],
      [`${process}.name =~ "^EXPLORER"`, (row: Row) => row['pid'] === 1652],
      ['pid == 31337', () => false],
    ] as const) {
      const found = await ask(`select ${columns} from ${table}() where ${condition}`);
      assert.deepEqual(found.map(plain), all.filter(chosen).map(plain), condition);
      const pushed = (await ask(`explain select ${columns} from ${table}() where ${condition}`)).map((row) => String(row['pushed']));
      assert.ok(pushed.some((text) => text.startsWith(condition.includes('=~') ? 'proc_regex: ' : 'pids: ')), `${condition}: ${pushed.join()}`);
    }
    assert.ok(all.length > 20);
  });
}

test('types of handles and files of regions are asked of the table, too', { skip }, async () => {
  const all = await ask('select pid, handle, obj_type from handles()');
  const keys = await ask('select pid, handle, obj_type from handles() where obj_type == "Key" and pid == 444');
  assert.deepEqual(keys.map(plain), all.filter((row) => row['obj_type'] === 'Key' && row['pid'] === 444).map(plain));
  assert.ok(keys.length > 10);
  const regions = await ask('select pid, start, filename from vad()');
  const named = await ask('select pid, start, filename from vad() where filename =~ "ntdll|user32"');
  assert.deepEqual(named.map(plain), regions.filter((row) => /ntdll|user32/i.test(String(row['filename']))).map(plain));
});
