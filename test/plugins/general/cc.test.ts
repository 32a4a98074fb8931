import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cc } from '../../../plugins/general/cc.js';
import { PagedSpace } from '../../../src/memory/paging/paged.js';
import { PluginError } from '../../../src/plugin/error.js';
import { SessionGroup } from '../../../src/session/group.js';
import type { Choice } from '../../../src/session/prompter.js';
import type { Session } from '../../../src/session/session.js';
import { committedSample, rowsOf, skipWithout } from '../../support/sample.js';

const sample = committedSample();
const skip = skipWithout(sample ? [sample] : []);

/** Processes as the guest's /proc had them: pid → name. */
function guest(): Map<number, string> {
  const names = new Map<number, string>();
  for (const pid of sample?.list('proc') ?? []) {
    if (!/^\d+$/.test(pid) || sample?.hasTruth(`proc/${pid}/status`) !== true) continue;
    names.set(Number(pid), /^Name:\t(.*)$/m.exec(sample.truth(`proc/${pid}/status`))?.[1] ?? '');
  }
  return names;
}

const words = async (session: Session, ...process: string[]): ReturnType<typeof rowsOf> => rowsOf(session, cc, process.length === 0 ? {} : { process });

test('a process is named by id, name, pattern and address; what follows works in its memory', { skip }, async () => {
  const session = sample?.session() as Session;
  const names = guest();
  assert.ok(names.size > 20);
  const unique = [...names].filter(([, name]) => /^[a-z-]+$/.test(name) && [...names.values()].filter((other) => other === name).length === 1);
  for (const [pid, name] of unique.slice(0, 5)) {
    for (const text of [String(pid), name, name.toUpperCase(), `^${name}$`]) {
      const { run } = await words(session, text);
      assert.match(run.notes[0] ?? '', new RegExp(`^Process context: ${name} \\(${pid}\\)`), text);
      assert.equal(session.context?.pid, pid);
      assert.equal(session.context?.name, name);
    }
    const address = `0x${session.context?.process.$address.toString(16)}`;
    assert.equal((await words(session, 'kernel')).rows[0]?.['name'], 'kernel');
    await words(session, address);
    assert.equal(session.context?.pid, pid, address);
  }
  await words(session, 'init');
  const space = await session.space();
  assert.ok(space instanceof PagedSpace && space.dtb !== (await session.kernel()).space.dtb);
  // init's first mapping, as the guest's /proc/1/maps has it, can be read here and not in the kernel's space.
  const start = BigInt(`0x${/^([0-9a-f]+)-/.exec(sample?.truth('proc/1/maps') ?? '')?.[1]}`);
  assert.equal(space.readPartial(start, 4).bytes.toString('latin1'), '\x7fELF');
  assert.throws(() => (session.context = undefined, (session.detected as NonNullable<typeof session.detected>).space.read(start, 4)));
  session.close();
});

test('a thread is found by its id, and means its process', { skip }, async () => {
  const session = sample?.session() as Session;
  const tasks = [...guest().keys()].flatMap((pid) => (sample?.list(`proc/${pid}/task`) ?? []).map((tid) => [pid, Number(tid)] as const)).filter(([pid, tid]) => pid !== tid);
  for (const [pid, tid] of tasks.slice(0, 4)) {
    const { run } = await words(session, String(tid));
    assert.equal(session.context?.pid, pid);
    assert.match(run.notes[0] ?? '', new RegExp(`which has the thread .* \\(${tid}\\)`));
  }
  session.close();
});

test('without anybody to ask: candidates and what to type; a bare cc goes back to the kernel', { skip }, async () => {
  const session = sample?.session() as Session;
  await assert.rejects(words(session, 'k.*'), (error) => error instanceof PluginError && /processes match k\.\*: kthreadd \(2\), /.test(error.message) && error.next === 'cc 2');
  assert.equal(session.context, undefined);
  await assert.rejects(words(session, 'no such'), /No process no such/);
  await assert.rejects(words(session, '0x10'), /No process at 0x10/);
  await assert.rejects(words(session, 'linux!linux_banner'), /No process at linux!linux_banner/);
  await words(session, '1');
  await words(session);
  assert.equal(session.context, undefined);
  session.close();
});

test('a bare or ambiguous cc asks, and leaving the question changes nothing', { skip }, async () => {
  const session = sample?.session() as Session;
  const group = SessionGroup.of(session);
  const asked: { message: string; names: string[] }[] = [];
  let answer: RegExp | undefined;
  group.prompter = {
    search: <T>(message: string, choices: readonly Choice<T>[]) => {
      asked.push({ message, names: choices.map(({ name }) => name) });
      return Promise.resolve(answer && choices.find(({ name }) => answer?.test(name))?.value);
    },
  };
  answer = / 1 {2}init$/;
  await words(session);
  assert.equal(asked[0]?.names.length, 1 + (await rowsOf(session, (await import('../../../plugins/linux/pslist.js')).pslist)).rows.length);
  assert.match(asked[0]?.names[0] ?? '', /^kernel/);
  assert.equal(session.context?.pid, 1);
  answer = undefined;
  assert.deepEqual((await words(session, 'k.*')).run.notes, ['The context stays as it was.']);
  assert.match(asked[1]?.message ?? '', /match k\.\*/);
  assert.equal(session.context?.pid, 1);
  answer = /^kernel/;
  await words(session);
  assert.equal(session.context, undefined);
  session.close();
});
