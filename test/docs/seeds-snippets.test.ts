import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { parseQuery } from '../../grammar/efilter.js';
import { BufferSpace } from '../../src/memory/space.js';
import { TypeCompiler } from '../../src/object/compiler.js';
import { PluginError, UsageError } from '../../src/plugin/error.js';
import { prepareInSession } from '../../src/query/session/statements.js';
import { parseConfig } from '../../src/session/config.js';
import { openProfileFile } from '../../src/symbols/open.js';
import { rekallProfile } from '../../src/symbols/rekall/read.js';
import { openRepository } from '../../src/symbols/repository/open.js';
import { temporary } from '../support/folder.js';
import { artifacts, blog, queries, seedsSkip, slides } from '../support/seeds.js';
import { sharedData } from '../support/shared.js';
import { replicaSession, replicaSkip } from '../support/windows.js';

/** What the seed documents show of files: profiles, vtypes, links, configuration, queries. Each is taken from the document and read by us. */
const profiles = sharedData('profiles');
const folder = temporary();

test('foobar: sparse members at their offsets, one of them an enumeration', { skip: seedsSkip }, () => {
  const text = /^vtypes = \{([^]*?)^Note that/m.exec(blog)?.[1] ?? '';
  // The document lost some of its lines and quotes: members, offsets, types and labels are what is left.
  const size = Number(/'foobar': \[(\d+), \{/.exec(text)?.[1]);
  const plain = [...text.matchAll(/'(\w+)'?: \[(\d+), \['([\w ]+)'(?:, dict\(target="([\w ]+)"\))?\]/g)].map(([, name = '', offset, type = '', target]) => [name, [Number(offset), target === undefined ? [type] : [type, { target }]]]);
  const flags = /'(flags)': \[(\d+), \['(Enumeration)', dict\(\s*target="([\w ]+)"/.exec(text) ?? [];
  const choices = Object.fromEntries([...text.matchAll(/(\d+): "(\w+)"/g)].map(([, value = '', label]) => [value, label]));
  assert.deepEqual([size, plain.length, choices], [12, 2, { 1: 'OPT1', 2: 'OPT2' }]);
  const members = Object.fromEntries([...plain, [flags[1], [Number(flags[2]), [flags[3], { target: flags[4], choices }]]]]) as Record<string, never>;
  const { types } = rekallProfile({ $METADATA: { arch: 'I386', ProfileClass: 'Linux32' }, $STRUCTS: { foobar: [size, members] } }, 'document');
  const foobar = new TypeCompiler(types, 4).struct('foobar');
  assert.deepEqual([...foobar.members].map(([name, { offset }]) => [name, offset]), [['flags', 0], ['bar', 4], ['foo', 8]]);
  const memory = Buffer.alloc(4096);
  memory.writeUInt32LE(2, 0);
  memory.writeUInt16LE(0xfffe, 4);
  memory.writeUInt32LE(0x20, 8);
  memory[0x20] = 77;
  const one = foobar.at(new BufferSpace(memory, 0n, 'memory', 32), 0n);
  assert.equal(one.$label('flags'), 'OPT2');
  assert.equal(one.$get('bar'), 0xfffe);
  assert.equal((one.$get('foo') as { deref(): unknown }).deref(), 77);
});

test('a member may be left out, and two may share a place', () => {
  const { types } = rekallProfile({ $METADATA: { arch: 'AMD64', ProfileClass: 'Nt' }, $STRUCTS: { S: [16, { whole: [8, ['unsigned int']], low: [8, ['unsigned short']], high: [10, ['unsigned short']] }] } }, 'test');
  const memory = Buffer.alloc(4096);
  memory.writeUInt32LE(0x12345678, 8);
  const one = new TypeCompiler(types, 8).struct('S').at(new BufferSpace(memory), 0n);
  assert.deepEqual(['whole', 'low', 'high'].map((name) => one.$get(name)), [0x12345678, 0x5678, 0x1234]);
});

test('the constants that the documents print are those of the profiles', { skip: seedsSkip || profiles.skip }, async () => {
  const printed = [...blog.matchAll(/^\s+"([^"]+)": (\d+),$/gm)].map(([, name = '', value = '']) => [name, BigInt(value)] as const);
  const windows = await openProfileFile(join(profiles.path, 'v1.0/nt/GUID/F8E2A8B5C9B74BF4A6E4A48F180099942.gz'));
  const linux = await openProfileFile(join(profiles.path, 'v1.0/Ubuntu/3.8.0-27-generic.gz'));
  const known = printed.filter(([name, value]) => windows.constants.get(name) === value || linux.constants.get(name) === value);
  // Six of them are of another build of Windows, of which there is no profile here.
  const others = ['PromoteNode', 'PropertyEval', 'PsAcquireProcessExitSynchronization', 'PsActiveProcessHead', 'PsAssignImpersonationToken', 'PsBoostThreadIo'];
  assert.deepEqual(printed.map(([name]) => name).filter((name) => !known.some(([one]) => one === name)), others);
  assert.equal(known.length, 15);
  // The struct that stands below them.
  const tickets = /"__raw_tickets": \[(\d+), \{\s*"head": \[(\d+), \["([\w ]+)"\]\],\s*"tail": \[(\d+), \["([\w ]+)"\]\]/.exec(blog) ?? [];
  const layout = linux.types.struct('__raw_tickets');
  assert.deepEqual([layout?.size, layout?.members.get('head')?.offset, layout?.members.get('tail')?.offset], [tickets[1], tickets[2], tickets[4]].map(Number));
  assert.equal((layout?.members.get('head')?.type as { name?: string }).name, tickets[3]);
});

test('the link Win7SP1x64 leads to the profile that it names, by its name of 2014', { skip: seedsSkip || profiles.skip }, async () => {
  const target = /"Type": "Symlink",\s*"Target": "([^"]+)"/.exec(blog)?.[1] ?? '';
  assert.match(target, /^ntoskrnl\.exe\/AMD64\/6\.1\.7601\.17514\/[0-9A-F]{33}$/);
  mkdirSync(join(folder, 'links/v1.0'), { recursive: true });
  writeFileSync(join(folder, 'links/v1.0/Win7SP1x64'), JSON.stringify({ $METADATA: { Type: 'Symlink', Target: target } }));
  const steps: string[] = [];
  const source = await openRepository([join(folder, 'links'), profiles.path], { cache: undefined }).load('Win7SP1x64', (place, outcome) => steps.push(`${place} ${outcome}`));
  assert.ok(source?.metadata.source.includes(target.split('/').at(-1) ?? '?'), source?.metadata.source);
  assert.match(steps.join('\n'), /a link to ntoskrnl\.exe/);
  assert.ok((source?.constants.size ?? 0) > 10000);
});

test('the configuration of both documents names the repositories, the local one first', { skip: seedsSkip }, async () => {
  const slide = /^profile_path:\n {2}- \S+$/m.exec(slides)?.[0] ?? '';
  assert.deepEqual((await parseConfig(slide, '/home/me/.rekallrc', '/home/me')).values.repository_path, ['/path/to/my/rekall-profiles/']);
  const local = /^ {2}- (\/home\/\S+)$/m.exec(blog)?.[0] ?? '';
  const both = await parseConfig(`profile_path:\n${local}\n  - https://example.org/profiles\n`, '/home/me/.rekallrc', '/home/me');
  assert.deepEqual(both.values.repository_path, ['/home/scudette/projects/rekall.profiles', 'https://example.org/profiles']);
  assert.deepEqual(both.warnings, []);
});

const session = replicaSkip ? undefined : await replicaSession();
after(() => session?.close());

/** Queries of the slides by a word in them, and what comes of each on an image. */
const ANSWERS: readonly (readonly [mark: string, answer: RegExp | 'rows'])[] = [
  ['Win32_QuickFixEngineering', /No table is called Win32_QuickFixEngineering/],
  ['file_yara', /file_yara .*running system/],
  ['glob', /glob .*running system/],
  ['from modules()', 'rows'],
];

test('every query of the slides is one that we read, and has an answer', { skip: seedsSkip || replicaSkip }, async () => {
  const found = [...queries(slides)];
  assert.equal(found.length, 5);
  for (const query of found) {
    parseQuery(query);
    const [, answer] = ANSWERS.find(([mark]) => query.includes(mark)) ?? [];
    assert.ok(answer !== undefined, `a query that nobody has mapped: ${query}`);
    const run = async (): Promise<number> => {
      let rows = 0;
      for await (const row of await prepareInSession(session as never, query)) if (Object.keys(row).length > 0) rows++;
      return rows;
    };
    if (answer === 'rows') assert.ok((await run()) > 0, query);
    else await assert.rejects(run(), (error) => error instanceof Error && answer.test(error.message), query);
  }
});

test('the artifacts of the slides are YAML whose queries we read', { skip: seedsSkip }, () => {
  const definitions = [...artifacts(slides)].map((text) => parseYaml(text) as { name: string; sources: { type: string; attributes: { query: string } }[] });
  assert.deepEqual(definitions.map(({ name, sources }) => [name, sources[0]?.type]), [['WMIHotFixes', 'WMI'], ['WindowsKernelModulesLoadPath', 'REKALL_EFILTER']]);
  for (const { sources } of definitions) parseQuery(sources[0]?.attributes.query ?? '');
});

test('what is asked of the live system on an image is an error of its own kind', { skip: seedsSkip || replicaSkip }, async () => {
  const error: unknown = await session?.plugin('glob').then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof PluginError || error instanceof UsageError, String(error));
});
