import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dt } from '../../../plugins/general/dt.js';
import { windowsOverlay } from '../../../src/kernel/windows/overlays.js';
import { BufferSpace } from '../../../src/memory/space.js';
import { TypeCompiler } from '../../../src/object/compiler.js';
import { Timestamp } from '../../../src/object/time.js';
import { openProfileFile } from '../../../src/symbols/open.js';
import { OverlayTypes } from '../../../src/symbols/overlay.js';
import type { ProfileSource } from '../../../src/symbols/source.js';
import type { TypeDescriptor } from '../../../src/symbols/types.js';
import { rowsOf } from '../../support/sample.js';
import { sharedData } from '../../support/shared.js';
import { replicaSession, replicaSkip, replicaTruth } from '../../support/windows.js';

const folder = sharedData('profiles', 'v1.0', 'nt', 'GUID');
const isf = sharedData('windows', 'isf', 'ntkrnlmp.pdb');
const overlaid = (source: ProfileSource): OverlayTypes => new OverlayTypes(source.types, windowsOverlay(source.metadata.arch === 'I386' ? 4 : 8));
const profile = async (name: string): Promise<ProfileSource> => openProfileFile(join(folder.path, `${name}.gz`));
const XP = '30B5FB31AE7E4ACAABA750AA241FF3311';
const WINDOWS_7 = 'F8E2A8B5C9B74BF4A6E4A48F180099942';

test('in every kernel that there is a profile of, what is overlaid stands where it stood and is as wide as it was', { skip: folder.skip || isf.skip }, async () => {
  const met = new Set<string>();
  // Texts of fewer bytes than their array: the priority class, or padding, comes behind them.
  const narrower = new Set(['_EPROCESS.ImageFileName']);
  let profiles = 0;
  for (const path of [folder, isf].flatMap(({ path: at }) => readdirSync(at).map((name) => join(at, name)))) {
    const source = await openProfileFile(path);
    if ([...source.types.structNames()].length === 0) continue;
    profiles++;
    const pointer = source.metadata.arch === 'I386' ? 4 : 8;
    const [plain, meant] = [new TypeCompiler(source.types, pointer), new TypeCompiler(overlaid(source), pointer)];
    const sizeOf = (compiler: TypeCompiler, type: TypeDescriptor): number => compiler.value(type).size;
    for (const [struct, members] of Object.entries(windowsOverlay(pointer))) {
      if (!plain.hasStruct(struct)) continue;
      for (const member of Object.keys(members)) {
        const [was, is] = [plain.struct(struct).members.get(member), meant.struct(struct).members.get(member)];
        assert.equal(is?.offset, was?.offset, `${path}: ${struct}.${member}`);
        if (!was || !is) continue;
        met.add(`${struct}.${member}`);
        if (!narrower.has(`${struct}.${member}`)) assert.equal(sizeOf(meant, is.type), sizeOf(plain, was.type), `${path}: ${struct}.${member}`);
      }
    }
  }
  assert.ok(profiles >= 63, `${profiles}`);
  // Each name is one that some kernel has.
  const all = Object.entries(windowsOverlay(8)).flatMap(([struct, members]) => Object.keys(members).map((member) => `${struct}.${member}`));
  assert.deepEqual(all.filter((name) => !met.has(name)), []);
});

test("labels are those of the build's own enumeration, and known ones where it has none", { skip: folder.skip }, async () => {
  const label = async (name: string, struct: string, member: string, value: number): Promise<string | undefined> => {
    const type = overlaid(await profile(name)).struct(struct)?.members.get(member)?.type;
    const base = type?.kind === 'bitfield' ? type.base : type;
    return base?.kind === 'enum' ? base.choices.get(String(value)) : undefined;
  };
  // XP has fewer reasons, and no enumeration of them; Windows 7 has its own.
  assert.equal(await label(XP, '_KTHREAD', 'WaitReason', 16), 'WrLpcReceive');
  assert.equal(await label(XP, '_KTHREAD', 'WaitReason', 36), undefined);
  assert.equal(await label(WINDOWS_7, '_KTHREAD', 'WaitReason', 36), 'WrRundown');
  assert.equal(await label(WINDOWS_7, '_KTHREAD', 'State', 5), 'Waiting');
  assert.equal(await label(WINDOWS_7, '_MMVAD_FLAGS', 'Protection', 6), 'EXECUTE_READWRITE');
  assert.equal(await label(WINDOWS_7, '_MMVAD_FLAGS', 'VadType', 2), 'VadImageMap');
  // The header of pool counts from one until Server 2003.
  assert.deepEqual([await label(XP, '_POOL_HEADER', 'PoolType', 1), await label(XP, '_POOL_HEADER', 'PoolType', 2)], ['NonPagedPool', 'PagedPool']);
  assert.deepEqual([await label(WINDOWS_7, '_POOL_HEADER', 'PoolType', 2), await label(WINDOWS_7, '_POOL_HEADER', 'PoolType', 3), await label(WINDOWS_7, '_POOL_HEADER', 'PoolType', 0)], ['NonPagedPool', 'PagedPool', 'free']);
});

test('flags of an object header: bit 2 has another name since Windows 7', { skip: folder.skip }, async () => {
  for (const [name, second] of [[XP, 'CREATOR_INFO'], [WINDOWS_7, 'KERNEL_ONLY_ACCESS']] as const) {
    const type = overlaid(await profile(name)).struct('_OBJECT_HEADER')?.members.get('Flags')?.type;
    assert.equal(type?.kind === 'named' ? (type.args['maskmap'] as Record<string, string>)['4'] : undefined, second);
  }
});

test("a thread's time of creation on XP stands above three bits of something else", { skip: folder.skip }, async () => {
  const at = Timestamp.fromFileTime(129_744_000_000_000_000n);
  for (const [name, shift] of [[XP, 3n], [WINDOWS_7, 0n]] as const) {
    const source = await profile(name);
    const thread = new TypeCompiler(overlaid(source), source.metadata.arch === 'I386' ? 4 : 8).struct('_ETHREAD');
    const bytes = Buffer.alloc(4096);
    bytes.writeBigUInt64LE((129_744_000_000_000_000n << shift) | ((1n << shift) - 1n), thread.offsetOf('CreateTime'));
    assert.equal(String(thread.at(new BufferSpace(bytes), 0n).$get('CreateTime')), String(at), name);
  }
});

interface Truth {
  readonly pid: number;
  readonly name: string;
  readonly eprocess: string;
  readonly in_active_list: boolean;
}

const session = replicaSkip ? undefined : await replicaSession();
after(() => session?.close());
/** What dt shows of a struct: member → content. */
const shown = async (target: string, offset: bigint, space?: string): Promise<ReadonlyMap<unknown, unknown>> => {
  const { rows } = await rowsOf(session as never, dt, { target, offset, ...(space === undefined ? {} : { address_space: space }) });
  return new Map(rows.map((row) => [row['field'], row['content']]));
};

test('dt of processes on the replica: the next process by its name, the token, no time where none is set', { skip: replicaSkip }, async () => {
  const truth = replicaTruth<Truth[]>('pslist').filter(({ in_active_list: listed }) => listed);
  const tokens = new Map(replicaTruth<{ pid: number; token: { object: string } | null }[]>('tokens').map(({ pid, token }) => [pid, token?.object]));
  const next = new Map<string, string>();
  for (const { eprocess, pid } of truth) {
    const content = await shown('_EPROCESS', BigInt(eprocess));
    next.set(eprocess, String(content.get('ActiveProcessLinks')));
    const token = tokens.get(pid);
    if (token !== undefined) assert.equal(content.get('Token'), `${token} _TOKEN`, String(pid));
  }
  // Each leads to another of them, and the last to the list's head.
  const heads = [...next.values()].filter((text) => text === '-> nt!PsActiveProcessHead');
  assert.equal(heads.length, 1);
  const links = [...next.values()].filter((text) => text !== heads[0]);
  const known = new Map(truth.map((one) => [one.eprocess, one]));
  for (const link of links) {
    const [, place = '', text = ''] = /^-> _EPROCESS (0x[0-9a-f]+) (.*)$/.exec(link) ?? [];
    const one = known.get(place);
    assert.ok(one && text === `${one.name} (${one.pid})`, link);
    known.delete(place);
  }
  assert.equal(known.size, 1, 'the first one is led to by the head');
});

test('dt of threads, modules and shared data: states, client ids, texts, times', { skip: replicaSkip }, async () => {
  const [, system] = replicaTruth<{ pid: number; threads: { ethread: string; tid: number; state: number }[] }[]>('threads');
  for (const { ethread, tid, state } of system?.threads.slice(0, 20) ?? []) {
    assert.equal((await shown('_KTHREAD', BigInt(ethread))).get('State'), state === 5 ? 'Waiting (5)' : `?${state}`);
    assert.equal((await shown('_ETHREAD', BigInt(ethread))).get('Cid'), `4.${tid}`);
    assert.equal((await shown('_DISPATCHER_HEADER', BigInt(ethread))).get('Type'), 'ThreadObject (6)');
  }
  const { loaded } = replicaTruth<{ loaded: { name: string; path: string; ldr_entry: string }[] }>('modules');
  for (const [index, { path, ldr_entry: at }] of loaded.entries()) {
    const content = await shown('_LDR_DATA_TABLE_ENTRY', BigInt(at));
    assert.equal(content.get('FullDllName'), path);
    const following = loaded[index + 1];
    assert.equal(content.get('InLoadOrderLinks'), following ? `-> _LDR_DATA_TABLE_ENTRY ${following.ldr_entry} ${following.name}` : '-> nt!PsLoadedModuleList');
  }
  const shared = await shown('_KUSER_SHARED_DATA', 0xfffff78000000000n);
  assert.equal(shared.get('NtSystemRoot'), 'C:\\Windows');
  assert.equal(shared.get('NtProductType'), 'NtProductWinNt (1)');
  assert.match(String(shared.get('SystemTime')), /^2012-02-22T11:31:25/);
});

test('flags by their names, tags as text', { skip: replicaSkip }, async () => {
  const [driver] = replicaTruth<{ object: string }[]>('drivers');
  const content = await shown('_DRIVER_OBJECT', BigInt(driver?.object ?? 0));
  assert.match(String(content.get('Flags')), /^0x[0-9a-f]+/);
  const { object_types: types } = replicaTruth<{ object_types: { name: string; object_type: string }[] }>('objects');
  const process = types.find(({ name }) => name === 'Process');
  const key = (await shown('_OBJECT_TYPE', BigInt(process?.object_type ?? 0))).get('Key');
  assert.match(String(key), /^.{4} \(0x[0-9a-f]+\)$/);
  assert.equal((await shown('_OBJECT_TYPE', BigInt(process?.object_type ?? 0))).get('Name'), 'Process');
});
