import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { enterProcess, findProcesses } from '../../../src/session/context.js';
import { processContext } from '../../../src/session/spaces.js';
import { replicaSession, replicaSkip as skip, replicaTruth } from '../../support/windows.js';

const session = skip ? undefined : await replicaSession();
after(() => session?.close());

test('every module of the kernel answers to its name, and every address in it leads back to it', { skip }, async () => {
  const resolver = await session?.resolver(null);
  const truth = replicaTruth<{ loaded: { name: string; base: string; size: string }[] }>('modules').loaded;
  for (const { name, base, size } of truth) {
    const plain = name === 'ntoskrnl.exe' ? 'nt' : name.replace(/\.(sys|dll|exe)$/i, '');
    assert.equal(await resolver?.address(plain), BigInt(base), name);
    const inside = resolver?.name(BigInt(base) + BigInt(size) - 1n) ?? '';
    assert.ok(inside.toLowerCase().startsWith(plain.toLowerCase()), `${name}: ${inside}`);
  }
  assert.equal(await resolver?.address('ntoskrnl!PsActiveProcessHead'), await resolver?.address('nt!PsActiveProcessHead'));
  assert.equal(resolver?.name(0x76d412c0n), undefined, 'no user address is of the kernel');
});

test('modules of a process by name; a name of its exports and back', { skip }, async () => {
  const kernel = (await session?.kernel()) as WindowsKernel;
  const context = processContext(kernel, 444);
  assert.equal(context.name, 'lsass.exe');
  const resolver = await session?.resolver(context);
  const own = replicaTruth<{ pid: number; dlls: { load_order: { base: string; name: string }[] } | null }[]>('dlls').find(({ pid }) => pid === 444);
  let count = 0;
  for (const { base, name } of own?.dlls?.load_order ?? []) {
    if (!/^[\w.]+$/.test(name)) continue;
    assert.equal(await resolver?.address(name.replace(/\.(dll|exe)$/i, '')), BigInt(base), name);
    count++;
  }
  assert.ok(count > 30, `${count}`);
  const address = (await resolver?.address('ntdll!NtCreateFile')) ?? 0n;
  assert.equal(resolver?.name(address), 'ntdll!NtCreateFile');
  assert.equal(resolver?.name(address + 5n), 'ntdll!NtCreateFile+0x5');
});

test('cc finds processes by id, by name with and without .exe, by pattern; the unlinked one too', { skip }, async () => {
  assert.ok(session);
  const names = async (text: string): Promise<unknown> => {
    const found = await findProcesses(session, text);
    return found === 'kernel' ? found : found.map(({ name, pid }) => `${name} ${pid}`);
  };
  assert.deepEqual(await names('lsass'), ['lsass.exe 444']);
  assert.deepEqual(await names('LSASS.EXE'), ['lsass.exe 444']);
  assert.deepEqual(await names('2016'), ['rundll32.exe 2016']);
  assert.equal(((await names('svchost')) as string[]).length, 11);
  assert.equal(await names('kernel'), 'kernel');
  assert.deepEqual(await names('0xfffffa80011c5700'), ['lsass.exe 444']);
  await enterProcess(session, 444);
  assert.equal(session.context?.space.readU16(0x76d40000n), 0x5a4d, 'the header of ntdll');
  await enterProcess(session, undefined);
  assert.equal(session.context, undefined);
});
