import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { vtop } from '../../../plugins/general/vtop.js';
import { dlllist } from '../../../plugins/windows/dlllist.js';
import { modules } from '../../../plugins/windows/modules.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { threads } from '../../../plugins/windows/threads.js';
import { vad } from '../../../plugins/windows/vad.js';
import { Shell } from '../../../src/console/shell.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Session } from '../../../src/session/session.js';
import { Screen } from '../../support/console.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { build } from '../../support/windows-forge/build.js';
import { writeRaw } from '../../support/windows-forge/output.js';
import { sampleFolder, samplePieces, type SampleTruth } from '../../support/windows-sample.js';

/** 32-bit kernels, without and with PAE, and a machine with many processes: forged on the spot, end to end from detection. */
const folder = temporary();
const pid = (cell: unknown): number | undefined => describeStruct(cell as Struct).pid;

for (const [name, options, banner] of [
  ['x86', { variant: 'x86' }, /^7601\.17514\.x86fre/],
  ['x86-pae', { variant: 'x86-pae' }, /^7600\.16385\.x86fre/],
  ['many', { variant: 'x64', processes: 60, memory: 64 * 1024 * 1024 }, /^7600\.16385\.amd64fre/],
] as const) {
  test(`${name}: found, and its tables are what the forge meant`, async () => {
    const { forge, truth: made } = build({ pieces: samplePieces, memory: 12 * 1024 * 1024, ...options });
    const truth = JSON.parse(JSON.stringify(made)) as SampleTruth;
    const path = join(folder, `${name}.raw`);
    writeRaw(forge.machine, path, false);
    const session = new Session({ filename: path, repository_path: [join(sampleFolder, 'profiles')], cache: 'memory' });
    after(() => session.close());
    const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown> = {}): Promise<readonly Row[]> => (await rowsOf(session, plugin, args)).rows;
    assert.match((await session.kernel()).banner, banner);
    const processes = await rows(pslist, { method: ['PsActiveProcessHead', 'PspCidTable'] });
    assert.deepEqual(
      processes.map((row) => [pid(row['_EPROCESS']), row['ppid'], row['thread_count']]),
      [...truth.processes].sort((one, other) => one.pid - other.pid).map((one) => [one.pid, one.ppid, one.threads.length]),
    );
    const found = await rows(modules);
    assert.deepEqual(found.map((row) => [row['name'], row['base'], row['size']]), truth.modules.map((one) => [one.name, BigInt(one.base), Number(one.size)]));
    const listed = { method: ['PspCidTable'] };
    const living = truth.processes.filter(({ exited }) => exited === null).sort((one, other) => one.pid - other.pid);
    const regions = (await rows(vad, listed)).map((row) => [pid(row['_EPROCESS']), row['start'], row['end'], row['protect'], row['filename']]);
    assert.deepEqual(regions, living.flatMap((one) => one.vads.map((region) => [one.pid, BigInt(region.start), BigInt(region.end), region.protection, region.file])));
    const libraries = (await rows(dlllist, listed)).filter((row) => typeof row['base'] === 'bigint').map((row) => [pid(row['_EPROCESS']), row['base'], row['dll_path']]);
    assert.deepEqual(libraries, living.filter(({ command_line: line }) => line !== null).flatMap((one) => one.dlls.map((dll) => [one.pid, BigInt(dll.base), dll.path])));
    assert.equal((await rows(threads, listed)).length, living.reduce((sum, one) => sum + one.threads.length, 0));
    const page = truth.ptov.find(({ file, page: number }) => file === '\\Windows\\System32\\ntdll.dll' && number === 1);
    const shell = new Shell(session, { output: new Screen(false), error: new Screen(false) });
    for (const { pid: owner, va } of page?.valid_in.slice(0, 3) ?? []) {
      assert.equal(await shell.execute(`cc ${owner}`), 'done');
      assert.equal(Number((await rows(vtop, { virtual_address: BigInt(va) })).at(-1)?.['physical']), Number(page?.physical));
    }
    session.context = undefined;
  });
}
