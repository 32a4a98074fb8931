import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { vtop } from '../../../plugins/general/vtop.js';
import { callbacksPlugin } from '../../../plugins/windows/callbacks.js';
import { driverirp } from '../../../plugins/windows/driverirp.js';
import { malfind } from '../../../plugins/windows/malfind.js';
import { ptov } from '../../../plugins/windows/ptov.js';
import { rammap } from '../../../plugins/windows/rammap.js';
import { ssdt } from '../../../plugins/windows/ssdt.js';
import { timers } from '../../../plugins/windows/timers.js';
import { privileges, tokens } from '../../../plugins/windows/tokens.js';
import { Shell } from '../../../src/console/shell.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Screen } from '../../support/console.js';
import { rowsOf } from '../../support/sample.js';
import { sampleSession, sampleTruth } from '../../support/windows-sample.js';

/** What the forge planted in the sample's kernel, and its page database. */
const session = sampleSession();
const truth = sampleTruth();
after(() => session.close());
const all = { method: METHODS };
const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown> = {}): Promise<readonly Row[]> => (await rowsOf(session, plugin, args)).rows;
const pid = (cell: unknown): number | undefined => describeStruct(cell as Struct).pid;

test('system services, and the one that leads elsewhere', async () => {
  const found = await rows(ssdt);
  assert.deepEqual(found.map((row) => [row['entry'], row['target'], row['module'], row['hooked']]), truth.services.map((one) => [one.index, BigInt(one.address), one.module, one.hooked]));
  assert.equal(found.filter((row) => row['hooked'] === true).length, 1);
});

test("drivers' functions, and the hook of atapi", async () => {
  const found = await rows(driverirp, { hooked: true });
  const expected = truth.drivers.flatMap(({ name, module, major }) => major.flatMap((one, index) => (one.module === module || one.module === 'ntoskrnl.exe' ? [] : [[name, index, BigInt(one.address)]])));
  assert.equal(expected.length, 1);
  assert.deepEqual(found.map((row) => [row['driver_name'], row['idx'], row['func_addres']]), expected);
});

test('callbacks of every kind', async () => {
  const found = (await rows(callbacksPlugin)).filter((row) => row['type'] !== 'nt!IopNotifyShutdownQueueHead');
  const key = (type: unknown, address: bigint): string => `${String(type).replace('nt!', '')} ${address}`;
  assert.deepEqual(found.map((row) => key(row['type'], row['callback'] as bigint)).sort(), truth.callbacks.map((one) => key(one.kind, BigInt(one.address))).sort());
  assert.deepEqual(found.filter((row) => typeof row['outside'] === 'string').map((row) => row['callback']), truth.callbacks.filter(({ module }) => module === null).map(({ address }) => BigInt(address)));
});

test('timers, whose calls the kernel hides', async () => {
  const found = await rows(timers);
  assert.deepEqual(found.map((row) => [(row['_KTIMER'] as Struct).$address, row['routine'], row['hooked']]), truth.timers.map((one) => [BigInt(one.timer), BigInt(one.routine), one.module === null]));
});

test('whom processes run as, and what they may do', async () => {
  const sids = await rows(tokens, all);
  const rights = await rows(privileges, all);
  for (const process of truth.processes) {
    assert.deepEqual(sids.filter((row) => pid(row['Process']) === process.pid).map((row) => row['Sid']), process.sids, process.name);
    const own = rights.filter((row) => pid(row['Process']) === process.pid);
    assert.deepEqual(own.map((row) => row['Value']), process.privileges.present, process.name);
    assert.deepEqual(own.filter((row) => row['enabled'] === true).map((row) => row['Value']), process.privileges.enabled, process.name);
  }
});

test('the injected executable', async () => {
  const mark = truth.processes.find(({ pid: id }) => id === 1652)?.marks['injected'] as { start: string; end: string };
  const found = await rows(malfind, all);
  assert.deepEqual(found.map((row) => [pid(row['_EPROCESS']), row['start'], row['end']]), [[1652, BigInt(mark.start), BigInt(mark.end)]]);
});

test('who maps a shared page: the page database leads to every process', async () => {
  for (const page of truth.ptov.filter(({ valid_in: owners }) => owners.length > 1)) {
    const found = (await rows(ptov, { offsets: [BigInt(page.physical)] })).filter((row) => row['owner'] === 'process');
    for (const { pid: owner, va } of page.valid_in) assert.ok(found.some((row) => row['pid'] === owner && row['virtual_offset'] === BigInt(va)), `${page.physical} ${owner}`);
    // Those that reach it by way of the prototype only are in nobody's tables.
    const name = page.file;
    if (name !== null) assert.ok(found.every((row) => truth.processes.find(({ pid: id }) => id === row['pid'])?.vads.some(({ file }) => file === name)));
  }
});

test('what each page is used for', async () => {
  const found = new Map((await rows(rammap)).map((row) => [Number(row['phys_offset']), row]));
  for (const page of truth.ptov) {
    const row = found.get(Number(page.physical));
    assert.equal(row?.['Use'], page.file === null ? 'Shared Memory' : 'Mapped File', page.physical);
    if (page.file !== null) assert.equal(row?.['Filename'], page.file);
  }
  assert.equal(found.get(Number(truth.system['dtb']))?.['Use'], 'Page Table');
});

test('pages in every state', async () => {
  const states = truth.processes.find(({ pid: id }) => id === 1652)?.marks['page states'] as Record<string, { state: string; physical?: string; offset?: string }>;
  const shell = new Shell(session, { output: new Screen(false), error: new Screen(false) });
  assert.equal(await shell.execute('cc 1652'), 'done');
  for (const [address, { state, physical, offset }] of Object.entries(states)) {
    const found = await rows(vtop, { virtual_address: BigInt(address) });
    const text = found.map((row) => String(row['comment'])).join('\n');
    if (physical !== undefined) assert.equal(Number(found.at(-1)?.['physical']), Number(physical), `${state}: ${text}`);
    if (state === 'transition') assert.match(text, /transition/);
    if (offset !== undefined) assert.match(text, new RegExp(`in page file 0.* at offset ${offset}`));
    if (state === 'demand zero') assert.match(text, /demand zero/);
  }
  session.context = undefined;
});
