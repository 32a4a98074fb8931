import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { crashdrivers } from '../../../plugins/windows/crashinfo.js';
import { handles } from '../../../plugins/windows/handles.js';
import { memdump, memmap } from '../../../plugins/windows/memmap.js';
import { modules } from '../../../plugins/windows/modules.js';
import { moddump, procdump } from '../../../plugins/windows/pedump.js';
import { pfn } from '../../../plugins/windows/pfn.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { ptov } from '../../../plugins/windows/ptov.js';
import { rammap } from '../../../plugins/windows/rammap.js';
import { sessions } from '../../../plugins/windows/sessions.js';
import { tokens } from '../../../plugins/windows/tokens.js';
import { unloadedModules } from '../../../plugins/windows/unloaded_modules.js';
import { vad } from '../../../plugins/windows/vad.js';
import { versionModules } from '../../../plugins/windows/version_modules.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { METHODS } from '../../../src/kernel/windows/processes/processes.js';
import { Session } from '../../../src/session/session.js';
import { emptied, everyLine, judge, type Outcome } from '../../support/every-command.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';

const dump = sharedData('windows', 'dumps', 'triage_x64.dmp');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb', '5278AFF86C341677D7D7835C85B7B844-1.json.xz');
const skip = dump.skip || isf.skip;
const folder = temporary();
const session = new Session({ filename: dump.path, profile: isf.path, cache: 'memory', dump_dir: folder });
after(() => {
  session.close();
});
const all = { method: METHODS };

test('every command on a triage dump, which has a few pages of each thing: rows, or a note, or a refusal in our words', { skip }, async () => {
  const kernel = (await session.kernel()) as WindowsKernel;
  const system = kernel.crashObjects.find(({ type }) => type === '_EPROCESS');
  const outcomes: { name: string; outcome: Outcome }[] = [];
  for (const line of everyLine(session, { code: kernel.profile.address('NtOpenProcess'), process: system?.address ?? 0n, base: kernel.location.base })) {
    outcomes.push({ name: line.name, outcome: await judge(session, line, 15_000) });
  }
  assert.deepEqual(outcomes.flatMap(({ name, outcome }) => (outcome.fault === undefined ? [] : [`${name}: ${outcome.fault}`])), []);
  assert.deepEqual(outcomes.flatMap(({ name, outcome }) => (outcome.rows > 0 || outcome.refused !== undefined || outcome.notes.length > 0 ? [] : [name])), [], 'no table is empty without a word');
  emptied(folder);
});

test('a process whose tree, token or table is not in the dump costs that process alone', { skip }, async () => {
  const processes = (await rowsOf(session, pslist, all)).rows.length;
  assert.equal(processes, 5);
  const regions = (await rowsOf(session, vad, all)).run.notes.join('\n');
  // Of System the root is there and what hangs on it is not; of two that its handle table names not even that.
  assert.match(regions, /the VADs of System \(4\): the left side of 0x[0-9a-f]+ cannot be read/);
  assert.equal(regions.match(/the root of their tree cannot be read \(no block of the dump holds it\)/g)?.length, 2);
  const whom = await rowsOf(session, tokens, { ...all, all: true });
  assert.equal(whom.rows.length, 10);
  assert.match(whom.run.notes.join('\n'), /Capabilities of the token at 0x[0-9a-f]+ cannot be read/);
  assert.match((await rowsOf(session, handles, all)).run.notes.join('\n'), /Of 4 processes it is not known where the table is/);
});

test('without the page database pfn and rammap say so, and where to look', { skip }, async () => {
  for (const [plugin, args] of [[pfn, { pfn: 0x100 }], [rammap, {}]] as const) {
    const { rows, run } = await rowsOf(session, plugin, args);
    assert.equal(rows.length, 0);
    assert.match(run.notes.join('\n'), /^The page database cannot be read: no block of the dump holds it\. crashinfo tells what this dump holds\.$/);
  }
});

test('what the header lists is shown from there, as the kernel\'s own lists are not in the dump: drivers that are loaded and unloaded', { skip }, async () => {
  const stated = (await rowsOf(session, crashdrivers, {})).rows.map(({ name, base, unloaded }) => ({ name, base, unloaded }));
  const names = (unloaded: boolean): unknown[] => stated.filter((row) => row.unloaded === unloaded).map(({ name }) => name);
  assert.deepEqual((await rowsOf(session, unloadedModules, {})).rows.map(({ name }) => name), names(true));
  for (const plugin of [modules, versionModules, moddump]) assert.deepEqual((await rowsOf(session, plugin, {})).rows.map(({ name }) => name), names(false), plugin.name);
  emptied(folder);
});

test('nothing is said of processes that is only not in the dump', { skip }, async () => {
  const said = async (plugin: typeof procdump): Promise<string> => (await rowsOf(session, plugin, all)).run.notes.join('\n');
  assert.match(await said(sessions), /^Of 4 processes the session is not known: _EPROCESS.Session is not in memory.$/m);
  assert.match(await said(procdump), /^5 processes have no program in memory: the kernel's own, ended, or the page tables are not known.$/m);
  for (const plugin of [memmap, memdump, ptov]) await assert.rejects(rowsOf(session, plugin, { physical_address: 0x1000 }), /a triage dump has no page tables/, plugin.name);
});
