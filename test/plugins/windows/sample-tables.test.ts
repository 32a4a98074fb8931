import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { idt } from '../../../plugins/windows/descriptors.js';
import { findDtb } from '../../../plugins/windows/find_dtb.js';
import { imageinfo } from '../../../plugins/windows/imageinfo.js';
import { kdbgscan } from '../../../plugins/windows/kdbgscan.js';
import { kpcr } from '../../../plugins/windows/kpcr.js';
import { physMap } from '../../../plugins/windows/maps.js';
import { ssdt } from '../../../plugins/windows/ssdt.js';
import { timers } from '../../../plugins/windows/timers.js';
import { versionModules } from '../../../plugins/windows/version_modules.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { rowsOf } from '../../support/sample.js';
import { sampleSession, sampleTruth } from '../../support/windows-sample.js';

/** The kernel's tables in the committed sample, against what its forge meant. */
const session = sampleSession();
const truth = sampleTruth();
after(() => session.close());
const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown> = {}): Promise<readonly Row[]> => (await rowsOf(session, plugin, args)).rows;

test('system services, with the one that was replaced', async () => {
  assert.deepEqual(
    (await rows(ssdt)).map((row) => [row['entry'], row['target'], row['module'], row['hooked']]),
    truth.services.map((one) => [one.index, BigInt(one.address), one.module, one.hooked]),
  );
  const named = (await rows(ssdt)).filter((row, index) => row['symbol'] === `nt!${truth.services[index]?.name}`);
  assert.equal(named.length, truth.services.filter(({ hooked }) => !hooked).length);
});

test('timers, with the one that no module has', async () => {
  const key = (one: readonly unknown[]): string => one.map(String).join(' ');
  assert.deepEqual(
    (await rows(timers)).map((row) => key([(row['_KTIMER'] as Struct).$address, row['routine'], row['period'], row['module'], row['hooked']])).sort(),
    truth.timers.map((one) => key([BigInt(one.timer), BigInt(one.routine), one.period, one.module, one.module === null])).sort(),
  );
});

test('the processor, its interrupts, memory, modules, page tables and the block of the debugger', async () => {
  const { system, modules, processes } = truth;
  assert.match(String((await rows(kpcr)).find((row) => row['property'] === 'Verified')?.['value']), /^yes/);
  assert.equal((await rows(idt, { hooked: true })).length, 0);
  const runs = system['runs'] as readonly { readonly start: string; readonly length: string }[];
  assert.deepEqual((await rows(physMap)).map((row) => [row['phys_start'], row['pages']]), runs.map(({ start, length }) => [Number(start), Number(length) / 4096]));
  const facts = new Map((await rows(imageinfo)).map((row) => [row['key'], row['value']]));
  assert.deepEqual([facts.get('Kernel base'), facts.get('Kernel DTB'), Date.parse(String(facts.get('Time (UTC)')))], [system['kernel'], system['dtb'], Date.parse(String(system['taken']))]);
  assert.equal(Date.parse(String(facts.get('Boot time'))), Date.parse(String(system['boot'])));
  const records = await rows(versionModules);
  assert.deepEqual(records.map((row) => [row['name'], row['base']]), modules.map((one) => [one.name, BigInt(one.base)]));
  assert.ok(records.every((row) => /^[0-9A-F]{33}$/.test(String(row['guid']))));
  const tables = await rows(findDtb, { process_name: ['lsass.exe', 'explorer.exe'] });
  assert.deepEqual(tables.map((row) => [row['method'], row['dtv'], row['valid']]), ['lsass.exe', 'explorer.exe'].map((name) => [`process ${name}`, Number(processes.find((one) => one.name === name)?.dtb), true]));
  const block = new Map((await rows(kdbgscan)).map((row) => [row['Key'], row['Value']]));
  assert.deepEqual([block.get('KDBG owner tag check'), block.get('Problem')], ['right', undefined]);
});
