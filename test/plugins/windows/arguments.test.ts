import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lookup } from '../../../plugins/general/resolve.js';
import { vtop } from '../../../plugins/general/vtop.js';
import { times } from '../../../plugins/windows/imageinfo.js';
import { moddump } from '../../../plugins/windows/pedump.js';
import { ptov } from '../../../plugins/windows/ptov.js';
import { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { Conversation } from '../../support/console.js';
import { temporary } from '../../support/folder.js';
import { root } from '../../support/root.js';
import { rowsOf } from '../../support/sample.js';
import { sampleImage, sampleSession, sampleTruth } from '../../support/windows-sample.js';

/** Arguments by which the original took the same, and lines that cannot mean anything. */
const session = sampleSession();
const truth = sampleTruth();
const folder = temporary();
after(() => {
  session.close();
});
/** A text without the breaks by which it fits a terminal. */
const plain = (text: string): string => text.replace(/\s+/g, ' ');
const rows = async (plugin: Parameters<typeof rowsOf>[1], args: Record<string, unknown> = {}): Promise<readonly Row[]> => (await rowsOf(session, plugin, args)).rows;

test('vtop goes through the page tables of each process that is chosen', async () => {
  const shared = truth.ptov.find(({ valid_in }) => valid_in.length > 2);
  const [first, second] = shared?.valid_in ?? [];
  assert.ok(shared && first && second && first.va === second.va);
  const roots = new Map(truth.processes.map(({ pid, dtb }) => [pid, Number(dtb) - (Number(dtb) % 4096)]));
  const said = await rows(vtop, { virtual_address: BigInt(first.va), pids: [second.pid, first.pid] });
  for (const { pid } of [first, second]) {
    const own = said.filter((row) => row['pid'] === pid);
    assert.equal(Math.floor(Number(own.find(({ level }) => level === 'PML4E')?.['entry']) / 4096) * 4096, roots.get(pid));
    assert.equal(own.at(-1)?.['physical'], Number(shared.physical) + (Number(first.va) % 4096));
  }
  const one = truth.processes.find(({ pid }) => pid === first.pid);
  assert.deepEqual(await rows(vtop, { virtual_address: BigInt(first.va), eprocess: [BigInt(one?.eprocess ?? 0)] }), said.filter((row) => row['pid'] === first.pid));
});

test('ptov shows the owners among the processes that are chosen, and the file', async () => {
  const shared = truth.ptov.find(({ valid_in, file }) => valid_in.length > 2 && file !== null);
  assert.ok(shared);
  const one = shared.valid_in[1] as { pid: number; va: string };
  const said = await rows(ptov, { physical_address: [BigInt(shared.physical)], pids: [one.pid] });
  assert.deepEqual(said.map((row) => [row['owner'], row['pid'], row['virtual_offset']]), [['image file', null, null], ['process', one.pid, BigInt(one.va)]]);
});

test('a session driver is read in the process that is named', async () => {
  const named = await rows(moddump, { regex: /hal/, dump_dir: folder, pids: [4] });
  assert.deepEqual(named.map((row) => [row['name'], row['missing']]), [['hal.dll', 0]]);
  assert.equal(readFileSync(String(named[0]?.['filename'])).toString('latin1', 0, 2), 'MZ');
});

test('a pointer, an array and a text are read as their arguments say', async () => {
  const system = truth.processes.find(({ pid }) => pid === 4);
  const [pointer] = await rows(lookup, { constant: 'nt!PsInitialSystemProcess', target: 'Pointer', target_args: '{"target": "_EPROCESS"}' });
  assert.ok(pointer?.['field'] instanceof Struct);
  assert.equal(pointer['field'].$address, BigInt(system?.eprocess ?? 0));
  const [whole] = await rows(lookup, { constant: 'nt!NtBuildLab', target: 'String' });
  const [start] = await rows(lookup, { constant: 'nt!NtBuildLab', target: 'String', target_args: '{"length": 4}' });
  assert.equal(start?.['field'], String(whole?.['field']).slice(0, 4));
  const [array] = await rows(lookup, { constant: 'nt!NtBuildLab', target: 'Array', target_args: '{"target": "unsigned char", "count": 4}' });
  assert.equal(array?.['type'], 'unsigned char[4]');
  await assert.rejects(rows(lookup, { constant: 'nt!NtBuildLab', target: 'String', target_args: '{"length": -1}' }), /target_args is JSON/);
});

test('the clocks in one cell', async () => {
  const [row] = await rows(times);
  const all = row?.['Times'] as { now: unknown; boot: unknown; uptime: number };
  assert.deepEqual([all.now, all.boot, BigInt(Math.round(all.uptime * 1e9))], [row?.['now'], row?.['boot'], row?.['uptime']]);
});

test('lines that cannot be meant are told, with what to try', async () => {
  const conversation = new Conversation({ parameters: { filename: sampleImage } });
  const file = join(folder, 'file');
  const lines: [line: string, said: RegExp, next: RegExp][] = [
    ['ptov -5', /0xfffffffffffffffb is no physical address/, / Try: vtop 0xf/],
    ['ptov nt!NtBuildLab', /is no physical address/, / Try: vtop 0xfffff800/],
    ['ptov', /Which physical address/, / Try: ptov 0x/],
    ['rammap 0x4000 0x1000', /The end, 0x1000, lies before the start, 0x4000/, / Try: rammap 0x1000 0x4000/],
    ['rammap end=-4', /expected 0 or more/, / Try: rammap\?/],
    ['pfn -1', /expected 0 or more/, / Try: pfn\?/],
    ['pfn abc', /whole number/, / Try: pfn\?/],
    ['vtop nt!Nosuch', /nt!Nosuch is not known here/, / Try: vtop\?/],
    ['dt _NOSUCH', /no struct _NOSUCH/, / Try: dt\?/],
    ['lookup nt!Nosuch', /not known here/, / Try: address_resolver\?/],
    ['address_resolver', /Which symbol/, / Try: address_resolver "nt!Ps\*"/],
    [`moddump hal dump_dir=${folder}/a/b`, /cannot write to the folder .*\/a\/b: no such file or directory /, / Try: smod dump_dir=/],
    [`pedump nt out_file=${folder}`, /exists and is no ordinary file/, / Try: smod dump_dir=/],
    [`peinfo nt executable=${file}`, /two executables/, / Try: peinfo executable=/],
    [`peinfo executable=${file}`, /is no file/, / Try: peinfo executable=PATH/],
    [`convert_profile ${file} ${folder}/out.json`, /cannot be opened: no such file or directory\./, / Try: /],
    [`convert_profile ${join(root, 'test/data/pdb/types-amd64.pdb')} ${folder}`, /cannot be written: illegal operation on a directory/, / Try: /],
    [`convert_profile ${join(root, 'test/data/pdb/types-amd64.pdb')} ${file} format=isf guid_age=xx`, /'xx' is no GUID with an age/, / Try: convert_profile /],
  ];
  for (const [line, said, next] of lines) {
    const { error } = await conversation.say(line);
    const words = plain(error);
    assert.match(words, said, line);
    assert.match(words, next, line);
  }
  const notes: [line: string, said: RegExp][] = [
    ['modules nosuch', /No module is named \/nosuch\/: modules lists them all/],
    ['rammap 0x40000000', /phys_map shows what it has/],
    ['dis 0x1000', /Nothing is in memory from 0x1000 on: `vtop 0x1000` tells why/],
    ['dt _EPROCESS member_offset=99999', /No member is at offset 0x1869f/],
    ['impscan base=0x1000', /csrss.exe \(324\).* and 8 more/],
  ];
  for (const [line, said] of notes) {
    const { error, output } = await conversation.say(line);
    assert.match(plain(`${error} ${output}`), said, line);
  }
  const { output } = await conversation.say('modules hal verbosity=2');
  assert.match(output, /module_base/);
  await conversation.end();
  assert.equal(statSync(folder).isDirectory(), true);
});

test('the range of a number holds in code and queries, too', async () => {
  const { bindValues } = await import('../../../src/plugin/values.js');
  const { rammap } = await import('../../../plugins/windows/rammap.js');
  const options = { resolve: () => Promise.reject(new Error('nothing to resolve')) };
  assert.deepEqual((await bindValues(rammap, { start: 4096n }, options))['start'], 4096);
  await assert.rejects(bindValues(rammap, { start: -4 }, options), /rammap: start needs 0 or more, not -4/);
  await assert.rejects(bindValues(rammap, { start: '-4' }, options), /0 or more/);
});
