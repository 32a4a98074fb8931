import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashdrivers, crashinfo } from '../../../plugins/windows/crashinfo.js';
import { modules } from '../../../plugins/windows/modules.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { vtop } from '../../../plugins/general/vtop.js';
import { DetectionError } from '../../../src/kernel/error.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import type { Eprocess } from '../../../src/kernel/windows/types.js';
import { Session } from '../../../src/session/session.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';

const x64 = sharedData('windows', 'dumps', 'triage_x64.dmp');
const arm64 = sharedData('windows', 'dumps', 'triage_arm64.dmp');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz');
const other = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '118018959D8D7CA5AAB45B75AED5A976-1.json.xz');
const skip = x64.skip || arm64.skip || isf.skip || other.skip;

const on = (filename: string, profile?: string): Session => new Session({ filename, cache: 'memory', ...(profile === undefined ? {} : { profile }) });

async function values(session: Session): Promise<Map<string, unknown>> {
  const { rows } = await rowsOf(session, crashinfo, {});
  return new Map(rows.map((row) => [String(row['key']), row['value']]));
}

test('a triage dump without a profile: what its header says', { skip }, async () => {
  const session = on(x64.path);
  const found = await values(session);
  assert.equal(found.get('kernel base'), '0xfffff8047ba00000');
  assert.equal(found.get('drivers'), '151 loaded, 4 unloaded');
  assert.equal(found.get('bug check'), '0x1000007e SYSTEM_THREAD_EXCEPTION_NOT_HANDLED');
  assert.equal(found.get('bug check parameter 1'), '0xffffffffc0000005');
  assert.equal(found.get('time of the crash'), '2021-02-21T01:38:22.987Z');
  const { rows } = await rowsOf(session, crashdrivers, {});
  assert.equal(rows.length, 155);
  assert.deepEqual([rows[0]?.['name'], rows[0]?.['base'], rows[1]?.['name']], ['ntoskrnl.exe', 0xfffff8047ba00000n, 'hal.dll']);
  // The instruction that the bug check names as its second parameter lies in one driver.
  const culprit = rows.filter((row) => !row['unloaded'] && (row['base'] as bigint) <= 0xfffff8048b58334cn && 0xfffff8048b58334cn < (row['base'] as bigint) + BigInt(row['size'] as number));
  assert.equal(culprit.length, 1);
  await assert.rejects(session.kernel(), (error) => error instanceof DetectionError && /--profile FILE/.test(error.message) && /ntoskrnl\.exe\/0D8333E61046000\//.test(error.message));
  session.close();
  const arm = on(arm64.path);
  const told = await values(arm);
  assert.deepEqual([told.get('machine'), told.get('build'), told.get('bug check')], ['ARM64', '22000', '0x1c8 MANUALLY_INITIATED_POWER_BUTTON_HOLD']);
  assert.equal((await rowsOf(arm, crashdrivers, { name_regex: /^ntoskrnl/ })).rows.length, 1);
  arm.close();
});

test('with its profile: System, its thread, all processors, modules; and nothing is translated', { skip }, async () => {
  const session = on(x64.path, isf.path);
  const kernel = (await session.kernel()) as WindowsKernel;
  assert.match(kernel.description, /^Windows 10 x64, 19041/);
  assert.ok(session.trace.steps.some(({ stage, outcome }) => stage === 'symbols' && outcome === 'verified'));
  const found = await values(session);
  assert.match(String(found.get('process')), / System \(4\)$/);
  const thread = String(found.get('thread'));
  assert.equal([...found.keys()].filter((key) => key.startsWith('KPRCB ')).length, 16);
  assert.ok(String(found.get('KPRCB 0')).endsWith(`, thread ${thread}`));
  for (let number = 0; number < 16; number++) {
    const prcb = kernel.at('_KPRCB', BigInt(String(found.get(`KPRCB ${number}`)).split(',')[0] ?? ''));
    assert.equal(Number(prcb.$get('Number')), number);
  }
  const system = kernel.crashObjects.find(({ type }) => type === '_EPROCESS');
  assert.ok(system);
  const process = kernel.at<Eprocess>('_EPROCESS', system.address);
  assert.equal(process.ImageFileName, 'System');
  assert.equal(kernel.dtbOf(process), 0x1ad000, 'the table that the header names');
  assert.equal((await rowsOf(session, modules, {})).rows.length, 151);
  const { rows } = await rowsOf(session, pslist, {});
  assert.ok(rows.some((row) => (row['_EPROCESS'] as Eprocess).$address === system.address));
  const walk = await rowsOf(session, vtop, { virtual_address: kernel.location.base });
  assert.match(String(walk.rows.at(-1)?.['comment']), /a triage dump has no page tables/);
  session.close();
});

test('a profile of another kernel is refused by what the header says', { skip }, async () => {
  const session = on(x64.path, other.path);
  await assert.rejects(session.kernel(), (error) => error instanceof DetectionError && /not of this dump's kernel.*PsLoadedModuleList/.test(error.message));
  session.close();
});
