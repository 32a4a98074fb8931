import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threads } from '../../../plugins/windows/threads.js';
import { privileges, tokens } from '../../../plugins/windows/tokens.js';
import { serviceSid, sidName, sidText } from '../../../src/kernel/windows/processes/sid.js';
import { Absent } from '../../../src/memory/absent.js';
import { sessionOn } from '../../support/fake-session.js';
import { type BUILDS, buildSkip, buildsSkip as skip, FakeWindows } from '../../support/fake-windows.js';
import type { FieldValue } from '../../support/literal-types.js';
import { rowsOf } from '../../support/sample.js';

/** Bytes of a SID as winnt.h lays it out. */
function sid(authority: number, ...parts: number[]): Buffer {
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(authority, 2, 6);
  for (const [index, part] of parts.entries()) bytes.writeUInt32LE(part, 8 + 4 * index);
  return bytes;
}

/** A kernel with one process, whose token has these members. */
async function withToken(build: keyof typeof BUILDS, members: (fake: FakeWindows) => Readonly<Record<string, FieldValue>>): Promise<FakeWindows> {
  const fake = await FakeWindows.of(build);
  const token = fake.place('_TOKEN', members(fake));
  const process = fake.object('Process', '_EPROCESS', { UniqueProcessId: 4, ImageFileName: 'System', Token: { Value: token | 3n } });
  fake.head('PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks', [process]);
  return fake;
}

function sidList(fake: FakeWindows, list: readonly (readonly [address: bigint, attributes: number])[]): bigint {
  const size = fake.sizeOf('_SID_AND_ATTRIBUTES');
  const at = fake.image.room(size * list.length);
  for (const [index, [address, attributes]] of list.entries()) fake.set('_SID_AND_ATTRIBUTES', at + BigInt(index * size), { Sid: address, Attributes: attributes });
  return at;
}

const only = { method: ['PsActiveProcessHead'] };

test('XP: privileges are a list; those of the truth come with their attributes, in order of their numbers', { skip }, async () => {
  const fake = await withToken('XP SP3 x86', (image) => {
    const size = image.sizeOf('_LUID_AND_ATTRIBUTES');
    const list = image.image.room(3 * size);
    for (const [index, [value, attributes]] of [[23, 3], [20, 2], [8, 0]].entries()) {
      image.set('_LUID_AND_ATTRIBUTES', list + BigInt(index * size), { Luid: { LowPart: value as number }, Attributes: attributes as number });
    }
    return { PrivilegeCount: 3, Privileges: list };
  });
  const { rows } = await rowsOf(sessionOn(fake.kernel()), privileges, only);
  assert.deepEqual(
    rows.map((row) => [row['Value'], row['Privileges'], row['Attributes'], row['enabled'], row['by_default']]),
    [
      [8, 'SeSecurityPrivilege', 'Present', false, false],
      [20, 'SeDebugPrivilege', 'Present, Enabled', true, false],
      [23, 'SeChangeNotifyPrivilege', 'Present, Enabled, Default', true, true],
    ],
  );
});

test('XP: a token that states a million privileges is told, and gives none', { skip }, async () => {
  const fake = await withToken('XP SP3 x86', () => ({ PrivilegeCount: 1e6, Privileges: 0xc0200000n }));
  const { rows, run } = await rowsOf(sessionOn(fake.kernel()), privileges, only);
  assert.equal(rows.length, 0);
  assert.ok(run.notes.some((note) => /states 1000000 privileges/.test(note)), run.notes.join());
});

test('names of privileges are those of the kernel; a variable that was changed is told', { skip }, async () => {
  const fake = await withToken('7 x64', () => ({ Privileges: { Present: (1n << 23n) | (1n << 20n), Enabled: 1n << 23n, EnabledByDefault: 0 } }));
  // SeDebugPrivilege made the number of SeChangeNotifyPrivilege, which everybody has.
  const number = (name: string, value: number): void => fake.image.write(fake.symbol(name), Buffer.from([value, 0, 0, 0, 0, 0, 0, 0]));
  number('SeDebugPrivilege', 23);
  number('SeChangeNotifyPrivilege', 23);
  number('SeTcbPrivilege', 7);
  const { rows, run } = await rowsOf(sessionOn(fake.kernel()), privileges, only);
  assert.deepEqual(rows.map((row) => row['Privileges']), ['SeDebugPrivilege', 'SeChangeNotifyPrivilege']);
  assert.deepEqual(run.notes, ['nt!SeDebugPrivilege is 23, and should be 20: whoever has SeChangeNotifyPrivilege passes for it.']);
  const all = await rowsOf(sessionOn(fake.kernel()), privileges, { ...only, all: true });
  assert.equal(all.rows.filter((row) => row['present'] === false).length, 33);
});

test('8.1: an app container is told apart from groups; broken SIDs cost their own row only', { skip }, async () => {
  const fake = await withToken('8.1 x64', (image) => {
    const put = (bytes: Buffer): bigint => image.bytes(bytes);
    const wrong = sid(5, 18);
    wrong.writeUInt8(9, 0);
    return {
      UserAndGroupCount: 5,
      UserAndGroups: sidList(image, [
        [put(sid(5, 21, 1, 2, 3, 1001)), 0],
        [put(sid(5, 32, 544)), 0x10],
        [0xffff900000000000n, 7],
        [put(wrong), 7],
        [put(sid(16, 4096)), 0x60],
      ]),
      RestrictedSidCount: 1,
      RestrictedSids: sidList(image, [[put(sid(5, 12)), 7]]),
      CapabilityCount: 1,
      Capabilities: sidList(image, [[put(sid(15, 3, 1)), 4]]),
      Package: put(sid(15, 2, 7, 8)),
    };
  });
  const session = sessionOn(fake.kernel());
  const plain = await rowsOf(session, tokens, only);
  assert.equal(plain.rows.length, 5);
  assert.deepEqual(plain.rows.map((row) => row['Sid'] instanceof Absent), [false, false, true, true, false]);
  assert.deepEqual([plain.rows[1]?.['attributes'], plain.rows[1]?.['Comment']], ['deny only', 'Administrators']);
  const { rows } = await rowsOf(session, tokens, { ...only, all: true });
  assert.deepEqual(
    rows.map((row) => [row['kind'], row['Sid'] instanceof Absent ? null : row['Sid'], row['Comment']]),
    [
      ['user', 'S-1-5-21-1-2-3-1001', 'User'],
      ['group', 'S-1-5-32-544', 'Administrators'],
      ['group', null, null],
      ['group', null, null],
      ['integrity', 'S-1-16-4096', 'Low Mandatory Level'],
      ['restricted', 'S-1-5-12', 'Restricted Code'],
      ['capability', 'S-1-15-3-1', 'Capability: Internet Client'],
      ['package', 'S-1-15-2-7-8', 'App Container'],
    ],
  );
});

test('SIDs as text: authorities of 32 bits in decimal, greater ones in hex; what is none is not made one', { skip }, async () => {
  const fake = await FakeWindows.of('7 x64');
  const small = fake.bytes(sid(0xffffffff, 4));
  const large = fake.bytes(sid(0x100000000, 4, 0xffffffff));
  const none = fake.bytes(Buffer.alloc(12));
  const long = fake.bytes(Buffer.concat([Buffer.from([1, 16, 0, 0, 0, 0, 0, 5]), Buffer.alloc(64)]));
  const kernel = fake.kernel();
  assert.deepEqual([small, large, none, long].map((at) => sidText(kernel, at)), ['S-1-4294967295-4', 'S-1-0x100000000-4-4294967295', undefined, undefined]);
});

test("services are known by the hash of their names: TrustedInstaller's SID is printed in every listing of Windows' own files", () => {
  const installer = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464';
  assert.equal(serviceSid('trustedinstaller'), installer);
  assert.equal(sidName(installer), 'Service TrustedInstaller');
  assert.equal(sidName('S-1-5-80-1-2-3-4-5'), 'Service');
  assert.equal(sidName('S-1-5-21-1-2-3-500'), 'Administrator');
  assert.equal(sidName('S-1-5-90-0-1'), 'Window Manager DWM-1');
  assert.equal(sidName('S-1-77-1'), null);
});

/** `_ETHREAD.CrossThreadFlags`: ActiveImpersonationInfo (WRK, ps.h: PS_CROSS_THREAD_FLAGS_IMPERSONATING) */
const IMPERSONATING = 8;

for (const build of ['XP SP3 x86', '7 x64', '8.1 x64', '10 x64'] as const) {
  test(`${build}: whom threads impersonate and how far, and what their tokens say; what is left of an impersonation that ended is none`, { skip: buildSkip(build) }, async () => {
    const fake = await FakeWindows.of(build);
    const tokenOfUser = (...parts: number[]): bigint => fake.object('Token', '_TOKEN', { TokenType: 2, UserAndGroupCount: 1, UserAndGroups: sidList(fake, [[fake.bytes(sid(5, ...parts)), 0]]) });
    /** SECURITY_IMPERSONATION_LEVEL: 1 Identification, 2 Impersonation */
    const acting = (token: bigint, level: number): Readonly<Record<string, FieldValue>> =>
      fake.has('_ETHREAD', 'ClientSecurity')
        ? { ClientSecurity: { ImpersonationData: token | BigInt(level) } }
        : { ImpersonationInfo: fake.place('_PS_IMPERSONATION_INFORMATION', { Token: token, ImpersonationLevel: level }) };
    const thread = (tid: number, flags: number, members: Readonly<Record<string, FieldValue>>): bigint =>
      fake.object('Thread', '_ETHREAD', { Cid: { UniqueProcess: 700, UniqueThread: tid }, CrossThreadFlags: flags, ...members });
    const process = fake.object('Process', '_EPROCESS', { UniqueProcessId: 700, ImageFileName: 'spoolsv.exe', Token: { Value: tokenOfUser(20) } });
    const list = [
      thread(701, 0, {}),
      thread(702, IMPERSONATING, acting(tokenOfUser(18), 2)),
      thread(703, IMPERSONATING | 1, acting(tokenOfUser(21, 1, 2, 3, 1001), 1)),
      thread(704, 0, acting(tokenOfUser(18), 2)),
      thread(705, IMPERSONATING, acting(fake.pointer === 8 ? 0xffff900000000000n : 0xdead0000n, 2)),
    ];
    fake.link(process + fake.offsetOf('_EPROCESS', 'ThreadListHead'), list.map((at) => at + fake.offsetOf('_ETHREAD', 'ThreadListEntry')));
    fake.head('PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks', [process]);
    const session = sessionOn(fake.kernel());
    const { rows } = await rowsOf(session, threads, only);
    assert.deepEqual(
      rows.map((row) => [row['tid'], row['impersonates'] instanceof Absent ? 'Absent' : row['impersonates'], row['level']]),
      [
        [701, null, null],
        [702, 'Local System', 'Impersonation'],
        [703, 'S-1-5-21-1-2-3-1001 (User)', 'Identification'],
        [704, null, null],
        [705, 'Absent', 'Impersonation'],
      ],
    );
    assert.deepEqual((await rowsOf(session, threads, { ...only, impersonating: true })).rows.map((row) => row['tid']), [702, 703, 705]);
    const all = await rowsOf(session, tokens, { ...only, threads: true });
    assert.deepEqual(all.rows.map((row) => [row['tid'], row['Sid'], row['Comment']]), [[null, 'S-1-5-20', 'Network Service'], [702, 'S-1-5-18', 'Local System; token of thread 702'], [703, 'S-1-5-21-1-2-3-1001', 'User; token of thread 703']]);
    assert.match(all.run.notes.join('\n'), /^What thread 705 of spoolsv.exe \(700\) impersonates could not be read: /m);
    assert.equal((await rowsOf(session, tokens, only)).rows.length, 1);
  });
}
