import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from '../../src/console/arguments.js';
import { UsageError } from '../../src/plugin/error.js';
import { arg, type Args } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin, type Plugin } from '../../src/plugin/plugin.js';
import { Registry } from '../../src/plugin/registry.js';

function command(name: string, args: Args): Plugin {
  return definePlugin({
    name,
    needs: 'none',
    topic: 'session',
    summary: name,
    args,
    columns: { n: col.int('n') },
    examples: [{ line: name }],
    collect: () => [],
  });
}

const registry = new Registry([], '');
registry.add(command('pslist', { pids: arg.ints('ids', { positional: true }), proc_regex: arg.regex('names') }));
registry.add(command('version_scan', { name_regex: arg.regex('names') }));
registry.add(command('dis', { offset: arg.address('where', { positional: true }) }));
registry.add(command('fetch_pdb', { guid: arg.string('id'), filename: arg.string('name'), dump_dir: arg.path('folder', { short: 'D' }) }));
registry.add(command('parse_pdb', { filename: arg.path('file', { short: 'f' }), output: arg.path('file'), windows_version: arg.string('version') }));
registry.add(command('convert_profile', { source: arg.path('from', { positional: true }), out_file: arg.path('to', { positional: true }) }));

const read = (line: string): ReturnType<typeof readArguments> => readArguments(line.split(/\s+/).slice(1), registry);

test('the command lines printed in the original documents are understood, and lists in parts', () => {
  const cases: [string, string | undefined, Record<string, unknown>][] = [
    ['rekall --verbose -f ~/images/win7.elf pslist', 'pslist', { verbose: true, filename: '~/images/win7.elf' }],
    ['rekall -f ~/images/win7.elf dis ntoskrnl.exe!PsSetLoadImageNotifyRoutine', 'dis', { filename: '~/images/win7.elf' }],
    ['rekall -f OSX_image.dd --profile ./OSX_10.6.6_AMD.json.gz', undefined, { filename: 'OSX_image.dd', profile: './OSX_10.6.6_AMD.json.gz' }],
    ['rekall -f memory_vm_10_7.dd.E01 --profile OSX/10.7.4_AMD -v pslist', 'pslist', { filename: 'memory_vm_10_7.dd.E01', profile: 'OSX/10.7.4_AMD', verbose: true }],
    ['rekall -f x.E01 --profile_path full_path_to_rekall.profiles --profile OSX/10.7.4_AMD -v pslist', 'pslist', { filename: 'x.E01', repository_path: ['full_path_to_rekall.profiles'], profile: 'OSX/10.7.4_AMD', verbose: true }],
    ['rekall --repository_path a --profile_path b --repository_path=c pslist', 'pslist', { repository_path: ['a', 'b', 'c'] }],
    ['rekall -f win7.elf version_scan --name_regex krnl', 'version_scan', { filename: 'win7.elf' }],
    ['rekall fetch_pdb -D. --guid F8E2A8B5C9B74BF4A6E4A48F180099942 --filename ntkrnlmp.pdb', 'fetch_pdb', {}],
    ['rekall parse_pdb -f ntkrnlmp.pdb --output F8E2.json --win 6.1', 'parse_pdb', {}],
    ['rekall convert_profile ./profiles/Volatility/ ./OSX_10.6.6_AMD.json', 'convert_profile', {}],
  ];
  for (const [line, name, parameters] of cases) {
    const invocation = read(line);
    assert.equal(invocation.command, name, line);
    assert.deepEqual(invocation.parameters, parameters, line);
  }
});

test('the first word that names a command is the command, wherever it stands', () => {
  assert.deepEqual(read('rekall pslist -f image --format json 1').parameters, { filename: 'image', format: 'json' });
  assert.equal(read('rekall -f pslist pslist').parameters.filename, 'pslist');
  assert.equal(read('rekall --repository_path a b - pslist').command, 'pslist');
  assert.deepEqual(read('rekall --repository_path a b pslist').parameters.repository_path, ['a', 'b']);
  const queried = readArguments(['-f', 'image', '--repository_path', 'a', 'b', 'select pid from pslist()'], registry);
  assert.deepEqual(queried.parameters.repository_path, ['a', 'b']);
  assert.ok(queried.query && 'text' in queried.query && queried.query.text === 'select pid from pslist()');
  assert.equal(read('rekall version-scan').command, 'version-scan');
  const early = read('rekall --proc_regex bash -f image pslist 1');
  assert.deepEqual(early.words.args.map((word) => word.value.text), ['--proc_regex', 'bash', '1']);
});

test('help, version, the console', () => {
  assert.deepEqual([read('rekall --help').help, read('rekall --help').command], [true, undefined]);
  assert.deepEqual([read('rekall -f x pslist -h').help, read('rekall -f x pslist -h').command], [true, 'pslist']);
  assert.deepEqual([read('rekall help pslist').help, read('rekall help pslist').command], [true, 'pslist']);
  assert.equal(read('rekall --version').version, true);
  assert.equal(read('rekall -f x shell').command, undefined);
  assert.equal(read('rekall -vq -fx').parameters.filename, 'x');
});

test('mistakes point at their word', () => {
  const cases: [string, string, RegExp][] = [
    ['rekall pslst', 'pslst', /No command pslst\. Did you mean pslist\?/],
    ['rekall --live API', '--live', /running system \(--live\) is not part of this release/],
    ['rekall --verbose --frmat json', '--frmat', /No flag --frmat\. Did you mean format\?/],
    ['rekall -f', '-f', /-f needs a value/],
    ['rekall --format jsn pslist', 'jsn', /format is one of .* Did you mean json\?/],
    ['rekall --outp x', '--outp', /outp may be output or output_style/],
    ['rekall pslist --proc_regx a', '--proc_regx', /no argument proc_regx\. Did you mean proc_regex\?/],
    ['rekall help pslst', 'pslst', /Did you mean pslist\?/],
  ];
  for (const [line, at, message] of cases) {
    assert.throws(
      () => read(line),
      (error) => error instanceof UsageError && error.place !== undefined && error.place.line.slice(error.place.start, error.place.end) === at && message.test(error.message),
      line,
    );
  }
});
