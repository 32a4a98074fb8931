import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine } from '../../grammar/command.js';
import type { Command } from '../../grammar/command-tree.js';
import { arg, type Args } from '../../src/plugin/args.js';
import { bindArguments, type Bound, splitParameters } from '../../src/plugin/bind.js';
import { UsageError } from '../../src/plugin/error.js';
import { wordsOf } from '../../src/plugin/words.js';

const args = {
  pids: arg.ints('processes', { positional: true }),
  proc_regex: arg.regex('names'),
  method: arg.choices('how', { choices: ['InitTask', 'PidHash'], default: ['InitTask'] }),
  mode: arg.choice('one', { choices: ['AMD64', 'I386'] }),
  offset: arg.address('where'),
  task: arg.addresses('structs'),
  length: arg.int('bytes', { default: 16 }),
  windows_version: arg.string('version'),
  coalesce: arg.bool('join'),
  dump_dir: arg.path('folder', { short: 'D' }),
  keyword: arg.strings('texts'),
};

const options = {
  resolve: async (text: string): Promise<bigint> => {
    if (text === 'linux!init_task') return Promise.resolve(0xffffffff82000000n);
    throw new UsageError(`unknown ${text}`);
  },
  path: (text: string) => text.replace(/^~/, '/home/me'),
};

/** Binds words as a shell gives them. */
const shell = (words: string, declared: Args = args): Promise<Bound> =>
  bindArguments({ name: 'test', args: declared }, wordsOf(words === '' ? [] : words.split(' '), 'test'), options);

/** Binds a line as the console reads it. */
function line(text: string, declared: Args = args): Promise<Bound> {
  const [command] = parseLine(text) as [Command];
  return bindArguments({ name: 'test', args: declared }, { line: text, args: command.args }, options);
}

/** The part of the line that an error points at, and what it says. */
async function mistake(binding: Promise<Bound>): Promise<[message: string, at: string]> {
  let found: unknown;
  await binding.catch((error: unknown) => {
    found = error;
  });
  assert.ok(found instanceof UsageError && found.place, String(found));
  return [found.message, found.place.line.slice(found.place.start, found.place.end)];
}

test('values are given by position, name=value, --name value, --name=value and letter, with - for _', async () => {
  for (const words of ['1 2 --proc_regex ba.h', '1,2 proc_regex=ba.h', '--pids 1 2 - --proc-regex=ba.h', '--proc_regex ba.h --pids 1,2', '--pids [1,2] proc-regex=ba.h']) {
    const bound = await shell(words);
    assert.deepEqual(bound.args, { pids: [1, 2], proc_regex: /ba.h/i, method: ['InitTask'], length: 16 }, words);
  }
  assert.equal((await shell('-D ~/out')).args['dump_dir'], '/home/me/out');
  assert.equal((await shell('-D.')).args['dump_dir'], '.');
});

test('what is not given has its default or is not there', async () => {
  assert.deepEqual((await shell('')).args, { method: ['InitTask'], length: 16 });
});

test('numbers are decimal, hex, with sizes; addresses also names', async () => {
  const bound = await shell('--length 4k --task 0xffff888003d8c000 linux!init_task 18446744073709551615 --offset linux!init_task');
  assert.equal(bound.args['length'], 4096);
  assert.deepEqual(bound.args['task'], [0xffff888003d8c000n, 0xffffffff82000000n, 0xffffffffffffffffn]);
  assert.equal(bound.args['offset'], 0xffffffff82000000n);
  const sizes: [string, number][] = [['10MB', 10 << 20], ['0x1b', 27], ['1g', 2 ** 30], ['-5', -5], ['0x10k', 0x4000], ['12b', 12]];
  for (const [text, value] of sizes) assert.equal((await shell(`length=${text}`)).args['length'], value);
  assert.equal((await shell('--length -5')).args['length'], -5);
  assert.equal((await shell('offset=-1')).args['offset'], 0xffffffffffffffffn);
});

test('names may be abbreviated as long as they are clear', async () => {
  assert.equal((await shell('--win 6.1')).args['windows_version'], '6.1');
  assert.deepEqual((await shell('--proc x')).args['proc_regex'], /x/i);
  assert.deepEqual(await mistake(shell('--m AMD64')), ['m may be method or mode.', '--m']);
});

test('a flag is bare, denied, or has a word', async () => {
  for (const [words, value] of [['--coalesce', true], ['--no-coalesce', false], ['--no_coalesce', false], ['coalesce=yes', true], ['--coalesce=off', false], ['--coalesce false', false]] as const) {
    assert.equal((await shell(words)).args['coalesce'], value, words);
  }
  assert.deepEqual((await shell('--coalesce 12')).args['pids'], [12]);
  assert.deepEqual(await mistake(shell('coalesce=perhaps')), ["coalesce is yes or no, not 'perhaps'.", 'perhaps']);
});

test('choices are checked, and their case is forgiven', async () => {
  assert.deepEqual((await shell('method=inittask,PidHash')).args['method'], ['InitTask', 'PidHash']);
  const [message, at] = await mistake(shell('--mode AMD46'));
  assert.equal(message, "mode is one of AMD64, I386, not 'AMD46'. Did you mean AMD64?");
  assert.equal(at, 'AMD46');
});

test('mistakes name the place and what was expected', async () => {
  assert.deepEqual(await mistake(shell('pids=1,x')), ["pids needs a whole number (12, 0x1f, 4k), not 'x'.", '1,x']);
  assert.deepEqual(await mistake(shell('--proc_regx a')), ['test has no argument proc_regx. Did you mean proc_regex?', '--proc_regx']);
  assert.deepEqual(await mistake(line('test proc_regx=a')), ['test has no argument proc_regx. Did you mean proc_regex?', 'proc_regx']);
  assert.deepEqual(await mistake(shell('proc_regex=(')), ['proc_regex is no regular expression: Unterminated group.', '(']);
  assert.deepEqual(await mistake(shell('--length')), ['--length needs a value (int).', '--length']);
  assert.deepEqual(await mistake(shell('--length --coalesce')), ['--length needs a value (int).', '--length']);
  assert.deepEqual(await mistake(shell('length=99999999999999999999')), ['length is out of range: 99999999999999999999 is more than 2^53.', '99999999999999999999']);
  assert.deepEqual(await mistake(shell('offset=0x10000000000000000')), ['offset is out of range: 0x10000000000000000 has more than 64 bits.', '0x10000000000000000']);
  assert.deepEqual((await mistake(shell('-x')))[1], '-x');
  const required = { address: arg.address.required('where it is', { positional: true }) };
  assert.match((await mistake(shell('', required)))[0], /^test needs address \(address\): where it is\.$/);
  assert.deepEqual(await mistake(shell('1 2', required)), ["test takes no more words: '2' is too many.", '2']);
  assert.deepEqual(await mistake(shell('1', { a: arg.int('x') })), ["test takes no words without a name: '1' is too many.", '1']);
});

test('quotes make a value of anything', async () => {
  const texts = { first: arg.string('x', { positional: true }), rest: arg.strings('y', { positional: true }), name: arg.regex('z') };
  const bound = await line(`test "--first" 'a,b' "x=1" "two words" c,d name="a b"`, texts);
  assert.deepEqual(bound.args, { first: '--first', rest: ['a,b', 'x=1', 'two words', 'c', 'd'], name: /a b/i });
  assert.deepEqual((await line('test name=a{1,2}', texts)).args['name'], /a{1,2}/i);
  assert.deepEqual((await line('test name=[ab]', texts)).args['name'], /[ab]/i);
});

test('-- ends flags, and an equals sign may be part of a text', async () => {
  const texts = { keyword: arg.strings('x', { positional: true }) };
  assert.deepEqual((await shell('-- --length -D', texts)).args['keyword'], ['--length', '-D']);
  assert.deepEqual((await shell('user=root', texts)).args['keyword'], ['user=root']);
  assert.match((await mistake(shell('keywrd=root', texts)))[0], /Did you mean keyword\?/);
});

test("the session's parameters may stand among the arguments; the command's own come first", async () => {
  const bound = await shell('1 format=json --output_style full -v --timezone Europe/Berlin');
  assert.deepEqual(bound.parameters, { format: 'json', output_style: 'full', verbose: true, timezone: 'Europe/Berlin' });
  const own = { filename: arg.path('a file', { short: 'f' }), output: arg.path('another') };
  const parse = { name: 'parse_pdb', args: own };
  assert.deepEqual(splitParameters(parse, wordsOf(['-f', 'ntkrnlmp.pdb', '--output', 'x.json', '-F', 'json'])), { format: 'json' });
  assert.deepEqual((await shell('-f ntkrnlmp.pdb --output x.json', own)).args, { filename: 'ntkrnlmp.pdb', output: 'x.json' });
  assert.deepEqual(await mistake(shell('format=jsn')), ["format is one of text, wide, json, ndjson, csv, data, markdown, parquet, sqlite, duckdb, not 'jsn'. Did you mean json?", 'jsn']);
  assert.match((await mistake(shell('timezone=Nowhere/Land')))[0], /knows no time zone Nowhere\/Land/);
});

test('a list that begins with a flag ends at a bare dash', async () => {
  const two = { list: arg.strings('x'), last: arg.string('y', { positional: true }) };
  assert.deepEqual((await shell('--list a b - c', two)).args, { list: ['a', 'b'], last: 'c' });
});
