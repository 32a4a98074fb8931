import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DetectionError } from '../../../src/kernel/error.js';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { cacheText } from '../../../src/session/cache.js';
import { rowsOf } from '../../support/sample.js';
import { temporary } from '../../support/folder.js';
import { sampleSession } from '../../support/windows-sample.js';
import { replicaPath, replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

interface System {
  readonly kernel: { base: string; dtb: string; guid: string; age: number };
  readonly system: { lab: string; major: number; minor: number };
}

test('the kernel is found by its RSDS record: base, page tables and version are those of the truth', { skip }, async () => {
  const session = await replicaSession();
  const kernel = (await session.kernel()) as WindowsKernel;
  const { kernel: truth, system } = replicaTruth<System>('system');
  assert.equal(kernel.location.base, BigInt(truth.base));
  assert.equal(kernel.location.dtb, Number(truth.dtb));
  assert.equal(kernel.location.guid, `${truth.guid}${truth.age}`);
  assert.equal(kernel.version.major, system.major);
  assert.ok(kernel.banner.startsWith(system.lab.split('-')[0] ?? '?'), kernel.banner);
  assert.match(kernel.description, /^Windows 7 x64, 7600\.16385/);
  assert.ok(session.trace.steps.some((step) => step.stage === 'page tables' && step.outcome === 'verified'));
  session.close();
});

test('a second open believes what was learnt only where the record still stands', { skip }, async () => {
  const cache = temporary();
  for (const [index, stages] of [['kernel', 'symbols', 'page tables'], ['cache']].entries()) {
    const session = await replicaSession({ cache: 'file', cache_dir: cache });
    const kernel = await session.kernel();
    assert.match(kernel.banner, /^7600/);
    for (const stage of stages) assert.ok(session.trace.steps.some((step) => step.stage === stage), `${stage} at open ${index + 1}`);
    session.close();
  }
});

test('a cache of other releases, or one that somebody changed, counts as none', async () => {
  const cache = temporary();
  const open = async (): Promise<Set<string>> => {
    const session = sampleSession({ cache: 'file', cache_dir: cache });
    await session.kernel();
    const stages = new Set(session.trace.steps.filter(({ outcome }) => outcome === 'verified').map(({ stage }) => stage));
    session.close();
    return stages;
  };
  await open();
  assert.ok((await open()).has('cache'));
  const [name = ''] = readdirSync(join(cache, 'images'));
  const path = join(cache, 'images', name);
  const stored = JSON.parse(readFileSync(path, 'utf8')) as { values: { windows: Record<string, unknown> } };
  const known = stored.values.windows;
  const { names: _names, ...older } = known;
  const broken: unknown[] = [null, 'x', [], older, ...Object.keys(known).flatMap((key) => [null, {}, ['x'], '?', -1].map((value) => ({ ...known, [key]: value })))];
  for (const windows of broken) {
    writeFileSync(path, cacheText({ ...stored.values, windows }));
    const verified = await open();
    assert.ok(verified.has('page tables') || verified.has('cache'), JSON.stringify(windows));
  }
});

test('a damaged cache counts as none', async () => {
  const cache = temporary();
  const open = async (): Promise<{ readonly cached: boolean; readonly pids: unknown }> => {
    const session = sampleSession({ cache: 'file', cache_dir: cache });
    const pids = (await rowsOf(session, pslist)).rows.map(({ pid }) => pid);
    const cached = session.trace.steps.some(({ stage, outcome }) => stage === 'cache' && outcome === 'verified');
    session.close();
    return { cached, pids };
  };
  const { pids } = await open();
  assert.deepEqual(await open(), { cached: true, pids });
  const [name = ''] = readdirSync(join(cache, 'images'));
  const path = join(cache, 'images', name);
  const text = readFileSync(path, 'utf8');
  const at = text.indexOf('struct _EPROCESS');
  assert.ok(at > 0);
  for (const damaged of ['', '{', text.slice(0, text.length >> 1), text.replace(/(struct _EPROCESS":")/, '$1{'), text.replace(/offset/g, 'offzet'), text.slice(0, -1)]) {
    writeFileSync(path, damaged);
    assert.deepEqual(await open(), { cached: false, pids });
  }
});

test('without a profile the message says which one is missing, and how it is to be had', { skip }, async () => {
  const session = await replicaSession({ repository_path: [] });
  await assert.rejects(session.kernel(), (error) => {
    assert.ok(error instanceof DetectionError);
    assert.match(error.message, /F8E2A8B5C9B74BF4A6E4A48F18009994 age 2/);
    assert.match(error.message, /ntkrnlmp\.pdb/);
    assert.match(error.message, /--repository_path/);
    assert.match(error.message, /--profile/);
    return true;
  });
  session.close();
});

test('a profile of another kernel is not believed', { skip }, async () => {
  const { sharedData } = await import('../../support/shared.js');
  const other = sharedData('profiles-newer', 'v1.0', 'nt', 'GUID', 'DCA4AD4BEEB4746D48F84C0125019E431.gz');
  const session = await replicaSession({ filename: await replicaPath(), profile: other.path });
  await assert.rejects(session.kernel(), DetectionError);
  session.close();
});
