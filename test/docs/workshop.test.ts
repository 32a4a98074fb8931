import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { complete } from '../../src/console/completion.js';
import { Shell } from '../../src/console/shell.js';
import { Conversation, Screen } from '../support/console.js';
import { temporary } from '../support/folder.js';
import { root } from '../support/root.js';
import { committedSample, type Sample } from '../support/sample.js';
import { sampleTruth } from '../support/windows-sample.js';
import { agrees, rewritten, type Step, stepsOf } from '../support/walkthrough.js';

/**
 * The workshop's conversations are held again, and what the console shows is compared with what the document says.
 * `node dist/test/docs/workshop.test.js --update` writes what is shown into the document; look at the difference before you believe it.
 */
const path = join(root, 'docs/workshop.md');
const update = process.argv.includes('--update');
const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const folder = temporary();
after(() => {
  process.chdir(root);
});

/** What differs from run to run: durations, places on this disk, the clock. */
function settled(text: string): string[] {
  const lines = text
    .replaceAll(join(root, 'fixtures/linux-6.1-tiny/'), '')
    .replaceAll(`${folder}/`, '')
    .replace(/\b\d+(?:\.\d+)? ?(ms|s)\b/g, '0 $1')
    .split('\n')
    .map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The prompt without its clock. */
const unclocked = (prompt: string): string => prompt.replace(/ \d\d:\d\d:\d\d(?=>$)/, '');

test('the workshop says what the console says', { skip, timeout: 600_000 }, async (context) => {
  const document = readFileSync(path, 'utf8');
  const steps = stepsOf(document);
  assert.ok(steps.length > 30, `${steps.length} steps`);
  process.chdir(folder);
  // The samples are opened by the paths that one types in a checkout.
  symlinkSync(join(root, 'fixtures'), join(folder, 'fixtures'));
  const talk = new Conversation({ parameters: { filename: sample?.image ?? '', timezone: 'UTC' } });
  const replacements = new Map<Step, readonly string[]>();
  const failures: string[] = [];
  const compare = (step: Step, shown: readonly string[]): void => {
    if (agrees(step.expected, shown)) return;
    replacements.set(step, shown);
    failures.push(`docs/workshop.md:${step.at}: ${step.typed}\n--- the document\n${step.expected.join('\n')}\n--- the console\n${shown.join('\n')}\n`);
  };
  await talk.until(() => talk.output.plain.includes('> '));
  for (const step of steps) {
    if (step.kind === 'greeting') {
      compare(step, settled(`${talk.error.plain}${talk.output.plain.replace(/\[\d+\] [^[\n]*> $/, '')}`));
    } else if (step.kind === 'completion') {
      const shell = new Shell(talk.session, { output: new Screen(false), error: new Screen(false) });
      const { candidates } = await complete(shell, step.typed);
      compare(step, candidates.map(({ text }) => text));
    } else {
      const prompt = unclocked(/(\[\d+\] [^[\n]*>) $/.exec(talk.output.plain)?.[1] ?? '');
      if (prompt !== step.prompt) failures.push(`docs/workshop.md:${step.at}: the prompt is ${prompt}, not ${step.prompt}`);
      let [output, error] = ['', ''];
      for (const line of step.typed.split('\n')) {
        const said = await talk.say(line);
        output += said.output;
        error += said.error;
      }
      compare(step, settled([output, error].filter((text) => text !== '').join('\n')));
    }
  }
  await talk.end();
  if (update && replacements.size > 0) {
    writeFileSync(path, rewritten(document, replacements));
    context.diagnostic(`${replacements.size} of ${steps.length} outputs written`);
  } else assert.deepEqual(failures, [], failures.join('\n'));
});

/** The lines below what was typed. */
function shown(typed: string): readonly string[] {
  const step = stepsOf(readFileSync(path, 'utf8')).find((one) => one.typed.startsWith(typed));
  assert.ok(step, `the workshop has no ${typed}`);
  return step.expected;
}

test('what the workshop shows is what the guest said of itself', { skip }, () => {
  const { truth, list } = sample as Sample;
  const markers = truth('marker-pages.tsv').split('\n').map((line) => line.split('\t'));
  for (const [pid, virtual] of [['112', '0x7f858b8cd000'], ['113', '0x7f277624c000']] as const) {
    const physical = markers.find((marker) => marker[0] === pid && marker[1] === virtual)?.[2];
    assert.match(shown(`vtop ${virtual}`).at(-1) ?? '', new RegExp(` ${physical} `), pid);
  }
  // The shared page: the processes whose pagemap (runs of address, frame in hex, count) has the frame at that address.
  const mapped = (pid: string, frame: number): boolean =>
    truth(`proc/${pid}/pagemap`).split('\n').some((line) => {
      const [, first = '', count = ''] = line.split(' ');
      return frame >= parseInt(first, 16) && frame < parseInt(first, 16) + Number(count);
    });
  const processes = list('proc').filter((name) => /^\d+$/.test(name) && (sample as Sample).hasTruth(`proc/${name}/pagemap`));
  const sharing = shown('ptov 0x336000').flatMap((line) => / process +0x\w+ +(\d+) /.exec(line)?.[1] ?? []);
  assert.deepEqual(sharing.sort(), processes.filter((pid) => mapped(pid, 0x336)).sort());
  assert.equal(sharing.length, 3);
  const own = shown('select level, physical, comment from vtop(0x5e2000)').join('\n');
  assert.match(own, new RegExp(`0x${/^5e2000 ([0-9a-f]+) /m.exec(truth('proc/1/pagemap'))?.[1] ?? '-'}000 `));
  // Processes, files, sockets.
  for (const line of shown('pslist proc_regex=lab').slice(2)) {
    const [, name = '', pid = ''] = /^0x\w+ (\S+) \((\d+)\)/.exec(line) ?? [];
    assert.match(truth(`proc/${pid}/stat`), new RegExp(`^${pid} \\(${name}\\)`));
    const binary = /^exe -> (.*)$/m.exec(truth(`proc/${pid}.links`))?.[1] ?? '-';
    assert.ok(line.endsWith(`  ${binary}`), line);
  }
  assert.match(truth('proc/117/fd.links'), /\/tmp\/secret-deleted\.txt \(deleted\)/);
  assert.match(truth('run/cmd/netstat'), /10\.9\.8\.7:36642 +10\.9\.8\.44:4444 +SYN_SENT/);
  const users = processes.filter((pid) => /^Uid:\t1001\t/m.test(truth(`proc/${pid}/status`)));
  assert.deepEqual(shown('select proc.name as name, proc.pid as pid, uid').slice(2).map((line) => line.split(/ +/)[1]), users.sort());
  // The kernel's symbols, and structures as pahole reads them.
  const kallsyms = truth('proc/kallsyms');
  const address = (name: string): string => new RegExp(`^([0-9a-f]{16}) \\w ${name}$`, 'm').exec(kallsyms)?.[1] ?? '';
  assert.match(shown('dis linux!do_exit')[3] ?? '', new RegExp(`^0x${address('do_exit')} +0 `));
  assert.match(shown('dis linux!__x64_sys_reboot').at(-1) ?? '', new RegExp(`JMP 0x${address('__do_sys_reboot')} `));
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(BigInt(`0x${address('__x64_sys_execve')}`));
  assert.ok(shown('dump linux!sys_call_table+59*8')[2]?.includes(`${[...pointer].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')} `));
  assert.match(truth('proc/cmdline'), /panic=-1/);
  assert.match(shown('lookup linux!panic_timeout').at(-1) ?? '', /^-1 /);
  const structs = JSON.parse(gunzipSync(readFileSync(join(root, 'fixtures/linux-6.1-tiny/structs.json.gz'))).toString('utf8')) as Record<string, { size: number; members: Record<string, unknown> }>;
  const task = structs['task_struct'];
  const pid = shown('select offset, field, type from dt("task_struct")').join('\n');
  assert.match(pid, new RegExp(`^0x${Number(task?.members['pid']).toString(16)} +pid +int$`, 'm'));
  assert.match(pid, new RegExp(`task_struct, ${String(task?.size)} bytes`));
});

test('what the workshop shows of Windows is what the forge meant', () => {
  const { processes, ptov, handles, drivers } = sampleTruth();
  const page = ptov.find(({ physical }) => physical === '0x2c4000');
  const sharing = shown('ptov 0x2c4000').flatMap((line) => / process +0x0*77001000 +(\d+) /.exec(line)?.[1] ?? []);
  assert.deepEqual(sharing.map(Number), page?.valid_in.map(({ pid }) => pid).sort((one, other) => one - other));
  assert.equal(page?.file, '\\Windows\\System32\\ntdll.dll');
  const lsass = processes.find(({ name }) => name === 'lsass.exe');
  assert.match(shown('cc lsass')[0] ?? '', new RegExp(`\\(${lsass?.pid}\\), DTB ${lsass?.dtb}$`));
  const regions = shown('vad 484').flatMap((line) => (/^(0x\w+) +\d+ +(0x\w+) +(0x\w+)/.exec(line)?.slice(1) ?? []).map(BigInt));
  assert.deepEqual(regions, lsass?.vads.flatMap(({ vad, start, end }) => [vad, start, end].map(BigInt)));
  const owners = handles.filter(({ type, object }) => type === 'Process' && object === lsass?.eprocess).map(({ pid }) => pid);
  assert.deepEqual(shown('select _EPROCESS.name as name, _EPROCESS.pid as pid, handle').slice(2).map((line) => Number(/ +(\d+) /.exec(line)?.[1])), owners);
  const hidden = processes.find(({ unlinked }) => unlinked);
  assert.match(shown('select _EPROCESS.name as name, _EPROCESS.pid as pid, PsActiveProcessHead')[2] ?? '', new RegExp(`^${hidden?.name} +${hidden?.pid} +false +true +true$`));
  const states = processes.find(({ pid }) => pid === 1652)?.marks['page states'] as Record<string, { physical?: string; offset?: string }>;
  assert.match(shown('select level, physical, comment from vtop(0x601000)').at(-1) ?? '', new RegExp(` ${states['0x601000']?.physical} `));
  assert.match(shown('select level, comment from vtop(0x602000)').at(-1) ?? '', new RegExp(`offset ${states['0x602000']?.offset}$`));
  const hooks = drivers.flatMap(({ name, module, major }) => major.filter((one) => one.module !== module && one.module !== 'ntoskrnl.exe').map(({ address }) => `${name} ${address}`));
  assert.deepEqual(shown('select driver_name').slice(2).map((line) => /^(\S+) .* (0x\w+) /.exec(line)?.slice(1).join(' ')), hooks);
});
