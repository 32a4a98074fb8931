import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chainBefore } from '../../src/console/javascript-chain.js';
import { Shell } from '../../src/console/shell.js';
import { Registry } from '../../src/plugin/registry.js';
import { Session } from '../../src/session/session.js';
import { Screen } from '../support/console.js';
import { boundedAsync } from '../support/effort.js';
import { committedSample } from '../support/sample.js';
import { pressTab } from '../support/tab.js';

const sample = committedSample();
const skip = sample ? false : 'no committed sample';
const session = new Session({ ...(sample ? { filename: sample.image } : {}), cache: 'memory', colors: 'no' }, Registry.builtIn());
const output = new Screen(false);
const shell = new Shell(session, { output, error: output });
const tab = (typed: string): Promise<string | string[]> => pressTab(shell, typed);
/** The first words of a list. */
const list = async (typed: string): Promise<string[]> => {
  const texts = await tab(typed);
  assert.ok(Array.isArray(texts), `${typed} gives ${String(texts)}`);
  return texts.map((text) => text.split(' ')[0] ?? '');
};

before(async () => {
  if (sample) await session.kernel();
});
after(() => {
  shell.close();
  session.close();
});

test('chains are read backwards from the end', () => {
  const of = (text: string): unknown => {
    const chain = chainBefore(text);
    return chain && [chain.awaited, 'name' in chain.root ? chain.root.name : '()', ...chain.steps.map((step) => (step.kind === 'member' ? `.${step.name}` : `${step.kind} ${step.text}`))];
  };
  assert.deepEqual(of('1 + plugins.pslist({pids: [1, 2]}).rows'), [false, 'plugins', '.pslist', 'call {pids: [1, 2]}', '.rows']);
  assert.deepEqual(of('x = _.rows[0]'), [false, '_', '.rows', 'index 0']);
  assert.deepEqual(of("(await f(')'))?.a['b']"), [false, '()', '.a', '.b']);
  for (const text of ['', '"a"', '`x`', 'a +', '}', '))((', 'x(']) assert.equal(of(text), undefined, text);
});

test('names, commands as functions, and members of what is there', { skip }, async () => {
  assert.equal(await tab('const rows = await pslis|'), 'const rows = await pslist(|');
  assert.equal(await tab('x = plugin|'), 'x = plugins.|');
  assert.equal(await tab('plugins.psl|'), 'plugins.pslist(|');
  assert.equal(await tab('session.plugins.psl|'), 'session.plugins.pslist(|');
  assert.ok((await list('session.|')).includes('plugins'));
  assert.equal(await tab('Math.flo|'), 'Math.floor(|');
  await shell.execute('const found = { alpha: { beta: 1n }, get trap() { throw new Error("run") } }; let count = 3');
  assert.equal(await tab('found.al|'), 'found.alpha|');
  assert.equal(await tab('found.alpha.be|'), 'found.alpha.beta|');
  assert.deepEqual(await tab('found.trap.|'), []);
  assert.equal(await tab('foun|'), 'found|');
  assert.equal(await tab('await foun|'), 'await found|');
  assert.deepEqual(await tab('nosuch.thing.|'), []);
  assert.deepEqual(await tab('x = "plugins.|'), []);
  assert.deepEqual(await tab('x = 1 // plugins.|'), []);
});

test('columns of rows and members of structs, before anything has run', { skip }, async () => {
  assert.equal(await tab('(await plugins.pslist().first()).pro|'), '(await plugins.pslist().first()).proc|');
  assert.equal(await tab('(await pslist().rows())[0].proc.real_pare|'), '(await pslist().rows())[0].proc.real_parent|');
  assert.equal(await tab('(await plugins.pslist().rows()).filter((row) => row.ppid === 1).at(0).proc.mm.pgd.pg|'), '(await plugins.pslist().rows()).filter((row) => row.ppid === 1).at(0).proc.mm.pgd.pgd|');
  assert.equal(await tab('plugins.pslist().ro|'), 'plugins.pslist().rows(|');
  assert.equal(await tab('(await plugins.pslist().first()).proc.$addr|'), '(await plugins.pslist().first()).proc.$address|');
});

test('results and variables that hold rows and structs', { skip }, async () => {
  await shell.execute('pslist 1');
  assert.ok((await list('_.|')).includes('rows'));
  assert.equal(await tab('_.rows[0].pro|'), '_.rows[0].proc|');
  assert.equal(await tab('_.rows[0].proc.real_pare|'), '_.rows[0].proc.real_parent|');
  await shell.execute('const init = (await plugins.pslist({ pids: [1] }).first()).proc');
  assert.equal(await tab('init.real_pare|'), 'init.real_parent|');
  assert.equal(await tab('init.mm.start_sta|'), 'init.mm.start_stack|');
  assert.ok((await boundedAsync(5000, () => list('init.|'))).length > 200);
});

test('arguments in calls', { skip }, async () => {
  assert.equal(await tab('plugins.pslist({pr|'), 'plugins.pslist({proc_regex: |');
  assert.deepEqual(await list('pslist({|'), ['pids', 'proc_regex', 'task', 'method']);
  assert.deepEqual(await list('pslist({ pids: [1, 2], |'), ['proc_regex', 'task', 'method']);
  assert.equal(await tab('pslist({ proc_regex: "labth|'), 'pslist({ proc_regex: "labthreads"|');
  assert.equal(await tab('plugins.pslist({pids: [1, labth|'), 'plugins.pslist({pids: [1, 114|');
  assert.equal(await tab('plugins.lsmod_parameters({builtin: tr|'), 'plugins.lsmod_parameters({builtin: true|');
  assert.deepEqual(await tab('nosuch({|'), []);
});

test('any text, at any place, gives a list and no error', { skip }, async () => {
  for (const line of ['x = plugins.pslist({pids: [1, `a`]}).rows(', '(((await _.rows?.[0]', '"use \\" strict', '[].map(({a}) => a.b.c)', '/re[/]gex/.exec("x").', '\u{1f600}.x', '_ .  rows. ']) {
    for (let cursor = 0; cursor <= line.length; cursor++) await tab(`${line.slice(0, cursor)}|${line.slice(cursor)}`);
  }
});
