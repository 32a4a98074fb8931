import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { complete } from '../../src/console/completion.js';
import { Shell } from '../../src/console/shell.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { boundedAsync, leastEffort } from '../support/effort.js';
import { committedSample } from '../support/sample.js';
import { pressTab } from '../support/tab.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const session = new Session({ ...(sample ? { filename: sample.image } : {}), cache: 'memory', colors: 'no' }, Registry.builtIn());
const listing: Readonly<Record<string, readonly { name: string; folder: boolean }[]>> = {
  '/data': [
    { name: 'image.raw', folder: false },
    { name: 'old', folder: true },
    { name: 'my files', folder: true },
    { name: '.hidden', folder: false },
  ],
  '/data/my files': [{ name: 'a b.txt', folder: false }],
};
const shell = new Shell(session, { output: new Screen(true), error: new Screen(false), files: (folder) => listing[folder] ?? [] });
after(() => session.close());

const tab = (typed: string): Promise<string | string[]> => pressTab(shell, typed);

test('commands, with what they show', async () => {
  assert.equal(await tab('psl|'), 'pslist |');
  assert.equal(await tab('vtop 1; psl|'), 'vtop 1; pslist |');
  assert.equal(await tab('  PSL|'), '  pslist |');
  assert.equal(await tab('psl| 1'), 'pslist| 1');
  assert.equal(await tab('hel|'), 'help |');
  assert.deepEqual(await tab('xyzzy|'), []);
  assert.equal(await tab('sele|'), 'select |');
  assert.deepEqual(await tab('plugins| pro'), ['plugins']);
  const several = (await tab('ps|')) as string[];
  assert.match(several.join('\n'), /^psaux +processes/m);
  assert.ok(several.every((line) => line.length <= 80));
  assert.ok((await tab('|') as string[]).length > 25);
});

test('names of arguments that are not given yet, flags, parameters of the session', async () => {
  assert.equal(await tab('pslist pi|'), 'pslist pids=|');
  assert.equal(await tab('pslist --pro|'), 'pslist --proc_regex |');
  assert.equal(await tab('pslist form|'), 'pslist format=|');
  assert.equal(await tab('pslist --form|'), 'pslist --format |');
  assert.deepEqual(await tab('pslist pids=1 pid|'), []);
  assert.equal(await tab('dt task_struct dep|'), 'dt task_struct depth=|');
  assert.equal(await tab('dt task_struct de| format=json'), 'dt task_struct depth=| format=json');
  assert.deepEqual(await tab('nosuch pi|'), []);
});

test('choices and yes or no', async () => {
  assert.equal(await tab('pslist format=nd|'), 'pslist format=ndjson |');
  assert.equal(await tab('pslist --format nd|'), 'pslist --format ndjson |');
  assert.equal(await tab('pslist --format=nd|'), 'pslist --format=ndjson |');
  assert.equal(await tab('pslist method=|'), 'pslist method=InitTask |');
  assert.deepEqual(await tab('pslist debug=|'), ['yes', 'no']);
});

test('files, with spaces and folders', async () => {
  assert.equal(await tab('pslist > /data/im|'), 'pslist > /data/image.raw |');
  assert.equal(await tab('pslist >> /data/o|'), 'pslist >> /data/old/|');
  assert.equal(await tab('pslist > /data/my|'), 'pslist > "/data/my files/|');
  assert.equal(await tab('pslist > "/data/my files/|'), 'pslist > "/data/my files/a b.txt" |');
  assert.equal(await tab("pslist > '/data/my|"), "pslist > '/data/my files/|");
  assert.equal(await tab('pslist > ~|'), 'pslist > ~/|');
  assert.equal(await tab('pslist > /data/.|'), 'pslist > /data/.hidden |');
  assert.deepEqual(await tab('pslist > /nowhere/|'), []);
  assert.equal(await tab('pslist > "/data/im|"'), 'pslist > "/data/image.raw|"');
});

test('nothing of an image is offered, and its kernel not looked for, before it is known', async () => {
  for (const line of ['pslist 1|', 'lookup init_t|', 'dt task|', 'pslist proc_regex=b|']) assert.deepEqual(await tab(line), [], line);
  assert.equal(session.detected, undefined);
});

test('running processes by name and by id', { skip }, async () => {
  await session.kernel();
  assert.equal(await tab('pslist proc_regex=labth|'), 'pslist proc_regex=labthreads |');
  assert.equal(await tab('pslist proc_regex="labth|'), 'pslist proc_regex="labthreads" |');
  // Two of that name: one text, and the list says which.
  assert.equal(await tab('pslist proc_regex=labm|'), 'pslist proc_regex=labmarker |');
  assert.equal(await tab('pslist 113|'), 'pslist 113 |');
  assert.equal(await tab('pslist labth|'), 'pslist 114 |');
  assert.deepEqual(await tab('pslist labma|'), ['2 fit:', '112  labmarker', '113  labmarker']);
  assert.equal(await tab('pslist 112,labth|'), 'pslist 112,114|'.replace('|', ' |'));
  assert.deepEqual(await tab('pslist 113,113|'), []);
  assert.equal(await tab('pslist pids=1,12,labth|'), 'pslist pids=1,12,114 |');
  assert.deepEqual(((await tab('pslist 11|')) as string[]).slice(0, 2), ['11   rcu_tasks_kthre', '112  labmarker']);
});

test('symbols, of the kernel and of modules, soon', { skip }, async () => {
  assert.equal(await boundedAsync(5000, () => tab('address_resolver linux!init_ta|')), 'address_resolver linux!init_task |');
  assert.equal(await tab('address_resolver init_uts|'), 'address_resolver init_uts_ns |');
  assert.equal(await tab('address_resolver "linux!init_uts|'), 'address_resolver "linux!init_uts_ns" |');
  assert.equal(await tab('vtop *linux!linux_banne|'), 'vtop *linux!linux_banner |');
  assert.equal(await tab('address_resolver LINUX_BANNE|'), 'address_resolver linux_banner |');
  assert.match(((await tab('address_resolver loo|')) as string[])[0] ?? '', /^loop! +a module$/);
  assert.equal(await tab('address_resolver loop!lo_ioc|'), 'address_resolver loop!lo_ioctl |');
  assert.equal(await tab('dump linux!init_uts|'), 'dump linux!init_uts_ns |');
  assert.equal(await tab('dt task_struct linux!init_tas|'), 'dt task_struct linux!init_task |');
  for (const line of ['a|', '__|', 'linux!|', 'linux!_|', 'linux!__x64_sys_|', 'sys|', '*linux!t|', 'loop!|', 'nosuch!x|', 'linux!zzzz|']) {
    const texts = await tab(`vtop ${line}`);
    assert.ok(typeof texts === 'string' || texts.length <= 150, line);
    // 50 ms are the aim, of a hundred thousand names and more.
    assert.ok((await leastEffort(3, () => tab(`vtop ${line}`))) < 200, line);
  }
  assert.ok((session.detected?.profile.symbols.size ?? 0) > 50_000);
});

test('members of what a symbol is', { skip }, async () => {
  assert.equal(await tab('address_resolver linux!init_task.real_par|'), 'address_resolver linux!init_task.real_parent |');
  assert.deepEqual(await tab('address_resolver linux!nosuch.x|'), []);
});

test('structs and their members', { skip }, async () => {
  assert.equal(await tab('dt task_str|'), 'dt task_struct |');
  assert.equal(await tab('dt linux!task_str|'), 'dt linux!task_struct |');
  assert.equal(await tab('dt task_struct.real_par|'), 'dt task_struct.real_parent |');
  assert.equal(await tab('dt task_struct.mm.pgd.|'), 'dt task_struct.mm.pgd.pgd |');
  assert.deepEqual(await tab('dt task_struct.nosuch.|'), []);
  assert.match(((await tab('dt list_head.|')) as string[]).join('\n'), /^list_head\.next {2}list_head \*$/m);
  assert.deepEqual(await tab('dt list_head member_offset=|'), ['0  next  list_head *', '8  prev  list_head *']);
  assert.equal(await tab('dt list_head member_offset=pre|'), 'dt list_head member_offset=8 |');
  assert.equal(await tab('lookup init_task task_str|'), 'lookup init_task task_struct |');
});

test('every argument that says what completes it offers something', { skip }, async () => {
  for (const entry of shell.commands()) {
    for (const [name, one] of Object.entries(entry.args)) {
      if (one.completes === undefined && one.choices === undefined && one.type !== 'bool' && one.type !== 'path' && !one.type.startsWith('address')) continue;
      const beginnings: Readonly<Record<string, string>> = { path: '/data/i', struct: 'task_s', symbol: 'init_t' };
      const typed = beginnings[one.completes ?? (one.type === 'path' ? 'path' : '')] ?? '';
      const struct = one.completes === 'member' ? ' task_struct' : '';
      const found = await tab(`${entry.name}${struct} ${name}=${typed}|`);
      assert.ok(found.length > 0, `${entry.name} ${name}`);
      assert.doesNotMatch(String(found), /\p{Cc}/u);
    }
  }
});

test('any line, at any place, gives a list and no error', { skip }, async () => {
  const lines = ['pslist pids=[1, 2] proc_regex="a b" > x | wc; dt task_struct.mm', "vtop 'linux!init", 'select a from pslist() where b', '? kaslr "x', 'dump *linux!modules+0x10 # note', '))(( ;; --', 'pslist --pids 1 --', '\u{1f600} \x1b[2J'];
  for (const line of lines) for (let cursor = 0; cursor <= line.length; cursor++) assert.ok(Array.isArray((await complete(shell, line, cursor)).candidates));
});

test('inside of queries: columns of tables behind the cursor, tables, arguments', async () => {
  assert.equal(await tab('select na| from pslist()'), 'select name| from pslist()');
  assert.equal(await tab('select name from psl|'), 'select name from pslist()|');
  assert.equal(await tab('select name from pslist(proc_r|)'), 'select name from pslist(proc_regex: |)');
});
