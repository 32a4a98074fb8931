import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handles } from '../../../plugins/windows/handles.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { psxview } from '../../../plugins/windows/psxview.js';
import { vad } from '../../../plugins/windows/vad.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Timestamp } from '../../../src/object/time.js';
import { sessionOn } from '../../support/fake-session.js';
import { type Build, buildSkip as skip, FakeWindows } from '../../support/fake-windows.js';
import type { FieldValue } from '../../support/literal-types.js';
import { rowsOf } from '../../support/sample.js';

/** Tables of processes with the layouts of kernels from XP to Windows 10, in memory made by hand. */

const BORN = 129780136266093750n;
const active = { method: ['PsActiveProcessHead'] };

for (const build of ['XP SP3 x86', '7 x64', '8.1 x64', '10 x64'] as const satisfies readonly Build[]) {
  test(`${build}: sessions, WoW64, times`, { skip: skip(build) }, async () => {
    const fake = await FakeWindows.of(build);
    const sessionSpace = fake.place('_MM_SESSION_SPACE', { SessionId: 3 });
    const token = fake.place('_TOKEN', { SessionId: 3 });
    const dtb = { DirectoryTableBase: fake.has('_KPROCESS', 'DirectoryTableBase') && build.startsWith('XP') ? [fake.image.dtb, 0] : fake.image.dtb };
    const wow = ['Wow64Process', 'WoW64Process'].find((member) => fake.has('_EPROCESS', member));
    const list = [
      fake.object('Process', '_EPROCESS', { UniqueProcessId: 4, ImageFileName: 'System', Pcb: dtb }),
      fake.object('Process', '_EPROCESS', {
        UniqueProcessId: 1234,
        InheritedFromUniqueProcessId: 4,
        ImageFileName: 'a.exe',
        Pcb: dtb,
        Session: sessionSpace,
        Token: { Value: token },
        CreateTime: { QuadPart: BORN },
        ActiveThreads: 2,
        ...(wow === undefined ? {} : { [wow]: 0x7efde000n }),
      }),
      // Its memory is gone: the token alone tells the session.
      fake.object('Process', '_EPROCESS', { UniqueProcessId: 1300, ImageFileName: 'gone.exe', Session: 0xffffffffn, Token: { Value: token }, CreateTime: { QuadPart: BORN }, ExitTime: { QuadPart: BORN + 1n } }),
    ];
    fake.head('PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks', list);
    const { rows } = await rowsOf(sessionOn(fake.kernel()), pslist, active);
    const time = (cell: unknown): bigint | null => (cell === null ? null : (cell as Timestamp).ns);
    const ns = (BORN - 116444736000000000n) * 100n;
    assert.deepEqual(
      rows.map((row) => [row['pid'], row['name'], row['ppid'], row['thread_count'], row['session_id'], row['wow64'], time(row['process_create_time']), time(row['process_exit_time'])]),
      [
        [4, 'System', 0, 0, null, false, null, null],
        [1234, 'a.exe', 4, 2, 3, wow !== undefined, ns, null],
        [1300, 'gone.exe', 0, 0, 3, false, ns, ns + 100n],
      ],
    );
  });

  test(`${build}: regions of the tree that this build has`, { skip: skip(build) }, async () => {
    const fake = await FakeWindows.of(build);
    const front = fake.pointer === 8 ? 16 : 8;
    const node = (tag: string, first: number, last: number, flags: Readonly<Record<string, number>>): bigint => {
      const at = fake.image.room(front + 256) + BigInt(front);
      fake.image.write(at - (fake.pointer === 8 ? 12n : 4n), Buffer.from(tag));
      const own = fake.has('_MMVAD_FLAGS', 'CommitCharge') ? flags : Object.fromEntries(Object.entries(flags).filter(([name]) => name !== 'CommitCharge'));
      fake.set('_MMVAD_SHORT', at, { StartingVpn: first % 2 ** 32, EndingVpn: last % 2 ** 32, u: { VadFlags: own } });
      if (own !== flags) fake.set('_MMVAD_SHORT', at, { u1: { VadFlags1: { CommitCharge: flags['CommitCharge'] ?? 0 } } });
      if (fake.has('_MMVAD_SHORT', 'StartingVpnHigh')) fake.set('_MMVAD_SHORT', at, { StartingVpnHigh: Math.floor(first / 2 ** 32), EndingVpnHigh: Math.floor(last / 2 ** 32) });
      return at;
    };
    // Above 16 TiB only where page numbers have the bits for it.
    const high = fake.has('_MMVAD_SHORT', 'StartingVpnHigh') ? 0x7ffff0000 : 0x7ffe0;
    const left = node('VadS', 0x10, 0x1f, { PrivateMemory: 1, Protection: 6, CommitCharge: 16 });
    const right = node('VadS', high, high + 1, { PrivateMemory: 1, Protection: 1, CommitCharge: 0 });
    const root = node('VadS', 0x400, 0x4ff, { PrivateMemory: 1, Protection: 4, CommitCharge: 5 });
    const wide = fake.has('_EPROCESS', 'VadRoot') && fake.has('_RTL_BALANCED_NODE', 'Left') && build !== '7 x64' && build !== 'XP SP3 x86';
    const links = wide ? '_RTL_BALANCED_NODE' : build === 'XP SP3 x86' ? '_MMVAD' : '_MMADDRESS_NODE';
    fake.set(links, root, wide ? { Left: left, Right: right } : { LeftChild: left, RightChild: right });
    const vadRoot: FieldValue = wide ? { Root: root } : build === 'XP SP3 x86' ? root : { BalancedRoot: { RightChild: root } };
    const process = fake.object('Process', '_EPROCESS', { UniqueProcessId: 8, ImageFileName: 'a.exe', VadRoot: vadRoot });
    fake.head('PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks', [process]);
    const { rows } = await rowsOf(sessionOn(fake.kernel()), vad, active);
    assert.deepEqual(
      rows.map((row) => [(row['VAD'] as Struct).$address, row['lev'], row['start'], row['end'], row['com'], row['type'], row['protect']]),
      [
        [left, 2, 0x10000n, 0x1ffffn, 16, 'Private', 'EXECUTE_READWRITE'],
        [root, 1, 0x400000n, 0x4fffffn, 5, 'Private', 'READWRITE'],
        [right, 2, BigInt(high) << 12n, (BigInt(high + 2) << 12n) - 1n, 0, 'Private', 'READONLY'],
      ],
    );
  });

  test(`${build}: handles, and owners of threads`, { skip: skip(build) }, async () => {
    const fake = await FakeWindows.of(build);
    const process = fake.object('Process', '_EPROCESS', { UniqueProcessId: 4, ImageFileName: 'System', ActiveThreads: 1 });
    const other = fake.object('Process', '_EPROCESS', { UniqueProcessId: 8, ImageFileName: 'hidden.exe', ActiveThreads: 1 });
    const threadOf = (owner: bigint): bigint => fake.object('Thread', '_ETHREAD', fake.has('_ETHREAD', 'ThreadsProcess') ? { ThreadsProcess: owner } : { Tcb: { Process: owner } });
    const thread = threadOf(other);
    const body = fake.offsetOf('_OBJECT_HEADER', 'Body');
    const table = (objects: readonly bigint[]): bigint => {
      const page = fake.image.room(4096, 4096);
      const size = fake.sizeOf('_HANDLE_TABLE_ENTRY');
      for (const [index, object] of objects.entries()) {
        const at = page + BigInt((index + 1) * size);
        if (fake.has('_HANDLE_TABLE_ENTRY', 'ObjectPointerBits')) fake.set('_HANDLE_TABLE_ENTRY', at, { ObjectPointerBits: (object & 0xffffffffffffn) >> 4n, GrantedAccessBits: 0x1f });
        else fake.set('_HANDLE_TABLE_ENTRY', at, { Object: object | 1n, GrantedAccess: 0x1f });
      }
      return fake.place('_HANDLE_TABLE', { TableCode: page, NextHandleNeedingPool: 0x800 });
    };
    fake.set('_EPROCESS', process, { ObjectTable: table([other - body, thread - body]) });
    fake.point(fake.symbol('PspCidTable'), table([process, thread, threadOf(process)]));
    fake.point(fake.symbol('PsInitialSystemProcess'), process);
    fake.head('PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks', [process]);
    const session = sessionOn(fake.kernel());
    const open = await rowsOf(session, handles, active);
    assert.deepEqual(
      open.rows.map((row) => [row['pid'], row['handle'], row['access'], row['obj_type'], (row['_OBJECT_HEADER'] as Struct).$address]),
      [
        [4, 4, 0x1f, 'Process', other - body],
        [4, 8, 0x1f, 'Thread', thread - body],
      ],
    );
    const { rows } = await rowsOf(session, psxview, { odd: false });
    const hidden = rows.find((row) => row['pid'] === 8);
    assert.deepEqual([hidden?.['PsActiveProcessHead'], hidden?.['PspCidTable'], hidden?.['Handles'], hidden?.['Thrdproc'], hidden?.['odd']], [false, false, true, true, true]);
    assert.equal(rows.find((row) => row['pid'] === 4)?.['odd'], false, String(rows.find((row) => row['pid'] === 4)?.['remark']));
  });
}
