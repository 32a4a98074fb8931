import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WindowsKernel } from '../../../src/kernel/windows/kernel.js';
import { handleCount } from '../../../src/kernel/windows/objects/handles.js';
import { pslist } from '../../../plugins/windows/pslist.js';
import { sessions } from '../../../plugins/windows/sessions.js';
import { CROSS_METHODS, METHODS, processAt } from '../../../src/kernel/windows/processes/processes.js';
import { Shell } from '../../../src/console/shell.js';
import { Absent } from '../../../src/memory/absent.js';
import { describeStruct } from '../../../src/object/describe.js';
import type { Struct } from '../../../src/object/struct.js';
import type { Row } from '../../../src/plugin/columns.js';
import { prepareQuery } from '../../../src/query/prepare.js';
import { sessionCatalog } from '../../../src/query/session/catalog.js';
import { Profile } from '../../../src/symbols/profile.js';
import type { StructLayout, TypeSource } from '../../../src/symbols/types.js';
import { Screen } from '../../support/console.js';
import { sessionOn } from '../../support/fake-session.js';
import { temporary } from '../../support/folder.js';
import { rowsOf } from '../../support/sample.js';
import { sampleSession, sampleTruth } from '../../support/windows-sample.js';

/** Commands on processes that were asked for by an analyst who is mistaken, or of whom little is left. */
const folder = temporary();
const session = sampleSession({ dump_dir: folder });
after(() => {
  session.close();
});
const kernel = (await session.kernel()) as WindowsKernel;
const truth = sampleTruth().processes;
const ended = truth.find(({ exited }) => exited !== null);
const commands = session.registry.list().filter(({ needs, args }) => Array.isArray(needs) && needs.includes('windows') && args['pids']?.positional === true && 'eprocess' in args).map(({ name }) => name);
const run = async (name: string, args: Record<string, unknown>): Promise<{ rows: readonly Row[]; notes: readonly string[] }> => {
  const plugin = await session.plugin(name);
  const { rows, run: ran } = await rowsOf(session, plugin, { method: name === 'psxview' ? CROSS_METHODS : METHODS, ...args });
  return { rows, notes: ran.notes };
};
const ask = async (query: string): Promise<readonly Row[]> => (await prepareQuery(query, sessionCatalog(session))).rows();

const NONE: readonly (readonly [what: string, args: Record<string, unknown>])[] = [
  ['an id that no process has', { pids: [31337] }],
  ['a name that no process has', { proc_regex: /nosuch/i }],
  ['an id and a name of different processes', { pids: [4], proc_regex: /lsass/i }],
  ['an address where nothing is', { eprocess: [0x1234n] }],
];

test('what selects no process is told once, with where to look', async () => {
  assert.ok(commands.length >= 20);
  for (const name of commands) {
    for (const [what, args] of NONE) {
      const { rows, notes } = await run(name, args);
      assert.deepEqual(rows, [], `${name}: ${what}`);
      const told = notes.filter((note) => note.includes('pslist shows'));
      assert.equal(told.length, 1, `${name}: ${what}: ${notes.join(' ')}`);
    }
  }
});

test('of an ended process each command has rows, or says why it has none', async () => {
  const { pid = 0 } = ended ?? {};
  for (const name of commands) {
    const { rows, notes } = await run(name, { pids: [pid] });
    if (rows.length === 0) assert.match(notes.join(' '), /ended|without a token|in no session/i, name);
    assert.ok(!notes.join(' ').includes('found nothing'), name);
  }
});

test('an address that holds something else is told to be no process, and a variable that points to one is followed', async () => {
  const variable = kernel.profile.address('PsInitialSystemProcess');
  const { rows, notes } = await run('pslist', { eprocess: [variable] });
  assert.equal(rows.length, 1);
  assert.match(notes.join(' '), new RegExp(`No process at 0x${variable.toString(16)}: what stands there is of type \\d+`));
  const system = await run('pslist', { eprocess: [kernel.variable('PsInitialSystemProcess')] });
  assert.deepEqual([system.rows[0]?.['pid'], system.notes], [4, []]);
});

test('what is no id of a process is not rounded to one', async () => {
  // One byte behind an object its members are cut from two neighbours each.
  const { rows } = await run('pslist', { eprocess: truth.slice(0, 6).map(({ eprocess }) => BigInt(eprocess) + 1n) });
  assert.equal(rows.length, 6);
  for (const row of rows) for (const name of ['pid', 'ppid']) assert.ok(row[name] instanceof Absent || Number(row[name]) <= 0xffffffff, String(row[name]));
  assert.ok(rows.some((row) => row['pid'] instanceof Absent && row['pid'].kind === 'corrupt'));
});

test("what a process points to in its own memory is read there: struct cells lead to the command line of the truth", async () => {
  const rows = await ask('select pid, _EPROCESS.Peb.ProcessParameters.CommandLine as line, _EPROCESS.Peb.ImageBaseAddress as base from pslist()');
  const living = truth.filter(({ command_line: line }) => line !== null);
  let compared = 0;
  for (const { pid, command_line: line, dlls } of living) {
    const row = rows.find((one) => one['pid'] === pid);
    const cell = row?.['line'] as Struct;
    // One PEB of the sample is paged out.
    if (typeof cell.$type !== 'string') continue;
    assert.equal(describeStruct(cell).name, line);
    assert.equal((row?.['base'] as { address: bigint }).address, BigInt(dlls[0]?.base ?? 0));
    compared++;
  }
  assert.ok(compared >= living.length - 1 && compared > 8);
  // The same in the memory of another process, whose half of the kernel is the same.
  const [one, other] = living.map(({ eprocess }) => processAt(kernel, BigInt(eprocess)));
  const seen = kernel.struct('_EPROCESS').at(kernel.spaceOf(one as never), (other as Struct).$address);
  assert.equal(describeStruct(((seen.$get('Peb') as Struct).$get('ProcessParameters') as Struct).$get('CommandLine') as Struct).name, living[1]?.command_line);
});

test('times that have not come are none, in rows and in structs', async () => {
  const rows = await ask('select pid, _EPROCESS.ExitTime as end, process_exit_time from pslist()');
  for (const { pid, exited } of truth) {
    const row = rows.find((one) => one['pid'] === pid);
    const expected = exited === null ? null : String(row?.['process_exit_time']);
    assert.equal(row?.['end'] === null ? null : String(row?.['end']), expected);
    assert.equal(expected === null, exited === null);
  }
});

/** The same kernel by a profile that lacks a struct, or one member of it. */
function lacking(struct: string, member?: string): WindowsKernel {
  const own = kernel.profile.types;
  const types: TypeSource = {
    struct: (name) => {
      const layout = own.struct(name);
      if (name !== struct || !layout) return layout;
      return member === undefined ? undefined : ({ ...layout, members: new Map([...layout.members].filter(([other]) => other !== member)) } satisfies StructLayout);
    },
    enum: (name) => own.enum(name),
    typedef: (name) => own.typedef(name),
    structNames: () => own.structNames(),
    enumNames: () => own.enumNames(),
  };
  const { symbols, metadata } = kernel.profile;
  return new WindowsKernel(kernel.physical, new Profile(types, symbols, metadata), kernel.location, kernel.banner, kernel.version);
}

test('handles are counted where no member of the table says how many there are, as since Windows 8', () => {
  const newer = lacking('_HANDLE_TABLE', 'HandleCount');
  assert.ok(!newer.struct('_HANDLE_TABLE').has('HandleCount'));
  for (const { eprocess, handle_count: count, exited } of truth) {
    const expected = exited === null ? count : null;
    for (const one of [kernel, newer]) assert.equal(handleCount(one, processAt(one, BigInt(eprocess))), expected);
  }
});

test('without a struct of sessions they are told by their processes, and only who asks for their lists hears of it', async () => {
  const newer = sessionOn(lacking('_MM_SESSION_SPACE'));
  const told = await rowsOf(newer, sessions, { method: METHODS });
  const expected = truth.filter(({ session: id }) => id !== null).sort((a, b) => Number(a.session) - Number(b.session) || a.pid - b.pid);
  assert.deepEqual(told.rows.map((row) => [row['session_id'], row['pid']]), expected.map(({ session: id, pid }) => [id, pid]));
  assert.match(told.run.notes.join(' '), /no _MM_SESSION_SPACE/);
  assert.deepEqual((await rowsOf(newer, pslist, { method: METHODS, pids: [4] })).run.notes, []);
  assert.match((await rowsOf(newer, pslist, { method: ['Sessions'] })).run.notes.join(' '), /processes by Sessions: this profile has no struct _MM_SESSION_SPACE/);
});

test('names among arguments are meant in the one process that is named beside them, on command lines and in queries', async () => {
  const { pid, vads } = truth.find(({ name }) => name === 'lsass.exe') ?? assert.fail();
  const library = vads.find(({ file }) => file?.endsWith('\\ntdll.dll') === true);
  const screen = new Screen(false);
  const shell = new Shell(session, { output: screen, error: screen });
  assert.equal(await shell.execute(`vad ${pid} offset=ntdll+0x10 format=csv`), 'done');
  assert.match(screen.text, new RegExp(`,${library?.start},${library?.end},`));
  const ids = [pid, ...truth.filter(({ name }) => name === 'svchost.exe').map((one) => one.pid)];
  for (const query of [`vad(pids: ${pid}, offset: "ntdll")`, `vad(offset: "ntdll", pids: [${pid}])`]) {
    assert.deepEqual((await ask(`select start, pid from ${query}`)).map((row) => [row['start'], row['pid']]), [[BigInt(library?.start ?? 0), pid]]);
  }
  assert.equal((await ask(`select level from vtop("ntdll", "pid@${pid}") where level == "physical"`)).length, 1);
  // Of several nobody knows which is meant.
  await assert.rejects(ask(`select start from vad(pids: [${ids.join()}], offset: "ntdll")`), /ntdll is not known here/);
  await assert.rejects(ask('select start from vad(pids: 31337, offset: "ntdll")'), /There is no process 31337/);
});

test('cc: a process by the address of its object, and what is said of one that has ended or is none', async () => {
  const cc = async (args: Record<string, unknown>): Promise<string> => (await run('cc', args)).notes.join(' ');
  const explorer = truth.find(({ name }) => name === 'explorer.exe');
  assert.match(await cc({ eprocess: BigInt(explorer?.eprocess ?? 0) }), new RegExp(`^Process context: explorer.exe \\(${explorer?.pid}\\), DTB ${explorer?.dtb}$`));
  assert.match(await cc({ process: [String(ended?.pid)] }), new RegExp(`\\(whose memory is perhaps gone: it ended at ${ended?.exited?.replace(/\.0+Z$/, 'Z')}\\)`));
  await assert.rejects(cc({ eprocess: kernel.profile.address('PsInitialSystemProcess') }), /No process at 0x[0-9a-f]+: what stands there is of type \d+/);
  await assert.rejects(cc({ eprocess: 0x1234n }), /No process at 0x1234: page not present/);
  await assert.rejects(cc({ process: ['31337'] }), (error: Error & { next?: string }) => /No process 31337/.test(error.message) && error.next === 'pslist');
  session.context = undefined;
});

test('what the help of cc and vtop proposes for Windows works there', async () => {
  const proposed = ['cc', 'vtop'].flatMap((name) => session.registry.named(name).flatMap(({ examples }) => examples.flatMap(({ doc }) => /on Windows: (.*)$/.exec(doc ?? '')?.[1] ?? [])));
  assert.equal(proposed.length, 4);
  for (const line of proposed) {
    const screen = new Screen(false);
    const shell = new Shell(session, { output: screen, error: screen });
    assert.equal(await shell.execute(line), 'done', `${line}: ${screen.text}`);
    assert.ok(!screen.text.includes('not known'), line);
  }
  session.context = undefined;
});
