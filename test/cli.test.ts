import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporary } from './support/folder.js';
import { root } from './support/root.js';
import { committedSample } from './support/sample.js';

const home = temporary();
const environment = { ...process.env, HOME: home, NO_COLOR: '', PAGER: 'cat' };
const launcher = join(root, 'bin', 'rekall');

interface Result {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

/** Runs the program as a shell does. */
function rekall(words: readonly string[], input = ''): Result {
  const done = spawnSync(process.execPath, [launcher, ...words], { env: environment, cwd: home, input, encoding: 'utf8', timeout: 300_000 });
  return { status: done.status, output: done.stdout, error: done.stderr };
}

const sample = committedSample();
const image = sample?.image ?? '';
const skip = sample ? false : 'no committed sample';

test('one command gives its rows on standard output, exactly the processes that the guest had', { skip }, () => {
  const { status, output, error } = rekall(['-f', image, 'pslist', '--format', 'json']);
  assert.deepEqual([status, error], [0, '']);
  const rows = JSON.parse(output) as { proc: { type: string; offset: number; name: string; pid: number }; pid: number }[];
  const truth = sample?.list('proc').filter((name) => /^\d+$/.test(name)).map(Number) ?? [];
  assert.deepEqual(truth.filter((pid) => !rows.some((row) => row.pid === pid)), []);
  assert.deepEqual([rows[0]?.proc.type, rows[0]?.proc.pid, rows[0]?.pid], ['task_struct', 1, 1]);
});

test('as-query and as-code are heard before the command too, and nothing runs', { skip }, () => {
  assert.equal(rekall(['-f', image, '--as-query', 'pslist', '1']).output, 'select * from pslist(pids: [1])\n');
  assert.match(rekall(['-f', image, '--as-code', 'pslist', '1']).output, /session\.plugins\.pslist\(/);
});

test('a folder for what is kept that cannot be made is no reason to fail, nor to wait', { skip: skip || !existsSync('/proc/self') }, () => {
  // The kernel says ENOENT there, though the folder above exists.
  const { status, output } = rekall(['-f', image, '--cache-dir', '/proc/nothing/here', 'pslist', '1']);
  assert.equal(status, 0);
  assert.match(output, /init \(1\)/);
});

test('a query is one word of the command line, or stands in a file', { skip }, () => {
  const csv = rekall(['-f', image, 'select pid, name from pslist() where pid < 3 order by pid', '--format', 'csv']);
  const named = (pid: number): string => sample?.truth(`proc/${pid}/comm`).trim() ?? '';
  assert.deepEqual([csv.status, csv.error, csv.output.trim().split(/\r?\n/)], [0, '', ['pid,name', `1,${named(1)}`, `2,${named(2)}`]]);
  writeFileSync(join(home, 'q.efilter'), '-- processes\nselect pid\nfrom pslist() where pid == 1;\n');
  const json = rekall(['-f', image, '-q', 'q.efilter', '--format', 'json']);
  assert.deepEqual([json.status, json.error, JSON.parse(json.output)], [0, '', [{ pid: 1 }]]);
  writeFileSync(join(home, 'several.efilter'), "-- first; a view\ncreate view v as select pid, ';' as s from pslist();\n\nselect pid, s from v where pid == {0};\n".replace('{0}', '2'));
  const several = rekall(['-f', image, '-q', 'several.efilter', '--format', 'ndjson']);
  assert.deepEqual([several.status, several.error, several.output.trim().split('\n').at(-1)], [0, '', '{"pid":2,"s":";"}']);
  writeFileSync(join(home, 'empty.efilter'), '-- nothing\n');
  assert.equal(rekall(['-f', image, '-q', 'empty.efilter']).output, '');
  const wrong = rekall(['-f', image, 'select pid form pslist()']);
  assert.equal(wrong.status, 2);
  const [message = '', line = '', mark = ''] = wrong.error.split('\n');
  assert.match(message, /'form' is read as a name here. Did you mean from\?/);
  assert.equal(line.slice(mark.indexOf('^'), mark.lastIndexOf('^') + 1), 'form');
  assert.equal(rekall(['-f', image, '-q', 'missing.efilter']).status, 2);
  assert.deepEqual(rekall(['-f', image, '-q', 'pslist', '1', '--format', 'csv']).status, 0);
});

test('the second open does no detection', { skip }, () => {
  rekall(['-f', image, 'banner']);
  const { status, error } = rekall(['-v', '-f', image, 'banner']);
  assert.equal(status, 0);
  assert.match(error, /cache: /);
  assert.doesNotMatch(error, /kallsyms of the image/);
});

test('commands on standard input run one by one, and the worst of them is the exit status', { skip }, () => {
  const fine = rekall(['-f', image], 'pslist 1 format=ndjson\n# comment\nlookup linux_banner String format=ndjson\n');
  assert.equal(fine.status, 0);
  const [first, second] = fine.output.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(first?.['pid'], 1);
  assert.match(String(second?.['field']), /^Linux version /);
  const bad = rekall(['-f', image], 'pslst\npslist 1\n');
  assert.equal(bad.status, 1);
  assert.match(bad.error, /No command pslst\. Did you mean pslist or slist\?/);
  assert.match(bad.output, /init \(1\)/);
});

test('--output writes a file, and commands after the first add to it', { skip }, () => {
  const file = join(home, 'rows.csv');
  writeFileSync(file, 'old');
  const { status, output } = rekall(['-f', image, '--output', file, '--format', 'csv'], 'pslist 1\npslist 2\n');
  assert.deepEqual([status, output], [0, '']);
  const lines = readFileSync(file, 'utf8').split('\r\n');
  assert.deepEqual(lines.map((line) => line.split(',')[1]), ['pid', '1', 'pid', '2', undefined]);
});

test('a reader that has seen enough ends the program without a word', { skip }, async () => {
  const child = spawn(process.execPath, [launcher, '-f', image, 'address_resolver', 'linux!*', '--format', 'ndjson'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let error = '';
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk.toString();
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const status = await new Promise((resolve) => {
    child.on('close', resolve);
  });
  assert.deepEqual([status, error], [0, '']);
});

test('Ctrl-C leaves the rows so far', { skip: skip || (process.platform === 'win32' ? 'no signals' : false) }, async () => {
  const child = spawn(process.execPath, [launcher, '-f', image, 'address_resolver', ...Array<string>(200).fill('linux!*'), '--format', 'json'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, error] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk.toString();
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '') child.kill('SIGINT');
    output += chunk.toString();
  });
  const status = await new Promise((resolve) => {
    child.on('close', resolve);
  });
  assert.equal(status, 1);
  assert.match(error, /Stopped: [\d,]+ rows so far\./);
  assert.ok((JSON.parse(output) as unknown[]).length > 0);
});

test('mistakes in the command line are exit status 2, with their place', () => {
  const cases: [string[], RegExp][] = [
    [['pslst'], /^No command pslst\. Did you mean pslist or slist\?\n {2}rekall pslst\n {9}\^{5}\n$/],
    [['--frmat', 'json', 'pslist'], /has no argument frmat\. Did you mean format\?/],
    [['pslist', '--format', 'jsn'], /Did you mean json\?/],
    [['pslist', 'pids=x'], /pids needs a whole number/],
    [['vtop'], /vtop needs virtual_address/],
  ];
  for (const [words, message] of cases) {
    const { status, output, error } = rekall([...(sample && words[0] !== 'pslst' ? ['-f', image] : []), ...words]);
    assert.match(error, message);
    assert.deepEqual([status, output], [2, ''], words.join(' '));
  }
});

test('what is no image fails with a sentence and the next command', () => {
  const empty = join(home, 'empty');
  writeFileSync(empty, '');
  const text = join(home, 'text.txt');
  writeFileSync(text, 'This is no memory image.\n'.repeat(1000));
  for (const path of ['/no/such/image', home, empty, text]) {
    const { status, output, error } = rekall(['-f', path, 'pslist']);
    assert.deepEqual([status, output], [1, ''], path);
    assert.match(error, /: (?:ls|head|file) ?/, path);
    assert.doesNotMatch(error, /Unexpected|\n {4}at /, path);
    // Nothing on standard input needs it, nor does anything else.
    for (const input of ['', '\n']) assert.deepEqual(rekall(['-f', path], input), { status: 1, output: '', error }, path);
  }
  const none = rekall(['pslist']);
  assert.deepEqual([none.status, none.error], [1, 'No image is open.\nTry: rekall -f IMAGE\n']);
});

test('help and version', () => {
  const { status, output } = rekall(['--help']);
  assert.equal(status, 0);
  for (const part of ['--filename', '-F, --format', 'text|wide|json|ndjson|csv|data', 'pslist', 'plugins']) assert.ok(output.includes(part), part);
  assert.match(rekall(['pslist', '-h']).output, /^pslist — processes.*\n {2}pslist \[pids …\]/);
  assert.match(rekall(['--version']).output, /^rekall \d+\.\d+\.\d+\n$/);
});

test('the configuration in the home folder counts, and flags count more', { skip }, () => {
  writeFileSync(join(home, '.rekallrc'), 'format: ndjson\ntimezon: UTC\n');
  const configured = rekall(['-f', image, 'pslist', '1']);
  assert.equal((JSON.parse(configured.output) as { pid: number }).pid, 1);
  assert.match(configured.error, /\.rekallrc:2: timezon is no parameter\. Did you mean timezone\?/);
  assert.match(rekall(['-f', image, 'pslist', '1', '--format', 'text']).output, /init \(1\)/);
  writeFileSync(join(home, '.rekallrc'), 'format: [\n');
  const broken = rekall(['-f', image, 'pslist', '1']);
  assert.deepEqual([broken.status, broken.output], [2, '']);
  rmSync(join(home, '.rekallrc'));
});

const pseudoTerminal = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
test('on a terminal the console greets, completes, runs and leaves', { skip: skip || (pseudoTerminal === undefined ? 'no script(1) for a pseudo terminal' : false) }, async () => {
  const command = `'${process.execPath}' '${launcher}' -f '${image}'`;
  const child = spawn(pseudoTerminal ?? '', ['-qec', command, '/dev/null'], { env: { ...environment, TERM: 'xterm' }, stdio: ['pipe', 'pipe', 'pipe'] });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
  });
  const closed = new Promise((resolve) => {
    child.on('close', resolve);
  });
  const seen = async (pattern: RegExp): Promise<void> => {
    const deadline = performance.now() + 60_000;
    while (!pattern.test(screen)) {
      if (performance.now() > deadline) throw new Error(`no ${String(pattern)} in:\n${screen}`);
      await sleep(20);
    }
  };
  try {
    await seen(/Linux 6\.1\.0[^]*Try: pslist[^]*\[1\] [^]*image\.kdump[^]*\d\d:\d\d:\d\d[^]*> /);
    child.stdin.write('psli\t 1\r');
    await seen(/pslist +1[^]*init \(1\)[^]*> /);
    child.stdin.write('\x04');
    assert.equal(await closed, 0);
  } finally {
    child.kill();
  }
});
