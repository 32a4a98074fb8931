import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { UsageError } from '../../../src/plugin/error.js';
import type { Resolver } from '../../../src/session/resolver/resolver.js';
import { processContext } from '../../../src/session/spaces.js';
import { root } from '../../support/root.js';
import { type Sample, samples, skipWithout } from '../../support/sample.js';

const found = samples(['tiny']);
const sample = found[0] as Sample;

/** The guest's /proc/kallsyms, without the modules' symbols. */
function kallsyms(): { name: string; address: bigint; kind: string }[] {
  return sample
    .truth('proc/kallsyms')
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter((words) => words[3] === undefined)
    .map(([address, kind, name]) => ({ name: name ?? '', address: BigInt(`0x${address}`), kind: kind ?? '' }));
}

/** What nm prints of a file that the guest ran; its build id stands in the first line (test/data/elf/make.sh). */
function nm(module: string): string {
  return gunzipSync(readFileSync(join(root, 'test/data/elf', `${module}.nm.gz`))).toString();
}

/** The UsageError that an expression gives, with the text it points at. */
async function mistake(resolver: Resolver, expression: string): Promise<string> {
  try {
    await resolver.address(expression);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    const { line, start, end } = error.place ?? { line: '', start: 0, end: 0 };
    assert.equal(line, expression);
    return `${line.slice(start, end)}: ${error.message}`;
  }
  return assert.fail(`${expression} is an address`);
}

test('the resolver on the sample', { skip: skipWithout(found) }, async (context) => {
  const session = sample.session();
  const resolver = await session.resolver();
  const truth = kallsyms();
  const first = new Map<string, bigint>();
  for (const { name, address } of truth) if (!first.has(name)) first.set(name, address);

  await context.test('every symbol of the guest is among the names of its address, and each name leads back', async () => {
    const inImage = truth.filter(({ address }) => address >= (first.get('_text') ?? 0n) && address < (first.get('_end') ?? 0n));
    assert.ok(inImage.length > 80_000);
    for (let index = 0; index < inImage.length; index += 7) {
      const { name, address } = inImage[index] as (typeof inImage)[number];
      const names = resolver.names(address);
      assert.ok(names.includes(`linux!${name}`), `${name}: ${names.join()}`);
      assert.deepEqual(names, [...names].sort());
      const between = resolver.name(address + 1n) ?? '';
      assert.match(between, /^linux!/);
      if (index % 70 === 0 && first.get(name) === address) {
        assert.equal(await resolver.address(`linux!${name}`), address);
        // What is printed can be typed: also members of typed globals.
        if (!between.includes('.')) assert.equal(BigInt(await resolver.address(between)) - address <= 1n || truth.some((one) => `linux!${one.name}` === between.replace(/\+.*/, '')), true, between);
      }
    }
  });

  await context.test('expressions', async () => {
    const init = first.get('init_task') as bigint;
    const kernel = await session.kernel();
    const task = kernel.profile.struct('task_struct');
    const pointer = kernel.space.readPointer(first.get('modules') as bigint);
    const cases: [string, bigint][] = [
      ['0x1000', 0x1000n],
      ['4096', 4096n],
      ['init_task', init],
      ['linux!init_task', init],
      ['vmlinux!init_task', init],
      ['KERNEL!init_task', init],
      ['linux', first.get('_text') as bigint],
      ['linux!init_task+0x10', init + 16n],
      ['linux!init_task - 16 + 0x10 * 3', init + 32n],
      ['*linux!modules', pointer],
      ['*(modules+8)', kernel.space.readPointer((first.get('modules') as bigint) + 8n)],
      ['**linux!modules', kernel.space.readPointer(pointer)],
      ['_end-_text', (first.get('_end') as bigint) - (first.get('_text') as bigint)],
      ['linux!INIT_TASK', init],
      ['linux!init_task.comm', init + BigInt(task.offsetOf('comm'))],
      ['&init_task.comm', init + BigInt(task.offsetOf('comm'))],
      ['(task_struct)linux!init_task.comm', init + BigInt(task.offsetOf('comm'))],
      [`(task_struct)0x${init.toString(16)}.tasks.next`, init + BigInt(task.offsetOf('tasks.next'))],
      ['(struct task_struct *)linux!init_task.cred->uid', kernel.space.readPointer(init + BigInt(task.offsetOf('cred'))) + BigInt(kernel.profile.struct('cred').offsetOf('uid'))],
      ['task_struct.comm', BigInt(task.offsetOf('comm'))],
      ['linux!sys_call_table[2]', (first.get('sys_call_table') as bigint) + 16n],
      ['-1', (1n << 64n) - 1n],
    ];
    for (const [text, address] of cases) assert.equal(await resolver.address(text), address, text);
    assert.equal(await resolver.address('loop'), (await resolver.address('loop!lo_fops')) && resolver.moduleNamed('loop.ko')?.start);
  });

  await context.test('members of typed globals are named', async () => {
    const at = async (text: string): Promise<string | undefined> => resolver.name(await resolver.address(text));
    assert.equal(await at('linux!init_task.comm'), 'linux!init_task.comm');
    assert.equal(await at('linux!init_task.comm+3'), 'linux!init_task.comm+0x3');
    assert.equal(await at('linux!init_task.tasks.prev'), 'linux!init_task.tasks.prev');
    assert.equal(await at('linux!init_task.pid_links[2].next'), 'linux!init_task.pid_links[2].next');
    assert.equal(await at('linux!sys_call_table[3]'), 'linux!sys_call_table[3]');
    assert.equal(await at('linux!init_net.ipv4+8'), await at(((await at('linux!init_net.ipv4+8')) as string)));
  });

  await context.test('mistakes point at their place and name what is near', async () => {
    assert.equal(await mistake(resolver, 'init_tusk+0x10'), 'init_tusk: init_tusk is not known here. There is init_task, init_tis, init_fs.');
    assert.match(await mistake(resolver, 'linux!init_task.cmm'), /^cmm: task_struct has no member cmm\. Did you mean .*comm/);
    assert.match(await mistake(resolver, 'lop!lo_open'), /^lop: No module lop is known here\. Did you mean loop\?/);
    assert.match(await mistake(resolver, 'libzork!printf'), /^libzork: No module libzork is known here\. There are linux, .*loop.*\. Programs and libraries are known in a process context/);
    assert.match(await mistake(resolver, 'jiffie'), /^jiffie: jiffie is not known here\. There is jiffies\b/);
    assert.match(await mistake(resolver, 'libc!printf'), /^libc: .*process context/);
    assert.match(await mistake(resolver, '1 + (2'), /missing/);
    assert.match(await mistake(resolver, '*0x10'), /^\*0x10: The pointer at 0x10 cannot be read/);
    assert.match(await mistake(resolver, '(task_strukt)1.comm'), /^task_strukt: .*no struct task_strukt/);
    assert.match(await mistake(resolver, 'linux_banner.x'), /^x: The type of this is not known/);
    assert.match(await mistake(resolver, 'ffff8e2443dec800'), /hex begins with 0x/);
    assert.match(await mistake(resolver, '0x1ffffffffffffffff'), /64 bits/);
    assert.match(await mistake(resolver, 'nosuch!x'), /^nosuch: /);
  });

  await context.test('all names at once are those of the symbols in a row', async () => {
    const { symbols } = (await session.kernel()).profile;
    assert.deepEqual(symbols.allNames?.(), [...symbols.symbols()].map(({ name }) => name));
    assert.deepEqual(symbols.symbol?.(1234), [...symbols.symbols()][1234]);
  });

  await context.test('where nothing is, nothing is said to be', () => {
    assert.equal(resolver.name(0x400000n), undefined);
    assert.equal(resolver.name(0xffff8e2443dec800n), undefined);
    assert.equal(resolver.name((first.get('_end') as bigint) + 0x1000n), undefined);
  });

  await context.test('patterns and beginnings', () => {
    const wanted = truth.filter(({ name }) => /^init_.*_ns$/.test(name)).map(({ name }) => `linux!${name}`);
    assert.deepEqual([...resolver.search('linux!init_*_ns')].map(({ module, name }) => `${module}!${name}`).sort(), wanted.sort());
    assert.ok([...resolver.search('*!lo_*')].some(({ module }) => module === 'loop'));
    const begun = [...new Set(truth.map(({ name }) => name).filter((name) => name.toLowerCase().startsWith('init_')))].sort();
    assert.deepEqual(resolver.complete('linux!init_', 10_000), begun.map((name) => `linux!${name}`));
    assert.deepEqual(resolver.complete('*linux!init_t', 3), begun.filter((name) => name.startsWith('init_t')).slice(0, 3).map((name) => `*linux!${name}`));
    assert.deepEqual(resolver.complete('linux!init_task+loop!LO_FOP'), ['linux!init_task+loop!lo_fops']);
    assert.deepEqual(resolver.complete('nosuch!x'), []);
  });
  session.close();
});

test('names in a process', { skip: skipWithout(found) }, async (context) => {
  const session = sample.session();
  const kernel = await session.kernel();
  const bash = processContext(kernel, Number(sample.list('proc').find((pid) => sample.hasTruth(`proc/${pid}/comm`) && sample.truth(`proc/${pid}/comm`).trim() === 'bash')));
  const resolver = await session.resolver(bash);
  const maps = sample
    .truth(`proc/${bash.pid}/maps`)
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([range = '', , offset = '', , , path]) => ({ start: BigInt(`0x${range.split('-')[0]}`), end: BigInt(`0x${range.split('-')[1]}`), offset, path }));

  for (const module of ['bash', 'libc', 'libtinfo', 'ld-linux-x86-64', 'vdso']) {
    await context.test(`${module}: the symbols that nm prints of the file, where the guest mapped it`, async () => {
      const text = nm(module);
      const base = maps.find(({ path }) => path?.replace(/^.*\//, '').replace(/[[\]]|\.so.*/g, '') === module)?.start as bigint;
      const truth = new Map<string, Set<bigint>>();
      for (const line of text.split('\n').slice(1)) {
        const [address, kind, versioned] = line.split(' ');
        const name = versioned?.replace(/@.*/, '');
        if (name === undefined || kind === 'A') continue;
        truth.set(name, (truth.get(name) ?? new Set()).add(base + BigInt(`0x${address}`)));
      }
      assert.equal(resolver.moduleNamed(module)?.start, base);
      const end = resolver.moduleNamed(module)?.end as bigint;
      let count = 0;
      for (const { name, address } of resolver.search(`${module}!*`)) {
        count++;
        assert.ok(truth.get(name)?.delete(address), `${name} at 0x${address.toString(16)}`);
        // `_end` lies behind the last byte.
        if (address < end) assert.ok(resolver.names(address).includes(`${module}!${name}`), name);
      }
      // What is left is thread-local: offsets, no addresses.
      const left = [...truth].filter(([, addresses]) => addresses.size > 0);
      assert.ok(left.every(([, addresses]) => [...addresses].every((address) => address - base < 0x200n)), left.map(([name]) => name).join());
      assert.ok(left.length <= 12, `${left.length} of ${count}: ${left.map(([name]) => name).join()}`);
    });
  }

  await context.test('every area that the guest listed has a name that leads back to it', async () => {
    assert.ok(maps.length > 20);
    for (const { start, end, path } of maps) {
      if (path === '[vsyscall]') continue;
      for (const address of [start, end - 1n]) {
        const name = resolver.name(address) as string;
        assert.equal(await resolver.address(name), address, name);
        const file = path?.replace(/^.*\//, '').replace(/[[\]]/g, '').replace(/\.so.*/, '');
        if (file) assert.match(name, new RegExp(`^${file}(?:!|\\+|$)`), `${path} ${name}`);
      }
      assert.equal(await resolver.address(`map_0x${start.toString(16)}`), start);
    }
  });

  await context.test('names in all their forms', async () => {
    const printf = await resolver.address('libc!printf');
    for (const text of ['libc.so.6!printf', 'libc.so!printf', 'LIBC!printf', '/lib/x86_64-linux-gnu/libc.so.6!printf', 'printf', 'libc!PRINTF']) {
      assert.equal(await resolver.address(text), printf, text);
    }
    assert.equal(await resolver.address('ld-linux-x86-64!_dl_catch_error-0x10'), (await resolver.address('ld-linux-x86-64!_dl_catch_error')) - 16n);
    assert.ok(resolver.complete('libc!prin').includes('libc!printf'));
    assert.ok(resolver.complete('ld-').includes('ld-linux-x86-64!'));
    assert.equal(await resolver.address('heap'), maps.find(({ path }) => path === '[heap]')?.start);
    // The kernel's names hold in a process too, and come first.
    assert.equal(await resolver.address('memcpy'), kernel.profile.address('memcpy'));
  });
  session.close();
});
